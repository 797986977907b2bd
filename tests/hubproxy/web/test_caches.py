"""Pages of caches: what machines told, where it is shown, and how a machine is forgotten."""

from __future__ import annotations

from typing import Any

from openvet.gate.roles import Role
from tests.hubproxy.api.conftest import COMMIT
from tests.hubproxy.web.conftest import Site


def tell(site: Site, machine: str, *names: str, who: str = "submitter") -> None:
    found: list[dict[str, Any]] = [
        {"kind": "model", "name": each, "commit": COMMIT, "files": 3, "bytes": 40} for each in names
    ]
    sent = {"machine": machine, "report": "0" * 32, "found": found}
    assert site.live.ask("POST", "/caches", sent, as_=who).status == 200


def test_where_a_revoked_model_lies(site: Site) -> None:
    tell(site, "desk", "org/tiny", "org/old")
    tell(site, "server", "org/tiny")
    with site.live.database.writing() as connection:
        site.live.decide(connection, 1, "revocation", "reject", reason="A backdoor", by="zoe", project="/vision")
    browser = site.browser("viewer")
    assert "2 machines" in browser.get("/openvet/models").text
    shown = browser.get("/openvet/revisions/1").text
    assert "In the caches of" in shown
    assert "openvet cache evict" in shown
    everything = browser.get("/openvet/caches").text
    assert all(each in everything for each in ("org/old", "Not known here", "org/tiny", "Revoked", "submitter, server"))
    revoked = browser.get("/openvet/caches?standing=revoked&machine=desk").text
    assert "org/tiny" in revoked
    assert "org/old" not in revoked
    assert "submitter, server" not in revoked
    assert browser.get("/openvet/caches?standing=lost").status == 404
    assert "There is none like that" in browser.get("/openvet/caches?search=zzz").text


def test_a_machine_is_forgotten_by_whose_it_is(site: Site) -> None:
    site.live.add("other", (Role.SUBMITTER, "/text"))
    tell(site, "desk", "org/tiny")
    tell(site, "hidden", "org/tiny", who="other")
    seen = site.browser("viewer").get("/openvet/caches")
    assert "Forget" not in seen.text
    assert "hidden" not in seen.text
    browser = site.browser("submitter")
    number = site.live.ask("GET", "/caches", as_="viewer").json["items"][0]["id"]
    form = browser.get("/openvet/caches").form(f"/caches/{number}/removal")
    page = browser.post(f"/openvet/caches/{number}/removal", {"form": form["form"][0]})
    assert "The machine is forgotten" in page.text
    assert site.live.ask("GET", "/cached", as_="viewer").json["items"] == []


def test_many_come_in_pages(site: Site) -> None:
    tell(site, "desk", *(f"org/m{at:03}" for at in range(120)))
    browser, seen, path = site.browser("viewer"), 0, "/openvet/caches?search=m"
    for _ in range(5):
        page = browser.get(path)
        seen += page.html.count('<code class="soft">cccccccc')
        links = [
            values["href"]
            for tag, values in page.read.elements
            if tag == "a" and "before=" in (values.get("href") or "")
        ]
        if not links:
            break
        path = links[0] or ""
    assert seen == 120
