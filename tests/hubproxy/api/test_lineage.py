"""Lineage over the API: bases, what was built on them, what something was made of, and what rests on what is revoked."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from openvet.gate.roles import Role
from openvet.store.bases import Base, note_bases
from openvet.store.database import Connection
from openvet.store.jobs import add_job
from openvet.store.models import Summary, note_summary
from openvet.store.people import find_person
from openvet.store.pulls import add_pull
from openvet.store.revisions import add_revision
from openvet.store.vettings import start_vetting
from tests.hubproxy.api.conftest import Live


def made(
    connection: Connection, live: Live, name: str, *named: Base, outcome: str = "", license_: str = "MIT", advisory: str = ""
) -> int:  # fmt: skip
    """A model that was vetted, and names these."""
    number = add_revision(connection, "model", name, "d" * 40, "up", "{}", [], 1)
    job = add_job(connection, "vet", f"vet:{number}:all", {"revision": number}, 1)
    vetting = start_vetting(connection, number, job, "all", "bytes", 1, 1)
    hits = (advisory,) if advisory else ()
    note_summary(connection, number, Summary(vetting, "admit", license_, advisories=hits, bases=len(named)))
    note_bases(connection, number, named)
    if outcome:
        live.decide(connection, number, "policy", outcome, reason="why", by="policy")
    return number


def on(name: str, relation: str = "finetune", verdict: str = "", kind: str = "model") -> Base:
    return Base(kind, name, "", (relation,), verdict)


@pytest.fixture
def family(live: Live) -> dict[str, int]:
    """org/tiny <- a/tuned (admitted) <- b/small (refused), c/other (admitted) names something far away, and so does a/tuned."""
    with live.database.writing() as connection:
        tuned = made(connection, live, "a/tuned", on("Org/Tiny"), on("far/away", "merge"), on("org/words", "trained-on", kind="dataset"), outcome="admit")  # fmt: skip
        small = made(connection, live, "b/small", on("A/Tuned", "quantized", "consistent"), outcome="reject", license_="Apache-2.0")  # fmt: skip
        other = made(connection, live, "c/other", on("far/away"), outcome="admit", advisory="CVE-2026-1")
    return {"tuned": tuned, "small": small, "other": other}


def items(live: Live, path: str, who: str = "viewer") -> list[dict[str, Any]]:
    found = live.ask("GET", path, as_=who)
    assert found.status == 200, found.body
    listed: list[dict[str, Any]] = found.json["items"]
    return listed


@pytest.mark.usefixtures("family")
def test_models_that_share_a_base(live: Live) -> None:
    found = [(each["name"], each["kind"], each["standing"], each["models"], each["admitted"]) for each in items(live, "/lineage/bases")]  # fmt: skip
    assert found == [
        ("far/away", "model", "unknown", 2, 2), ("a/tuned", "model", "admitted", 1, 0), ("org/tiny", "model", "open", 1, 1),
        ("org/words", "dataset", "unknown", 1, 1),
    ]  # fmt: skip
    assert [each["name"] for each in items(live, "/lineage/bases?search=AWAY")] == ["far/away"]
    assert [(each["name"], each["models"]) for each in items(live, "/lineage/bases?standing=refused")] == [("a/tuned", 1)]  # fmt: skip
    seen, path = [], "/lineage/bases?limit=3"
    while path:
        answer = live.ask("GET", path, as_="viewer")
        seen += [each["name"] for each in answer.json["items"]]
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert seen == [name for name, *_ in found]


def test_what_is_built_on_a_model_and_on_that(live: Live, family: dict[str, int]) -> None:
    with live.database.writing() as connection:
        who = find_person(connection, "submitter")
        assert who is not None
        add_pull(connection, family["small"], "a", "0" * 64, who.id, "", "", 1, 1)
    first, second = items(live, "/lineage?base=ORG/tiny")
    assert (first["name"], first["direct"], first["relations"], first["evidence"], first["weights"]) == ("a/tuned", True, ["finetune"], "declared", None)  # fmt: skip
    assert (second["name"], second["direct"], second["relations"], second["evidence"], second["weights"]) == ("b/small", False, ["quantized"], "tested", "consistent")  # fmt: skip
    assert (second["license"], second["base"], second["base_license"], second["base_standing"]) == ("Apache-2.0", "A/Tuned", "MIT", "admitted")  # fmt: skip
    assert (first["people"], second["people"]) == (0, 1)
    assert [each["name"] for each in items(live, "/lineage?base=org/tiny&standing=admitted")] == ["a/tuned"]
    assert [each["name"] for each in items(live, "/lineage?base=org/tiny&limit=1&after=1")] == ["b/small"]
    assert {each["name"] for each in items(live, "/lineage?base=far/away")} == {"a/tuned", "b/small", "c/other"}
    assert items(live, "/lineage?base=org/tiny&kind=dataset") == []
    assert len(items(live, "/lineage?base=org/words&kind=dataset")) == 2
    assert len(items(live, "/lineage")) == 5
    live.add("elsewhere", (Role.VIEWER, "/text"))
    assert [each["people"] for each in items(live, "/lineage?base=org/tiny", "elsewhere")] == [0, 0]
    table = live.ask("GET", "/lineage?base=org/tiny", as_="viewer", headers={"Accept": "text/csv"}).body.decode()
    assert [(each["name"], each["relations"]) for each in csv.DictReader(io.StringIO(table))] == [("a/tuned", '["finetune"]'), ("b/small", '["quantized"]')]  # fmt: skip


def test_what_a_revision_was_made_of(live: Live, family: dict[str, int]) -> None:
    found = items(live, f"/lineage?revision={family['small']}")
    assert [(each["name"], each["base"], each["direct"], each["base_revision"]) for each in found] == [
        ("b/small", "A/Tuned", True, family["tuned"]), ("a/tuned", "Org/Tiny", False, 1), ("a/tuned", "far/away", False, None),
        ("a/tuned", "org/words", False, None),
    ]  # fmt: skip
    assert live.ask("GET", "/lineage?revision=999", as_="viewer").status == 404
    for query in (f"revision={family['small']}&base=x", f"revision={family['small']}&standing=open"):
        assert live.ask("GET", f"/lineage?{query}", as_="viewer").status == 422
    assert live.ask("GET", "/lineage?project=/text", as_="viewer").status == 403
    assert live.ask("GET", "/lineage/bases?project=/text", as_="viewer").status == 403


def test_how_many_are_named_or_that_nobody_knows(live: Live, family: dict[str, int]) -> None:
    assert live.ask("GET", f"/revisions/{family['tuned']}", as_="viewer").json["bases"] == 3
    assert live.ask("GET", "/revisions/1", as_="viewer").json["bases"] is None


def test_what_rests_on_what_is_revoked_is_told_and_stays(live: Live, family: dict[str, int]) -> None:
    body = {"revisions": [1], "reason": "a backdoor", "project": "/vision"}
    said = live.ask("POST", "/revocations", body, as_="approver").json
    assert [each["revision"] for each in said["done"]] == [1]
    assert said["resting"] == 2
    assert [(each["name"], each["standing"], each["base"], each["evidence"]) for each in said["rests"]] == [
        ("a/tuned", "admitted", "Org/Tiny", "declared"), ("b/small", "refused", "A/Tuned", "tested"),
    ]  # fmt: skip
    assert live.ask("GET", f"/revisions/{family['tuned']}?project=/vision", as_="viewer").json["revision"]["standing"] == "admitted"  # fmt: skip
    assert [each["name"] for each in items(live, "/lineage/bases?troubled=true&project=/vision")] == ["org/tiny"]
    assert items(live, "/lineage/bases?troubled=true&project=/", "root") == []
    (line, *_) = items(live, "/lineage?base=org/tiny&project=/vision")
    assert (line["base_standing"], line["base_revoked"]) == ("revoked", 1)
    # revoking what rests on it leaves only what rests on that
    said = live.ask("POST", "/revocations", {**body, "revisions": [family["tuned"], 999]}, as_="approver").json
    assert [each["name"] for each in said["rests"]] == ["b/small"]
    said = live.ask("POST", "/revocations", {**body, "revisions": [family["small"]]}, as_="approver").json
    assert (said["resting"], said["rests"]) == (0, [])
    said = live.ask("POST", "/revocations", body, as_="approver").json  # what is revoked itself is told no more
    assert (said["resting"], said["rests"]) == (0, [])
    assert live.ask("POST", "/revocations", {**body, "reason": " "}, as_="viewer").status == 403


def test_a_base_that_an_advisory_hits(live: Live) -> None:
    with live.database.writing() as connection:
        made(connection, live, "bad/base", advisory="CVE-2026-7")
        made(connection, live, "x/y", on("BAD/base"))
    (base,) = items(live, "/lineage/bases?troubled=true")
    assert (base["name"], base["advisories"], base["revoked"]) == ("bad/base", ["CVE-2026-7"], 0)
    (line,) = items(live, "/lineage?base=bad/base")
    assert line["base_advisories"] == ["CVE-2026-7"]
