"""Listening, answering, and ending in peace: the event loop of one process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from openvet.gate.answers import Gate
from openvet.hubproxy.app import make_app
from openvet.hubproxy.hub.door import HOLD
from openvet.hubproxy.seen import Seen
from openvet.listening.connection import BoundedProtocol
from openvet.listening.sockets import BACKLOG, Uvicorn

__all__ = ["Server"]

#: Connections at once; more are answered with 503.
CONNECTIONS: Final = 2000
_IDLE: Final = 15


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
            backlog=BACKLOG,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=max(1, round(grace)),
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies) or None,
        )
        self._server = Uvicorn(config)

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
