"""Counts for whoever runs a server."""

from __future__ import annotations

from openvet.store import people, requests
from openvet.store.database import Database
from openvet.store.decisions import add_decision
from openvet.store.jobs import add_job, claim_job
from openvet.store.measures import Measures, measure
from openvet.store.revisions import FileRow, add_revision, note_blob
from openvet.store.vettings import end_vetting, start_vetting
from openvet.store.workers import add_worker


def test_of_nothing_there_is_nothing(database: Database) -> None:
    with database.reading() as connection:
        assert measure(connection, 1) == Measures({}, {}, {}, {}, {}, 0, 0, 0, 0, 0)


def test_everything_is_counted_where_it_belongs(database: Database) -> None:
    with database.writing() as connection:
        people.add_project(connection, "/", "", 1)
        revision = add_revision(connection, "model", "org/m", "a" * 40, "up", "{}", [FileRow("a", 1, "0" * 40)], 1)
        for at in range(3):
            add_job(connection, "vet", f"vet:{at}", {}, 1000 * at)
        add_job(connection, "hook", "hook:1", {}, 0, delay=90_000)
        for outcome in ("admit", "reject", "admit"):
            add_decision(connection, revision, "all", "policy", outcome, "r", "policy", 1, b"{}")
        for _ in range(3):
            requests.count_block(connection, revision, "/", None, "curl", 1)
        for stage in ("ranges", "bytes"):
            reading = start_vetting(connection, revision, 1, "all", stage, 5, 1)
        end_vetting(connection, reading, "done", "admit", "", None, None, 1)
        note_blob(connection, "b" * 64, "", 5, 1)
        note_blob(connection, "c" * 64, "", 7 << 40, 1)
        add_worker(connection, "a", "here, process 1", "1.0", 3, 9000)
    assert claim_job(database, 10_000, 1000) is not None
    with database.reading() as connection:
        assert measure(connection, 10_000) == Measures(
            jobs={("vet", "running"): 1, ("vet", "ready"): 2, ("hook", "ready"): 1},
            vettings={("ranges", "running"): 1, ("bytes", "done"): 1},
            oldest={"vet": 9000, "hook": 0},
            requests={"blocked": 1},
            decisions={("policy", "admit"): 2, ("policy", "reject"): 1},
            stopped=3,
            files=2,
            bytes=5 + (7 << 40),
            workers=1,
            threads=3,
        )
