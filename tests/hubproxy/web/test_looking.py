"""What is looked at: what decides here, what a check signed about a revision, the inventory, the portfolio; and acting on many at once."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from openvet.gate.policy import Policy, evidence_lines
from openvet.gate.settings import Settings
from openvet.store.jobs import add_job
from openvet.store.models import Summary, note_summary
from openvet.store.pulls import add_pull
from openvet.store.revisions import FileRow, add_revision
from openvet.store.vettings import end_vetting, start_vetting
from openvet.workflows.check import check_each
from tests.browser.models import hostile, tuned
from tests.hubproxy.web.browser import Browser, Page
from tests.hubproxy.web.conftest import Site
from tests.hubproxy.web.test_hostile import FORBIDDEN

AGENT = "transformers/5.5.0; python/3.11.7; torch/2.5.1; hf_hub/2.4.0"


def vetted(site: Site, name: str, make: Callable[[Path], Path], kind: str = "model") -> int:
    """A revision that was checked as a gate checks it, by what it signed; its number."""
    live = site.live
    with tempfile.TemporaryDirectory() as folder:
        options = Policy(Settings(packs=("baseline",)), 1_795_867_200_000).options(date(2026, 11, 28))
        (report,) = check_each([str(make(Path(folder)))], options)
        lines = evidence_lines(report, live.key, 0, 1)
    assert lines
    with live.database.writing() as connection:
        number = add_revision(connection, kind, name, f"{len(name):040x}", "up", "{}", [FileRow("a", 1, "0" * 40)], 1)
        job = add_job(connection, "vet", f"vet:{number}:all", {"revision": number, "scope": "all"}, live.now)
        vetting = start_vetting(connection, number, job, "all", "bytes", 1, live.now)
        end_vetting(
            connection, vetting, "done", "reject", "", zlib.compress(b"{}"), zlib.compress(b"\n".join(lines)), live.now
        )
        note_summary(
            connection, number, Summary(vetting, "reject", "mit", 1, 0, 0, 0, (), ("CVE-2025-1", "CVE-2025-2"))
        )
    return number


def is_plain(page: Page) -> None:
    """Nothing in it runs, loads, or carries a style of its own."""
    assert page.status == 200
    assert FORBIDDEN.isdisjoint({tag for tag, _ in page.read.elements} - {"svg"})
    names = {name for _, values in page.read.elements for name in values}
    assert not any(each.startswith("on") or each in {"style", "src"} for each in names), names
    ids = [values["id"] for _, values in page.read.elements if "id" in values]
    assert len(ids) == len(set(ids))


def test_what_a_check_signed_is_on_the_page_of_the_revision(site: Site) -> None:
    number = vetted(site, "org/tuned", tuned)
    page = site.browser("viewer").get(f"/openvet/revisions/{number}")
    is_plain(page)
    for each in (
        "Where it comes from",
        "Licences and duties",
        "What its licences ask for",
        "What it needs",
        "What the last check signed",
    ):
        assert each in page.text, each
    drawn = [values for tag, values in page.read.elements if tag == "svg"]
    assert len(drawn) >= 2  # the lineage, and what it needs on a device
    assert any("Lineage of" in each for each in [page.text])
    assert "lineage/v1" in page.text
    assert "Where it comes from" not in site.browser("viewer").get("/openvet/revisions/1").text


def test_a_name_in_a_drawing_is_text(site: Site) -> None:
    number = vetted(site, "org/evil", hostile)
    page = site.browser("viewer").get(f"/openvet/revisions/{number}")
    is_plain(page)
    assert "<script" not in page.html
    assert "\u202e" not in page.html


def test_what_decides_here(site: Site) -> None:
    live = site.live
    with live.database.writing() as connection:
        live.decide(connection, 1, "policy", "reject", reason="It runs <b>os.system</b>", by="policy")
    browser = site.browser("viewer")
    page = browser.get("/openvet/policies")
    is_plain(page)
    assert "baseline" in page.text
    assert "Ships with this version" in page.text
    assert "It runs <b>os.system</b>" in page.text
    page = browser.get("/openvet/policies/baseline")
    is_plain(page)
    assert "BASE-1" in page.text
    assert "Sources" in page.text
    for path in ("/openvet/policies/none", "/openvet/policies/%2e%2e"):
        assert browser.get(path).status == 404
    assert site.browser("nobody").get("/openvet/policies").status == 403


def test_the_inventory_shows_who_had_what_with_which_loaders(site: Site) -> None:
    live = site.live
    with live.database.writing() as connection:
        data = add_revision(connection, "dataset", "org/data", "e" * 40, "up", "{}", [FileRow("a", 1, "0" * 40)], 1)
        for revision, person in ((1, "submitter"), (data, "reviewer")):
            add_pull(connection, revision, "a", "0" * 64, site.person(person).id, AGENT, "127.0.0.1", 5, live.now)
    browser = site.browser("viewer")
    page = browser.get("/openvet/uses")
    is_plain(page)
    for each in ("org/tiny", "org/data", "data set", "submitter", "torch 2.5.1", "known"):
        assert each in page.text, each
    page = browser.get("/openvet/uses?person=submitter")
    assert ("org/tiny" in page.text, "org/data" in page.text) == (True, False)
    page = browser.get("/openvet/uses?project=/vision")
    assert "nobody pulled anything like that" in page.text.lower()
    page = browser.get("/openvet/uses")
    assert "not known: pulled before this server kept it" in page.text
    with live.database.writing() as connection:
        for project in ("/vision/ocr", "/text"):
            add_pull(connection, 1, "a", "0" * 64, site.person("submitter").id, AGENT, "", 5, live.now, project)
    page = browser.get("/openvet/uses")
    is_plain(page)
    assert "/vision/ocr" in page.text
    assert "another project" in page.text
    assert "/text" not in page.text
    assert "/vision/ocr" in browser.get("/openvet/uses?project=/vision").text
    assert "/vision/ocr" in browser.get("/openvet/revisions/1").text
    assert browser.get("/openvet/uses?project=/text").status == 403
    assert "nobody pulled anything like that" in browser.get("/openvet/uses?client=jax").text.lower()


def test_the_portfolio(site: Site) -> None:
    live = site.live
    browser = site.browser("viewer")
    assert "Nothing is admitted that has a report." in browser.get("/openvet/").text
    number = vetted(site, "org/tuned", tuned)
    with live.database.writing() as connection:
        live.decide(connection, number, "policy", "admit", reason="", by="policy")
        live.decide(connection, 1, "policy", "review", reason="why", by="policy")
    page = browser.get("/openvet/")
    is_plain(page)
    assert "mit 1" in " ".join(page.text.split())
    assert "CVE-2025-1" in page.text
    assert "1 admitted" in page.text
    assert "1 not admitted" in page.text
    assert live.ask("GET", "/portfolio/licenses", as_="viewer").json["items"] == [{"name": "mit", "count": 1}]
    found = live.ask("GET", "/portfolio/advisories?limit=1", as_="viewer").json
    assert found == {"items": [{"name": "CVE-2025-1", "count": 1}], "next": "1"}
    assert live.ask("GET", "/portfolio/advisories?limit=1&after=1", as_="viewer").json["next"] is None
    weeks = live.ask("GET", "/portfolio/weeks", as_="viewer").json["items"]
    assert len(weeks) == 12
    assert (weeks[-1]["admitted"], weeks[-1]["declined"]) == (1, 1)
    assert not any(each["admitted"] or each["declined"] for each in weeks[:-1])
    with live.database.writing() as connection:  # what is taken back is in the portfolio no more
        live.decide(connection, number, "revocation", "reject", reason="x", by="x")
    assert live.ask("GET", "/portfolio/licenses", as_="viewer").json["items"] == []
    signed = live.ask("GET", f"/revisions/{number}/statements", as_="viewer").json["items"]
    assert {each["type"].split("/")[-2] for each in signed} >= {
        "scan",
        "inventory",
        "lineage",
        "licenses",
        "rights",
        "profile",
    }
    assert all(len(each["sha256"]) == 64 for each in signed)


def chose(browser: Browser, path: str, **fields: object) -> Page:
    """Fill the form around the list, and send it."""
    page = browser.get(path)
    action = next(each for each in page.read.actions if "models?" in each)
    return browser.post(action, {**page.form(action), **fields})


@pytest.mark.parametrize(("act", "stands"), [("vet", "open"), ("revoke", "revoked")])
def test_many_at_once(site: Site, act: str, stands: str) -> None:
    live = site.live
    with live.database.writing() as connection:
        more = [
            add_revision(connection, "model", f"org/m{at}", f"{at:040x}", "up", "{}", [FileRow("a", 1, "0" * 40)], 1)
            for at in range(2)
        ]
    browser = site.browser("approver")
    chosen = [str(each) for each in more]
    page = chose(browser, "/openvet/models?project=/vision&search=org/m", revision=chosen, do=act, reason="all of them")
    assert page.status == 200
    assert ("Revoked" if act == "revoke" else "asked for") in page.text
    found = live.ask("GET", "/models?project=/vision&search=org/m", as_="viewer").json["items"]
    assert [each["standing"] for each in found] == [stands, stands]
    waiting = live.ask("GET", "/vettings", as_="viewer").json["items"]
    assert len(waiting) == (2 if act == "vet" else 0)


def test_what_is_refused_of_many_is_named_and_keeps_nothing_else(site: Site) -> None:
    browser = site.browser("approver")
    tries: list[tuple[dict[str, object], str]] = [({}, "choose at least one"), ({"revision": "1"}, "say whether"), ({"revision": "1", "do": "revoke", "reason": ""}, "the reason is missing"),
        ({"revision": ["1", "999"], "do": "vet"}, "Not all of it was done")]  # fmt: skip
    for sent, told in tries:
        page = chose(browser, "/openvet/models?project=/vision", **sent)
        assert page.status == 422
        assert told.lower() in page.text.lower()
    assert len(site.live.ask("GET", "/vettings", as_="viewer").json["items"]) == 1
    viewer = site.browser("viewer")
    assert "checkbox" not in viewer.get("/openvet/models").html
