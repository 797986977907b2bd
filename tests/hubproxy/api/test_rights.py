"""Every route of the API, and who may use it: a table that a new route has to be written into."""

from __future__ import annotations

import zlib

import pytest

from openvet.gate.roles import Role
from openvet.store.jobs import add_job
from openvet.store.vettings import end_vetting, start_vetting
from tests.hubproxy.api.conftest import COMMIT, Live, evidence

WHO = ["nobody", *(each.value for each in Role), "root"]
ASK = {"name": "org/tiny", "commit": COMMIT, "purpose": "x"}
#: Route -> path, body, and who is let in. ``N`` is the number of a request of the submitter in /vision. Whoever is not named gets 403.
EVERYBODY = " ".join(WHO)
SEEING = "viewer submitter reviewer approver auditor admin root"
TABLE: dict[str, tuple[str, object, str]] = {
    "GET /me": ("/me", None, EVERYBODY),
    "GET /people": ("/people", None, "root"),
    "POST /people": ("/people", {"name": "new-WHO"}, "root"),
    "POST /people/{name}/invitation": ("/people/viewer/invitation", None, "root"),
    "GET /people/{name}/roles": ("/people/viewer/roles", None, "root"),
    "PUT /people/{name}/identity": ("/people/auditor/identity", {"subject": "s1"}, "root"),
    "DELETE /people/{name}/identity": ("/people/auditor/identity", None, "root"),
    "POST /people/{name}/disabled": ("/people/auditor/disabled", None, "root"),
    "DELETE /people/{name}/disabled": ("/people/auditor/disabled", None, "root"),
    "GET /projects": ("/projects", None, EVERYBODY),
    "POST /projects": ("/projects", {"path": "/vision/new-WHO"}, "admin root"),
    "GET /roles": ("/roles?project=/vision", None, "admin root"),
    "PUT /roles": ("/roles", {"name": "nobody", "project": "/vision/ocr", "role": "viewer"}, "admin root"),
    "POST /roles/taken": ("/roles/taken", {"name": "nobody", "project": "/vision/ocr", "role": "viewer"}, "admin root"),
    "GET /tokens": ("/tokens?everybody=true", None, "root"),
    "POST /tokens": ("/tokens", {}, ""),  # only by session
    "DELETE /tokens/{number}": ("/tokens/999999", None, ""),  # others only by session
    "GET /requests": ("/requests", None, EVERYBODY),
    "POST /requests": ("/requests", {**ASK, "project": "/vision/ocr"}, "submitter reviewer approver root"),
    "GET /requests/{number}": ("/requests/N", None, "viewer submitter reviewer approver auditor admin root"),
    "POST /requests/{number}/approvals": ("/requests/N/approvals", {"reason": "x"}, "approver root"),
    "POST /requests/{number}/declines": ("/requests/N/declines", {"reason": "x"}, "approver root"),
    "POST /requests/{number}/withdrawal": ("/requests/N/withdrawal", None, "submitter"),
    "POST /requests/{number}/comments": ("/requests/N/comments", {"text": "x"}, "submitter reviewer approver root"),
    "POST /requests/decisions": (
        "/requests/decisions",
        {"requests": [1], "decision": "decline", "reason": "x"},
        EVERYBODY,
    ),
    "GET /models": ("/models", None, SEEING),
    "GET /revisions": ("/revisions?name=org/tiny", None, SEEING),
    "GET /revisions/{number}": ("/revisions/1", None, SEEING),
    "GET /revisions/{number}/files": ("/revisions/1/files", None, SEEING),
    "GET /revisions/{number}/timeline": ("/revisions/1/timeline", None, SEEING),
    "GET /revisions/{number}/report": ("/revisions/1/report", None, SEEING),
    "GET /revisions/{number}/bom": ("/revisions/1/bom", None, SEEING),
    "GET /revisions/{number}/dossier": ("/revisions/1/dossier", None, SEEING),
    "GET /revisions/{number}/statements": ("/revisions/1/statements", None, SEEING),
    "GET /policies": ("/policies", None, SEEING),
    "GET /policies/{name}/requirements": ("/policies/baseline/requirements", None, SEEING),
    "GET /portfolio/licenses": ("/portfolio/licenses", None, SEEING),
    "GET /portfolio/advisories": ("/portfolio/advisories", None, SEEING),
    "GET /portfolio/weeks": ("/portfolio/weeks", None, SEEING),
    "GET /decisions": ("/decisions", None, SEEING),
    "GET /decisions/{number}": ("/decisions/1", None, SEEING),
    "GET /vettings": ("/vettings", None, SEEING),
    "POST /vettings": ("/vettings", {"revisions": [1]}, "submitter reviewer approver root"),
    "GET /revocations": ("/revocations", None, SEEING),
    "POST /revocations": ("/revocations", {"revisions": [1], "reason": "x"}, "approver root"),
    "GET /uses": ("/uses", None, SEEING),
    "GET /uses/projects": ("/uses/projects", None, SEEING),
    "GET /clients": ("/clients", None, SEEING),
    "GET /caches": ("/caches", None, SEEING),
    "POST /caches": (
        "/caches",
        {"machine": "m", "report": "0" * 32, "found": []},
        "submitter reviewer approver root",
    ),
    "DELETE /caches/{number}": ("/caches/C", None, "submitter root"),
    "GET /cached": ("/cached", None, SEEING),
    "POST /standings": ("/standings", {"revisions": [{"name": "org/tiny", "commit": COMMIT}]}, SEEING),
    "GET /lineage": ("/lineage", None, SEEING),
    "GET /lineage/bases": ("/lineage/bases", None, SEEING),
    "GET /overview": ("/overview", None, SEEING),
    "GET /acts": ("/acts", None, "root"),
    "GET /me/acts": ("/me/acts", None, EVERYBODY),
    "GET /log": ("/log", None, "root"),
    "GET /log/{index}": ("/log/0", None, "root"),
}


