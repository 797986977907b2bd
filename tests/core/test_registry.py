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


# --- indexes ---

MEMBER = "FACT = {fact!r}\n"
ASK = (
    "import json, sys\n"
    "from openvet.core.registry import load_kind\n"
    "def fact_of(module): return module.FACT\n"
    "found = load_kind('kind_of_mine', ('FACT',), fact_of)\n"
    "early = sorted(name for name in sys.modules if name.startswith('kind_of_mine.') and name != 'kind_of_mine._index')\n"
    "print(json.dumps([[[e.name, e.facts] for e in found.entries], early]))\n"
    "found.modules\n"
)


def kind(folder: Path, index: str | None, **members: str) -> tuple[list[list[str]], list[str], str]:
    """Facts by name, the modules that were imported to know them, and how importing them all ended."""
    package = folder / "kind_of_mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "_shared.py").write_text("raise RuntimeError\n")
    (package / "notes.txt").write_text("")
    (package / "rests" / "__pycache__").mkdir(parents=True)
    for name, fact in members.items():
        (package / f"{name}.py").write_text(MEMBER.format(fact=fact))
    (package / "other.py").write_text("")
    if index is not None:
        (package / "_index.py").write_text(index)
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{ASK}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    facts, early = json.loads(done.stdout)
    return facts, early, done.stderr


def test_an_index_that_fits_spares_the_imports(tmp_path: Path) -> None:
    facts, early, error = kind(tmp_path, "INDEX = (('a', 'x'), ('b', 'y'), ('other', None))\n", a="x", b="y")
    assert facts == [["kind_of_mine.a", "x"], ["kind_of_mine.b", "y"]]
    assert early == []
    assert error == ""


@pytest.mark.parametrize(
    "index",
    [
        None,
        "",
        "raise RuntimeError\n",
        "INDEX = 1\n",
        "INDEX = (('a', 'x'), ('other', None))\n",
        "INDEX = (('a', 'x'), ('b', 'y'))\n",
        "INDEX = (('a', 'x'), ('b', 'y'), ('gone', 'z'), ('other', None))\n",
    ],
    ids=["none", "empty", "raises", "no list", "lacks a member", "lacks another module", "names one that is gone"],
)
def test_an_index_that_does_not_fit_hides_nothing(index: str | None, tmp_path: Path) -> None:
    facts, early, error = kind(tmp_path, index, a="x", b="y")
    assert facts == [["kind_of_mine.a", "x"], ["kind_of_mine.b", "y"]]
    assert early == ["kind_of_mine.a", "kind_of_mine.b", "kind_of_mine.other"]
    assert error == ""


def test_a_module_that_is_not_what_the_index_says_is_an_error(tmp_path: Path) -> None:
    _, _, error = kind(tmp_path, "INDEX = (('a', 'x'), ('b', 'z'), ('other', None))\n", a="x", b="y")
    assert "ImportError: kind_of_mine.b is not what the index of its folder says; `make index` makes it anew" in error


def test_a_plug_in_whose_rule_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine_rule.py").write_text("RULE = 1\ndef check(ctx):\n    return iter(())\n")
    install(tmp_path, "openvet.checks", mine="mine_rule")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + SHOW.replace(
        "found = load_kind('openvet.checks', ('RULE', 'check'))",
        "from openvet.checks._run import checks\nfound = checks()",
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[:2] == [[], [["openvet.checks: mine", "TypeError: RULE is not a Rule"]]]
