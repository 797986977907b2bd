"""Requests: who may ask, see, recommend and decide; four eyes; days; and that nothing that was said is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import insert

from openvet.errors import UsageError
from openvet.evidence.keys import generate
from openvet.evidence.predicates.admission_v1 import Approval
from openvet.gate import credentials
from openvet.gate.answers import Repository
from openvet.gate.identity import Identity, NotAllowedError, People
from openvet.gate.policy import admission_line
from openvet.gate.requests import Requests, Rules
from openvet.gate.roles import Right, Role
from openvet.store import people as people_rows
from openvet.store import requests as rows
from openvet.store.database import Connection, Database
from openvet.store.decisions import add_decision
from openvet.store.tables import REPOSITORY, REVISION

DAY = 24 * 3_600_000
NOW = 1_795_867_200_000


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


class Writes:
    """Writes rows as the gate does, without a signature: signing is tested where it is done."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fails = False
        self.written: list[dict[str, object]] = []

    def write_approval(self, connection: Connection, revision: int, **said: object) -> int:
        number = add_decision(
            connection,
            revision,
            "all",
            "approval",
            "admit",
            str(said["reason"]),
            str(said["by"]),
            self.clock.now,
            b"{}",
            project=str(said["project"]),
            until=said["until"],  # type: ignore[arg-type]
        )
        if self.fails:
            raise RuntimeError("the key is gone")
        self.written.append(said)
        return number


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_MEMORY", 64)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writes(clock: Clock) -> Writes:
    return Writes(clock)


@pytest.fixture
def requests(database: Database, writes: Writes, clock: Clock) -> Requests:
    return Requests(database, writes, clock)


@pytest.fixture
def revision(database: Database) -> int:
    with database.writing() as connection:
        made = connection.execute(
            insert(REPOSITORY)
            .values(kind="model", name="org/tiny", upstream="up", first_seen=1)
            .returning(REPOSITORY.c.id)
        ).scalar_one()
        return int(
            connection.execute(
                insert(REVISION)
                .values(repository=made, commit_id="c" * 40, upstream="up", about="{}", listed_at=1)
                .returning(REVISION.c.id)
            ).scalar_one()
        )


Who = Callable[..., Identity]


@pytest.fixture
def who(database: Database, clock: Clock) -> Who:
    """Somebody of a name with roles, ``role@project``, recognised by a session."""
    people = People(database, clock)
    people.begin()
    with database.writing() as connection:
        for path in ("/vision", "/vision/ocr", "/text"):
            people_rows.add_project(connection, path, path, 1)

    def make(name: str, *roles: str) -> Identity:
        person, link = people.add(name, name)
        with database.writing() as connection:
            for each in roles:
                role, _, project = each.partition("@")
                people_rows.give_role(connection, person.id, project or "/", Role(role), "test", 1)
        assert link is not None
        found = people.by_session(people.accept(link, "five small models went to sea").secret)
        assert found is not None
        return found[0]

    return make


KEY = generate()


def policy(database: Database, revision: int, outcome: str, approvers: int = 0, scope: str = "all") -> None:
    line = admission_line(
        Repository("model", "org/tiny"), "c" * 40, KEY, scope=scope, kind="policy", outcome=outcome, reason="because", by="policy", now=NOW,
        approvers=approvers,
    )  # fmt: skip
    with database.writing() as connection:
        add_decision(connection, revision, scope, "policy", outcome, "because", "policy", NOW, line)


