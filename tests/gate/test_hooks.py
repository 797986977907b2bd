"""Webhooks: what happens is told to a real receiver, signed as Standard Webhooks say, once or oftener and never not at all."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select, update

from openvet.gate import credentials
from openvet.gate.answers import RefusedError
from openvet.gate.gate import OpenGate
from openvet.gate.hooks import EVENTS, HOOK, Caller, signature
from openvet.gate.identity import Identity, People
from openvet.gate.peopled import PeopledGate
from openvet.gate.requests import Requests, Rules
from openvet.gate.roles import Right, Role
from openvet.gate.settings import Hook
from openvet.gate.worker import Worker
from openvet.store import people as rows
from openvet.store.database import Database
from openvet.store.jobs import add_job, claim_job
from openvet.store.tables import JOB
from openvet.testing.forge import Call, Name, dump
from openvet.testing.hub import Hub
from tests.gate.conftest import HF, MODEL, Opening
from tests.gate.samples import HandClock, model

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BAD = dump(Call(Name("os", "system"), ("echo forged",)))


class Receiver:
    """Somebody who listens. ``answers`` are the statuses of the next messages; 204 when they are used up."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hook(self, *events: str) -> Hook:
        return Hook(self.url, SECRET, events or EVENTS)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self, count: int) -> list[Any]:
        """The first messages, verified, once there are so many."""
        until = time.monotonic() + 30
        while len(self.got) < count and time.monotonic() < until:
            time.sleep(0.02)
        assert len(self.got) >= count, self.got
        for headers, body in self.got:
            number, at = headers["webhook-id"], int(headers["webhook-timestamp"])
            assert headers["webhook-signature"] == signature(SECRET, number, at, body)
            assert headers["content-type"] == "application/json"
        return [json.loads(body) for _, body in self.got[:count]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_the_signature_is_that_of_the_specification() -> None:
    found = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_in_no_text() -> None:
    assert repr(SECRET) not in repr(Hook("https://x.example", SECRET, EVENTS))


def test_what_happens_to_a_pull_is_told(
    opening: Opening, receiver: Receiver, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_MEMORY", 64)
    with Hub({"config.json": b"{}", "model.pkl": BAD}) as hub:
        hooks = (receiver.hook(),)
        gate = opening(hub, packs=(), hooks=hooks)
        people = People(gate.database, clock)
        people.begin()
        requests = Requests(gate.database, gate, clock, Rules(exception_approvers=1), hooks)
        sam, bea = known(gate, people, "sam", Role.SUBMITTER), known(gate, people, "bea", Role.APPROVER)
        door = PeopledGate(gate, people, gate.database, clock, anonymous=True, hooks=hooks)
        for _ in range(2):  # the second time is no news
            with pytest.raises(RefusedError):
                get_through(door)
            clock.move(60_000)
        asked = requests.ask(sam, 1, "A study")
        requests.approve(bea, asked.id, "Read it", until=clock() + 86_400_000)
        told = receiver.told(5)
        by_type: dict[str, list[Any]] = {}
        for each in told:
            by_type.setdefault(each["type"], []).append(each["data"])
        assert {key: len(found) for key, found in by_type.items()} == {
            "decision.made": 2,
            "request.blocked": 1,
            "request.asked": 1,
            "request.approved": 1,
        }
        policy, approval = sorted(by_type["decision.made"], key=lambda each: each["decision"])
        assert (policy["kind"], policy["outcome"], policy["by"]) == ("policy", "reject", "policy")
        assert "os.system" in policy["reason"]
        assert (approval["kind"], approval["outcome"], approval["by"], approval["project"]) == (
            "approval",
            "admit",
            "bea",
            "/",
        )
        assert policy["model"]["name"] == "org/model"
        (approved,) = by_type["request.approved"]
        assert (approved["by"], approved["purpose"], approved["decision"]) == ("sam", "A study", approval["decision"])
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 5


def get_through(door: PeopledGate) -> None:
    for _ in range(400):
        door.file(MODEL, "main", "model.pkl", HF)
        time.sleep(0.05)


def known(gate: OpenGate, people: People, name: str, role: Role) -> Identity:
    """Somebody with a role everywhere, as a token of theirs shows them."""
    made, _ = people.add(name, name)
    with gate.database.writing() as connection:
        rows.give_role(connection, made.id, "/", role, "test", 1)
    return people.by_token(people.add_token(made, "t", "/", list(Right), 9)[0].text)


@pytest.fixture
def job(database: Database) -> int:
    """A message that waits."""
    with database.writing() as connection:
        payload = {"hook": HOOKED.id, "id": "msg_1", "body": "{}", "tried": 0}
        return add_job(connection, HOOK, "hook:x:msg_1:0", payload, 0)


HOOKED = Hook("http://127.0.0.1:9/hook", SECRET, EVENTS)


def states(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as connection:
        found = connection.execute(select(JOB.c.key, JOB.c.state, JOB.c.error).order_by(JOB.c.id))
        return [(each[0], each[1], each[2]) for each in found]


def run(database: Database, hook: Hook, clock: HandClock) -> bool:
    return Worker(database, {HOOK: Caller([hook], clock).deliver}, clock).run_one()


@pytest.mark.usefixtures("job")
def test_who_does_not_answer_is_told_again_for_three_days_and_then_given_up(
    database: Database, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    begun = clock()
    with caplog.at_level(logging.WARNING):
        for tried in range(9):
            assert run(database, HOOKED, clock)
            assert not run(database, HOOKED, clock)  # not at once
            with database.reading() as connection:
                clock.ahead += (
                    connection.execute(
                        select(JOB.c.not_before).where(JOB.c.key == f"hook:{HOOKED.id}:msg_1:{tried + 1}")
                    ).scalar_one()
                    - clock()
                )
        assert 3 * 86_400_000 < clock() - begun < 4 * 86_400_000
        assert run(database, HOOKED, clock)
    assert [each[1] for each in states(database)] == [*["done"] * 9, "failed"]
    assert "no answer" in states(database)[-1][2]
    assert "it is given up" in caplog.text
    assert SECRET.decode("latin-1") not in caplog.text
    assert not run(database, HOOKED, clock)


@pytest.mark.usefixtures("job")
def test_the_same_message_comes_under_the_same_name_until_it_is_taken(
    database: Database, clock: HandClock, receiver: Receiver
) -> None:
    hook = receiver.hook()
    with database.writing() as connection:
        payload = {"hook": hook.id, "id": "msg_2", "body": '{"a": 1}', "tried": 0}
        connection.execute(update(JOB).values(payload=json.dumps(payload)))
    receiver.answers = [500, 302, 200]
    for _ in range(3):
        assert run(database, hook, clock)
        clock.move(3_600_000)
    assert not run(database, hook, clock)
    assert [headers["webhook-id"] for headers, _ in receiver.got] == ["msg_2"] * 3
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.got}) == 3
    assert receiver.told(3) == [{"a": 1}] * 3
    assert {each[1] for each in states(database)} == {"done"}


def test_who_is_gone_is_not_told_again(database: Database, clock: HandClock, receiver: Receiver) -> None:
    hook = receiver.hook()
    with database.writing() as connection:
        add_job(connection, HOOK, "hook:y", {"hook": hook.id, "id": "msg_3", "body": "{}", "tried": 0}, 0)
        add_job(connection, HOOK, "hook:z", {"hook": "nobody", "id": "msg_4", "body": "{}", "tried": 0}, 0)
    receiver.answers = [410]
    assert run(database, hook, clock)
    assert run(database, hook, clock)  # a message for a receiver that was taken out of the configuration
    assert not run(database, hook, clock)
    assert [each[1:] for each in states(database)] == [("failed", "410"), ("done", "")]
    assert len(receiver.got) == 1


def test_a_worker_that_was_killed_while_it_told_tells_again(
    database: Database, clock: HandClock, receiver: Receiver
) -> None:
    hook = receiver.hook()
    with database.writing() as connection:
        add_job(connection, HOOK, "hook:y", {"hook": hook.id, "id": "msg_3", "body": "{}", "tried": 0}, 0)
    caller = Caller([hook], clock)
    killed = claim_job(database, clock(), 1000, [HOOK])
    assert killed is not None
    caller.deliver(killed, _Kept())  # type: ignore[arg-type]
    clock.move(2000)
    assert run(database, hook, clock)
    assert [headers["webhook-id"] for headers, _ in receiver.got] == ["msg_3", "msg_3"]


class _Kept:
    def check(self) -> None:
        """It is ours still."""


def test_what_is_not_committed_is_told_to_nobody(opening: Opening, receiver: Receiver, clock: HandClock) -> None:
    with Hub(model()) as hub:
        gate = opening(hub, packs=(), hooks=(receiver.hook("decision.made"),), workers=0)
        commit = gate.listed(MODEL, "main", HF).commit
        with pytest.raises(ZeroDivisionError), gate.database.writing() as connection:
            gate.write_approval(connection, 1, by="bea", reason="x") / 0
        gate.revoke(MODEL, commit, by="bea", reason="A backdoor was published")
        (told,) = receiver.told(1)
        assert (told["data"]["kind"], told["data"]["reason"]) == ("revocation", "A backdoor was published")
        assert told["data"]["model"] == {"kind": "model", "name": "org/model", "commit": commit}
        assert len(receiver.got) == 1
