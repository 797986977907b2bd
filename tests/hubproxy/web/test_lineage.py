"""What is built on what, in the pages: grouped by base, on the page of a revision, and after a revocation; whatever names are."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from openvet.store.bases import Base, note_bases
from openvet.store.models import Summary, note_summary, summary_of
from openvet.store.pulls import add_pull
from openvet.store.revisions import FileRow, add_revision
from tests.browser.models import EVIL, tuned
from tests.hubproxy.api.test_lineage import made, on
from tests.hubproxy.web.conftest import Site
from tests.hubproxy.web.test_hostile import skeleton
from tests.hubproxy.web.test_looking import is_plain, vetted


def test_bases_with_what_was_built_on_them(site: Site) -> None:
    live, viewer = site.live, site.browser("viewer")
    page = viewer.get("/openvet/lineage")
    is_plain(page)
    assert "Nothing that came through this gate names a base" in page.text
    with live.database.writing() as connection:
        first = made(connection, live, "a/tuned", on("Org/Tiny"), on("far/away"), outcome="admit")
        made(
            connection,
            live,
            "b/small",
            on("a/tuned", "quantized", "consistent"),
            outcome="reject",
            license_="Apache-2.0",
        )
        for at in range(12):
            made(connection, live, f"m/{at:02}", on("far/away"))
        add_pull(connection, first, "a", "0" * 64, site.person("submitter").id, "", "", 1, 1)
    page = viewer.get("/openvet/lineage")
    is_plain(page)
    headings = [each for each in ("far/away", "org/tiny", "a/tuned") if f"{each}" in page.text]
    assert headings == ["far/away", "org/tiny", "a/tuned"]
    for each in ("Not known here", "13 built on it, 1 admitted", "Weights agree", "declared", "Apache-2.0"):
        assert each in page.text, each
    assert "m/06" in page.text
    assert "m/07" not in page.text  # eight of each are shown
    page = viewer.get("/openvet/lineage?base=far/away&kind=model")
    is_plain(page)
    assert "m/11" in page.text
    assert "quantized of a/tuned" in " ".join(page.text.split())
    page = viewer.get("/openvet/lineage?search=tiny")
    assert ("a/tuned" in page.text, "far/away" in page.text) == (True, False)
    assert "There is none like that." in viewer.get("/openvet/lineage?trouble=yes").text
    assert "There is none like that." in viewer.get("/openvet/lineage?search=nothing").text
    assert viewer.get("/openvet/lineage?trouble=maybe").status == 404
    assert viewer.get("/openvet/lineage?project=/text").status == 403
    assert site.browser("nobody").get("/openvet/lineage").status == 403


def test_pages_follow_each_other(site: Site) -> None:
    with site.live.database.writing() as connection:
        for at in range(60):
            made(connection, site.live, f"m/{at:02}", on(f"base/{at:02}"), on("far/away"))
    browser = site.browser("viewer")
    seen = []
    for after in ("", "?after=20", "?after=40", "?after=60"):
        page = browser.get(f"/openvet/lineage{after}")
        seen += [
            values["aria-label"] for tag, values in page.read.elements if tag == "section" and "aria-label" in values
        ]
        onward = [values["href"] for tag, values in page.read.elements if tag == "a" and "after=" in (values.get("href") or "")]  # fmt: skip
        assert bool(onward) == (after != "?after=60")
    assert seen == ["far/away", *(f"base/{at:02}" for at in range(60))]
    page = browser.get("/openvet/lineage?base=far/away&after=50")
    assert ("m/59" in page.text, "m/49" in page.text) == (True, False)


def test_the_page_of_a_revision_says_both_ways(site: Site) -> None:
    live, viewer = site.live, site.browser("viewer")
    with live.database.writing() as connection:
        first = made(connection, live, "a/tuned", on("Org/Tiny"), on("/home/me/base", "loaded-from"), outcome="admit")
        plain = made(connection, live, "b/none")
        own = made(connection, live, "b/own", on("b/own", "loaded-from"))
        old = made(connection, live, "b/old")
        known = summary_of(connection, old)
        assert known is not None
        note_summary(connection, old, Summary(known.vetting, "admit"))
    page = viewer.get(f"/openvet/revisions/{first}")
    is_plain(page)
    assert "/home/me/base" in page.text
    assert "loaded-from" in page.text
    assert "A name is a claim" in page.text
    page = viewer.get("/openvet/revisions/1")
    is_plain(page)
    assert "a/tuned" in page.text
    assert "Not known: there is no report of it yet." in page.text
    assert "Its files name nothing." in viewer.get(f"/openvet/revisions/{plain}").text
    assert "Its files name nothing but itself." in viewer.get(f"/openvet/revisions/{own}").text
    assert "vetted before this server kept what models are made of" in viewer.get(f"/openvet/revisions/{old}").text
    assert "Of 1 revision it is not known" in viewer.get("/openvet/lineage").text


def test_a_revocation_says_what_rests_on_it(site: Site) -> None:
    live, browser = site.live, site.browser("approver")
    with live.database.writing() as connection:
        made(connection, live, "a/tuned", on("Org/Tiny"), outcome="admit")
        made(connection, live, "b/small", on("a/tuned"), outcome="admit")
    page = browser.get("/openvet/revisions/1?project=/vision")
    assert "stays as it is" in page.text
    page = browser.submit("/revocation", reason="a backdoor")
    assert "None of this was revoked with it" in page.text
    assert "b/small" in page.text
    found = live.ask("GET", "/models?project=/vision&search=b/", as_="viewer").json["items"]
    assert [each["standing"] for each in found] == ["admitted"]
    page = browser.get("/openvet/lineage?trouble=yes&project=/vision")
    assert "1 revision revoked" in page.text
    with live.database.writing() as connection:
        again = made(connection, live, "c/base")
        made(connection, live, "c/child", on("c/base"))
    listed = browser.get("/openvet/models?project=/vision&search=c/base")
    action = next(each for each in listed.read.actions if "models?" in each)
    page = browser.post(action, {**listed.form(action), "revision": str(again), "do": "revoke", "reason": "x"})
    assert "1 model or data set rests on what was revoked and is not revoked: c/child (open)" in " ".join(page.text.split())  # fmt: skip
    # who may not decide is not told by a link
    assert "rests on what was revoked" not in site.browser("viewer").get(f"/openvet/models?revoked={again}").text


@pytest.mark.parametrize("text", [EVIL, "</title></textarea><script>alert(1)</script>", "{{ config }}{% for x in () %}"])  # fmt: skip
def test_names_of_bases_are_text(site: Site, text: str) -> None:
    live, browser = site.live, site.browser("root")
    shown = []
    for at, name in enumerate(("x", text)):
        with live.database.writing() as connection:
            for table in ("base",):
                connection.exec_driver_sql(f"DELETE FROM {table}")
            number = add_revision(connection, "model", f"m{at}/{name}", f"{at:040x}", "up", "{}", [FileRow("a", 1, "0" * 40)], 1)  # fmt: skip
            note_bases(connection, number, [Base("model", name, name, ("finetune",)), Base("dataset", name, "", ("trained-on",))])  # fmt: skip
        paths = [
            "/openvet/lineage",
            f"/openvet/revisions/{number}",
            f"/openvet/lineage?{urlencode({'base': name, 'search': name})}",
        ]
        pages = [browser.get(each) for each in paths]
        for each in pages:
            is_plain(each)
            assert "\u202e" not in each.html
            assert "<script" not in each.html
        shown.append([skeleton(each) for each in pages])
    assert shown[0] == shown[1]


def test_what_a_vetting_signed_agrees_with_the_page(site: Site) -> None:
    """The drawing is of the statement, and the table of the database."""
    number = vetted(site, "org/tuned", tuned)
    page = site.browser("viewer").get(f"/openvet/revisions/{number}")
    assert "meta-llama/Llama-3.1-8B-Instruct" in page.text
    assert "What it was made of" in page.text