def test_from_a_stopped_pull_to_an_approval(
    database: Database, requests: Requests, revision: int, who: Who, writes: Writes, clock: Clock
) -> None:
    asker, reviewer, approver = (
        who("ann", "submitter@/vision"),
        who("rob", "reviewer@/vision"),
        who("abe", "approver@/vision"),
    )
    policy(database, revision, "review")
    with database.writing() as connection:
        for _ in range(3):
            number = rows.count_block(connection, revision, "/vision", asker.person.id, "hf_hub/2.4.0", clock.now)[0]
    found = requests.show(asker, number).request
    assert (found.state, found.blocks, found.agent, found.asker) == ("blocked", 3, "hf_hub/2.4.0", "ann")
    clock.now += 5
    asked = requests.ask(asker, revision, "Reading  invoices", "staging", project="/vision")
    assert (asked.id, asked.state, asked.purpose, asked.environment, asked.blocks) == (
        number,
        "asked",
        "Reading  invoices",
        "staging",
        3,
    )
    assert (asked.name, asked.commit, asked.added, asked.changed) == ("org/tiny", "c" * 40, NOW, NOW + 5)
    requests.comment(reviewer, number, "The code is fine.", "for")
    requests.comment(asker, number, "It is only for invoices.")
    outcome = requests.approve(approver, number, "Read it all", conditions="not for personal data")
    assert (outcome.state, outcome.missing) == ("approved", 0)
    assert writes.written == [
        {
            "by": "abe",
            "reason": "Read it all",
            "conditions": "not for personal data",
            "until": NOW + 5 + 180 * DAY,
            "project": "/vision",
            "approvals": (
                Approval("abe", "2026-11-28T12:00:00Z", "Read it all", "not for personal data", "2027-05-27T12:00:00Z"),
            ),
        }
    ]
    shown = requests.show(asker, number)
    assert (shown.request.state, shown.request.decision, shown.missing) == ("approved", outcome.decision, 0)
    assert [(each.name, each.says) for each in shown.voices] == [("rob", "for"), ("ann", "comment"), ("abe", "approve")]
    for late in (lambda: requests.approve(approver, number, "again"), lambda: requests.decline(approver, number, "no"),
                 lambda: requests.withdraw(asker, number)):  # fmt: skip
        with pytest.raises(UsageError, match=f"request {number} is approved already"):
            late()


def test_an_exception_takes_two_and_a_day(
    database: Database, requests: Requests, revision: int, who: Who, writes: Writes
) -> None:
    policy(database, revision, "reject")
    asker, one, two = who("ann", "submitter"), who("abe", "approver"), who("bea", "approver@/")
    number = requests.ask(asker, revision, "research").id
    assert (requests.show(one, number).exception, requests.show(one, number).needed) == (True, 2)
    with pytest.raises(UsageError, match="is an exception: say until which day"):
        requests.approve(one, number, "known risk")
    assert requests.approve(one, number, "known risk", until=NOW + 30 * DAY, conditions="isolated").missing == 1
    assert (
        requests.approve(one, number, "known risk", until=NOW + 20 * DAY, conditions="isolated").missing == 1
    )  # the same one twice is one
    assert writes.written == []
    assert requests.show(asker, number).missing == 1
    assert (
        requests.approve(two, number, "looked at it", until=NOW + 90 * DAY, conditions="isolated").state == "approved"
    )
    (written,) = writes.written
    assert written.pop("approvals") == (
        Approval("abe", "2026-11-28T12:00:00Z", "known risk", "isolated", "2026-12-18T12:00:00Z"),
        Approval("bea", "2026-11-28T12:00:00Z", "looked at it", "isolated", "2027-02-26T12:00:00Z"),
    )
    assert written == {
        "by": "abe, bea", "reason": "abe: known risk; bea: looked at it", "conditions": "isolated", "until": NOW + 20 * DAY, "project": "/",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "rules", "exception", "needed"),
    [
        ([("review", 3, "all")], Rules(), False, 3),
        ([("review", 2, "all")], Rules(approvers=4), False, 4),
        ([("reject", 3, "all")], Rules(), True, 3),
        ([("reject", 0, "all")], Rules(), True, 2),
        # what a pack asked for once counts no more when the policy has decided anew
        ([("review", 3, "all"), ("review", 0, "all")], Rules(), False, 1),
        # parts of a large revision count beside each other, until all of it is decided
        ([("reject", 3, "file:w.safetensors"), ("review", 2, "small")], Rules(), True, 3),
        ([("reject", 3, "file:w.safetensors"), ("review", 2, "all")], Rules(), False, 2),
        ([], Rules(), False, 1),
    ],
)
def test_packs_ask_for_more_people_and_never_for_fewer(
    database: Database, revision: int, who: Who, writes: Writes, clock: Clock,
    said: list[tuple[str, int, str]], rules: Rules, exception: bool, needed: int,
) -> None:  # fmt: skip
    for outcome, approvers, scope in said:
        policy(database, revision, outcome, approvers, scope)
    requests = Requests(database, writes, clock, rules)
    number = requests.ask(who("ann", "submitter"), revision, "research").id
    for at in range(needed):
        each = who(f"abe{at}", "approver")
        shown = requests.show(each, number)
        assert (shown.exception, shown.needed, shown.missing) == (exception, needed, needed - at)
        assert writes.written == []
        done = requests.approve(each, number, f"reason {at}", until=NOW + DAY)
        assert (done.state, done.missing) == (("asked", needed - at - 1) if at + 1 < needed else ("approved", 0))
    approvals = writes.written[0]["approvals"]
    assert [(each.by, each.reason) for each in approvals] == [(f"abe{at}", f"reason {at}") for at in range(needed)]  # type: ignore[attr-defined]


