"""The API on a port of its own, with a database, and somebody of every role."""

from __future__ import annotations

import functools
import http.client
import json
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from openvet.evidence.predicates.admission_v1 import Approval
from openvet.gate import credentials
from openvet.gate.answers import Repository
from openvet.gate.catalogue import Catalogue
from openvet.gate.identity import People
from openvet.gate.opening import open_key
from openvet.gate.policy import Policy, admission_line, evidence_lines
from openvet.gate.provider import ProviderSettings
from openvet.gate.publishing import Publisher
from openvet.gate.requests import Requests
from openvet.gate.roles import Right, Role
from openvet.gate.settings import Settings
from openvet.hubproxy.api.app import make_api
from openvet.store import people as people_rows
from openvet.store.database import Connection, Database, open_database
from openvet.store.decisions import add_decision
from openvet.store.jobs import Job
from openvet.store.people import Person
from openvet.store.tables import REPOSITORY, REVISION
from openvet.workflows.check import check_each
from tests.gate.samples import model

SENTENCE = "five small models went to sea"
COMMIT = "c" * 40
ALL = tuple(Right)
PROVIDER = ProviderSettings("https://login.example", "openvet", name="Example Login")


@functools.cache
def evidence() -> bytes:
    """What a vetting keeps of its statements, of a small model."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        place.mkdir()
        for name, data in model().items():
            (place / name).write_bytes(data)
        options = Policy(Settings(packs=("baseline",)), 1_795_867_200_000).options(date(2026, 11, 28))
        (report,) = check_each([str(place)], options)
        return zlib.compress(b"\n".join(evidence_lines(report, open_key(folder), 0, 1)))


class Keeper:
    def check(self) -> None:
        """It is ours."""


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Live:
    """A server, and ways to ask it."""

    def __init__(self, database: Database, folder: str, more: Sequence[Route] = (), *, anonymous: bool = False) -> None:
        self.now = 1_795_867_200_000
        self.database = database
        self.folder = folder
        self.key = open_key(folder)
        self.publisher = Publisher(database, folder, self.key, "example.com/gate", lambda: self.now)
        self.people = People(database, lambda: self.now, PROVIDER)
        self.requests = Requests(database, self, lambda: self.now)
        self.catalogue = Catalogue(database, folder, self, lambda: self.now)
        self.app = make_api(database, self.people, self.requests, self.catalogue, lambda: self.now, anonymous=anonymous)
        # as a server mounts it, and by itself, so that paths in tests are short
        both = Starlette(routes=[Mount("/openvet/v1", self.app), *more, Mount("/", self.app)])
        config = uvicorn.Config(both, host="127.0.0.1", port=0, log_level="critical", ws="none", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.tokens: dict[str, str] = {}

    def write_approval(
        self, connection: Connection, revision: int, *, approvals: Sequence[Approval], **said: Any
    ) -> int:
        return self.decide(connection, revision, "approval", "admit", approvals=approvals, **said)

    def write_revocation(self, connection: Connection, revision: int, **said: Any) -> int:
        return self.decide(connection, revision, "revocation", "reject", **said)

    def wake(self) -> None:
        """Nobody works here."""

    def decide(
        self, connection: Connection, revision: int, kind: str, outcome: str, *, approvers: int = 0,
        approvals: Sequence[Approval] = (), **said: object,
    ) -> int:  # fmt: skip
        """A decision, signed as the gate signs it."""
        project, reason, by = str(said.get("project", "/")), str(said["reason"]), str(said["by"])
        repository = Repository("model", "org/tiny")
        line = admission_line(
            repository, COMMIT, self.key, scope="all", kind=kind, outcome=outcome, reason=reason, by=by, now=self.now, project=project,
            approvers=approvers, approvals=approvals,
        )  # fmt: skip
        until: Any = said.get("until")
        conditions = str(said.get("conditions", ""))
        return add_decision(
            connection,
            revision,
            "all",
            kind,
            outcome,
            reason,
            by,
            self.now,
            line,
            project=project,
            until=until,
            conditions=conditions,
        )

    def publish(self, revision: int) -> None:
        """What a worker does for what was decided."""
        effects = self.publisher.publish(Job(1, "publish", "", {"revision": revision}, 1, 1), Keeper())  # type: ignore[arg-type]
        with self.database.writing() as connection:
            effects(connection)

    def publish_lists(self, project: str) -> None:
        """The same for its lists of revocations."""
        effects = self.publisher.publish(Job(1, "publish", "", {"list": project}, 1, 1), Keeper())  # type: ignore[arg-type]
        with self.database.writing() as connection:
            effects(connection)

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def add(self, name: str, *roles: tuple[Role, str]) -> Person:
        """Somebody with roles, and a token for everything in ``tokens``."""
        made, link = self.people.add(name, f"{name} by title")
        assert link is not None
        self.people.accept(link, SENTENCE)
        with self.database.writing() as connection:
            for role, project in roles:
                people_rows.give_role(connection, made.id, project, role, "test", self.now)
        self.tokens[name] = self.people.add_token(made, "test", "/", ALL, 90)[0].text
        return made

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        as_: str = "",
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """One request, by the token of somebody."""
        sent = dict(headers or {})
        if as_:
            sent["Authorization"] = f"Bearer {self.tokens[as_]}"
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, data, sent)
            found = connection.getresponse()
            return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        finally:
            connection.close()


@contextmanager
def running(folder: Path, more: Sequence[Route] = (), *, anonymous: bool = False) -> Iterator[Live]:
    """A server with projects, somebody of every role in /vision, and a model of one commit; passwords cost little."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "_MEMORY", 64)
        database = open_database(f"sqlite:///{folder}/a.db")
        made = Live(database, str(folder), more, anonymous=anonymous)
        made.people.begin("first")
        with database.writing() as connection:
            for path in ("/vision", "/vision/ocr", "/text"):
                people_rows.add_project(connection, path, path, 1)
            repository = connection.execute(
                insert(REPOSITORY)
                .values(kind="model", name="org/tiny", upstream="up", first_seen=1)
                .returning(REPOSITORY.c.id)
            ).scalar_one()
            connection.execute(
                insert(REVISION).values(repository=repository, commit_id=COMMIT, upstream="up", about="{}", listed_at=1)
            )
        for role in Role:
            made.add(role.value, (role, "/vision"))
        made.add("nobody")
        made.add("root", (Role.ADMIN, "/"), (Role.APPROVER, "/"))
        made.start()
        try:
            yield made
        finally:
            made.stop()
            database.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with running(tmp_path) as made:
        yield made
