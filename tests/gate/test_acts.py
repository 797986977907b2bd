"""What people did with people, tokens, projects and the server: each with who, when, what and on whom, or it was not done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError
from openvet.gate import credentials, identity
from openvet.gate.backup import back_up
from openvet.gate.folder import MARK
from openvet.gate.identity import ITSELF, NotThereError, People
from openvet.gate.opening import open_gate
from openvet.gate.provider import ProviderSettings
from openvet.gate.pruning import prune
from openvet.gate.restoring import restore
from openvet.gate.roles import Right, Role
from openvet.gate.upstreams import HubUpstream
from openvet.store.acts import ACTS, Act, list_acts
from openvet.store.blobs import BlobStore
from openvet.store.database import Database, open_database
from openvet.store.tables import METADATA
from tests.store.conftest import database, url  # noqa: F401 - a database of each kind

NOW = 1_795_867_200_000
SENTENCE = "a sentence that nobody guesses"


@pytest.fixture
def people(database: Database, monkeypatch: pytest.MonkeyPatch) -> People:  # noqa: F811
    monkeypatch.setattr(credentials, "_MEMORY", 64)
    return People(database, lambda: NOW, ProviderSettings("https://login.example", "openvet", name="Example"))


def acts(database: Database, **which: object) -> list[Act]:  # noqa: F811
    with database.reading() as connection:
        return list(list_acts(connection, **which))[::-1]  # type: ignore[arg-type]


def told(found: list[Act]) -> list[tuple[str, str, str, str, str]]:
    assert {each.at for each in found} <= {NOW}
    return [(each.by, each.what, each.person, each.project, each.details) for each in found]


def test_each_says_who_what_and_on_whom(people: People, database: Database) -> None:  # noqa: F811
    link = people.begin()
    assert link is not None
    people.accept(link, SENTENCE)
    zoe, _ = people.add("zoe", "Zoe", by="admin")
    robot, _ = people.add("ci", "the build", service=True, by="admin")
    people.add_project("/vision", "", by="admin")
    people.give_role(zoe, "/vision", Role.REVIEWER, by="admin")
    people.give_role(zoe, "/vision", Role.REVIEWER, by="admin")
    people.take_role(zoe, "/vision", Role.REVIEWER, by="admin")
    made, kept = people.add_token(robot, "build", "/vision", [Right.PULL], 9, by="admin")
    people.revoke_token(kept.id, by="admin")
    own, mine = people.add_token(zoe, "laptop", "/", [Right.SEE, Right.PULL], 30)
    people.revoke_token(mine.id, by="zoe", of=zoe)
    people.connect(zoe, "s-1", by="admin")
    people.connect(zoe, "", by="admin")
    people.disable(zoe, by="admin")
    people.enable(zoe, by="admin")
    people.recover("admin", by="command line of root")
    assert told(acts(database)) == [
        ("the first start", "person.added", "admin", "", ""),
        ("the first start", "role.given", "admin", "/", "admin"),
        ("the first start", "role.given", "admin", "/", "approver"),
        ("the first start", "invitation.made", "admin", "", ""),
        ("admin", "password.chosen", "admin", "", ""),
        ("admin", "person.added", "zoe", "", ""),
        ("admin", "invitation.made", "zoe", "", ""),
        ("admin", "person.added", "ci", "", "a service account"),
        ("admin", "project.added", "", "/vision", ""),
        ("admin", "role.given", "zoe", "/vision", "reviewer"),
        ("admin", "role.taken", "zoe", "/vision", "reviewer"),
        ("admin", "token.made", "ci", "/vision", f"{kept.hint}... for pull, 9 days"),
        ("admin", "token.revoked", "ci", "/vision", f"{kept.hint}..."),
        ("zoe", "token.made", "zoe", "/", f"{mine.hint}... for pull, see, 30 days"),
        ("zoe", "token.revoked", "zoe", "/", f"{mine.hint}..."),
        ("admin", "person.connected", "zoe", "", "s-1"),
        ("admin", "person.parted", "zoe", "", ""),
        ("admin", "person.disabled", "zoe", "", ""),
        ("admin", "person.enabled", "zoe", "", ""),
        ("command line of root", "admin.recovered", "admin", "", ""),
    ]
    assert {each.what for each in acts(database)} <= set(ACTS)
    assert {(each.by, each.person) for each in acts(database, about="zoe")} == {("admin", "zoe"), ("zoe", "zoe")}
    assert len(acts(database, what="role.given")) == 3
    first = acts(database, limit=3)
    assert [each.what for each in first] == ["person.disabled", "person.enabled", "admin.recovered"]
    assert [each.what for each in acts(database, before=first[0].id, limit=1)] == ["person.parted"]
    secrets = [made.text, own.text, link]
    with database.reading() as connection:
        rows = str(connection.execute(select(METADATA.tables["act"])).all())
    assert [each for each in secrets if each in rows] == []


def test_what_cannot_be_written_down_is_not_done(
    people: People,
    database: Database,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people.begin()
    zoe, link = people.add("zoe", "Zoe")
    assert link is not None
    people.add_project("/vision", "")
    people.give_role(zoe, "/vision", Role.REVIEWER)
    token, kept = people.add_token(zoe, "t", "/", [Right.PULL], 9)
    people.disable(people.add("ann", "Ann")[0])

    def state() -> object:
        with database.reading() as connection:
            return {each.name: sorted(map(repr, connection.execute(select(each)))) for each in METADATA.sorted_tables}

    def broken(*_: object, **__: object) -> None:
        raise StorageError("no room")

    before = state()
    monkeypatch.setattr(identity, "add_act", broken)
    for each in (
        lambda: people.add("bob", "Bob"),
        lambda: people.invite(zoe),
        lambda: people.accept(link, SENTENCE),
        lambda: people.disable(zoe),
        lambda: people.enable(zoe),
        lambda: people.connect(zoe, "s-1"),
        lambda: people.add_project("/text", ""),
        lambda: people.give_role(zoe, "/vision", Role.VIEWER),
        lambda: people.take_role(zoe, "/vision", Role.REVIEWER),
        lambda: people.add_token(zoe, "t", "/", [Right.PULL], 9),
        lambda: people.revoke_token(kept.id, by="zoe"),
        lambda: people.recover("admin"),
    ):
        with pytest.raises(StorageError, match="no room"):
            each()
        assert state() == before
    assert people.by_token(token.text).person == zoe


def test_what_was_not_done_is_not_written_down(people: People, database: Database) -> None:  # noqa: F811
    people.begin()
    zoe, _ = people.add("zoe", "Zoe")
    _, kept = people.add_token(zoe, "t", "/", [Right.PULL], 9)
    admin = people.by_token(people.add_token(zoe, "u", "/", [Right.PULL], 9)[0].text).person
    other, _ = people.add("other", "")
    before = acts(database)
    for each in (
        lambda: people.add("zoe", "again"),
        lambda: people.take_role(zoe, "/", Role.ADMIN),
        lambda: people.give_role(zoe, "/none", Role.ADMIN),
        lambda: people.revoke_token(kept.id, by="other", of=other),
        lambda: people.revoke_token(999_999, by="other"),
        lambda: people.recover("zoe"),
    ):
        with pytest.raises((NotThereError, UsageError)):
            each()
    assert acts(database) == before
    assert admin == zoe


def test_what_is_done_to_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "gate"
    open_gate(str(folder), [HubUpstream("http://127.0.0.1:9")], workers=0).close()
    (folder / MARK).touch()
    made = back_up(str(folder), str(tmp_path / "backups"), NOW, by="command line of ann")
    opened = open_database(f"sqlite:///{folder}/openvet.db")
    blobs = BlobStore(str(folder))
    with blobs.new(3) as new:
        new.write(b"abc")
        new.commit()
    prune(opened, blobs, NOW, keep=1)
    (stored,) = [each for each in (folder / "blobs").rglob("*") if each.is_file()]
    os.utime(stored, (0, 0))
    prune(opened, blobs, NOW, keep=1, dry=True)
    prune(opened, blobs, NOW, keep=1)
    assert told(acts(opened)) == [
        (
            "command line of ann",
            "backup.made",
            "",
            "",
            f"{Path(made.path).name}, {made.files} files, {made.bytes} bytes",
        ),
        (ITSELF, "store.pruned", "", "", "1 files, 3 bytes"),
    ]
    opened.close()
    restore(made.path, str(tmp_path / "again"), NOW, by="command line of bob")
    opened = open_database(f"sqlite:///{tmp_path}/again/openvet.db")
    assert told(acts(opened)) == [("command line of bob", "server.restored", "", "", "as of 2026-11-28T12:00:00.000Z")]
    opened.close()
