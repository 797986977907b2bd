"""What is revoked is the same by the list as by how each commit stands, whatever people decided in whatever order."""

from __future__ import annotations

import random
from pathlib import Path

from sqlalchemy import insert

from openvet.gate.seeing import above
from openvet.gate.standing import ALL, Stand, standing
from openvet.store.database import Database
from openvet.store.decisions import add_decision, decisions_of
from openvet.store.revocations import (
    KeptList,
    keep_list,
    kept_list,
    last_by_people,
    list_revoked,
    lists_to_publish,
)
from openvet.store.tables import REPOSITORY, REVISION

NOW, SOON, LATER = 1000, 2000, 3000
PROJECTS = ["/", "/vision", "/vision/ocr", "/text"]


def test_the_list_says_what_standing_says(database: Database) -> None:
    chance = random.Random(8)
    with database.writing() as connection:
        repository = connection.execute(
            insert(REPOSITORY).values(kind="model", name="org/m", upstream="u", first_seen=1).returning(REPOSITORY.c.id)
        ).scalar_one()
        commits = [f"{each:040x}" for each in range(300)]
        for commit in commits:
            connection.execute(
                insert(REVISION).values(repository=repository, commit_id=commit, upstream="u", about="{}", listed_at=1)
            )
        for revision in range(1, len(commits) + 1):
            for _ in range(chance.randrange(5)):
                kind = chance.choice(["policy", "approval", "revocation", "revocation"])
                until = chance.choice([None, 500, 1500, 1800, 2500]) if kind == "approval" else None
                outcome = {"policy": "reject", "approval": "admit", "revocation": "reject"}[kind]
                add_decision(connection, revision, ALL, kind, outcome, "r", "b", 1, b"line", project=chance.choice(PROJECTS), until=until)  # fmt: skip
    seen = set()
    with database.reading() as connection:
        for project in PROJECTS:
            found = {each.commit: each for each in list_revoked(connection, above(project), NOW, SOON)}
            assert list(found) == sorted(found)
            for number, commit in enumerate(commits, 1):
                said = decisions_of(connection, number)
                for at in (NOW, 1499, 1500, 1799, 1800, SOON - 1):
                    stands = standing(said, ALL, at, project).stand is Stand.REVOKED
                    row = found.get(commit)
                    listed = row is not None and (row.since is None or row.since <= at)
                    assert listed == stands, (project, number, at, said)
                    seen.add((listed, row is not None and row.since is not None))
        assert last_by_people(connection, ["/text"]) > 0 == last_by_people(connection, ["/nowhere"])
    assert len(seen) == 4  # both answers, with and without an approval that ends


def test_nothing_is_revoked_where_nothing_was_decided(database: Database, tmp_path: Path) -> None:
    with database.reading() as connection:
        assert list_revoked(connection, ["/"], NOW, SOON) == []


def test_a_list_is_kept_until_the_next_one(database: Database) -> None:
    kept = KeptList(3, 5, 6, 2, 7, '{"ü": "\\""}', ("a" * 64, "b" * 64))
    with database.writing() as connection:
        assert kept_list(connection, "/", hold=True) == KeptList()
        keep_list(connection, "/", kept)
        keep_list(connection, "/vision_a", KeptList(1, 1, 1, 1, 1, "l"))
        assert lists_to_publish(connection) == ["/"]
    with database.writing() as connection:
        assert kept_list(connection, "/", hold=True) == kept
        keep_list(connection, "/", KeptList(4, 5, 6, 0, 7, "l"))
    with database.reading() as connection:
        assert kept_list(connection, "/") == KeptList(4, 5, 6, 0, 7, "l")
        assert lists_to_publish(connection) == []
