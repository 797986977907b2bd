"""Ends work that does not look at its clock.

Every long loop calls :meth:`openvet.core.limits.Budget.check_time`. What forgets to (a probe, a plug-in's reader, a library that
parses for us) is ended from outside: a thread that sleeps until the seconds are spent raises an exception in the thread that
works, by CPython's ``PyThreadState_SetAsyncExc``. It strikes between two instructions of Python; a single call into C (one regular
expression, one sort) is let finish first. On an interpreter without that function only the loops' own look at the clock counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from openvet.core.limits import Budget

__all__ = ["Overtime"]

#: Seconds that a loop has to see the end by itself, which leaves a tidier result.
_GRACE = 0.5
#: Seconds between two attempts, should a destructor have swallowed the first.
_AGAIN = 1.0

T = TypeVar("T")


class _OvertimeError(BaseException):
    """Raised in the working thread; no ``Exception``, so that no reader's own handler takes it for a fault of the file."""


class Overtime:
    """Watches the seconds of ``budget`` while :meth:`within` runs something. Used by one thread; close it at the end."""

    __slots__ = ("_closed", "_inside", "_lock", "_struck", "_thread", "_worker", "budget")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._worker = 0
        self._inside = False
        self._struck = False

    def within(self, work: Callable[[], T]) -> T:
        """What ``work`` returns. Calls of this method do not nest.

        Raises:
            LimitError: the seconds were spent before, or while it worked.
        """
        self.budget.check_time()
        if self._thread is None:
            self._start()
        try:
            try:
                self._inside = True
                return work()
            finally:
                self._leave()
        except _OvertimeError:
            self._leave()  # it may have struck on the way out
            raise self.budget.out_of_time() from None

    def close(self) -> None:
        """Let the thread end, and wait for that."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        self._worker = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="overtime", daemon=True)
        self._thread.start()

    def _leave(self) -> None:
        with self._lock:
            self._inside = False
            struck, self._struck = self._struck, False
        if struck:
            _take_back(self._worker)

    def _watch(self) -> None:
        # the end of the allowance only ever moves away, so sleeping until the one that was known is never too long
        while not self._closed.wait(max(self.budget.left + _GRACE, _GRACE)):
            with self._lock:
                late = self._inside and self.budget.left < -_GRACE
                if late:
                    self._struck = True
                    _raise_in(self._worker, _OvertimeError)
            if late and self._closed.wait(_AGAIN):
                return


def _raise_in(thread: int, error: type[BaseException]) -> bool:
    """Raise ``error`` in ``thread`` before its next instruction; whether this Python can."""
    import ctypes

    strike = getattr(ctypes.pythonapi, "PyThreadState_SetAsyncExc", None)
    return strike is not None and bool(strike(ctypes.c_ulong(thread), ctypes.py_object(error)))


def _take_back(thread: int) -> None:
    """See to it that nothing is raised any more in ``thread``, which is this one.

    What was to be raised could be replaced by nothing, but CPython would go on thinking that there is something: it forgets that only when it raises.
    Every call would be slower from then on, and CPython 3.11 would not come out of the first function that is traced (a debugger, coverage).
    """
    try:
        if _raise_in(thread, _OvertimeError):
            while True:  # it is raised before the next round
                pass
    except _OvertimeError:
        pass
