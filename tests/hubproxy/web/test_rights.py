"""Every page, and who may have it: a table that a new page has to be written into."""

from __future__ import annotations

import pytest

from openvet.gate.roles import Role
from openvet.hubproxy.web.app import PAGES
from openvet.store import requests as rows
from openvet.store.caches import CachedRow, add_cached, begin_report, end_report
from tests.hubproxy.web.conftest import Site

WHO = ("nobody", *(each.value for each in Role), "root")
EVERYBODY = " ".join(WHO)
SEEING = "viewer submitter reviewer approver auditor admin root"
ASKING = "submitter reviewer approver root"
#: Page -> path, fields of a form, and who is let in. ``N`` is a request of the submitter in /vision. Whoever is not named gets 403 or 404.
TABLE: dict[str, tuple[str, dict[str, str], str]] = {
    "GET /": ("/", {}, EVERYBODY),
    "GET /account": ("/account", {}, EVERYBODY),
    "POST /account/tokens": (
        "/account/tokens",
        {"title": "t", "project": "/vision", "right": "pull", "days": "9"},
        EVERYBODY,
    ),
    "POST /account/tokens/{number}/revocation": ("/account/tokens/999999/revocation", {}, ""),
    "GET /requests": ("/requests", {}, EVERYBODY),
    "POST /requests": ("/requests", {"request": "N", "decision": "decline", "reason": "x"}, "approver root"),
    "GET /requests/{number}": ("/requests/N", {}, SEEING),
    "POST /requests/{number}/purpose": ("/requests/N/purpose", {"purpose": "x"}, ASKING),
    "POST /requests/{number}/approval": ("/requests/N/approval", {"reason": "x"}, "approver root"),
    "POST /requests/{number}/decline": ("/requests/N/decline", {"reason": "x"}, "approver root"),
    "POST /requests/{number}/withdrawal": ("/requests/N/withdrawal", {}, "submitter"),
    "POST /requests/{number}/comments": ("/requests/N/comments", {"text": "x"}, ASKING),
    "GET /models": ("/models", {}, SEEING),
    "POST /models": ("/models", {"project": "/vision", "revision": "1", "do": "vet"}, ASKING),
    "GET /policies": ("/policies", {}, SEEING),
    "GET /policies/{name}": ("/policies/baseline", {}, SEEING),
    "GET /uses": ("/uses", {}, SEEING),
    "GET /revisions/{number}": ("/revisions/1", {}, SEEING),
    "GET /revisions/{number}/report": ("/revisions/2/report", {}, SEEING),
    "GET /revisions/{number}/report.json": ("/revisions/2/report.json", {}, SEEING),
    "GET /revisions/{number}/bom.cdx.json": ("/revisions/2/bom.cdx.json", {}, SEEING),
    "GET /revisions/{number}/bom.spdx.json": ("/revisions/2/bom.spdx.json", {}, SEEING),
    "GET /revisions/{number}/dossier.zip": ("/revisions/1/dossier.zip", {}, SEEING),
    "POST /revisions/{number}/vetting": ("/revisions/1/vetting", {"project": "/vision"}, ASKING),
    "POST /revisions/{number}/revocation": (
        "/revisions/1/revocation",
        {"project": "/vision", "reason": "x"},
        "approver root",
    ),
    "POST /revisions/{number}/request": ("/revisions/1/request", {"project": "/vision", "purpose": "x"}, ASKING),
    "GET /vettings": ("/vettings", {}, SEEING),
    "GET /caches": ("/caches", {}, SEEING),
    "GET /caches/revocations.json": ("/caches/revocations.json", {}, SEEING),
    "POST /caches/{number}/removal": ("/caches/CACHE/removal", {}, "submitter root"),
    "GET /lineage": ("/lineage", {}, SEEING),
    "GET /log": ("/log", {}, SEEING),
    "GET /acts": ("/acts", {}, "root"),
    "GET /log/{number}": ("/log/1", {}, SEEING),
    "GET /log/{number}/statement.json": ("/log/1/statement.json", {}, SEEING),
    "GET /people": ("/people", {}, "root"),
    "POST /people": ("/people", {"name": "new-WHO"}, "root"),
    "GET /people/{number}": ("/people/2", {}, "root"),
    "POST /people/{number}/invitation": ("/people/2/invitation", {}, "root"),
    "POST /people/{number}/identity": ("/people/1/identity", {"subject": "s1"}, "root"),
    "POST /people/{number}/disabling": ("/people/1/disabling", {}, "root"),
    "POST /people/{number}/enabling": ("/people/1/enabling", {}, "root"),
    "POST /people/{number}/tokens": ("/people/SERVICE/tokens", {"right": "pull", "days": "9"}, "root"),
    "POST /people/{number}/tokens/revocation": ("/people/2/tokens/revocation", {"token": "TOKEN"}, "root"),
    "GET /projects": ("/projects", {}, EVERYBODY),
    "POST /projects": ("/projects", {"path": "/vision/new-WHO"}, "admin root"),
    "POST /roles": ("/roles", {"name": "nobody", "project": "/vision/ocr", "role": "viewer"}, "admin root"),
    "POST /roles/taken": ("/roles/taken", {"name": "nobody", "project": "/vision/ocr", "role": "viewer"}, "admin root"),
}
PUBLIC = {
    *("GET /welcome", "POST /welcome", "GET /login", "POST /login", "POST /logout"),
    *("GET /login/oidc", "GET /login/oidc/callback"),
}


