"""The timeline of a revision: one order of time over every table, nothing that somebody may not see, and pages that leave nothing out."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zlib
from base64 import b64decode
from typing import Any

import pytest

from openvet.gate import timeline
from openvet.gate.roles import Role
from openvet.store import people as people_rows
from openvet.store.jobs import add_job, claim_job, finishing
from openvet.store.pulls import add_pull
from openvet.store.requests import count_block
from openvet.store.revisions import note_ref
from openvet.store.vettings import end_vetting, start_vetting
from tests.hubproxy.api.conftest import COMMIT, Live, evidence

HOUR = 3_600_000


def events(live: Live, query: str = "", who: str = "viewer") -> list[dict[str, Any]]:
    found = live.ask("GET", f"/revisions/1/timeline{query}", as_=who)
    assert found.status == 200, found.body
    items: list[dict[str, Any]] = found.json["items"]
    return items


def told(live: Live, query: str = "", who: str = "viewer") -> list[tuple[str, str, str]]:
    """Kind, word and who, the earliest first."""
    return [(each["kind"], each["what"], each["by"]) for each in reversed(events(live, query, who))]


def vet(live: Live, verdict: str, lines: bytes | None) -> int:
    with live.database.writing() as connection:
        job = add_job(connection, "vet", f"vet:1:{live.now}", {"revision": 1, "scope": "all"}, live.now)
        vetting = start_vetting(connection, 1, job, "all", "bytes", 10, live.now)
        end_vetting(connection, vetting, "done", verdict, "why", zlib.compress(b"{}"), lines, live.now)
    return vetting


def person(live: Live, name: str) -> int:
    with live.database.reading() as connection:
        found = people_rows.find_person(connection, name)
    assert found is not None
    return found.id


def story(live: Live) -> None:
    """What happens to a model in a year or so."""
    step = iter(range(1, 100))

    def later() -> None:
        live.now += next(step) * HOUR

    with live.database.writing() as connection:
        note_ref(connection, 1, "main", live.now)
    later()
    vetting = vet(live, "reject", evidence())
    with live.database.writing() as connection:
        live.decide(connection, 1, "policy", "reject", reason="a pickle that runs code", by="policy")
        from sqlalchemy import text

        connection.execute(text(f"UPDATE decision SET vetting = {vetting}"))
    later()
    with live.database.writing() as connection:
        number, _ = count_block(connection, 1, "/vision", person(live, "submitter"), "hf", live.now)
    later()
    asked = {"name": "org/tiny", "commit": COMMIT, "purpose": "reads invoices", "project": "/vision"}
    assert live.ask("POST", "/requests", asked, as_="submitter").json["id"] == number
    live.ask("POST", f"/requests/{number}/comments", {"text": "it is fine", "says": "for"}, as_="reviewer")
    later()
    until = live.now + 30 * 24 * HOUR
    for who in ("approver", "root"):
        body = {"reason": "read it", "conditions": "only offline", "until": until}
        assert live.ask("POST", f"/requests/{number}/approvals", body, as_=who).status == 200
        later()
    for _ in range(3):
        with live.database.writing() as connection:
            add_pull(connection, 1, "a", "0" * 64, person(live, "submitter"), "torch/2.5.1", "", 1, live.now)
        later()
    job = add_job
    with live.database.writing() as connection:
        job(connection, "publish", "publish:1", {"revision": 1}, live.now)
    claimed = claim_job(live.database, live.now, 1000, ("publish",))
    assert claimed is not None
    with finishing(live.database, claimed, live.now):
        pass
    live.now = until + HOUR
    assert live.ask("POST", "/revocations", {"revisions": [1], "reason": "a backdoor"}, as_="approver").status == 200


def test_one_order_of_time(live: Live) -> None:
    story(live)
    assert told(live) == [
        ("listed", "listed", ""),
        ("listed", "seen-as", ""),
        ("vetting", "reject", ""),
        ("policy", "reject", ""),
        ("request", "blocked-and-asks", "submitter"),
        ("request", "recommends", "reviewer"),
        ("request", "approves", "approver"),
        ("request", "approves", "root"),
        ("exception", "admit", "approver, root"),
        ("pull", "first", "submitter"),
        ("pull", "last", "submitter"),
        ("log", "published", ""),
        ("end", "ended", ""),
        ("revocation", "reject", "approver"),
    ]
    found = {each["kind"]: each for each in events(live)}
    times = [each["at"] for each in events(live)]
    assert times == sorted(times, reverse=True)
    assert (found["exception"]["conditions"], found["exception"]["project"]) == ("only offline", "/vision")
    assert found["end"]["at"] == found["exception"]["until"] < found["revocation"]["at"]
    assert (found["pull"]["text"], found["revocation"]["text"]) == ("3 files in all", "a backdoor")
    # what is behind it is signed
    for kind in ("policy", "exception", "revocation", "vetting", "end"):
        statement = live.ask("GET", f"/decisions/{found[kind]['decision']}", as_="viewer").json["statement"]
        payload = b64decode(json.loads(statement)["dsseEnvelope"]["payload"])
        assert hashlib.sha256(payload).hexdigest() == found[kind]["statement"]
    assert found["pull"]["statement"] == found["log"]["statement"] == ""


def test_filters_and_pages_leave_nothing_out(live: Live) -> None:
    story(live)
    everything = events(live)
    for size in (1, 2, 5, len(everything)):
        seen: list[dict[str, Any]] = []
        after = ""
        while True:
            page = live.ask("GET", f"/revisions/1/timeline?limit={size}&after={after}", as_="viewer")
            seen += page.json["items"]
            assert len(page.json["items"]) <= size
            after = page.json["next"]
            if after is None:
                break
            assert 'rel="next"' in page.headers["link"]
        assert seen == everything
    for kind in timeline.KINDS:
        assert events(live, f"?kind={kind}") == [each for each in everything if each["kind"] == kind]
    assert events(live, "?kind=end&kind=policy") == [each for each in everything if each["kind"] in {"end", "policy"}]
    assert told(live, "?by=SUB") == [each for each in told(live) if "sub" in each[2]]
    assert events(live, f"?since={everything[3]['at']}") == everything[:4]
    rows = list(csv.DictReader(io.StringIO(live.ask("GET", "/revisions/1/timeline", as_="viewer", headers={"Accept": "text/csv"}).body.decode())))  # fmt: skip
    assert [row["what"] for row in rows] == [each["what"] for each in everything]
    for query, status in (("?kind=gossip", 422), ("?after=x", 422), ("?after=1-2", 422), ("?limit=0", 422)):
        assert live.ask("GET", f"/revisions/1/timeline{query}", as_="viewer").status == status
    assert live.ask("GET", "/revisions/99/timeline", as_="viewer").status == 404


def test_everybody_sees_what_they_may_see(live: Live) -> None:
    story(live)
    live.add("other", (Role.SUBMITTER, "/text"))
    assert {each[0] for each in told(live, who="other")} == {"listed", "vetting", "policy", "log"}
    with live.database.writing() as connection:
        live.decide(connection, 1, "revocation", "reject", reason="here alone", by="x", project="/text")
        count_block(connection, 1, "/text", person(live, "other"), "hf", live.now)
    assert ("request", "blocked", "other") in told(live, who="other")
    assert ("revocation", "reject", "x") in told(live, who="other")
    assert not any(each[2] in {"other", "x"} for each in told(live))
    assert live.ask("GET", "/revisions/1/timeline", as_="nobody").status == 403


def test_an_approval_that_was_taken_back_did_not_end(live: Live) -> None:
    with live.database.writing() as connection:
        live.decide(connection, 1, "policy", "review", reason="r", by="policy")
        live.decide(connection, 1, "approval", "admit", reason="r", by="a", until=live.now + HOUR)
        live.now += 1
        live.decide(connection, 1, "revocation", "reject", reason="r", by="a")
    live.now += 2 * HOUR
    assert [each[0] for each in told(live)][1:] == ["policy", "approval", "revocation"]


@pytest.mark.parametrize("gone", [False, True])
def test_advisories_come_and_go_with_vettings(live: Live, monkeypatch: pytest.MonkeyPatch, gone: bool) -> None:
    known = iter([("CVE-1",), ("CVE-1",), () if gone else ("CVE-1", "CVE-2")])
    monkeypatch.setattr(timeline, "advisories_of", lambda _: next(known))
    for _ in range(3):
        live.now += HOUR
        vet(live, "review", evidence())
    live.now += HOUR
    vet(live, "review", None)  # it could not name its bytes, and signed nothing
    found = events(live, "?kind=advisory")
    wanted = [("gone", "CVE-1") if gone else ("hits", "CVE-2"), ("hits", "CVE-1")]
    assert [(each["what"], each["text"]) for each in found] == wanted
    signed = [
        b64decode(json.loads(each)["dsseEnvelope"]["payload"]) for each in zlib.decompress(evidence()).split(b"\n")
    ]
    (statement,) = [each for each in signed if b"predicates/advisories/v1" in each and b'"hits"' in each]
    assert {each["statement"] for each in found} == {hashlib.sha256(statement).hexdigest()}
    assert events(live, "?kind=advisory") == found  # what a process remembers
