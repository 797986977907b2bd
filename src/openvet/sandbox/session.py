"""A child that stays: it loads a model once, answers requests one after another, and ends when it is closed.

It is confined, watched and bounded as every child (:mod:`openvet.sandbox.supervisor`). What it says is a stranger's word: replies are JSON that whoever
asked has to check.
"""

from __future__ import annotations

import json
import math
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from openvet.core.text import printable
from openvet.errors import SandboxError
from openvet.sandbox import levels
from openvet.sandbox.interpreter import Interpreter, our_interpreter
from openvet.sandbox.levels import Level
from openvet.sandbox.supervisor import TO_END, Bounds, Child, MiB, Run, places

__all__ = ["AskedError", "EndedError", "Session"]

#: Bytes of one line that a child says, and of all that it says to one request.
_LINE: Final = 32 * MiB
_SAID: Final = 64 * MiB
#: Lists and objects of one line: each takes some hundred bytes here, whatever it took there.
_NESTED: Final = 1 << 18
#: Parts of one reply, and how many of them may wait for whoever asked.
_PIECES: Final = 1 << 17
_WAITING: Final = 1 << 14
_WORDS: Final = 1000
_ENDS: Final = {"ready", "reply", "failed"}


class AskedError(SandboxError):
    """The child could not do what it was asked, and goes on. The words are the child's."""


class EndedError(SandboxError):
    """The child is gone, and why; ``late`` says that its time was over."""

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


