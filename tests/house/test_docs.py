"""The documents: links lead somewhere, commands exist, generated pages are what the code says."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
BY_HAND = [page for page in PAGES if "reference" not in page.relative_to(ROOT).parts]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """The anchors that a repository host gives to a page's headings."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / unquote(path)).resolve() if path else page
        assert aim.exists(), f"{target} leads nowhere"
        if anchor:
            assert anchor in anchors(aim), f"{target} has no such heading"


@pytest.mark.parametrize("page", BY_HAND, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_that_are_named_exist(page: Path) -> None:
    assert set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))) <= TARGETS


@pytest.mark.parametrize("page", BY_HAND, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_are_named_exist(page: Path) -> None:
    from openvet.cli import main

    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`|\$ )openvet ([a-z]+)\b", text, re.MULTILINE))
    commands = set(main.list_commands(click.Context(main)))
    assert named <= commands


def test_make_help_lists_every_target() -> None:
    told = set(re.findall(r"^([a-z][a-z-]*):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert told == TARGETS


def test_decisions_are_numbered_and_shaped() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for page in pages:
        assert page.name in index, f"{page.name} is not in the list"
        heads = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert heads[:3] == ["Context", "Decision", "Consequences"]


def test_fragments_are_shaped() -> None:
    kinds = {"added", "changed", "fixed", "removed", "security"}
    fragments = [page for page in (ROOT / "changes").iterdir() if page.name != "README.md"]
    for page in fragments:
        assert re.fullmatch(r"[a-z0-9-]+\.([a-z]+)\.md", page.name), page.name
        assert page.name.split(".")[1] in kinds, page.name
        assert page.read_text(encoding="utf-8").strip().endswith("."), page.name


def test_the_reference_is_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["reference.py", "--check"])
    made = runpy.run_path(str(ROOT / "tools" / "reference.py"))
    assert made["stale"](made["pages"]()) == [], "run `make docs`"


def test_workflows_pin_their_actions_by_commit() -> None:
    for page in (ROOT / ".github" / "workflows").glob("*.yml"):
        for used in re.findall(r"uses: *(\S+)", page.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used
