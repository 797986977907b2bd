"""Lists, on each database that is there: what they say of a revision is what is said at a pull."""

from __future__ import annotations

import random
from typing import Any

from openvet.gate.standing import ALL, standing
from openvet.store import lists, models, uses
from openvet.store.database import Database
from openvet.store.decisions import add_decision, decisions_of
from openvet.store.jobs import add_job
from openvet.store.models import Summary
from openvet.store.people import add_person, add_project, give_role
from openvet.store.pulls import add_pull
from openvet.store.revisions import add_revision
from openvet.store.uses import Reach
from openvet.store.vettings import note_progress, start_vetting

DAY = 24 * 3_600_000
ABOVE = {"/": ["/"], "/vision": ["/", "/vision"], "/vision/ocr": ["/", "/vision", "/vision/ocr"]}


def test_lists_and_pulls_agree_how_a_revision_stands(database: Database) -> None:
    """Decisions of all kinds, for projects, with ends."""
    chance = random.Random(7)
    with database.writing() as connection:
        numbers = [add_revision(connection, "model", f"org/{at:03}", "a" * 40, "up", "{}", [], 1) for at in range(200)]
        for number in numbers:
            for _ in range(chance.randrange(6)):
                kind = chance.choice(["policy", "approval", "revocation"])
                outcome = {"approval": "admit", "revocation": "reject"}.get(kind) or chance.choice(["admit", "review", "reject", "upstream"])  # fmt: skip
                project = "/" if kind == "policy" else chance.choice([*ABOVE, "/vis"])
                scope = chance.choice(["all", "file:x"]) if kind == "policy" else "all"
                end = chance.choice([None, None, 50, 150])
                add_decision(connection, number, scope, kind, outcome, "", "x", 1, b"", project=project, until=end)
    for project, above in ABOVE.items():
        with database.reading() as connection:
            rows = models.list_models(connection, above, 100, limit=1000)
            said = [standing(decisions_of(connection, number), ALL, 100, project) for number in numbers]
            count = models.count_standings(connection, above, 100)
            refused = models.list_models(connection, above, 100, standing=["refused", "revoked"], limit=1000)
        expected = [(str(each.stand), each.decision.id if each.decision else None) for each in said]
        assert [(each.standing, each.decision) for each in rows] == expected
        words = [word for word, _ in expected]
        assert count == {each: words.count(each) for each in models.STANDINGS}
        assert [each.name for each in refused] == [each.name for each in rows if each.standing in {"refused", "revoked"}]  # fmt: skip
        assert set(words) == set(models.STANDINGS)


def test_a_summary_takes_the_place_of_the_one_before(database: Database) -> None:
    with database.writing() as connection:
        number = add_revision(connection, "model", "org/a", "a" * 40, "up", "{}", [], 1)
        job = add_job(connection, "vet", f"vet:{number}:all", {"revision": number, "scope": "all"}, 1)
        vetting = start_vetting(connection, number, job, "all", "bytes", 10, 1)
        note_progress(connection, vetting, 4)
        assert models.summary_of(connection, number) is None
        first = Summary(vetting, "review", "MIT", 1, 0, 0, 0, ("a/b", "c/d"), ("CVE-1",))
        for each in (first, Summary(vetting, "admit")):
            models.note_summary(connection, number, each)
            assert models.summary_of(connection, number) == each
        (queued,) = lists.list_jobs(connection, "vet", ["ready"])
        assert (queued.name, queued.bytes_done, queued.bytes_total, queued.stage) == ("org/a", 4, 10, "bytes")
        assert [each.id for each in lists.list_vetted(connection, states=["running"])] == [vetting]
        assert lists.find_vetted(connection, number) is None
        assert lists.count_jobs(connection, "vet", ["ready", "running"]) == 1


