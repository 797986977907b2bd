"""SIGTERM before there is a server that hears it, and where there is none."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["TerminatedError", "ends_on_term"]


class TerminatedError(BaseException):
    """SIGTERM came. No :class:`Exception`: nobody on the way may take it for a fault."""


@contextlib.contextmanager
def ends_on_term() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does: what was started is ended, and nothing is left behind."""

    def end(*_: Any) -> None:
        raise TerminatedError

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
