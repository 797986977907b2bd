"""Pages in a real browser: nothing that axe-core objects to, nothing cut, nothing asked for, on a screen, on a phone, in the dark, on paper.

``make browser`` installs what drives the browser; ``CHROMIUM`` names another one than the system's. Screenshots and PDFs lie in
``.cache/browser/seen`` afterwards, to be looked at.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openvet.cli import main
from openvet.reports import paper_html
from openvet.workflows.documents import find_document
from tests.browser.models import hostile, ordinary, tuned
from tests.documents.samples import filled, rich
from tests.reports.test_page import checked, many, page

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / ".cache" / "browser"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    not ((MODULES / ".made").exists() and CHROMIUM), reason="there is no browser; make browser says what it needs"
)
PAGES = (
    "admit",
    "reject",
    "hostile",
    "several",
    "dossier",
    "policies",
    "long",
    "fit",
    "lineage",
    "diff",
    "document",
    "checklist",
)
REPORTS = PAGES[:7]
VIEWS = ("light", "dark", "phone", "phone-dark", "print")


def run(*arguments: str | Path) -> str:
    found = CliRunner().invoke(main, list(map(str, arguments)))
    assert found.exit_code in {0, 1, 3}, found.stderr
    return found.stdout


def make(folder: Path) -> None:
    """Every page that the product makes, of models that have something in each section."""
    good, bad, worse = ordinary(folder), tuned(folder), hostile(folder)
    run("check", good, "--report", folder / "admit.html")
    run("check", bad, "--report", folder / "reject.html")
    run("check", worse, "--report", folder / "hostile.html")
    run("check", good, bad, "--report", folder / "several.html")
    run("keys", "new", folder / "k", "--kind", "ed25519", "--no-passphrase")
    run("check", bad, "--dossier", folder / "d", "--sign", folder / "k")
    run("dossier", "report", folder / "d", folder / "dossier.html", "--key", folder / "k.pub")
    (folder / "policies.html").write_text(page(checked("tuned")), encoding="utf-8")
    (folder / "long.html").write_text(page(many(2_000)), encoding="utf-8")
    run("profile", good, "--device", "rpi5", "--device", "t4", "-f", "html", "-o", folder / "fit.html")
    run("lineage", worse, "-f", "html", "-o", folder / "lineage.html")
    run("diff", good, worse, "-f", "html", "-o", folder / "diff.html")
    paper = filled(*find_document("annex-iv"), rich())
    (folder / "document.html").write_text(paper_html.compose([paper], "DOSSIER"), encoding="utf-8")
    dossier = (folder / "d", "--key", folder / "k.pub", "--policy", "nist-ai-rmf")
    run("document", "checklist", *dossier, "-f", "html", "-o", folder / "checklist.html")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("pages")
    make(folder)
    out = MODULES / "seen"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    script = Path(__file__).with_name("look.mjs")
    found = subprocess.run(
        ["node", str(script), str(CHROMIUM), str(MODULES), str(out), *(str(folder / f"{each}.html") for each in PAGES)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return {each["page"]: each for each in json.loads(found.stdout)}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_axe_objects_to(seen: dict[str, Any], name: str) -> None:
    for view, found in seen[name]["views"].items():
        assert found["violations"] == [], view
        # contrast on drawings is beyond what axe can see; the palette itself is tested (tests/reports/test_markup.py)
        assert {each["id"] for each in found["incomplete"]} <= {"color-contrast"}, view


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_window(seen: dict[str, Any], name: str) -> None:
    for view, found in seen[name]["views"].items():
        assert found["past"] == [], view
        assert found["wide"] <= found["window"], view


@pytest.mark.parametrize("name", PAGES)
def test_every_view_was_seen(seen: dict[str, Any], name: str) -> None:
    assert set(seen[name]["views"]) == ({"light", "print"} if name == "long" else set(VIEWS))
    for view in seen[name]["views"]:
        assert (MODULES / "seen" / f"{name}-{view}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_nothing_and_asks_for_nothing(seen: dict[str, Any], name: str) -> None:
    """No script of a model ran, the style sheet was taken (its digest is right), and no address was asked for."""
    found = seen[name]
    assert found["console"] == []
    assert {each.rpartition("/")[2] for each in found["requests"]} == {f"{name}.html"}
    assert all(each.startswith("file:") for each in found["requests"])
    assert found["views"]["light"]["styled"] == "960px"


@pytest.mark.parametrize("name", REPORTS)
def test_the_keyboard_comes_to_the_report_first(seen: dict[str, Any], name: str) -> None:
    assert seen[name]["first_focus"] == "Skip to the report"
    assert seen[name]["after_skip"] == "#report"


@pytest.mark.parametrize("name", PAGES)
def test_headings_step_by_one(seen: dict[str, Any], name: str) -> None:
    levels = [int(each[1]) for each in seen[name]["views"]["light"]["heads"]]
    assert levels[0] == 1
    assert all(later - before <= 1 for before, later in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_it_prints(seen: dict[str, Any], name: str) -> None:
    """On A4, tagged and with an outline, all folded parts open, and no more pages than what is shown needs."""
    data = (MODULES / "seen" / f"{name}.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    sheets = re.findall(rb"/Type\s*/Page\b", data)
    boxes = {tuple(map(float, each.split())) for each in re.findall(rb"/MediaBox \[([^\]]*)\]", data)}
    assert all(abs(right - 595) < 2 and abs(high - 842) < 2 for _, _, right, high in boxes)
    tall = seen[name]["views"]["print"]["tall"]
    # a sheet has some 1,000 of the window's points, and a heading or a row that stays whole leaves some of them empty
    assert tall / 1_300 - 1 <= len(sheets) <= tall / 500 + 2
    assert b"/StructTreeRoot" in data
    if len(seen[name]["views"]["light"]["heads"]) > 1:
        assert b"/Outlines" in data
