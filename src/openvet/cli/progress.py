"""The progress line: one line on standard error, drawn again ten times a second, gone when the work is done."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from openvet.cli.terminal import is_terminal, look_of
from openvet.core.progress import Progress
from openvet.core.text import shorten
from openvet.reports._text import bytes_for_people, columns

__all__ = ["ProgressLine", "wants_progress"]

_AFTER = 0.5
_EVERY = 0.1
_SMOOTH = 0.1
_CLEAR = "\r\x1b[K"


def wants_progress(stream: TextIO | None, dumb: bool) -> bool:
    """Whether a line can be drawn on ``stream``: a person looks at it, and the cursor can go back."""
    return is_terminal(stream) and not dumb


class ProgressLine:
    """Shows ``progress`` while the block that it guards runs.

    ``clock`` is passed in so that a test can move time.
    """

    def __init__(
        self, progress: Progress, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._progress = progress
        self._stream = sys.stderr if stream is None else stream
        self._look = look_of(self._stream)
        self._clock = clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._shown = False
        self._thread: threading.Thread | None = None
        self._rate = 0.0
        self._last = (clock(), 0)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work, name="progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.hide()

    def hide(self) -> None:
        """Take the line away, for instance because something else is about to be written."""
        with self._lock:
            if self._shown:
                self._shown = False
                self._write(_CLEAR)

    def _work(self) -> None:
        if self._stop.wait(_AFTER):
            return
        while True:
            with self._lock:
                if self._stop.is_set():
                    return
                self._shown = True
                self._write(_CLEAR + self.line())
            if self._stop.wait(_EVERY):
                return

    def _write(self, text: str) -> None:
        try:
            encoding = self._stream.encoding or "ascii"
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):
            self._stop.set()  # the terminal is gone; the work goes on without it

    def line(self) -> str:
        """The line as it should be now, one column less than the terminal is wide."""
        done, total = self._progress.bytes_done, self._progress.bytes_total
        done = min(done, total)
        self._measure(done)
        part = done / total if total else 0.0
        full, empty = ("█", "░") if self._look.unicode else ("#", ".")
        wide = 20 if self._look.width >= 100 else 10
        bar = full * int(part * wide) + empty * (wide - int(part * wide))
        text = f"{bar} {int(part * 100):3d}%  {bytes_for_people(done)} of {bytes_for_people(total)}"
        if self._rate > 0:
            text += f"  {bytes_for_people(int(self._rate))}/s"
            if done < total:
                text += f"  {_duration((total - done) / self._rate)} left"
        if not total and self._progress.files_done:  # nothing is hashed, and what there is is counted as it is found
            whole = self._progress.files_total
            text = f"{self._progress.files_done:,} of {whole:,}" if whole else f"{self._progress.files_done:,} so far"
        if columns(text) > self._look.width - 1:
            return text[: self._look.width - 1]
        return text + self._file(self._look.width - 1 - columns(text) - 2)

    def _file(self, room: int) -> str:
        name = shorten(self._progress.doing, room)
        while columns(name) > room > 0:  # wide characters take two columns
            room -= 1
            name = shorten(self._progress.doing, room)
        return self._look.finish(f"  {name}") if room >= 8 else ""

    def _measure(self, done: int) -> None:
        """Bytes a second, smoothed, so that the time that is left does not jump."""
        now = self._clock()
        then, before = self._last
        if now <= then:
            return
        rate = max(done - before, 0) / (now - then)
        self._rate = rate if self._rate == 0 else self._rate + _SMOOTH * (rate - self._rate)
        self._last = (now, done)


def _duration(seconds: float) -> str:
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{min(minutes // 60, 9999)} h {minutes % 60:02d} min"