def test_the_table_holds_every_route(live: Live) -> None:
    routes = {f"{method.upper()} {path}" for path, each in live.app.openapi()["paths"].items() for method in each}
    assert routes == set(TABLE)


def decided(live: Live) -> None:
    """The revision has a report and a decision, which is published."""
    with live.database.writing() as connection:
        job = add_job(connection, "vet", "vet:1:all", {"revision": 1, "scope": "all"}, live.now)
        vetting = start_vetting(connection, 1, job, "all", "bytes", 10, live.now)
        end_vetting(connection, vetting, "done", "admit", "", zlib.compress(b"{}"), evidence(), live.now)
        live.decide(connection, 1, "policy", "admit", reason="", by="policy")
    live.publish(1)


@pytest.mark.parametrize("name", TABLE)
def test_who_may(live: Live, name: str) -> None:
    method = name.partition(" ")[0]
    path, body, may = TABLE[name]
    decided(live)
    if name == "POST /roles/taken":
        live.ask("PUT", "/roles", body, as_="root")
    found = {}
    for who in WHO:
        number = 0
        if "N" in path or "requests/decisions" in path:
            number = live.ask("POST", "/requests", {**ASK, "project": "/vision"}, as_="submitter").json["id"]
        if "C" in path:
            live.ask("POST", "/caches", {"machine": who, "report": "1" * 32, "found": []}, as_="submitter")
            number = live.ask("GET", "/caches", as_="root").json["items"][0]["id"]
        said = (
            {key: value.replace("WHO", who) if isinstance(value, str) else value for key, value in body.items()}
            if isinstance(body, dict)
            else body
        )
        found[who] = live.ask(method, path.replace("N", str(number)).replace("C", str(number)), said, as_=who).status
        if name == "POST /roles/taken" and found[who] == 204:
            live.ask("PUT", "/roles", body, as_="root")
    allowed = {who for who, status in found.items() if status < 300}
    assert allowed == set(may.split()), found
    assert {status for who, status in found.items() if who not in allowed} <= {403}, found


@pytest.mark.parametrize("name", TABLE)
def test_without_a_token_nobody_may(live: Live, name: str) -> None:
    method = name.partition(" ")[0]
    path, body, _ = TABLE[name]
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer ovt_" + "a" * 40},
                    {"Cookie": "openvet_session=planted"}, {"Authorization": "Bearer hf_" + "a" * 34}):  # fmt: skip
        found = live.ask(method, path.replace("N", "1").replace("C", "1"), body, headers=headers)
        assert (found.status, found.headers["content-type"]) == (401, "application/problem+json")
        assert found.headers["www-authenticate"] == 'Bearer realm="openvet"'
        assert "a" * 20 not in found.json["detail"]


def test_many_at_once_are_decided_each_for_itself(live: Live) -> None:
    ids = [
        live.ask("POST", "/requests", {**ASK, "project": project}, as_="root").json["id"]
        for project in ("/vision", "/vision/ocr", "/text")
    ]
    found = live.ask(
        "POST",
        "/requests/decisions",
        {"requests": [*ids, ids[0], 999], "decision": "approve", "reason": "read"},
        as_="approver",
    ).json
    assert [(each["request"], each["state"]) for each in found["done"]] == [(ids[0], "approved"), (ids[1], "approved")]
    assert [each["request"] for each in found["refused"]] == [ids[2], 999]


def test_a_browser_changes_nothing_without_what_only_our_pages_know(live: Live) -> None:
    secret = live.people.log_in("root", "five small models went to sea", "127.0.0.1").secret
    session = live.people.by_session(secret)
    assert session is not None
    cookie = {"Cookie": f"openvet_session={secret}"}
    assert live.ask("GET", "/me", headers=cookie).json["name"] == "root"
    for more in ({}, {"X-OpenVet-Form": "guess"}, {"X-OpenVet-Form": ""}):
        found = live.ask("POST", "/tokens", {"rights": ["pull"]}, headers={**cookie, **more})
        assert (found.status, "did not come from a page of ours" in found.json["detail"]) == (403, True)
    made = live.ask(
        "POST", "/tokens", {"rights": ["pull"], "title": "mine"}, headers={**cookie, "X-OpenVet-Form": session[1]}
    )
    assert made.status == 201
    assert live.people.by_token(made.json["text"]).person.name == "root"
    number = made.json["token"]["id"]
    live.tokens["fresh"] = made.json["text"]
    assert live.ask("GET", "/people", as_="fresh").status == 403  # it is good for pulling alone
    assert live.ask("DELETE", f"/tokens/{number}", as_="fresh").status == 204  # a token may end itself
    assert live.ask("GET", "/me", as_="fresh").status == 401
