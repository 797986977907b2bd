"""Writing the file: under another name beside its place, with every digest computed on the way, and renamed at the end.

Three threads hash while this one gathers and writes: the input from its first byte to its last, the output, and each tensor
in the output. What they hash of the output is read back from the file, so that it is what was written and not what was meant.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.disarm.layout import Layout
from openvet.errors import ChangedError, ReadError
from openvet.io.new_file import NewFile, WriteError
from openvet.io.source import FileSource

__all__ = ["NewFile", "Tail", "WriteError", "Written", "copy_file", "write_tensors"]

_BLOCK: Final = 1024 * 1024
#: Less is hashed at once and not by the other thread.
_SMALL: Final = 64 * 1024


class Tail:
    """A thread that hashes spans of a file which may still be growing.

    Args:
        spans: first byte and the one behind the last, in order.
        reached: how far the file is written; raise it with :meth:`reach`.
    """

    def __init__(self, descriptor: int, spans: Sequence[tuple[int, int]], reached: int = 0) -> None:
        self.digests: list[str] = []
        self._descriptor = descriptor
        self._spans = spans
        self._reached = reached
        self._stop = False
        self._error: Exception | None = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="digest", daemon=True)
        self._thread.start()

    def reach(self, position: int) -> None:
        with self._news:
            self._reached = position
            self._news.notify()

    def stop(self) -> None:
        with self._news:
            self._stop = True
            self._news.notify()
        self._thread.join()

    def wait(self) -> list[str]:
        """The digests when all spans are hashed."""
        while self._thread.is_alive():  # wake up now and then, so that Ctrl-C is seen
            self._thread.join(0.2)
        if self._error is not None:
            raise self._error
        return self.digests

    def _work(self) -> None:
        view = memoryview(bytearray(_BLOCK))
        try:
            for begin, end in self._spans:
                digest = hashlib.sha256()
                while begin < end:
                    begin += self._piece(digest, view, begin, end)
                self.digests.append(digest.hexdigest())
        except Exception as error:  # noqa: BLE001 - a thread must hand every failure on
            self._error = error

    def _piece(self, digest: hashlib._Hash, view: memoryview, begin: int, end: int) -> int:
        with self._news:
            # whole blocks where they come: waking up for every small piece would cost more than hashing it
            self._news.wait_for(lambda: self._stop or self._reached >= min(begin + _BLOCK, end))
            if self._stop:
                raise ReadError("stopped before it was hashed to its end", offset=begin)
        got = os.preadv(self._descriptor, [view[: min(_BLOCK, end - begin)]], begin)
        if not got:
            raise ChangedError("became shorter while it was read", offset=begin)
        digest.update(view[:got])
        return got


@dataclass(frozen=True, slots=True)
class Written:
    """Digests of what was written: of the input, of the output, and of each tensor before and after."""

    source: str
    target: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def write_tensors(source: FileSource, layout: Layout, file: NewFile, progress: Progress) -> Written:
    """Write the file that ``layout`` describes. Nothing is in its place before ``file`` is committed.

    Raises:
        ReadError: the input changed, or a tensor's bytes cannot be read.
        WriteError: the disk is full, for instance; or what was written is not what was read.
    """
    start = len(layout.header)
    spans = [(start + each.begin, start + each.end) for each in layout.tensors]
    tails = [
        Tail(source.descriptor, [(0, source.size)], source.size),
        Tail(file.descriptor, [(0, layout.size)]),
        Tail(file.descriptor, spans),
    ]
    pool = ThreadPoolExecutor(1, "before")
    try:
        before = _copy(layout, file, pool, tails, progress)
        file.sync()  # while the threads are still hashing
        (whole,), (target,), after = (tail.wait() for tail in tails)
    finally:
        for tail in tails:
            tail.stop()
        pool.shutdown(cancel_futures=True)
    source.check_unchanged()
    if list(after) != before:
        raise WriteError(f"cannot write {printable(file.path)}: what was read back is not what was written")
    return Written(whole, target, tuple(before), tuple(after))


def _copy(layout: Layout, file: NewFile, pool: ThreadPoolExecutor, tails: Sequence[Tail], progress: Progress) -> list[str]:  # fmt: skip
    before: list[str] = []
    file.write(layout.header)
    at = told = len(layout.header)
    for each in layout.tensors:
        progress.doing = printable(each.name)
        digest = hashlib.sha256()
        pending: Future[None] | None = None
        for block in each.view.blocks():
            if pending is not None:
                pending.result()
            pending = None
            if len(block) > _SMALL:
                pending = pool.submit(digest.update, block)
            else:
                digest.update(block)
            file.write(block)
            at += len(block)
            progress.bytes_done += len(block)
            if at - told >= _BLOCK:
                told = at
                for tail in tails[1:]:
                    tail.reach(at)
        if pending is not None:
            pending.result()
        before.append(digest.hexdigest())
    for tail in tails[1:]:
        tail.reach(at)
    return before


def copy_file(source: FileSource, file: NewFile) -> str:
    """Copy a file as it is; gives its SHA-256."""
    digest = hashlib.sha256()
    for block in source.chunks():
        digest.update(block)
        file.write(block)
    source.check_unchanged()
    return digest.hexdigest()
