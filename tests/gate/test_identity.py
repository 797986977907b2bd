"""Who somebody is: by password, by session, by token; and what is kept of all that."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from openvet.errors import UsageError
from openvet.gate import credentials
from openvet.gate.identity import NotAllowedError, People
from openvet.gate.roles import Grant, Right, Role
from openvet.store import people as rows
from openvet.store.database import Database
from openvet.store.people import Person
from openvet.store.tables import METADATA

SENTENCE = "five small models went to sea"
HOUR = 3_600_000


class Clock:
    now = 1_795_867_200_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords with little memory: what is measured here is not how hard they are to guess."""
    monkeypatch.setattr(credentials, "_MEMORY", 64)
    monkeypatch.setattr(credentials, "_PASSES", 1)
    monkeypatch.setattr(credentials, "_NOBODY", credentials.hash_password("somebody who is not there"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(database: Database, clock: Clock) -> People:
    return People(database, clock)


@pytest.fixture
def admin(people: People) -> Person:
    link = people.begin()
    assert link is not None
    return people.accept(link, SENTENCE).person


def test_the_first_start_makes_one_admin_and_one_link(people: People, database: Database) -> None:
    first = people.begin()
    again = people.begin()
    assert first
    assert again
    assert first != again
    assert people.invited(first) is None  # only the last link counts
    with pytest.raises(UsageError, match="at least 12"):
        people.accept(again, "short")
    made = people.accept(again, SENTENCE)
    assert made.person.name == "admin"
    assert people.begin() is None
    with pytest.raises(NotAllowedError, match="was used"):
        people.accept(again, SENTENCE)
    with database.reading() as connection:
        held = [(each.project, each.role) for each in rows.roles_of(connection, made.person.id)]
    assert held == [("/", "admin"), ("/", "approver")]


def test_a_link_is_too_old_after_three_days(people: People, clock: Clock) -> None:
    link = people.begin()
    assert link is not None
    clock.now += 72 * HOUR
    assert people.invited(link) is None
    with pytest.raises(NotAllowedError):
        people.accept(link, SENTENCE)


def test_nobody_logs_in_without_a_password(people: People, admin: Person) -> None:
    made, link = people.add("zoe@example.com", "Zoe")
    assert link
    robot, none = people.add("ci", "the build", service=True)
    assert (none, robot.service) == (None, True)
    for name in ("zoe@example.com", "ci", "nobody", "", "admin'--"):
        with pytest.raises(NotAllowedError, match="not the name or not the password"):
            people.log_in(name, "", "127.0.0.1")
    people.accept(link, SENTENCE + "!")
    assert people.log_in("zoe@example.com", SENTENCE + "!", "127.0.0.1").person == made


@pytest.mark.parametrize("name", ["", "Zoe", "zoe ", ".zoe", "zoe\n", "z" * 101, "zoé", "a/b"])
def test_what_is_no_name(people: People, name: str) -> None:
    with pytest.raises(UsageError, match="lower-case"):
        people.add(name, "")


def test_two_people_have_two_names(people: People, admin: Person) -> None:
    with pytest.raises(UsageError, match="already"):
        people.add("admin", "another")


def test_a_session_ends(people: People, admin: Person, clock: Clock) -> None:
    secret = people.log_in("admin", SENTENCE, "127.0.0.1").secret
    found = people.by_session(secret)
    assert found is not None
    assert found[0].person == admin
    clock.now += 2 * HOUR - 1
    assert people.by_session(secret) is not None  # and now it counts from here
    clock.now += 2 * HOUR
    assert people.by_session(secret) is None  # nobody clicked for two hours


def test_a_session_ends_after_a_day_of_clicks(people: People, admin: Person, clock: Clock) -> None:
    secret = people.log_in("admin", SENTENCE, "127.0.0.1").secret
    for _ in range(11):
        clock.now += HOUR
        assert people.by_session(secret) is not None
    clock.now += HOUR
    assert people.by_session(secret) is None


def test_logging_out_ends_this_session_and_a_new_password_all(people: People, admin: Person) -> None:
    one, two, three = (people.log_in("admin", SENTENCE, "127.0.0.1").secret for _ in range(3))
    people.log_out(one)
    assert [people.by_session(each) is not None for each in (one, two, three)] == [False, True, True]
    last = people.accept(people.invite(admin), SENTENCE + "?").secret
    assert [people.by_session(each) is not None for each in (one, two, three, last)] == [False, False, False, True]


def test_sessions_are_new_at_each_login(people: People, admin: Person) -> None:
    """What somebody planted before a login is not a session after it."""
    secrets = {people.log_in("admin", SENTENCE, "127.0.0.1").secret for _ in range(4)}
    assert len(secrets) == 4
    assert people.by_session("planted") is None


def test_brute_force_by_name_is_slowed_down_and_not_for_ever(people: People, admin: Person, clock: Clock) -> None:
    waits: list[int] = []
    for _ in range(10):
        with pytest.raises(NotAllowedError) as refused:
            people.log_in("admin", "wrong", f"10.0.0.{len(waits)}")
        found = re.search(r"again in (\d+) s", str(refused.value))
        waits.append(0 if found is None else int(found[1]))
    assert waits == [0] * 6 + [1] * 4  # five are free, the sixth sets a second, and nothing is counted meanwhile
    with pytest.raises(NotAllowedError, match="again in 1 s"):
        people.log_in("admin", SENTENCE, "10.1.1.1")  # not even with the right one
    clock.now += 1000
    assert people.log_in("admin", SENTENCE, "10.1.1.1").person == admin
    with pytest.raises(NotAllowedError, match="not the name"):
        people.log_in("admin", "wrong", "10.1.1.1")  # it begins anew


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(
    people: People, admin: Person, clock: Clock
) -> None:
    seen = []
    for _ in range(5):
        with pytest.raises(NotAllowedError):
            people.log_in("admin", "wrong", "10.0.0.1")
    for _ in range(13):
        with pytest.raises(NotAllowedError, match="not the name"):
            people.log_in("admin", "wrong", "10.0.0.1")
        with pytest.raises(NotAllowedError) as refused:
            people.log_in("admin", "wrong", "10.0.0.2")
        found = re.search(r"again in (\d+) s", str(refused.value))
        assert found is not None
        seen.append(int(found[1]))
        clock.now += seen[-1] * 1000
    assert seen == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_brute_force_by_address_over_many_names(people: People, admin: Person) -> None:
    said = []
    for number in range(22):
        with pytest.raises(NotAllowedError) as refused:
            people.log_in(f"name{number}", "wrong", "10.0.0.1")
        said.append("too many" in str(refused.value))
    assert said == [False] * 21 + [True]


def test_a_token_does_what_its_owner_may_and_what_it_is_for(
    people: People, admin: Person, database: Database, clock: Clock
) -> None:
    with database.writing() as connection:
        for path in ("/vision", "/vision/ocr", "/text"):
            rows.add_project(connection, path, path, clock.now)
    zoe, _ = people.add("zoe", "Zoe")
    with database.writing() as connection:
        rows.give_role(connection, zoe.id, "/vision", Role.APPROVER, "admin", clock.now)
    made, kept = people.add_token(zoe, "laptop", "/vision/ocr", [Right.PULL, Right.ASK, Right.ADMINISTER], 30)
    found = people.by_token(made.text)
    assert found.person == zoe
    assert found.grants == (Grant(Role.APPROVER, "/vision"),)
    assert found.rights_in("/vision/ocr") == {Right.PULL, Right.ASK}
    assert found.rights_in("/vision") == found.rights_in("/text") == found.rights_in("/") == frozenset()
    with pytest.raises(NotAllowedError, match="zoe may not decide in the project /vision/ocr"):
        found.require(Right.DECIDE, "/vision/ocr")
    found.require(Right.PULL, "/vision/ocr")
    with database.writing() as connection:
        assert rows.take_role(connection, zoe.id, "/vision", Role.APPROVER)
    assert people.by_token(made.text).rights_in("/vision/ocr") == frozenset()
    assert (kept.hint, kept.rights, kept.project) == (made.text[:12], ("administer", "ask", "pull"), "/vision/ocr")


def test_tokens_end(people: People, admin: Person, database: Database, clock: Clock) -> None:
    one, row = people.add_token(admin, "one", "/", [Right.PULL], 1)
    two, _ = people.add_token(admin, "two", "/", [Right.PULL], 30)
    clock.now += 24 * HOUR - 1
    assert people.by_token(one.text).person == admin
    clock.now += 1
    with pytest.raises(NotAllowedError, match="has expired"):
        people.by_token(one.text)
    with database.writing() as connection:
        assert not rows.revoke_token(connection, row.id + 2, clock.now)
        assert rows.revoke_token(connection, row.id + 1, clock.now)
        assert not rows.revoke_token(connection, row.id + 1, clock.now)
    with pytest.raises(NotAllowedError, match="was revoked"):
        people.by_token(two.text)


def test_whoever_is_disabled_is_out_by_every_way(people: People, admin: Person) -> None:
    zoe, link = people.add("zoe", "Zoe")
    assert link
    session = people.accept(link, SENTENCE).secret
    other = people.invite(zoe)
    token, _ = people.add_token(zoe, "t", "/", [Right.PULL], 9)
    people.disable(zoe)
    assert people.by_session(session) is None
    assert people.invited(other) is None
    with pytest.raises(NotAllowedError):
        people.by_token(token.text)
    with pytest.raises(NotAllowedError, match="not the name"):
        people.log_in("zoe", SENTENCE, "127.0.0.1")


@pytest.mark.parametrize(
    ("text", "says"),
    [("hf_" + "a" * 34, "a token of another hub"), ("", "no token of this server"), ("ovt_" + "a" * 40, "no token"),
     ("ovt_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacab11777", r"the token ovt_\w{8}\.\.\. has expired")],
)  # fmt: skip
def test_tokens_that_are_none(people: People, admin: Person, text: str, says: str) -> None:
    with pytest.raises(NotAllowedError, match=says) as refused:
        people.by_token(text)
    assert len(text) < 20 or text not in str(refused.value)


@pytest.mark.parametrize(
    ("project", "rights", "days", "says"),
    [("/", [], 9, "what the token is for"), ("/no", [Right.PULL], 9, "no project"), ("no", [Right.PULL], 9, "is a path"),
     ("/", [Right.PULL], 0, "1 to 366"), ("/", [Right.PULL], 367, "1 to 366")],
)  # fmt: skip
def test_tokens_that_are_refused(
    people: People, admin: Person, project: str, rights: list[Right], days: int, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        people.add_token(admin, "", project, rights, days)


def test_a_use_is_written_once_a_minute(people: People, admin: Person, database: Database, clock: Clock) -> None:
    made, _ = people.add_token(admin, "", "/", [Right.PULL], 9)

    def last() -> int | None:
        with database.reading() as connection:
            return rows.list_tokens(connection, admin.id)[0].last_used

    begin = clock.now
    seen = []
    for _ in range(5):
        people.by_token(made.text)
        seen.append((last() or 0) - begin)
        clock.now += 30_000
    assert seen == [0, 0, 60_000, 60_000, 120_000]


def test_no_secret_lies_in_the_database(people: People, admin: Person, database: Database) -> None:
    link = people.invite(admin)
    session = people.log_in("admin", SENTENCE, "127.0.0.1").secret
    token, _ = people.add_token(admin, "", "/", [Right.PULL], 9)
    with database.reading() as connection:
        kept = repr([connection.execute(select(each)).all() for each in METADATA.sorted_tables]).encode()
    for each in (link, session, token.text, token.text[4:36], SENTENCE):
        assert each.encode() not in kept
    assert token.digest.encode() in kept


def test_a_link_is_used_once_by_threads(people: People) -> None:
    link = people.begin()
    assert link is not None
    done: list[str] = []

    def take() -> None:
        try:
            people.accept(link, SENTENCE)
            done.append("in")
        except NotAllowedError:
            done.append("out")

    threads = [threading.Thread(target=take) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(done) == ["in"] + ["out"] * 5


def test_projects_stand_below_each_other(people: People, admin: Person, database: Database) -> None:
    with database.writing() as connection:
        with pytest.raises(UsageError, match="no project /a; add it first"):
            rows.add_project(connection, "/a/b", "", 1)
        rows.add_project(connection, "/a", "A", 1)
        rows.add_project(connection, "/a/b", "B", 2)
        with pytest.raises(UsageError, match="already"):
            rows.add_project(connection, "/a", "", 1)
        with pytest.raises(UsageError, match="no project /c"):
            rows.give_role(connection, admin.id, "/c", "viewer", "x", 3)
        assert rows.give_role(connection, admin.id, "/a", "viewer", "x", 3)
        assert not rows.give_role(connection, admin.id, "/a", "viewer", "x", 3)
        assert [each.path for each in rows.list_projects(connection)] == ["/", "/a", "/a/b"]
        assert {(each.project, each.role) for each in rows.roles_in(connection, "/a/b")} == {
            ("/", "admin"), ("/", "approver"), ("/a", "viewer")
        }  # fmt: skip
        assert not rows.take_role(connection, admin.id, "/a/b", "viewer")
        assert rows.take_role(connection, admin.id, "/a", "viewer")


def test_people_in_pages(people: People, admin: Person, database: Database) -> None:
    for number in range(7):
        people.add(f"p{number}", "")
    with database.reading() as connection:
        seen: list[str] = []
        for _ in itertools.count():
            page = rows.list_people(connection, seen[-1] if seen else "", 3)
            if not page:
                break
            seen += [each.name for each in page]
    assert seen == ["admin", *(f"p{number}" for number in range(7))]


def test_times_of_answers_do_not_tell_who_is_there(
    people: People, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether somebody is there or not, one password is checked."""
    seen: list[bool] = []
    real: Callable[[str, str | None], bool] = credentials.check_password

    def counted(text: str, kept: str | None) -> bool:
        seen.append(kept is None)
        return real(text, kept)

    monkeypatch.setattr("openvet.gate.identity.check_password", counted)
    for name in ("admin", "nobody"):
        with pytest.raises(NotAllowedError):
            people.log_in(name, "wrong", "127.0.0.1")
    assert seen == [False, True]