def test_the_table_holds_every_page() -> None:
    names = set()
    for each in PAGES:
        path = each.path.replace(":row", "")
        names |= {f"{method} {path}" for method, has in (("GET", each.get), ("POST", each.post)) if has}
        assert each.public == (f"GET {path}" in PUBLIC), path
    assert names == set(TABLE) | PUBLIC


@pytest.fixture
def full(site: Site) -> Site:
    """With a decision, a dossier, a report, and a service account."""
    site.report("org/reported")
    with site.live.database.writing() as connection:
        site.live.decide(connection, 1, "policy", "review", reason="r", by="policy")
    site.live.publish(1)
    site.live.people.add("robot", "", service=True)
    return site


def told(site: Site, machine: str) -> int:
    """A machine of the submitter that told of a model in its cache."""
    with site.live.database.writing() as connection:
        number = begin_report(connection, site.person("submitter").id, machine, "0" * 32, 1)
        add_cached(connection, number, [CachedRow("model", "org/tiny", "c" * 40, 1, 2)])
        end_report(connection, number, 1)
    return number


@pytest.mark.parametrize("name", TABLE)
def test_who_may(full: Site, name: str) -> None:
    site = full
    method = name.partition(" ")[0]
    path, fields, may = TABLE[name]
    found = {}
    for who in WHO:
        browser = site.browser(who)
        form = browser.get("/openvet/account").form("/logout")["form"][0]
        with site.live.database.writing() as connection:
            number = rows.add_request(connection, 1, "/vision", site.person("submitter").id, "asked", 1, purpose="x")
            if name == "POST /roles/taken":
                from openvet.store.people import give_role

                give_role(connection, site.person("nobody").id, "/vision/ocr", "viewer", "test", 1)
        token = ""
        if "TOKEN" in fields.values():
            from openvet.gate.roles import Right

            token = str(site.live.people.add_token(site.person("viewer"), "t", "/vision", [Right.PULL], 9)[1].id)
        cached = ""
        if "CACHE" in path:
            cached = str(told(site, who))
        said = {key: value.replace("WHO", who).replace("TOKEN", token) for key, value in fields.items()}
        said = {key: str(number) if value == "N" else value for key, value in said.items()}
        at = "/openvet" + path.replace("/N", f"/{number}").replace("SERVICE", str(site.person("robot").id)).replace(
            "CACHE", cached
        )
        at = at.replace("/people/2", f"/people/{site.person('viewer').id}").replace(
            "/people/1/", f"/people/{site.person('auditor').id}/"
        )
        if name == "POST /revisions/{number}/revocation":  # what is revoked already is not revoked again
            with site.live.database.writing() as connection:
                site.live.decide(connection, 1, "approval", "admit", reason="r", by="b")
        page = browser.get(at) if method == "GET" else browser.post(at, {**said, "form": form}, follow=False)
        if page.status in {200, 303} and method == "POST" and name == "POST /requests":
            assert (
                site.live.requests.show(site.live.people.by_token(site.live.tokens["root"]), number).request.state
                == "declined"
            )
        found[who] = page.status
        if name == "POST /people/{number}/disabling" and page.status == 303:
            site.live.people.add("auditor-again", "")
    assert {who for who, status in found.items() if status in {200, 303}} == set(may.split()), found
    assert all(status in {200, 303, 403, 404, 409, 422} for status in found.values()), found


def test_nobody_is_let_in_without_a_session(full: Site) -> None:
    for name, (path, fields, _) in TABLE.items():
        at = "/openvet" + path.replace("/N", "/1").replace("SERVICE", "1").replace("CACHE", "1")
        browser = full.browser()
        if name.startswith("GET"):
            page = browser.get(at, follow=False)
            assert page.status == 303
            assert page.goes.startswith("/openvet/login")
        else:
            page = browser.post(at, fields, follow=False)
            assert page.status == 403
        assert "org/" not in page.html
