"""What is there by now and stands against what is asked is a conflict (409); what makes no sense is none (422)."""

from __future__ import annotations

import pytest

from openvet.errors import ConflictError, UsageError
from openvet.gate.identity import NotAllowedError, NotThereError
from openvet.gate.roles import Right
from openvet.hubproxy.api.problem import status_of
from tests.hubproxy.api.conftest import COMMIT, Answer, Live
from tests.hubproxy.api.test_models import decide

ASK = {"name": "org/tiny", "commit": COMMIT, "purpose": "x", "project": "/vision"}


def is_conflict(answer: Answer, word: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (409, "application/problem+json"), answer.body
    assert (answer.json["status"], answer.json["title"], word in answer.json["detail"]) == (409, "Conflict", True), answer.json  # fmt: skip


@pytest.mark.parametrize("ending", ["withdrawal", "declines", "approvals"])
def test_a_request_that_is_decided_is_decided(live: Live, ending: str) -> None:
    number = live.ask("POST", "/requests", ASK, as_="submitter").json["id"]
    body = None if ending == "withdrawal" else {"reason": "r"}
    assert live.ask("POST", f"/requests/{number}/{ending}", body, as_="submitter" if body is None else "approver").status == 200  # fmt: skip
    state = {"withdrawal": "withdrawn", "declines": "declined", "approvals": "approved"}[ending]
    for path in ("approvals", "declines"):
        is_conflict(live.ask("POST", f"/requests/{number}/{path}", {"reason": "r"}, as_="approver"), f"is {state} already")  # fmt: skip
    is_conflict(live.ask("POST", f"/requests/{number}/withdrawal", as_="submitter"), f"is {state} already")
    many = {"requests": [number, 999], "decision": "approve", "reason": "r"}
    refused = live.ask("POST", "/requests/decisions", many, as_="approver").json["refused"]
    assert [(each["request"], each["status"]) for each in refused] == [(number, 409), (999, 403)]
    # a reason that is missing makes no sense, whatever there is
    assert live.ask("POST", f"/requests/{number}/declines", {"reason": " "}, as_="approver").status == 422


def test_a_commit_is_revoked_once_in_a_project(live: Live) -> None:
    def revoke(project: str, who: str = "root", reason: str = "r") -> list[tuple[int, str]]:
        body = {"revisions": [1], "reason": reason, "project": project}
        found = live.ask("POST", "/revocations", body, as_=who)
        assert found.status == 200, found.body
        return [(each["status"], each["detail"]) for each in found.json["refused"]]

    assert revoke("/vision") == []
    said = "org/tiny@cccccccc is revoked in /vision already, by root: r"
    assert revoke("/vision") == [(409, said)]
    assert revoke("/vision/ocr") == [(409, said.replace("in /vision", "in /vision/ocr"))]  # it holds there, too
    assert revoke("/") == []  # and above it did not
    assert [each[0] for each in revoke("/text")] == [409]
    decide(live, 1, "approval", "admit", "/vision")
    assert revoke("/vision") == []
    assert [each[0] for each in revoke("/vision", reason=" ")] == [422]
    found = live.ask("POST", "/revocations", {"revisions": [999], "reason": "r"}, as_="root").json["refused"]
    assert [each["status"] for each in found] == [404]
    assert len(live.ask("GET", "/decisions?of=revocation", as_="root").json["items"]) == 3


def test_what_is_taken_or_gone(live: Live) -> None:
    is_conflict(live.ask("POST", "/people", {"name": "viewer"}, as_="root"), "already")
    assert live.ask("POST", "/people", {"name": "Viewer"}, as_="root").status == 422
    is_conflict(live.ask("POST", "/projects", {"path": "/vision"}, as_="root"), "already")
    is_conflict(live.ask("POST", "/projects", {"path": "/audio/music"}, as_="root"), "add it first")
    role = {"name": "nobody", "project": "/vision", "role": "viewer"}
    is_conflict(live.ask("POST", "/roles/taken", role, as_="root"), "do not have that role")
    live.ask("POST", "/people", {"name": "ci", "service": True}, as_="root")
    is_conflict(live.ask("POST", "/people/ci/invitation", as_="root"), "no password")
    is_conflict(live.ask("PUT", "/people/ci/identity", {"subject": "s"}, as_="root"), "has tokens")
    assert live.ask("PUT", "/people/viewer/identity", {"subject": "s"}, as_="root").status == 204
    is_conflict(live.ask("PUT", "/people/auditor/identity", {"subject": "s"}, as_="root"), "already")


def test_a_token_ends_once(live: Live) -> None:
    person = live.people.by_token(live.tokens["root"]).person
    other = live.people.by_token(live.tokens["viewer"]).person
    _, token = live.people.add_token(person, "t", "/", [Right.SEE], 9)
    with pytest.raises(NotThereError):
        live.people.revoke_token(token.id, by="viewer", of=other)
    live.people.revoke_token(token.id, by="root", of=person)
    with pytest.raises(ConflictError, match="counts no more already"):
        live.people.revoke_token(token.id, by="root", of=person)
    with pytest.raises(NotThereError):
        live.people.revoke_token(999, by="root")


def test_one_place_says_which_status_it_is() -> None:
    errors = (NotAllowedError("x"), NotThereError("x"), ConflictError("x"), UsageError("x"))
    assert [status_of(each) for each in errors] == [403, 404, 409, 422]


def test_the_schema_says_which_routes_may_find_one(live: Live) -> None:
    found = {
        f"{method.upper()} {path}"
        for path, each in live.app.openapi()["paths"].items()
        for method, route in each.items()
        if "409" in route["responses"]
    }
    assert found == {
        "POST /requests/{number}/approvals", "POST /requests/{number}/declines", "POST /requests/{number}/withdrawal", "POST /people",
        "POST /people/{name}/invitation", "PUT /people/{name}/identity", "DELETE /people/{name}/identity", "POST /projects", "POST /roles/taken",
        "DELETE /tokens/{number}", "POST /caches",
    }  # fmt: skip


def test_who_is_not_there(live: Live) -> None:
    """404 where the address names them, and 422 where the body does."""
    for method, path in (("GET", "roles"), ("POST", "disabled"), ("POST", "invitation")):
        assert live.ask(method, f"/people/stranger/{path}", as_="root").status == 404, (method, path)
    role = {"name": "stranger", "project": "/", "role": "viewer"}
    assert live.ask("PUT", "/roles", role, as_="root").status == 422
