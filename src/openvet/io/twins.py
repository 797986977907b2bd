"""Two files that are hashed beside each other, span by span, so that what lies beside each other can be looked at while it is in the cache.

Each file is read once. What is looked at are the bytes that were hashed, and no others. Threads of a :class:`~openvet.io.hashing.HashPool` share the work:
whoever is free looks at two spans that are there, or hashes the next one of the file that is behind.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import ChangedError, ReadError
from openvet.io.hashing import Pending, StoppedError
from openvet.io.source import FileSource

__all__ = ["SPAN", "Spans", "Twins"]

#: Bytes of one file that are held at once. Large enough that taking turns costs little beside hashing, and small enough for the cache.
SPAN: Final = 2 * 1024 * 1024
#: Pairs of spans that are held at once: what one file may be ahead of the other.
_DEPTH: Final = 3
_SIDES: Final = (0, 1)


@dataclass(frozen=True, slots=True)
class Spans:
    """Bytes of two files that are looked at together; all spans of a file follow each other without a gap, from its first byte to its last.

    Attributes:
        starts, ends: of each file, at most :data:`SPAN` apart.
        what: for whoever looks at them; ``None`` where there is nothing to be seen.
    """

    starts: tuple[int, int]
    ends: tuple[int, int]
    what: Any = None


class Twins:
    """Two files on their way.

    Args:
        sources: both files; whoever made this keeps the first one open, and the second one is closed when both are hashed.
        spans: in their order.
        look: is called with what belongs to two spans and their bytes, for some spans at once and in any order.

    Attributes:
        pending: the digests of each file. They are there once both are hashed and looked at.
    """

    def __init__(
        self,
        sources: tuple[FileSource, FileSource],
        spans: Sequence[Spans],
        look: Callable[[Any, memoryview, memoryview], object],
    ) -> None:
        self.pending = tuple(Pending(each, 0, each.size) for each in sources)
        self._sources = sources
        self._spans = spans
        self._look = look
        self._turn = threading.Condition()
        self._states: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        self._next = [0, 0]  # the span that comes next, of each file
        self._busy = [False, False]
        self._errors: list[ReadError | None] = [None, None]
        self._ready: list[int] = []  # spans of which both sides are there
        self._seen = [False] * len(spans)
        self._floor = 0  # every span before it was looked at
        self._looking = 0
        self._blind = False
        self._ended = False
        self._buffers: list[tuple[memoryview, memoryview]] = []

    @property
    def complete(self) -> bool:
        """Whether everything was looked at. Only asked when both digests are there."""
        return not self._blind

    def work(self, constructors: dict[str, Any], stopped: Callable[[], bool], count: Callable[[int], object]) -> None:
        """Take part until there is nothing left to do.

        Args:
            constructors: of the digests, by algorithm.
            stopped: whether to end early.
            count: is told of bytes that were hashed.
        """
        with self._turn:
            if not self._buffers:
                for states in self._states:
                    states.update({name: make() for name, make in constructors.items()})
                size = min(
                    SPAN,
                    max((span.ends[side] - span.starts[side] for span in self._spans for side in _SIDES), default=0),
                )
                self._buffers = [(memoryview(bytearray(size)), memoryview(bytearray(size))) for _ in range(_DEPTH)]
        while True:
            if stopped():
                self.stop()
                return
            with self._turn:
                if self._ended:
                    return
                task = self._task()
                if task is None:
                    if not self._end():
                        self._turn.wait(0.2)
                    continue
                span, held = self._spans[task[1]], self._buffers[task[1] % _DEPTH]
            self._do(*task, span, held, count)

    def stop(self) -> None:
        """End with an error as soon as no thread is at it, if it has not ended yet."""
        with self._turn:
            if not self._ended:
                self._errors = [StoppedError("stopped before it was hashed to its end", offset=0)] * 2
                self._ready.clear()
                self._end()

    # --- with the lock held ---

    def _task(self) -> tuple[int, int] | None:
        """A file and its span to hash; or 2 and two spans to look at."""
        if self._ready:
            self._looking += 1
            return 2, self._ready.pop(0)
        for side in sorted(_SIDES, key=self._next.__getitem__):
            number = self._next[side]
            held = self._blind or number - self._floor < _DEPTH
            if number < len(self._spans) and not self._busy[side] and self._errors[side] is None and held:
                self._busy[side] = True
                return side, number
        return None

    def _done(self, side: int, number: int) -> None:
        if side == 2:
            self._looking -= 1
            self._saw(number)
            return
        self._busy[side] = False
        self._next[side] = number + 1
        if self._next[1 - side] > number and not self._blind:
            if self._spans[number].what is None:
                self._saw(number)
            else:
                self._ready.append(number)

    def _saw(self, number: int) -> None:
        self._seen[number] = True
        while self._floor < len(self._seen) and self._seen[self._floor]:
            self._floor += 1

    def _end(self) -> bool:
        if self._looking or self._ready or any(self._busy):
            return False
        self._finish()
        return True

    def _finish(self) -> None:
        self._ended = True
        for side in _SIDES:
            error = self._errors[side]
            if error is not None:
                self._blind = True
                self.pending[side].fail(error)
            else:
                self.pending[side].finish({name: state.hexdigest() for name, state in self._states[side].items()})
        self._buffers = []
        self._sources[1].close()
        self._turn.notify_all()

    # --- without it ---

    def _do(
        self,
        side: int,
        number: int,
        span: Spans,
        held: tuple[memoryview, memoryview],
        count: Callable[[int], object],
    ) -> None:
        views = [held[each][: span.ends[each] - span.starts[each]] for each in _SIDES]
        error: ReadError | None = None
        try:
            if side == 2:
                self._look(span.what, *views)
            else:
                self._hash(side, span.starts[side], views[side])
                count(len(views[side]))
        except ReadError as failed:
            error = failed
        except Exception as failed:  # noqa: BLE001 - a thread must hand every failure on, or the caller waits for ever
            error = ChangedError(f"could not be hashed: {type(failed).__name__}: {failed}")
        with self._turn:
            if error is not None:  # the other file is hashed to its end all the same
                self._blind = True
                self._ready.clear()
                if side != 2:
                    self._errors[side] = self._errors[side] or error
            self._done(side, number)
            self._turn.notify()

    def _hash(self, side: int, offset: int, view: memoryview) -> None:
        while view:
            try:
                got = os.preadv(self._sources[side].descriptor, [view], offset)
            except OSError as error:
                raise ChangedError(f"cannot be read: {error.strerror}", offset=offset) from error
            if got == 0:
                raise ChangedError("became shorter while it was read", offset=offset)
            for state in self._states[side].values():
                state.update(view[:got])
            view = view[got:]
            offset += got
