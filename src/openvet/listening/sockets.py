"""A socket that listens, and a server in its process that ends in peace when it is told to."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

import uvicorn

from openvet.core.text import printable
from openvet.errors import UsageError

__all__ = ["BACKLOG", "LOOPBACK", "Uvicorn", "is_loopback", "listen"]

BACKLOG: Final = 2048
#: What this machine is called by whoever works at it.
LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        UsageError: it cannot.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"cannot listen on {printable(host)}:{port}: {why}; choose another with --host and --port"
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Uvicorn(uvicorn.Server):
    """uvicorn's server, which tells when it has started, and whose signals end it and no more than it.

    Attributes:
        signalled: the first signal that told it to end; 0 where none did.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = threading.Event()
        self.signalled = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        self.signalled = self.signalled or sig
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Its own raises each signal again at the end, before anybody could close what it stands on."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