def test_pulls_are_counted_for_each_person_and_day(database: Database) -> None:
    with database.writing() as connection:
        add_project(connection, "/", "", 1)
        add_project(connection, "/text", "", 1)
        ann, bob = (add_person(connection, name, name, 1).id for name in ("ann", "bob"))
        give_role(connection, ann, "/text", "viewer", "x", 1)
        one, two = (add_revision(connection, "model", name, "a" * 40, "up", "{}", [], 1) for name in ("a/One", "b/two"))
        for revision, person, at in [(one, ann, DAY), (one, ann, DAY + 1), (two, bob, DAY + 2), (one, None, 2 * DAY)]:
            add_pull(connection, revision, "f", "0" * 64, person, f"torch/2.{at % 7}", "", 1 << 40, at)
        add_decision(connection, one, "all", "policy", "review", "", "policy", DAY, b"")
    with database.reading() as connection:
        used = uses.list_uses(connection)
        assert [(each.name, each.person, each.files, each.bytes) for each in used] == [("a/One", "", 1, 1 << 40), ("b/two", "bob", 1, 1 << 40), ("a/One", "ann", 2, 2 << 40)]  # fmt: skip
        assert [each.person for each in uses.list_uses(connection, before=used[0].last, limit=1)] == ["bob"]
        assert [
            each.person
            for each in uses.list_uses(connection, search="one", reach=Reach(frozenset({ann, bob}), frozenset()))
        ] == ["ann"]
        assert [each.person for each in uses.list_uses(connection, person="bob")] == ["bob"]
        assert uses.list_uses(connection, reach=Reach(frozenset(), frozenset())) == ()
        assert uses.people_of(connection, ["/text"]) == {ann}
        assert uses.pulls_by_day(connection, 0) == {DAY: 3, 2 * DAY: 1}
        assert uses.pulls_by_day(connection, 0, Reach(frozenset({bob}), frozenset())) == {DAY: 1}
        found = lists.count_since(connection, DAY + 1, ["/"], ["/"])
        assert (found.pulls, found.people, found.bytes, found.refused) == (3, 2, 3 << 40, 0)
        assert lists.count_since(connection, 0, ["/"], ["/"]).refused == 1
        assert lists.count_since(connection, 3 * DAY, ["/"], ["/"]).bytes == 0
        assert sorted(each[2] for each in uses.agents_since(connection, 0, Reach(frozenset({ann}), frozenset()))) == [
            1,
            1,
        ]


def test_pulls_are_counted_for_each_project_and_those_above_it(database: Database) -> None:
    """Of pulls of before it was kept it is not known, and they are counted for none."""
    with database.writing() as connection:
        for path in ("/", "/vision", "/vision/ocr", "/vis", "/empty"):
            add_project(connection, path, "", 1)
        ann, bob = (add_person(connection, name, name, 1).id for name in ("ann", "bob"))
        one, two = (add_revision(connection, "model", name, "a" * 40, "up", "{}", [], 1) for name in ("a/one", "b/two"))
        other = add_revision(connection, "model", "a/one", "b" * 40, "up", "{}", [], 1)
        pulls = [
            (one, ann, "/vision"), (one, ann, "/vision/ocr"), (other, bob, "/vision/ocr"), (two, bob, "/vis"), (two, None, "/"), (two, ann, None),
        ]  # fmt: skip
        for at, (revision, person, project) in enumerate(pulls, 1):
            add_pull(connection, revision, "f", "0" * 64, person, "torch/2.5.1", "", 1 << 40, at, project)
    paths = ["/", "/vision", "/vision/ocr", "/vis", "/empty"]
    with database.reading() as connection:

        def counted(**which: Any) -> dict[str | None, tuple[int, int, int, int, int]]:
            found = uses.uses_by_project(connection, paths, **which)
            return {each.project: (each.models, each.people, each.files, each.bytes >> 40, each.last_at) for each in found}  # fmt: skip

        assert counted() == {
            "/": (2, 2, 5, 5, 5), "/vis": (1, 1, 1, 1, 4), "/vision": (1, 2, 3, 3, 3), "/vision/ocr": (1, 2, 2, 2, 3), None: (1, 1, 1, 1, 6),
        }  # fmt: skip
        assert [each.project for each in uses.uses_by_project(connection, paths)] == ["/", "/vis", "/vision", "/vision/ocr", None]  # fmt: skip
        assert set(counted(project="/vision/ocr")) == {"/", "/vision", "/vision/ocr"}
        assert counted(project="/vision/ocr")["/"] == (1, 2, 2, 2, 3)
        assert set(counted(person="bob")) == {"/", "/vis", "/vision", "/vision/ocr"}
        assert counted(since=7) == {}
        assert [each.project for each in uses.uses_by_project(connection, ["/vis"])] == ["/vis", None]
        told = {
            project: [(each.name, each.person, each.project) for each in uses.list_uses(connection, project=project)]
            for project in ("", "/", "/vision", "/vis", "/vision/ocr", "/none")
        }
        assert told["/vision"] == [("a/one", "bob", "/vision/ocr"), ("a/one", "ann", "/vision/ocr"), ("a/one", "ann", "/vision")]  # fmt: skip
        assert told["/vis"] == [("b/two", "bob", "/vis")]
        assert [len(told[each]) for each in ("", "/", "/vision/ocr", "/none")] == [6, 5, 2, 0]
        assert told[""][0] == ("b/two", "ann", None)
        # who has a role, and what was pulled for a project
        reach = Reach(frozenset({bob}), frozenset({"/vision"}))
        assert sorted(each.project or "" for each in uses.list_uses(connection, reach=reach)) == ["/vis", "/vision", "/vision/ocr"]  # fmt: skip
        assert len(list(uses.agents_since(connection, 0, reach, "/vision"))) == 2
        assert uses.users_of(connection, [one, two, other], reach) == {one: 1, two: 1, other: 1}
