"""Listening, answering, and ending in peace: the event loop of one process."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.gate.answers import Gate
from openvet.hubproxy.app import make_app
from openvet.hubproxy.connection import BoundedProtocol
from openvet.hubproxy.hub.door import HOLD
from openvet.hubproxy.seen import Seen

__all__ = ["Server", "listen"]

_BACKLOG: Final = 2048
#: Connections at once; more are answered with 503.
CONNECTIONS: Final = 2000
_IDLE: Final = 15


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        UsageError: it cannot.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"cannot listen on {printable(host)}:{port}: {why}; choose another with --host and --port"
        ) from error


class Server:
    """A server in one process.

    Args:
        gate: gives the answers; it is not closed here.
        listener: accepts connections; it is closed at the end.
        note: takes a note of each request.
        hold: seconds for which a file is waited for.
        base: where clients reach us; '' takes it from each request.
        grace: seconds that running transfers get when the server is to end.
        proxies: addresses of reverse proxies, whose ``X-Forwarded-For`` and ``-Proto`` are believed.
        hosts: names by which a request may call us; () for any.
        mounts: other applications by the path below which they answer.
        handed: a folder whose files a reverse proxy sends, and the prefix under which it has them.
        more: routes for whoever runs it.
    """

    def __init__(
        self,
        gate: Gate,
        listener: socket.socket,
        note: Callable[[Seen], None],
        *,
        hold: float = HOLD,
        base: str = "",
        grace: float = 30.0,
        proxies: tuple[str, ...] = (),
        hosts: tuple[str, ...] = (),
        mounts: Mapping[str, ASGIApp] | None = None,
        handed: tuple[str, str] | None = None,
        more: Sequence[BaseRoute] = (),
    ) -> None:
        self._listener = listener
        config = uvicorn.Config(
            make_app(gate, note, base=base, hold=hold, hosts=hosts, mounts=mounts, handed=handed, more=more),
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            loop="auto",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=max(1, round(grace)),
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies) or None,
        )
        self._server = _Uvicorn(config)

    def run(self) -> None:
        """Answer until :meth:`stop`, or until SIGINT or SIGTERM where this is the main thread."""
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self._server.begun.set()

    def stop(self) -> None:
        """End: no new connections, and running transfers get their grace. May be called from any thread."""
        self._server.should_exit = True

    def wait_started(self, seconds: float) -> bool:
        """Whether it has started within so many seconds."""
        return self._server.begun.wait(seconds) and self._server.started


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which tells when it has started, and whose signals end it and no more than it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Its own raises each signal again at the end, before anybody could close the gate."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
