"""Plug-ins come in through entry points; one that fails is told, and nobody pays for those that are not there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = (
    "import json, sys\n"
    "from openvet.core.registry import load_kind\n"
    "found = load_kind('openvet.checks', ('RULE', 'check'))\n"
    "own = [m.__name__ for m in found.modules if not m.__name__.startswith('openvet.')]\n"
    "print(json.dumps([own, [[b.name, b.error] for b in found.broken], 'importlib.metadata' in sys.modules]))\n"
)
RULE = (
    "from openvet.core.rule import Confidence, Rule, Severity\n"
    "RULE = Rule(id='file/mine', severity=Severity.LOW, confidence=Confidence.LOW, since='0.1.0')\n"
    "def check(ctx):\n    return iter(())\n"
)


def install(folder: Path, group: str, **points: str) -> None:
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {target}" for name, target in points.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")


def show(folder: Path) -> tuple[list[str], list[list[str]], bool]:
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{SHOW}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    own, broken, asked = json.loads(done.stdout)
    return own, broken, asked


def test_a_plug_in_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine_rule.py").write_text(RULE)
    install(tmp_path, "openvet.checks", mine="mine_rule")
    assert show(tmp_path) == (["mine_rule"], [], True)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise RuntimeError('no luck')\n", "RuntimeError: no luck"),
        ("RULE = 1\n", "does not define check"),
        ("import not_there_at_all\n", "ModuleNotFoundError: No module named 'not_there_at_all'"),
    ],
)
def test_a_plug_in_that_fails_is_told(source: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "mine_rule.py").write_text(source)
    install(tmp_path, "openvet.checks", mine="mine_rule")
    assert show(tmp_path) == ([], [["openvet.checks: mine", why]], True)


def test_without_any_nothing_is_parsed(tmp_path: Path) -> None:
    install(tmp_path, "console_scripts", openvet_extra="openvet.cli:main")
    assert show(tmp_path) == ([], [], False)