def test_who_changes_their_mind_is_not_counted(database: Database, requests: Requests, revision: int, who: Who) -> None:
    policy(database, revision, "reject")
    one, two = who("abe", "approver"), who("bea", "approver")
    number = requests.ask(who("ann", "submitter"), revision, "research").id
    requests.approve(one, number, "yes", until=NOW + DAY)
    assert requests.decline(two, number, "no").state == "declined"
    with pytest.raises(UsageError, match="is declined already"):
        requests.approve(one, number, "yes", until=NOW + DAY)


def test_a_role_that_is_taken_away_takes_its_voice_with_it(
    database: Database, requests: Requests, revision: int, who: Who
) -> None:
    policy(database, revision, "reject")
    one, two, three = who("abe", "approver"), who("bea", "approver"), who("cyd", "approver")
    number = requests.ask(who("ann", "submitter"), revision, "research").id
    requests.approve(one, number, "yes", until=NOW + DAY)
    with database.writing() as connection:
        people_rows.take_role(connection, one.person.id, "/", "approver")
    assert requests.approve(two, number, "yes", until=NOW + DAY).missing == 1
    with database.writing() as connection:
        people_rows.change_person(connection, two.person.id, disabled=NOW)
    assert requests.approve(three, number, "yes", until=NOW + DAY).missing == 1


def test_nobody_approves_what_they_asked_for(
    database: Database, requests: Requests, revision: int, who: Who, writes: Writes, clock: Clock
) -> None:
    both = who("abe", "approver")
    number = requests.ask(both, revision, "mine").id
    with pytest.raises(NotAllowedError, match="somebody else has to approve"):
        requests.approve(both, number, "me")
    assert requests.show(both, number).voices == ()
    alone = Requests(database, writes, clock, Rules(alone=True))
    assert alone.approve(both, number, "a team of one").state == "approved"


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", "see"), ("submitter", "see ask"), ("reviewer", "see ask for"), ("approver", "see ask for decide"), ("auditor", "see"),
     ("admin", "see")],
)  # fmt: skip
def test_what_each_role_may(
    database: Database, requests: Requests, revision: int, who: Who, role: str, may: str
) -> None:
    number = requests.ask(who("ann", "submitter@/vision"), revision, "x", project="/vision").id
    other = requests.ask(who("tom", "submitter@/text"), revision, "x", project="/text").id
    somebody = who("zed", f"{role}@/vision")
    tries: dict[str, Callable[[int], object]] = {
        "see": lambda each: requests.show(somebody, each),
        "ask": lambda each: requests.ask(
            somebody, revision, "y", project={number: "/vision/ocr", other: "/text"}[each]
        ),
        "for": lambda each: requests.comment(somebody, each, "good", "for"),
        "decide": lambda each: requests.decline(somebody, each, "no"),
    }
    for name, attempt in tries.items():
        if name in may.split():
            attempt(number)
        else:
            with pytest.raises(NotAllowedError):
                attempt(number)
        with pytest.raises(NotAllowedError):
            attempt(other)
    seen = {each.project for each in requests.listed(somebody)}
    assert seen == ({"/vision", "/vision/ocr"} if "ask" in may.split() else {"/vision"})


def test_what_is_not_there_and_what_may_not_be_seen_look_the_same(requests: Requests, revision: int, who: Who) -> None:
    number = requests.ask(who("ann", "submitter@/vision"), revision, "x", project="/vision").id
    stranger = who("zed", "viewer@/text")
    said = []
    for each in (number, number + 1):
        with pytest.raises(NotAllowedError) as refused:
            requests.show(stranger, each)
        said.append(str(refused.value).replace(str(each), "N"))
    assert said == ["there is no request N that zed may see"] * 2


def test_one_sees_ones_own(requests: Requests, revision: int, who: Who, database: Database) -> None:
    ann = who("ann", "submitter@/vision")
    number = requests.ask(ann, revision, "x", project="/vision").id
    with database.writing() as connection:
        people_rows.take_role(connection, ann.person.id, "/vision", "submitter")
    left = Identity(ann.person, ())
    assert [each.id for each in requests.listed(left)] == [number]
    assert requests.withdraw(left, number).state == "withdrawn"
    with pytest.raises(NotAllowedError, match="may not ask in the project /vision"):
        requests.ask(left, revision, "x", project="/vision")


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4001, "a\x00b", "a\x1b[31mb", "a\u202eb", "\ud800"])
def test_texts_that_are_refused(requests: Requests, revision: int, who: Who, text: str) -> None:
    with pytest.raises(UsageError, match="the purpose"):
        requests.ask(who("ann", "submitter"), revision, text)


