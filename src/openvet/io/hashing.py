"""Hashing of whole files on all cores, while the interpreter does something else.

``hashlib`` and ``preadv`` give the GIL back, so plain threads keep every core busy. Each thread owns one buffer; memory does
not grow with the file. The threads are daemons and look at a flag after every block, so that Ctrl-C never waits for them.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from openvet.core.progress import Progress
from openvet.errors import ChangedError, ReadError, UsageError
from openvet.io.source import FileSource

if TYPE_CHECKING:
    from openvet.io.twins import Twins

__all__ = ["ALGORITHMS", "HashPool", "Pending", "StoppedError", "digest_chunks"]

#: Large enough that taking the GIL again between blocks costs nothing beside hashing one.
_BUFFER = 4 * 1024 * 1024

ALGORITHMS = ("sha256", "blake2b", "blake3")


class _Hash(Protocol):
    def update(self, data: Any, /) -> Any: ...
    def hexdigest(self) -> str: ...


def _constructor(algorithm: str) -> Callable[[], _Hash]:
    if algorithm == "sha256":
        return hashlib.sha256
    if algorithm == "blake2b":
        return hashlib.blake2b
    if algorithm == "blake3":
        try:
            from blake3 import blake3
        except ImportError as error:
            raise UsageError("blake3 digests need an extra: pip install 'openvet[blake3]'") from error
        make: Callable[[], _Hash] = blake3
        return make
    raise UsageError(f"unknown digest algorithm {algorithm}; known are {', '.join(ALGORITHMS)}")


def digest_chunks(chunks: Iterable[bytes], algorithms: Sequence[str]) -> dict[str, str]:
    """Digests of bytes that come one after another, as lower-case hex by algorithm."""
    states = {name: _constructor(name)() for name in algorithms}
    for chunk in chunks:
        for state in states.values():
            state.update(chunk)
    return {name: state.hexdigest() for name, state in states.items()}


class StoppedError(ReadError):
    """Hashing was stopped before it came to this end."""


def _stopped(offset: int) -> StoppedError:
    return StoppedError("stopped before it was hashed to its end", offset=offset)


class Pending:
    """The digests of one file, or of the span from ``start`` to before ``end`` of one, on their way."""

    __slots__ = ("_done", "_error", "_value", "end", "source", "start")

    def __init__(self, source: FileSource, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end
        self._done = threading.Event()
        self._value: dict[str, str] = {}
        self._error: ReadError | None = None

    def wait(self) -> dict[str, str]:
        """The digests as lower-case hex by algorithm.

        Raises:
            ChangedError: the file changed or became shorter while it was hashed.
            StoppedError: the pool was stopped first.
        """
        while not self._done.wait(0.2):  # wake up now and then, so that Ctrl-C is seen on every platform
            pass
        if self._error is not None:
            raise self._error
        return self._value

    def done(self, seconds: float) -> bool:
        """Whether the digests are there, or the reason why not; waits for that at most ``seconds``."""
        until = time.monotonic() + seconds
        while not self._done.wait(max(0.0, min(0.2, until - time.monotonic()))):
            if time.monotonic() >= until:
                return False
        return True

    def finish(self, value: dict[str, str]) -> None:
        self._value = value
        self._done.set()

    def fail(self, error: ReadError) -> None:
        self._error = error
        self._done.set()


class HashPool:
    """``jobs`` threads that hash files in the order in which they were handed in."""

    def __init__(self, jobs: int, algorithms: Sequence[str], progress: Progress) -> None:
        self._constructors = {name: _constructor(name) for name in algorithms}
        self._progress = progress
        self._queue: queue.SimpleQueue[Pending | Twins | None] = queue.SimpleQueue()
        self._stop = False
        self._threads: list[threading.Thread] = []
        self._jobs = jobs

    def submit(self, source: FileSource, start: int = 0, end: int | None = None) -> Pending:
        """Hash ``source`` from its first byte to its last, or only from ``start`` to before ``end``.

        The caller keeps it open until the digests are there.
        """
        pending = Pending(source, start, source.size if end is None else end)
        if self._stop:
            pending.fail(_stopped(start))
            return pending
        if not self._constructors:  # nobody wants a digest: nothing is read for it
            pending.finish({})
            return pending
        self._put(pending)
        return pending

    def submit_twins(self, twins: Twins) -> None:
        """Hash two files beside each other, by two threads where there are two. The caller keeps them open like any other."""
        if self._stop:
            twins.stop()
            return
        for _ in range(2):
            self._put(twins)

    def _put(self, job: Pending | Twins) -> None:
        self._queue.put(job)
        if len(self._threads) < self._jobs:
            thread = threading.Thread(target=self._work, name="hash", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let every thread end after its current block, and wait for that. What is not hashed by then never is."""
        self._stop = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        while not self._queue.empty():
            pending = self._queue.get()
            if isinstance(pending, Pending):
                pending.fail(_stopped(pending.start))
            elif pending is not None:
                pending.stop()

    def _work(self) -> None:
        view = memoryview(b"")
        while not self._stop:
            pending = self._queue.get()
            if pending is None:
                return
            if not isinstance(pending, Pending):
                pending.work(self._constructors, lambda: self._stop, self._count)
                continue
            view = view or memoryview(bytearray(_BUFFER))
            try:
                pending.finish(self._hash(pending, view))
            except ReadError as error:
                pending.fail(error)
            except Exception as error:  # noqa: BLE001 - a thread must hand every failure on, or the caller waits for ever
                pending.fail(ChangedError(f"could not be hashed: {type(error).__name__}: {error}"))

    def _hash(self, pending: Pending, view: memoryview) -> dict[str, str]:
        source, offset, end = pending.source, pending.start, pending.end
        states = {name: make() for name, make in self._constructors.items()}
        while offset < end:
            if self._stop:
                raise _stopped(offset)
            try:
                got = os.preadv(source.descriptor, [view[: min(_BUFFER, end - offset)]], offset)
            except OSError as error:
                raise ChangedError(f"cannot be read: {error.strerror}", offset=offset) from error
            if got == 0:
                raise ChangedError("became shorter while it was read", offset=offset)
            for state in states.values():
                state.update(view[:got])
            offset += got
            self._count(got)
        return {name: state.hexdigest() for name, state in states.items()}

    def _count(self, size: int) -> None:
        self._progress.bytes_done += size
