"""Other people's programs take what teams get from us: JUnit's schema, and pre-commit itself; ``make interop`` makes their environment.

The hook is tried as a team has it: in a repository of its own that names this one at a commit. pre-commit builds OpenVet for that, with
what the package index gives it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.browser.models import hostile, ordinary
from tests.reports import samples
from tests.reports.test_page import many

from openvet.reports import junit

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".cache/interop/teams/bin"
SCHEMA = ROOT / "tests/vendor/junit-10.xsd"
pytestmark = pytest.mark.skipif(
    not (BIN.parent / ".made").exists(), reason="they are not installed; make interop does that"
)
_CHECK = "import json, sys, xmlschema; print(json.dumps([str(e.reason) for p in sys.argv[2:] for e in xmlschema.XMLSchema10(sys.argv[1]).iter_errors(p)]))"


def test_every_report_obeys_the_schema_of_junit(tmp_path: Path) -> None:
    reports = {**samples.SAMPLES, "long": samples.report(many(500).report)}
    paths = []
    for name, report in reports.items():
        path = tmp_path / f"{name}.xml"
        path.write_text(junit.compose(report), encoding="utf-8")
        paths.append(str(path))
    wrong = tmp_path / "wrong.xml"
    wrong.write_text('<testsuites><testsuite name="x"><testcase/></testsuite></testsuites>')

    def errors(*given: str) -> list[str]:
        command = [str(BIN / "python"), "-c", _CHECK, str(SCHEMA), *given]
        found: list[str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return found

    assert errors(str(wrong))
    assert errors(*paths) == []


# --- pre-commit ---


def git(folder: Path, *arguments: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This working tree as a repository of its own with one commit."""
    place = tmp_path_factory.mktemp("ours")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if name.startswith(("tests/", "docs/", "benchmarks/")) or not (ROOT / name).is_file():
            continue
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name)
    git(place, "init", "--quiet")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "all of it")
    return place


def hook(folder: Path, ours: Path, *more: str, id_: str = "openvet") -> tuple[int, str]:
    config = f"repos:\n- repo: {ours}\n  rev: {git(ours, 'rev-parse', 'HEAD')}\n  hooks:\n  - id: {id_}\n" + "".join(f"    {each}\n" for each in more)  # fmt: skip
    (folder / ".pre-commit-config.yaml").write_text(config)
    env = {**os.environ, "PRE_COMMIT_HOME": str(ours.parent / "pre-commit-home"), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}  # fmt: skip
    found = subprocess.run(
        [str(BIN / "pre-commit"), "run", "--all-files", "--verbose"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )  # fmt: skip
    return found.returncode, found.stdout + found.stderr


def test_the_manifest_is_valid() -> None:
    command = [str(BIN / "pre-commit"), "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_commit_of_a_hostile_model_is_stopped(tmp_path: Path, ours: Path) -> None:
    git(tmp_path, "init", "--quiet")
    ordinary(tmp_path, "good")
    (tmp_path / "main.py").write_text("print('hello')\n")
    git(tmp_path, "add", "--all")
    code, said = hook(tmp_path, ours)
    assert code == 0, said
    assert "ADMIT  good/model.safetensors" in said
    assert "main.py" not in said
    code, said = hook(tmp_path, ours, "args: [good]", id_="openvet-models")
    assert code == 0, said
    hostile(tmp_path, "bad")
    git(tmp_path, "add", "--all")
    code, said = hook(tmp_path, ours)
    assert code == 1
    assert "REJECT  bad/state-0.pkl" in said
    code, said = hook(tmp_path, ours, "args: [--fail-on, never]")
    assert code == 0, said
