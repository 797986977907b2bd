"""A server on this machine's loopback, in a thread: real sockets, one event loop, as `openvet serve` starts it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from openvet.gate.answers import Gate
from openvet.hubproxy.operating import Metrics
from openvet.hubproxy.seen import Seen
from openvet.hubproxy.serving import Server
from openvet.listening.sockets import listen


class Running:
    """A server that runs until the block ends. ``notes`` are the requests that it has answered."""

    def __init__(
        self,
        gate: Gate,
        *,
        hold: float = 0.5,
        base: str = "",
        mounts: Mapping[str, ASGIApp] | None = None,
        handed: tuple[str, str] | None = None,
        more: Sequence[BaseRoute] = (),
        metrics: Metrics | None = None,
    ) -> None:
        self.notes: list[Seen] = []
        socket = listen("127.0.0.1", 0)
        self.port: int = socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

        def note(seen: Seen) -> None:
            if metrics is not None:
                metrics.take(seen)
            self.notes.append(seen)

        self.server = Server(
            gate, socket, note, hold=hold, base=base, grace=5.0, mounts=mounts, handed=handed, more=more
        )
        self._thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.server.wait_started(10.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()
        self._thread.join(15)
        assert not self._thread.is_alive()

    def noted(self, count: int = 1) -> Seen:
        """The last note, once there are so many: they are taken when an answer is over, which a client sees first."""
        until = time.monotonic() + 5
        while len(self.notes) < count and time.monotonic() < until:
            time.sleep(0.005)
        assert len(self.notes) >= count
        return self.notes[-1]

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with names in lower case, and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()
