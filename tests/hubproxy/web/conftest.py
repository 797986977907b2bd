"""The pages and the API on a port of their own, mounted as the server mounts them, with somebody of every role."""

from __future__ import annotations

import functools
import socket
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.routing import Mount

from openvet.cli import main
from openvet.gate.company import CompanyLogin
from openvet.hubproxy.web.app import make_web
from openvet.store.jobs import add_job
from openvet.store.models import Summary, note_summary
from openvet.store.people import Person, find_person
from openvet.store.revisions import FileRow, add_revision
from openvet.store.vettings import end_vetting, start_vetting
from tests.browser.models import tuned
from tests.hubproxy.api.conftest import SENTENCE, Live, evidence
from tests.hubproxy.api.conftest import live as live
from tests.hubproxy.web.browser import Browser


@functools.cache
def reported() -> bytes:
    """What ``openvet check`` says of a small model, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        found = CliRunner().invoke(main, ["check", str(tuned(Path(folder))), "-f", "json"])
    assert found.exit_code == 1, found.stderr
    return found.stdout.encode()


class Site:
    """The pages."""

    def __init__(
        self, live: Live, *, secure: bool = False, company: Callable[[str], CompanyLogin] | None = None
    ) -> None:
        self.live = live
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        web = make_web(
            live.database,
            live.people,
            live.requests,
            live.catalogue,
            lambda: live.now,
            secure=secure,
            company=company(f"http://127.0.0.1:{self.port}") if company is not None else None,
        )
        app = Starlette(routes=[Mount("/openvet/v1", live.app), Mount("/openvet", web)])
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def report(self, name: str, report: bytes | None = None) -> int:
        """A revision with a report about it; its number."""
        live = self.live
        data = reported() if report is None else report
        with live.database.writing() as connection:
            number = add_revision(
                connection, "model", name, "d" * 40, "up", "{}", [FileRow("a", 1, "0" * 40)], live.now
            )
            job = add_job(connection, "vet", f"vet:{number}:all", {"revision": number, "scope": "all"}, live.now)
            vetting = start_vetting(connection, number, job, "all", "bytes", 1, live.now)
            end_vetting(connection, vetting, "done", "reject", "", zlib.compress(data), evidence(), live.now)
            note_summary(
                connection,
                number,
                Summary(vetting, "reject", "mit", 1, 2, 0, 1, ("pickle/unsafe-import",), ("CVE-2025-1",)),
            )
        return number

    def person(self, name: str) -> Person:
        with self.live.database.reading() as connection:
            found = find_person(connection, name)
        assert found is not None
        return found

    def browser(self, as_: str = "") -> Browser:
        """A new browser, of somebody who is logged in where a name is given."""
        made = Browser(self.port)
        return made.log_in(as_, SENTENCE) if as_ else made


@pytest.fixture
def site(live: Live) -> Iterator[Site]:
    made = Site(live)
    yield made
    made.stop()
