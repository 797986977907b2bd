"""What is decided is signed, stands in the dossier of its revision and in the log, once, whoever is killed when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from sqlalchemy import text

from openvet.evidence.dossier.reading import Dossier, verify_dossier
from openvet.evidence.log.proof import entry_for
from openvet.evidence.log.reading import LogReader
from openvet.evidence.predicates.admission_v1 import AdmissionV1
from openvet.evidence.signing import parse_line, parse_statement
from openvet.gate.answers import RefusedError
from openvet.gate.gate import OpenGate
from openvet.gate.identity import Identity, People
from openvet.gate.opening import open_key
from openvet.gate.publishing import ask_for_publishing
from openvet.gate.requests import Requests
from openvet.gate.roles import Grant, Role
from openvet.store import people as people_rows
from openvet.store.decisions import decisions_of, unpublished_revisions
from openvet.store.vettings import vetting_report
from openvet.testing.hub import Fault, Hub
from openvet.workflows.dossier import verify
from tests.gate.conftest import MODEL, Opening, get
from tests.gate.samples import CARD, CONFIG, HOSTILE, model


def settled(gate: OpenGate) -> None:
    """Wait until everything is published."""
    for _ in range(1000):
        with gate._database.reading() as connection:
            if not unpublished_revisions(connection):
                return
        time.sleep(0.02)
    raise AssertionError


def dossier(folder: Path, commit: str) -> Dossier:
    path = folder / "dossiers" / "models" / "org--model" / commit
    return verify_dossier(str(path), open_key(str(folder)).public)


def admissions(found: Dossier) -> list[AdmissionV1]:
    parsed = [parse_statement(parse_line(each.line, "line").envelope.payload).predicate for each in found.claims]
    return [each for each in parsed if isinstance(each, AdmissionV1)]


PACK = """\
id: four-eyes
version: 1.0.0
title: Four eyes
sources: {ours: {title: House rules, date: 2026-11-01, confidence: high}}
requirements:
  - {id: F-1, title: We know its data, clause: "1", source: ours, level: presence, pass: card.datasets.size() > 0, severity: medium, approvers: 2, remedy: Ask.}
