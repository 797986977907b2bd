"""The list of revocations over the API: signed, numbered, made anew when something changed, in the log; and told to whoever may pull."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openvet.evidence.log.proof import Proof, entry_for
from openvet.evidence.predicates.revocations_v1 import RevocationsV1
from openvet.evidence.signing import parse_line, parse_statement
from openvet.evidence.verifier import verify_with_key
from openvet.gate.credentials import make_token
from openvet.store.jobs import Job
from openvet.store.revocations import lists_to_publish
from tests.hubproxy.api.conftest import COMMIT, Keeper, Live, running
from tests.hubproxy.api.test_models import decide
from tests.reports.test_snapshots import schema

DAY = 24 * 3_600_000


def said(live: Live, answer: dict[str, Any]) -> RevocationsV1:
    """What a list says, verified."""
    payload = verify_with_key(parse_line(answer["statement"].encode(), "it"), live.key.public).payload
    found = parse_statement(payload)
    assert list(schema("revocations-v1").iter_errors(found.body)) == []
    assert found.subjects[0].digest == {"sha256": live.key.public.hint}
    assert isinstance(found.predicate, RevocationsV1)
    return found.predicate


def fetch(live: Live, query: str = "", who: str = "viewer") -> dict[str, Any]:
    found = live.ask("GET", f"/revocations{query}", as_=who)
    assert found.status == 200, found.body
    value: dict[str, Any] = found.json
    return value


def test_a_list_is_signed_and_in_the_log(live: Live) -> None:
    decide(live, 1, "policy", "admit")
    empty = fetch(live)
    assert (empty["project"], empty["number"], empty["count"], empty["log"]) == ("/vision", 1, 0, None)
    assert empty["at"] == live.now
    assert empty["until"] - empty["at"] == 7 * DAY
    number = decide(live, 1, "revocation", "reject", "/vision")
    found = fetch(live)
    assert (found["number"], found["count"]) == (2, 1)
    (row,) = said(live, found).revoked
    assert (row.repository, row.name, row.commit, row.project, row.by, row.reason) == ("model", "org/tiny", COMMIT, "/vision", "somebody", "because")  # fmt: skip
    # its digest is that of the decision's statement, which the log has
    statement = live.ask("GET", f"/decisions/{number}", as_="viewer").json["statement"]
    assert entry_for(statement.encode()).decode() == f"sha256:{row.sha256}"
    with live.database.reading() as connection:
        assert lists_to_publish(connection) == ["/vision"]
    live.publish_lists("/vision")
    with live.database.reading() as connection:
        assert lists_to_publish(connection) == []
    proven = fetch(live)
    assert {**proven, "log": None} == found
    line = found["statement"].encode()
    Proof.parse(proven["log"]["proof"].encode()).verify(entry_for(line), live.key.public, "example.com/gate")
    # the one before it is there, too: whoever was given it can hold the gate to it
    assert proven["log"]["index"] == 1


def test_it_is_made_anew_when_something_was_decided_or_it_is_old(live: Live) -> None:
    first = fetch(live)
    decide(live, 1, "policy", "reject")
    assert fetch(live) == first
    decide(live, 1, "revocation", "reject", "/text")  # nothing that holds in /vision
    assert fetch(live) == first
    live.now += DAY - 1000
    assert fetch(live) == first
    live.now += 1000
    second = fetch(live)
    assert (second["number"], second["at"]) == (2, live.now)
    decide(live, 1, "approval", "admit")
    assert [fetch(live)["number"], fetch(live)["number"]] == [3, 3]
    assert fetch(live, "?project=/vision/ocr")["number"] == 1  # each project has its own


def test_an_approval_that_ends_gives_way_to_the_revocation(live: Live) -> None:
    decide(live, 1, "revocation", "reject")
    with live.database.writing() as connection:
        live.decide(connection, 1, "approval", "admit", reason="r", by="b", until=live.now + 2 * DAY)
    (row,) = said(live, fetch(live)).revoked
    assert row.since is not None
    assert datetime.fromisoformat(row.since) == datetime.fromtimestamp(live.now / 1000 + 2 * 86_400, UTC)
    decide(live, 1, "approval", "admit")
    assert fetch(live)["count"] == 0


def test_each_sees_the_list_of_their_projects(live: Live) -> None:
    decide(live, 1, "revocation", "reject", "/text")
    assert live.ask("GET", "/revocations?project=/text", as_="viewer").status == 403
    assert fetch(live, "?project=/text", "root")["count"] == 1
    assert fetch(live, "?project=/", "root")["count"] == 0
    assert live.ask("GET", "/revocations?project=vision", as_="viewer").status == 422


def test_whoever_must_say_who_they_are_has_to_here_too(live: Live) -> None:
    asked = {"revisions": [{"name": "org/tiny", "commit": COMMIT}]}
    assert live.ask("GET", "/revocations").status == 401
    assert live.ask("POST", "/standings", asked).status == 401


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Live]:
    with running(tmp_path, anonymous=True) as made:
        yield made


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer hf_" + "x" * 34}])
def test_where_anybody_may_pull_anybody_is_told_of_the_root(open_house: Live, header: dict[str, str]) -> None:
    live = open_house
    decide(live, 1, "revocation", "reject")
    asked = {"revisions": [{"name": "org/tiny", "commit": COMMIT}]}
    found = live.ask("POST", "/standings", asked, headers=header)
    assert (found.status, found.json["project"], found.json["standings"][0]["standing"]) == (200, "/", "revoked")
    told = live.ask("GET", "/revocations", headers=header)
    assert (told.status, told.json["project"], told.json["count"]) == (200, "/", 1)
    # of nothing else, and of no other project
    for method, path, body in (
        ("GET", "/revocations?project=/vision", None),
        ("POST", "/standings", {**asked, "project": "/vision"}),
    ):
        refused = live.ask(method, path, body, headers=header)
        assert (refused.status, "root project alone" in refused.json["detail"]) == (403, True)
    for path in ("/models", "/decisions", "/caches", "/me"):
        assert live.ask("GET", path, headers=header).status == 401
    assert live.ask("POST", "/caches", {"machine": "m", "report": "0" * 32, "found": []}, headers=header).status == 401


def test_a_token_that_does_not_count_is_no_pass(open_house: Live) -> None:
    found = open_house.ask("GET", "/revocations", headers={"Authorization": f"Bearer {make_token().text}"})
    assert found.status == 401
    assert open_house.ask("GET", "/revocations", as_="viewer").json["project"] == "/vision"


def test_a_list_that_was_cut_in_the_middle_of_being_logged_is_logged_again(live: Live) -> None:
    decide(live, 1, "revocation", "reject")
    fetch(live)
    # the log has it, and the database was never told
    live.publisher.publish(Job(1, "publish", "", {"list": "/vision"}, 1, 1), Keeper())  # type: ignore[arg-type]
    assert fetch(live)["log"] is None
    live.publish_lists("/vision")
    assert [each["index"] for each in live.ask("GET", "/log", as_="root").json["items"]] == [0]
    assert fetch(live)["log"]["index"] == 0
