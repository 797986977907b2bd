"""What is told of caches, on each database that is there: how it stands is what lists of models say."""

from __future__ import annotations

import random
import threading

from openvet.store import models
from openvet.store.caches import (
    UNKNOWN,
    CachedRow,
    add_cached,
    begin_report,
    end_report,
    forget_report,
    list_in_caches,
    list_machines,
    machines_with,
    stands_of,
)
from openvet.store.database import Database
from openvet.store.decisions import add_decision
from openvet.store.people import add_person
from openvet.store.revisions import add_revision

COMMIT = "a" * 40


def tell(database: Database, person: int, machine: str, number: int, *names: str, kind: str = "model") -> int:
    with database.writing() as connection:
        report = begin_report(connection, person, machine, f"{number:032x}", number)
        add_cached(connection, report, [CachedRow(kind, each, COMMIT, 1, 2, ("main", "v 1"), 3) for each in names])
        end_report(connection, report, number)
    return report


def test_it_stands_as_lists_of_models_say(database: Database) -> None:
    chance = random.Random(3)
    names = [f"org/{at:03}" for at in range(120)]
    with database.writing() as connection:
        person = add_person(connection, "ann", "", 1).id
        for each in names[:90]:
            number = add_revision(connection, "model", each, COMMIT, "up", "{}", [], 1)
            for _ in range(chance.randrange(4)):
                kind = chance.choice(["policy", "approval", "revocation"])
                outcome = "admit" if kind == "approval" else chance.choice(["admit", "review", "reject"])
                add_decision(connection, number, "all", kind, outcome, f"why {number}", "zoe", 5, b"", project="/", until=chance.choice([None, 50]))  # fmt: skip
    tell(database, person, "desk", 1, *names)
    with database.reading() as connection:
        expected = {each.name: each for each in models.list_models(connection, ["/"], 100, limit=1000)}
        found = list_in_caches(connection, ["/"], 100, limit=1000)
        said = stands_of(connection, [("model", each, COMMIT) for each in names], ["/"], 100)
        for word in (*models.STANDINGS, UNKNOWN):
            some = list_in_caches(connection, ["/"], 100, standing=[word], limit=1000)
            assert some == tuple(each for each in found if each.standing == word)
            assert some
        one = list_in_caches(connection, ["/"], 100, repository=("model", names[7], COMMIT), limit=9)
        assert [each.row.name for each in one] == [names[7]]
        pages = list_in_caches(connection, ["/"], 100, limit=50)
        pages += list_in_caches(connection, ["/"], 100, before=pages[-1].id, limit=1000)
        assert pages == found
    assert {each.row.name: (each.standing, each.revision) for each in found} == {
        name: (expected[name].standing, expected[name].revision) if name in expected else (UNKNOWN, None) for name in names
    }  # fmt: skip
    assert len(said) == 90
    for (_, name, _), stands in said.items():
        assert (stands.standing, stands.decision) == (expected[name].standing, expected[name].decision)
        assert stands.reason == (f"why {stands.revision}" if stands.decision else "")
    assert found[0].row.refs == ("main", "v 1")


def test_one_report_of_each_machine_counts(database: Database) -> None:
    with database.writing() as connection:
        ann, bob = (add_person(connection, name, "", 1).id for name in ("ann", "bob"))
    tell(database, ann, "desk", 1, "a", "b")
    kept = tell(database, bob, "desk", 1, "b")
    with database.writing() as connection:
        add_cached(
            connection, begin_report(connection, ann, "desk", "f" * 32, 9), [CachedRow("model", "c", COMMIT, 1, 2)]
        )
    with database.reading() as connection:
        assert machines_with(connection, [("model", "a"), ("model", "b"), ("model", "c"), ("dataset", "a")]) == {("model", "a"): 1, ("model", "b"): 2}  # fmt: skip
        assert machines_with(connection, [("model", "b")], [ann]) == {("model", "b"): 1}
        assert machines_with(connection, []) == {}
    tell(database, ann, "desk", 2)
    with database.reading() as connection:
        told = [(each.person, each.revisions, each.bytes, each.at) for each in list_machines(connection)]
        assert told == [("ann", 0, 0, 2), ("bob", 1, 2, 1)]
        assert list_machines(connection, people=[ann], limit=9)[0].owner == ann
    with database.writing() as connection:
        forget_report(connection, kept)
        assert [each.person for each in list_machines(connection)] == ["ann"]


def test_parts_of_one_report_that_come_at_once(database: Database) -> None:
    with database.writing() as connection:
        ann = add_person(connection, "ann", "", 1).id

    def part(at: int) -> None:
        with database.writing() as connection:
            report = begin_report(connection, ann, "desk", "1" * 32, 1)
            add_cached(connection, report, [CachedRow("model", f"m{at}-{each}", COMMIT, 1, 2) for each in range(700)])

    threads = [threading.Thread(target=part, args=(at,)) for at in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with database.writing() as connection:
        end_report(connection, begin_report(connection, ann, "desk", "1" * 32, 1), 2)
        assert [each.revisions for each in list_machines(connection)] == [2800]
