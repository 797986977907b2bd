"""A built wheel holds the whole package: code, data, schemas, spec pages and the licence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*.so"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    # where nothing can be compiled it is made all the same
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=tree,
        env={**os.environ, "CC": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "openvet").rglob("*") if path.is_file()
    }
    wanted = {name for name in wanted if "__pycache__" not in name and not name.endswith(".so")}
    assert wanted - names == set()
    assert [name for name in names if name.endswith("/licenses/LICENSE")] != []
    assert any(name.startswith("openvet/") for name in names)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"openvet"}
