"""The timeline on the page of a revision: every event in words with what leads to its proof, filters that need no mouse, pages, and nothing that runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from openvet.gate import timeline as gate_timeline
from openvet.gate.timeline import KINDS
from openvet.hubproxy.web import timeline
from tests.hubproxy.api.test_timeline import story
from tests.hubproxy.web.browser import Page
from tests.hubproxy.web.conftest import Site
from tests.hubproxy.web.test_looking import is_plain

PLACE = "/openvet/revisions/1"


def entries(page: Page) -> list[str]:
    """The lines of the timeline as they are read."""
    found = re.search(r'<ol class="voices" aria-label="What happened[^>]*>(.*?)</ol>', page.html, re.DOTALL)
    if found is None:
        return []
    return [" ".join(re.sub("<[^>]*>", " ", each).split()) for each in found[1].split("<li>")[1:]]


def test_all_of_it_stands_in_one_list(site: Site) -> None:
    story(site.live)
    page = site.browser("viewer").get(PLACE)
    is_plain(page)
    lines = entries(page)
    heads = [
        "Revocation by approver", "Ended the approval ended by its day", "Log what was decided until then is in the dossier and the log",
        "Pull the last of submitter", "Pull the first of submitter", "Exception by approver, root", "Request root approves", "Request approver approves",
        "Request reviewer recommends it", "Request submitter was stopped, and asks for it", "Policy rejects", "Vetting came to reject",
        "Listed seen as a branch or tag first", "Listed seen here first",
    ]  # fmt: skip
    assert [line.startswith(head) for line, head in zip(lines, heads, strict=True)] == [True] * len(heads), lines
    exception = lines[5]
    assert "in /vision" in exception
    assert "On condition: only offline" in exception
    assert re.search(r"Signed statement of decision \d+ SHA-256 of what was signed: [0-9a-f]{64}$", exception)
    assert "Decision 1 rests on it" in lines[11]
    # each time is one that a machine reads, too, and each link leads somewhere
    times = [values["datetime"] for tag, values in page.read.elements if tag == "time"]
    assert len(times) == len(heads)
    assert all(datetime.fromisoformat(each or "").tzinfo == UTC for each in times)
    browser = site.browser("viewer")
    for link in {
        values["href"] for tag, values in page.read.elements if tag == "a" and "/log/" in (values.get("href") or "")
    }:
        assert "Signed statement" in browser.get(link or "").text


def test_filters_are_a_form_and_pages_keep_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    story(site.live)
    browser = site.browser("viewer")
    page = browser.get(f"{PLACE}?kind=request&kind=pull&by=SUBMIT")
    assert [line.split()[0] for line in entries(page)] == ["Pull", "Pull", "Request"]
    form = page.form("/revisions/1#timeline")
    assert (form["kind"], form["by"], form["project"]) == (["request", "pull"], ["SUBMIT"], ["/vision"])
    boxes = [values for tag, values in page.read.elements if tag == "input" and values.get("name") == "kind"]
    assert [each["value"] for each in boxes] == list(KINDS)
    assert "Nothing like that happened" in browser.get(f"{PLACE}?kind=advisory").text
    assert len(entries(browser.get(f"{PLACE}?kind=nonsense"))) == 14  # a filter that is none filters nothing
    monkeypatch.setattr(timeline, "_PAGE", 2)
    seen, path = [], f"{PLACE}?kind=request&project=/vision"
    for _ in range(5):
        page = browser.get(path)
        seen += entries(page)
        further = [values["href"] for tag, values in page.read.elements if tag == "a" and values.get("rel") == "next"]
        if not further:
            break
        path = (further[0] or "").partition("#")[0]
        assert "kind=request" in path
    assert [line.split()[1] for line in seen] == ["root", "approver", "reviewer", "submitter"]
    assert browser.get(f"{PLACE}?before=nonsense").status == 422


def test_many_advisories_are_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_timeline, "advisories_of", lambda _: tuple(f"CVE-{each:02}" for each in range(20)))
    story(site.live)
    (line,) = entries(site.browser("viewer").get(f"{PLACE}?kind=advisory"))
    assert "Advisories hit it from now on" in line
    assert "CVE-11 and 8 more" in line
    assert "CVE-12" not in line


def test_whoever_may_see_less_sees_less(site: Site) -> None:
    assert entries(site.browser("viewer").get(PLACE)) == ["Listed seen here first 1970-01-01 00:00 UTC"]
    story(site.live)
    assert len(entries(site.browser("viewer").get(PLACE))) == 14
    assert site.browser("nobody").get(PLACE).status == 403


def test_what_people_write_stays_text(site: Site) -> None:
    story(site.live)
    with site.live.database.writing() as connection:
        site.live.decide(connection, 1, "revocation", "reject", reason="<script>alert(1)</script>\u202e", by="<b>me</b>", project="/vision")  # fmt: skip
    page = site.browser("viewer").get(PLACE)
    is_plain(page)
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text
