"""What every table knows of a revision, as rows, on each database."""

from __future__ import annotations

from sqlalchemy import update

from openvet.store import timeline as rows
from openvet.store.database import Database
from openvet.store.decisions import add_decision
from openvet.store.jobs import add_job, claim_job, finishing
from openvet.store.people import add_person, add_project
from openvet.store.pulls import add_pull
from openvet.store.requests import add_request, say
from openvet.store.revisions import add_revision, note_ref
from openvet.store.tables import DECISION
from openvet.store.uses import Reach
from openvet.store.vettings import end_vetting, start_vetting


def test_each_table_tells_its_part(database: Database) -> None:
    with database.writing() as connection:
        add_project(connection, "/", "", 1)
        ann, bob = (add_person(connection, name, name, 1).id for name in ("ann", "bob"))
        revision = add_revision(connection, "model", "org/m", "c" * 40, "u", "{}", [], 5)
        other = add_revision(connection, "model", "org/m", "d" * 40, "u", "{}", [], 6)
        note_ref(connection, revision, "v1", 7)
        note_ref(connection, revision, "main", 7)
        note_ref(connection, other, "main", 9)
        job = add_job(connection, "vet", "vet", {}, 1)
        first = start_vetting(connection, revision, job, "all", "ranges", 1, 10)
        second = start_vetting(connection, revision, job, "all", "bytes", 1, 11)
        end_vetting(connection, first, "done", "reject", "why", None, b"x", 12)
        number = add_decision(connection, revision, "all", "policy", "reject", "r", "policy", 12, b"l")
        connection.execute(update(DECISION).values(vetting=first))
        asked = add_request(connection, revision, "/", ann, "asked", 13, purpose="p")
        nobody = add_request(connection, revision, "/", None, "blocked", 14)
        say(connection, asked, bob, "approve", "t", 15, conditions="c", until=99)
        for person, at in ((ann, 20), (None, 21), (ann, 25), (bob, 22)):
            add_pull(connection, revision, "a", "0" * 64, person, "", "", 1, at)
        add_pull(connection, other, "a", "0" * 64, bob, "", "", 1, 30)
        add_job(connection, "publish", "publish:1", {}, 31)
    claimed = claim_job(database, 40, 1000, ("publish",))
    assert claimed is not None
    with finishing(database, claimed, 41):
        pass
    with database.reading() as connection:
        assert rows.seen_as(connection, revision) == (5, [("main", 7), ("v1", 7)])
        assert rows.read_of(connection, revision) == [
            rows.Read(first, "ranges", "done", "reject", "why", 12, number, signed=True),
            rows.Read(second, "bytes", "running", "", "", 11, None, signed=False),
        ]
        found = rows.asked_of(connection, revision)
        assert [(each.id, each.name, each.state, each.purpose, each.blocks, each.added) for each in found] == [
            (asked, "ann", "asked", "p", 0, 13), (nobody, "", "blocked", "", 1, 14),
        ]  # fmt: skip
        (said,) = rows.said_of(connection, [asked, nobody])
        assert (said.request, said.name, said.says, said.conditions, said.until) == (asked, "bob", "approve", "c", 99)
        pulled = {
            each.person: (each.first_at, each.last_at, each.files)
            for each in rows.pulled_of(connection, revision, None)
        }
        assert pulled == {"ann": (20, 25, 2), "": (21, 21, 1), "bob": (22, 22, 1)}
        assert [each.person for each in rows.pulled_of(connection, revision, Reach(frozenset({bob}), frozenset()))] == [
            "bob"
        ]
        assert [at for _, at in rows.published_at(connection, "publish:1")] == [41]
        assert rows.published_at(connection, "publish:2") == []
        assert rows.said_of(connection, []) == []
