"""Words that do not belong into the tree, and names that do not belong onto a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".sh", ".json", ".cfg", ".in", ""}
FOLDERS = ("src", "tests", "tools", "benchmarks", "docs", "requirements", "changes", ".ci", ".github")
# put together so that this file does not hold them
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "HA" + "CK")) + r")\b")
PLACES = ("/wo" + "rk/", "/ro" + "ot/", "pypi" + ".org", "pythonhosted" + ".org", "debian" + ".org", "npmjs" + ".org",
          "--extra-index" + "-url", "find" + "-links =")  # fmt: skip
SHAPELESS = {"utils", "util", "manager", "engine", "common", "helper", "helpers", "misc", "enhanced"}


def texts() -> Iterator[tuple[Path, str]]:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    files += [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != "LICENSE"]
    for path in files:
        hidden = {"__pycache__", "openvet.egg-info", "vendor"} & set(path.parts)
        if path.suffix in TEXT and not hidden and path != Path(__file__):
            yield path, path.read_text(encoding="utf-8")


def test_nothing_is_left_for_later() -> None:
    assert [str(path) for path, text in texts() if UNFINISHED.search(text)] == []


def test_no_machine_and_no_registry_is_named() -> None:
    allowed = {"words of attackers": ("tests", "testing", "data")}  # a hostile sample may name any path
    found = [
        f"{path}: {place}"
        for path, text in texts()
        for place in PLACES
        if place in text and not set(allowed["words of attackers"]) & set(path.relative_to(ROOT).parts)
    ]
    assert found == []


def test_file_names_say_what_is_inside() -> None:
    names = {path.stem for folder in ("src", "tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")}
    assert names & SHAPELESS == set()
    # what runs a model is called an engine everywhere: the contract of one is no shapeless name
    assert [name for name in names if set(name.split("_")) & SHAPELESS] == ["_engine"]
