"""``openvet run``: a model that is open, served until somebody ends it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import uvicorn

from openvet.core.dataclass import dataclass
from openvet.engines.model import Model
from openvet.errors import SandboxError, UsageError
from openvet.gateway.app import Shown, make_app
from openvet.gateway.desk import Limits, ModelDesk
from openvet.gateway.guarding import Note
from openvet.gateway.keeper import MARGIN, Keeper
from openvet.gateway.metrics import Metrics
from openvet.listening.connection import BoundedProtocol
from openvet.listening.lines import LogLines
from openvet.listening.sockets import BACKLOG, LOOPBACK, Uvicorn, is_loopback, listen

__all__ = ["Served", "Serving", "serve"]

#: Connections at once; more are answered with 503.
CONNECTIONS: Final = 512
_IDLE: Final = 15
_log = logging.getLogger("openvet.run")


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve.

    Attributes:
        host, port: where to listen; port 0 takes a free one.
        key: a bearer token that is asked for; '' for none, which this machine alone may have.
        origins: of pages of other sites that may ask.
        limits: of one request.
        waiting: requests that may wait.
        restarts: how often the model's process is started again within ten minutes.
        grace: seconds that running answers get when the server is to end.
        log: ``text`` or ``json``.
    """

    host: str = "127.0.0.1"
    port: int = 8471
    key: str = ""
    origins: tuple[str, ...] = ()
    limits: Limits = Limits()
    waiting: int = 16
    restarts: int = 3
    grace: float = 10.0
    log: str = "text"

    def check(self) -> None:
        """Raise a :class:`UsageError` where this would let everybody in."""
        if not is_loopback(self.host) and not self.key:
            raise UsageError(f"{self.host} can be reached from other machines, which needs a key: --key-env NAME names the variable that holds it")  # fmt: skip
        for each in self.origins:
            if each == "*" or not each.startswith(("http://", "https://")) or each.count("/") != 2:
                raise UsageError(f"--allow-origin {each!r}: an origin is a scheme, a host and a port, such as https://app.example:8443")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    """What came of it: the ``signal`` that ended it (0 for none), and why it ended of itself ('' where it did not)."""

    signal: int
    failed: str


def serve(
    opener: Callable[[], Model],
    name: str,
    facts: Callable[[Model], Mapping[str, Any]],
    serving: Serving,
    say: Callable[[str, Model], None],
    log: Callable[[str], None],
) -> Served:
    """Open a model and serve it until SIGINT, SIGTERM, or the end of its process too often.

    Args:
        opener: opens it, and again where its process ended.
        name: that clients ask for it by.
        facts: what was vetted of it, for ``/v1/models``.
        say: is called with the address once the server listens.
        log: takes a line for each request and event.

    Raises:
        OpenVetError: it cannot begin.
    """
    serving.check()
    with contextlib.closing(listen(serving.host, serving.port)) as listener, _logged(log, serving.log):
        server: _Server | None = None
        failures: list[str] = []

        def given_up(why: str) -> None:
            failures.append(why)
            if server is not None:
                server.should_exit = True

        keeper = Keeper(opener, waiting=serving.waiting, tries=serving.restarts, given_up=given_up)
        try:
            metrics = Metrics(keeper, _resident(keeper.model))
            shown = Shown(name, facts(keeper.model), int(time.time()))

            def note(seen: Note) -> None:
                log(seen.line(serving.log))

            app = make_app(
                ModelDesk(keeper, serving.limits), keeper, shown, serving.limits, metrics, note,
                key=serving.key, hosts=_hosts(serving, listener), origins=frozenset(serving.origins),
            )  # fmt: skip
            server = _Server(app, keeper, serving.grace)
            keeper.start()
            threading.Thread(target=_measure, args=(keeper, metrics), name="openvet-memory", daemon=True).start()
            say(_address(serving.host, listener), keeper.model)
            server.run(sockets=[listener])
        finally:
            keeper.close()
    return Served(server.signalled, failures[0] if failures else "")


class _Server(Uvicorn):
    """Ends with grace: answers that run then are cut."""

    def __init__(self, app: Any, keeper: Keeper, grace: float) -> None:
        self._keeper, self._grace = keeper, grace
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            loop="auto",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            backlog=BACKLOG,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=round(grace + 2 * MARGIN + 1),
            proxy_headers=False,
        )
        super().__init__(config)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        timer = asyncio.get_running_loop().call_later(self._grace, self._keeper.cut)
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()


def _hosts(serving: Serving, listener: socket.socket) -> frozenset[str]:
    """The names that a request to this machine alone may use; whoever has a key may use any."""
    if not is_loopback(serving.host):
        return frozenset()
    own = listener.getsockname()[0]
    return frozenset({*LOOPBACK, serving.host.lower(), f"[{own}]" if ":" in own else own})


def _address(host: str, listener: socket.socket) -> str:
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = False
    shown = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _resident(model: Model) -> int:
    """Bytes that were resident in its process at most; 0 where it does not say."""
    try:
        return model.peak_memory()
    except SandboxError:
        return 0


def _measure(keeper: Keeper, metrics: Metrics) -> None:
    """Ask for the memory now and then, while nobody waits for the model."""
    while keeper.state in ("ready", "restarting"):
        time.sleep(5.0)
        if keeper.state == "ready" and not keeper.busy and not keeper.waiting:
            metrics.resident = _resident(keeper.model) or metrics.resident


@contextlib.contextmanager
def _logged(log: Callable[[str], None], form: str) -> Iterator[None]:
    """What this room and uvicorn say are lines of the log, for a while."""
    handler = LogLines(log, form)
    loggers = [logging.getLogger(each) for each in ("openvet.run", "uvicorn")]
    before = [(each.handlers, each.propagate, each.level) for each in loggers]
    for each in loggers:
        each.handlers, each.propagate = [handler], False
        each.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
