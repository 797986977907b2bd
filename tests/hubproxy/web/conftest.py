"""The pages and the API on a port of their own, mounted as the server mounts them, with somebody of every role."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from openvet.hubproxy.web.app import make_web
from openvet.store.people import Person, find_person
from tests.hubproxy.api.conftest import SENTENCE, Live
from tests.hubproxy.api.conftest import live as live
from tests.hubproxy.web.browser import Browser


class Site:
    """The pages."""

    def __init__(self, live: Live, *, secure: bool = False) -> None:
        self.live = live
        web = make_web(live.database, live.people, live.requests, live.catalogue, lambda: live.now, secure=secure)
        app = Starlette(routes=[Mount("/openvet/v1", live.app), Mount("/openvet", web)])
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

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