class _Staying(Child):
    """A child whose replies are handed on, and whose time counts only while it is asked. What it says while nobody asks ends it."""

    def __init__(self, said: queue.SimpleQueue[tuple[str, Any]], *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._replies = said
        self._most_said, self._longest = _SAID, _LINE
        self._pieces = 0
        self._asked = True  # whether it can be loaded
        self._ending = False
        self._state, self._sending = threading.Lock(), threading.Lock()

    def _take_message(self, line: bytes) -> None:
        if line.count(b"[") + line.count(b"{") > _NESTED:
            self._over(f"killed: it said more than {_NESTED} lists and objects at once")
        else:
            super()._take_message(line)

    def _take_other(self, kind: Any, rest: Sequence[Any]) -> bool:
        (value,) = rest
        with self._state:
            if not self._asked:
                return False
            if kind == "piece":
                self._pieces += 1
                if self._pieces > _PIECES or self._replies.qsize() > _WAITING:
                    return False
            elif kind in _ENDS:
                self._asked = False
                if not self._ending:
                    self._said, self._deadline = 0, math.inf
            else:
                return False
        self._replies.put((kind, value))
        return True

    def ask(self, message: Any, seconds: float) -> None:
        """Hand over a request, which is to be answered within so many seconds (raises :class:`OSError` where it is gone)."""
        with self._state:
            self._asked, self._pieces = True, 0
            if not self._ending:
                self._seconds, self._deadline = seconds, time.monotonic() + seconds
        self.send(message)

    def send(self, message: Any) -> None:
        """Hand over what is no request (raises :class:`OSError` where it is gone)."""
        data = json.dumps(message).encode()
        with self._sending:
            self._channel.sendall(len(data).to_bytes(4, "big") + data)

    def end_within(self, seconds: float) -> None:
        """From now on: nothing gives it more time than this."""
        with self._state:
            self._ending = True
            self._deadline = min(self._deadline, time.monotonic() + seconds)

    def end(self) -> None:
        """As every child; whoever is just sending something to it is sent away first."""
        try:
            self._channel.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone already
        with self._sending:
            super().end()

    @property
    def process_id(self) -> int:
        return self._process.pid


class Session:
    """One child, from the start of its load to its end. May be asked by several threads, one at a time.

    Args:
        work: names the module whose ``prepare`` the child runs, and what that needs, as JSON.
        level: how the child is confined.
        bounds: what it may spend; ``seconds`` until it is ready, and for each request where none are named.
        readable, writable, environment, python: as for :func:`openvet.sandbox.supervisor.run`.
        started: is called with the number of the child's process as soon as that is there, before it loads anything.

    Raises:
        SandboxError: the level cannot be had here, or the child did not say that it is confined.
        EndedError: it ended before it was ready.
        AskedError: it says that it cannot do that.
    """

    def __init__(
        self,
        work: Mapping[str, Any],
        level: Level,
        bounds: Bounds,
        *,
        readable: Sequence[str] = (),
        writable: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        python: Interpreter | None = None,
        started: Callable[[int], None] | None = None,
    ) -> None:
        lacks = levels.missing(level)
        if lacks:
            raise SandboxError(f"level {level.id} ({level.name}) cannot be had here: {lacks}")
        self._bounds = bounds
        self._said: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._child: _Staying | None = None
        self._run: Run | None = None
        self._closing = False
        self._why = ""
        self._given = (dict(work), level, bounds, readable, writable, environment or {}, python or our_interpreter())
        # the kernel ends a child with the thread that started it: this one stays until the child is gone
        self._thread = threading.Thread(target=self._live, args=(level, started), name="openvet-child", daemon=True)
        self._thread.start()
        try:
            self.facts = self._wait("ready", None)
        except BaseException:
            self.kill()
            raise

    def _live(self, level: Level, started: Callable[[int], None] | None) -> None:
        try:
            with places(level) as (home, scratch):
                child = _Staying(self._said, *self._given, home, scratch, listen=True)
                self._child = child
                try:
                    if self._closing:
                        child.end_within(0.0)
                    if started is not None:
                        started(child.process_id)
                    self._run = child.watch()
                    self._why = self._run.ended
                finally:
                    child.end()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits, in their thread
            self._why = str(error) or type(error).__name__
        finally:
            self._said.put(("gone", None))

    def ask(self, request: Any, piece: Callable[[Any], bool] | None = None, seconds: float | None = None) -> Any:
        """Ask for something, and wait for the reply.

        Args:
            request: as JSON.
            piece: is called with each part of the reply that comes before it; ``False`` asks the child to stop there.
            seconds: that it may take, else the child is killed.

        Raises:
            AskedError: the child says that it cannot.
            EndedError: it is gone.
        """
        with self._turn:
            child = self._child
            if child is None or not self._thread.is_alive():
                raise self._gone()
            try:
                child.ask(request, self._bounds.seconds if seconds is None else seconds)
                return self._wait("reply", piece)
            except OSError:
                self._thread.join(TO_END)
                raise self._gone() from None
            except (AskedError, EndedError):
                raise
            except BaseException:
                self.kill()  # interrupted: what it would say now answers no question
                raise

    def _wait(self, awaited: str, piece: Callable[[Any], bool] | None) -> Any:
        stopped = False
        while True:
            kind, value = self._said.get()
            if kind == "gone":
                self._said.put((kind, value))
                raise self._gone()
            if kind == "failed":
                raise AskedError(printable(str(value))[:_WORDS])
            if kind == awaited:
                return value
            if kind != "piece" or piece is None or self._child is None:
                self.kill()
                raise EndedError("killed: it said what nobody had asked for")
            if not stopped and not piece(value):
                stopped = True
                self._child.send({"kind": "stop"})

    def _gone(self) -> EndedError:
        output = self._run.output.decode("utf-8", "replace").strip().splitlines() if self._run is not None else []
        said = f"; it said: {printable(output[-1])[:300]}" if output else ""
        late = self._run is not None and self._run.late
        return EndedError(f"the model's process is gone: {self._why or 'it was closed'}{said}", late=late)

    @property
    def alive(self) -> bool:
        """Whether the child is there."""
        return self._thread.is_alive()

    def kill(self) -> None:
        """End the child at once, whatever it is doing."""
        self._end(0.0)
        self._thread.join(TO_END)

    def close(self) -> Run | None:
        """Ask the child to end, wait for it, and end it where it does not. What it did is known then."""
        self._end(TO_END)
        child = self._child
        if child is not None and self._thread.is_alive() and self._turn.acquire(blocking=False):
            try:
                child.send({"kind": "close"})
            except OSError:
                pass  # it is gone already
            finally:
                self._turn.release()
        self._thread.join(2 * TO_END)
        return self._run

    def _end(self, seconds: float) -> None:
        self._closing = True
        if self._child is not None:
            self._child.end_within(seconds)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        if kind is None:
            self.close()
        else:
            self.kill()
