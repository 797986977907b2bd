"""``openvet server worker``: a process that vets for a server, from its beginning to what is put back at its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.gate.opening import open_worker
from openvet.hubproxy.config import ServeConfig
from openvet.hubproxy.serve import log_to

__all__ = ["work"]


def work(config: ServeConfig, threads: int, say: Callable[[str], None], log: Callable[[str], None]) -> None:
    """Vet until SIGINT or SIGTERM; a vetting that is under way then is put back, and somebody else begins it.

    Args:
        config: of the server.
        threads: vettings at a time.
        say: takes what a person at the terminal has to read, once it is at work.
        log: takes a line for each event.

    Raises:
        OpenVetError: it cannot begin, or not go on.
    """
    log_to(log, config.log)
    ended, lost = threading.Event(), []

    def fail(why: str) -> None:
        lost.append(why)
        ended.set()

    before = {each: signal.signal(each, lambda *_: ended.set()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        end = open_worker(
            config.data, config.upstreams, config.settings, database=config.database, threads=threads, lost=fail
        )
        try:
            say(f"Vets for the server in {printable(config.data)}, {threads} at a time. Ctrl-C ends it.")
            ended.wait()
        finally:
            end()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if lost:
        raise UsageError(lost[0])
