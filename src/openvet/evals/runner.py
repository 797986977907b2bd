"""Runs a task: samples go out, several at a time, and lines come in, in the order of the run, each written down before the next counts.

Whatever ends a run, what is written is its beginning, and another run goes on behind it. Memory does not grow with answers: of each sample only what
metrics need is held.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.evals.asking import line_of
from openvet.evals.backends._backend import Backend
from openvet.evals.limits import DEFAULT, EvalLimits
from openvet.evals.log import Scored, scored_of
from openvet.evals.stats.sequence import ConfidenceSequence
from openvet.evals.task import Task

__all__ = ["Stopped", "Stopping", "run"]

#: An interval is looked at so often in a run, since each look costs time in proportion to the samples before it.
_LOOKS = 50


@dataclass(frozen=True, slots=True)
class Stopping:
    """When enough is known: as soon as the confidence sequence is so narrow, or lies on one side of a threshold.

    Attributes:
        alpha: of the sequence, over all looks together.
        half_width: stop when the interval is no wider than twice this; ``None`` for never.
        threshold: stop when it is known on which side the mean lies; ``None`` for never.
    """

    alpha: float = 0.05
    half_width: float | None = None
    threshold: float | None = None

    def reached(self, low: float, high: float) -> str:
        """Why it is enough, for a person; '' where it is not."""
        if self.half_width is not None and high - low <= 2.0 * self.half_width:
            return f"the interval is no wider than {2.0 * self.half_width:g}"
        if self.threshold is not None and not low <= self.threshold <= high:
            return f"the mean lies {'above' if low > self.threshold else 'below'} {self.threshold:g}"
        return ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a run that could stop early ended: the sequence's interval, and why; '' at the last sample."""

    low: float
    high: float
    why: str


def run(
    task: Task,
    order: Sequence[int],
    backend: Backend,
    write: Callable[[bytes], None],
    before: Sequence[Scored] = (),
    *,
    seed: int = 0,
    keep_going: bool = False,
    stopping: Stopping | None = None,
    progress: Progress | None = None,
    limits: EvalLimits = DEFAULT,
) -> tuple[list[Scored], Stopped | None]:
    """Ask the samples of ``order`` that ``before`` has not, and hand each line to ``write``.

    Returns every sample that counts, those of ``before`` too; and where it stopped, if it may.

    Raises:
        AskError: a sample was not answered; those before it are written.
        KeyboardInterrupt: as it came; those that were answered in order are written.
    """
    progress = progress or Progress()
    done = list(before)
    looks = _Looks(stopping, len(order)) if stopping is not None else None
    for each in done:
        if looks is not None and looks.take(each):
            return done, looks.stopped()
    progress.bytes_total = progress.bytes_done = 0  # of the model, which was hashed before
    progress.files_total, progress.files_done = len(order), len(done)
    lines = _lines(task, order[len(done) :], backend, seed, keep_going, limits)
    try:
        for line in lines:
            write(line)
            done.append(scored_of(json.loads(line)))
            progress.files_done = len(done)
            if looks is not None and looks.take(done[-1]):
                break
    finally:
        lines.close()
    return done, looks.stopped() if looks is not None else None


class _Looks:
    """The confidence sequence over a run, looked at now and then."""

    def __init__(self, stopping: Stopping, size: int) -> None:
        self._stopping = stopping
        self._sequence = ConfidenceSequence(stopping.alpha)
        self._every = max(1, size // _LOOKS)
        self._why = ""

    def take(self, each: Scored) -> bool:
        """Take one more sample; whether that is enough."""
        if each.score is None:
            return False
        self._sequence.add(each.score)
        if self._sequence.n % self._every == 0:
            self._why = self._stopping.reached(*self._sequence.look())
        return self._why != ""

    def stopped(self) -> Stopped:
        low, high = self._sequence.look()
        return Stopped(low, high, self._why)


def _lines(
    task: Task, order: Sequence[int], backend: Backend, seed: int, keep_going: bool, limits: EvalLimits
) -> Generator[bytes, None, None]:
    def one(index: int) -> bytes:
        return line_of(task, index, backend, seed, keep_going=keep_going, limits=limits)

    if backend.parallel <= 1:
        return _plainly(one, order)
    return _several(one, order, backend.parallel)


def _plainly(one: Callable[[int], bytes], order: Sequence[int]) -> Generator[bytes, None, None]:
    for index in order:
        yield one(index)


class _Slot:
    """A sample that is being asked, and what became of it."""

    __slots__ = ("done", "error", "index", "line")

    def __init__(self, index: int) -> None:
        self.index = index
        self.done = threading.Event()
        self.line: bytes | None = None
        self.error: BaseException | None = None


def _several(one: Callable[[int], bytes], order: Sequence[int], parallel: int) -> Generator[bytes, None, None]:
    """In order, with ``parallel`` of them asked at a time and twice as many held. Threads end with the program: nobody waits for an answer after Ctrl-C."""
    tasks: SimpleQueue[_Slot | None] = SimpleQueue()

    def work() -> None:
        while (slot := tasks.get()) is not None:
            try:
                slot.line = one(slot.index)
            except BaseException as error:  # noqa: BLE001 - it is raised where the line is waited for
                slot.error = error
            slot.done.set()

    for _ in range(parallel):
        threading.Thread(target=work, name="eval", daemon=True).start()
    window: deque[_Slot] = deque()
    coming = iter(order)

    def fill() -> None:
        while len(window) < 2 * parallel and (index := next(coming, None)) is not None:
            slot = _Slot(index)
            window.append(slot)
            tasks.put(slot)

    try:
        fill()
        while window:
            slot = window[0]
            while not slot.done.wait(0.5):  # in turns, so that Ctrl-C comes through on every system
                pass
            window.popleft()
            if slot.error is not None:
                raise slot.error
            fill()
            if slot.line is not None:
                yield slot.line
    finally:
        with suppress(Empty):  # what nobody has begun is not asked any more
            while True:
                tasks.get_nowait()
        for _ in range(parallel):
            tasks.put(None)