def test_days_that_are_refused(database: Database, requests: Requests, revision: int, who: Who) -> None:
    ann, abe = who("ann", "submitter"), who("abe", "approver")
    with pytest.raises(UsageError, match="has passed"):
        requests.ask(ann, revision, "x", until=NOW)
    number = requests.ask(ann, revision, "x").id
    for until in (NOW, NOW + 180 * DAY + 1):
        with pytest.raises(UsageError, match="no later than 2027-05-27"):
            requests.approve(abe, number, "yes", until=until)
    assert requests.show(abe, number).voices == ()


def test_a_decision_that_cannot_be_written_leaves_no_voice(
    requests: Requests, revision: int, who: Who, writes: Writes
) -> None:
    abe = who("abe", "approver")
    number = requests.ask(who("ann", "submitter"), revision, "x").id
    writes.fails = True
    with pytest.raises(RuntimeError):
        requests.approve(abe, number, "yes")
    assert (requests.show(abe, number).request.state, requests.show(abe, number).voices) == ("asked", ())


def test_many_approve_at_once_and_one_decision_is_written(
    database: Database, requests: Requests, revision: int, who: Who, writes: Writes
) -> None:
    number = requests.ask(who("ann", "submitter"), revision, "x").id
    approvers = [who(f"abe{each}", "approver") for each in range(6)]
    done: list[str] = []

    def approve(each: Identity) -> None:
        try:
            done.append(requests.approve(each, number, "yes").state)
        except UsageError:
            done.append("late")

    threads = [threading.Thread(target=approve, args=(each,)) for each in approvers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["approved", *["late"] * 5]
    assert len(writes.written) == 1


def test_lists_in_pages_with_filters(requests: Requests, revision: int, who: Who) -> None:
    ann = who("ann", "submitter@/vision", "submitter@/vision/ocr", "submitter@/text")
    numbers = [requests.ask(ann, revision, "x", project=each).id for each in ("/vision", "/vision/ocr", "/text")]
    requests.withdraw(ann, numbers[2])
    boss = who("boss", "approver")
    assert [each.id for each in requests.listed(boss)] == numbers[::-1]
    assert [each.id for each in requests.listed(boss, limit=2)] == numbers[:0:-1]
    assert [each.id for each in requests.listed(boss, before=numbers[1])] == [numbers[0]]
    assert [each.id for each in requests.listed(boss, states=["asked"])] == numbers[1::-1]
    assert [each.id for each in requests.listed(boss, search="TIN")] == numbers[::-1]
    assert requests.listed(boss, search="%") == requests.listed(boss, search="_iny") == ()


def test_approvals_that_end_soon_are_to_be_looked_at_anew(
    database: Database, requests: Requests, revision: int, who: Who, clock: Clock
) -> None:
    ann, boss = who("ann", "submitter"), who("boss", "approver")

    def approved(days: int, project: str = "/") -> int:
        number = requests.ask(ann, revision, "x", project=project).id
        assert requests.approve(boss, number, "fine", until=clock.now + days * DAY).state == "approved"
        return number

    def ending(days: int) -> list[int]:
        return [each.id for each in requests.listed(boss, ending=days)]

    first, other = approved(20), approved(25, "/text")
    assert (ending(30), ending(22), ending(10)) == ([other, first], [first], [])
    clock.now += 21 * DAY
    assert ending(30) == [other], "what has ended is no more to end"
    clock.now -= 21 * DAY
    assert ending(366) == [other, first]
    later = approved(100)
    assert (ending(30), ending(366)) == ([other], [later, other]), "what was approved anew ends when that does"
    with database.writing() as connection:
        add_decision(
            connection, revision, "all", "revocation", "reject", "no", "boss", clock.now, b"{}", project="/text"
        )
    assert ending(366) == [later]


def test_a_token_asks_in_its_project(
    database: Database, requests: Requests, revision: int, who: Who, clock: Clock
) -> None:
    people = People(database, clock)
    ann = who("ann", "submitter")
    token, _ = people.add_token(ann.person, "t", "/vision", [Right.ASK, Right.SEE], 9)
    by_token = people.by_token(token.text)
    assert requests.ask(by_token, revision, "x").project == "/vision"
    with pytest.raises(NotAllowedError):
        requests.ask(by_token, revision, "x", project="/text")