"""


def test_a_pack_asks_for_two_and_the_statement_says_what_both_said(opening: Opening, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "pack.yaml").write_text(PACK)
    with Hub(model()) as hub:
        gate = opening(hub, packs=(f"{tmp_path}/pack",))
        with pytest.raises(RefusedError, match="We know its data"):
            get(gate, "config.json")
        people = People(gate.database, gate.clock)
        people.begin()
        who = []
        for name, role in (("ann", Role.SUBMITTER), ("abe", Role.APPROVER), ("bea", Role.APPROVER)):
            person, _ = people.add(name, name)
            who.append(Identity(person, (Grant(role, "/"),)))
            with gate.database.writing() as connection:
                people_rows.give_role(connection, person.id, "/", role, "test", 1)
        requests = Requests(gate.database, gate, gate.clock)
        number = requests.ask(who[0], 1, "Reads invoices").id
        assert (requests.show(who[1], number).needed, requests.show(who[1], number).by_packs) == (2, 2)
        assert requests.approve(who[1], number, "Read it\nall", conditions="offline").missing == 1
        with pytest.raises(RefusedError):
            get(gate, "config.json")
        assert requests.approve(who[2], number, "Looked at the data \u00e9").state == "approved"
        assert get(gate, "config.json")
        settled(gate)
        stopped, approved = admissions(dossier(tmp_path / "gate", hub.commit))
        assert (stopped.kind, stopped.outcome, stopped.approvers) == ("policy", "review", 2)
        assert (approved.by, approved.reason) == ("abe, bea", "abe: Read it all; bea: Looked at the data \\xe9")
        assert [(each.by, each.reason, each.conditions) for each in approved.approvals] == [
            ("abe", "Read it\nall", "offline"), ("bea", "Looked at the data \u00e9", ""),
        ]  # fmt: skip


def test_decisions_stand_in_dossier_and_log(opening: Opening, tmp_path: Path) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        get(gate, "config.json")
        gate.revoke(MODEL, hub.commit, by="Ada", reason="taken over")
        gate.approve(MODEL, hub.commit, by="Bob", reason="given back", conditions="until the audit", project="/lab")
        settled(gate)
        found = dossier(tmp_path / "gate", hub.commit)
        told = admissions(found)
        assert [(each.kind, each.outcome, each.by, each.project) for each in told] == [
            ("policy", "admit", "policy", "/"),
            ("revocation", "reject", "Ada", "/"),
            ("approval", "admit", "Bob", "/lab"),
        ]
        assert {each.commit for each in told} == {hub.commit}
        digests = {each.sha256 for each in found.claims}
        kinds = {each.statement.predicate_type.split("/")[-2] for each in found.claims}
        assert {"scan", "inventory", "decision", "admission"} <= kinds
        assert told[0].rests
        (rest,) = told[1].rests
        assert rest.type.endswith("/admission/v1")
        log = LogReader(str(tmp_path / "gate" / "log"), open_key(str(tmp_path / "gate")).public)
        entries = list(log.entries())
        assert sorted(entries) == sorted(entry_for(each.line) for each in found.claims)
        assert len(digests) == len(found.claims)
        # the model as it lies in the store is the one that the dossier is about
        files = tmp_path / "copy"
        files.mkdir()
        for name in hub.files:
            (files / name).write_bytes(hub.files[name])
        checked = verify(
            str(tmp_path / "gate" / "dossiers" / "models" / "org--model" / hub.commit),
            open_key(str(tmp_path / "gate")).public,
            model=str(files),
        )
        assert (checked.compared or 0) > 3


def test_what_was_published_is_not_published_twice(opening: Opening, tmp_path: Path) -> None:
    """As after a kill between the log and the row that says so."""
    with Hub(model()) as hub:
        gate = opening(hub)
        get(gate, "config.json")
        settled(gate)
        before = list(LogReader(str(tmp_path / "gate" / "log"), open_key(str(tmp_path / "gate")).public).entries())
        with gate._database.writing() as connection:
            connection.execute(text("UPDATE decision SET published = false"))
            ask_for_publishing(connection, 1, 0)
        gate.wake()
        settled(gate)
        log = LogReader(str(tmp_path / "gate" / "log"), open_key(str(tmp_path / "gate")).public)
        assert list(log.entries()) == before
        assert len(dossier(tmp_path / "gate", hub.commit).claims) == len(before)


def test_the_report_is_kept_for_people(opening: Opening) -> None:
    with Hub({"README.md": CARD, "config.json": CONFIG, "a.bin": HOSTILE}) as hub:
        gate = opening(hub)
        with pytest.raises(RefusedError):
            get(gate, "a.bin")
        with gate._database.reading() as connection:
            (decision,) = decisions_of(connection, 1)
            assert decision.vetting is not None
            packed = vetting_report(connection, decision.vetting)
        assert packed is not None
        report = json.loads(zlib.decompress(packed))
        assert report["models"][0]["decision"]["verdict"] == "reject"
        assert [each["verdict"] for each in report["models"][0]["policies"]]


SERVER = """
import sys, time
from openvet.gate.answers import Asking, Ready, RefusedError, Repository
from openvet.gate.opening import Place, open_gate
gate = open_gate(sys.argv[1], [Place(url=sys.argv[2])], lease=400)
model = Repository("model", "org/model")
agent = Asking(agent="hf_hub/2")
while True:
    try:
        found = gate.file(model, "main", "model.safetensors", agent)
    except RefusedError as error:
        print("refused", error.reason, flush=True)
        if error.why == "revoked":
            break
        time.sleep(0.05)
        continue
    if isinstance(found, Ready):
        print("ready", found.sha256, flush=True)
        break
    print("waiting", flush=True)
    time.sleep(0.02)
for number in range(1000):
    print("decided", gate.revoke(model, sys.argv[3], by="Ada", reason=f"number {number}"), flush=True)
"""


def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """A server that is killed while it fetches, vets, decides and publishes: what it said stands, and is published once."""
    folder = tmp_path / "gate"
    files = model(3_000_000)
    decided: set[int] = set()
    ready = False
    with Hub(files, large=100) as hub:
        hub.store.faults.append(Fault("slow", value=150))
        for turn in range(int(os.environ.get("OPENVET_TEST_KILLS", "5"))):
            process = subprocess.Popen(
                [sys.executable, "-c", SERVER, str(folder), hub.url, hub.commit], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            if turn >= 3:
                while lines[-1] and not lines[-1].startswith("decided"):
                    lines.append(process.stdout.readline())
            time.sleep(0.15 * turn)
            process.kill()
            lines += process.stdout.read().splitlines(keepends=True)
            process.stdout.close()
            process.wait()
            whole = [each.split() for each in lines if each.endswith("\n")]
            decided |= {int(each[1]) for each in whole if each[0] == "decided"}
            ready = ready or any(each[0] == "ready" for each in whole)
            assert [each for each in whole if each[0] == "refused" and "revoked" not in each] == []
        from openvet.gate.opening import Place, open_gate

        gate = open_gate(str(folder), [Place(url=hub.url)], lease=400)
        settled(gate)
        assert list(gate._blobs.verify()) == []
        with gate._database.reading() as connection:
            there = {each.id for each in decisions_of(connection, 1)}
        gate.close()
        assert decided
        assert decided <= there
        assert ready
        found = dossier(folder, hub.commit)
        told = admissions(found)
        assert len(told) == len(there)
        assert len([each for each in told if each.kind == "policy"]) == 1
        entries = list(LogReader(str(folder / "log"), open_key(str(folder)).public).entries())
        assert len(entries) == len(set(entries)) == len(found.claims)
