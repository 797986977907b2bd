"""The model's process and the line of those who wait for it: one is answered at a time, and a process that ended is started again.

A process that ends is started again ``tries`` times within ``within`` seconds; then it is given up, and the server with it, since whatever keeps it alive
then knows more. One that is ended because a request took too long does not count: that is the request's doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from openvet.engines.model import Model, ReplyError
from openvet.errors import OpenVetError
from openvet.gateway.refusal import RefusalError
from openvet.sandbox.session import AskedError, EndedError

__all__ = ["Keeper", "Ticket"]

_LOOK: Final = 1.0
#: Seconds for which a process may go on after its time is over, to end by itself at the next piece of text.
MARGIN: Final = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_END: Final = 10.0
_log = logging.getLogger("openvet.run")

Work = Callable[[Model, "Ticket"], Any]


class Ticket:
    """One request in the line. What comes of it is said in the loop that waits for it."""

    def __init__(self, work: Work, seconds: float) -> None:
        self.work = work
        self.seconds = seconds
        self.given_up = False
        self.cut = False
        self._deadline = float("inf")
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[Any] = asyncio.Queue()

    def begin(self) -> None:
        """Its time runs from now on."""
        self._deadline = time.monotonic() + self.seconds

    @property
    def late(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self._deadline

    @property
    def left(self) -> float:
        """Seconds that it still has."""
        return max(0.0, min(self.seconds, self._deadline - time.monotonic()))

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for more."""
        return not (self.given_up or self.cut or self.late)

    def say(self, item: Any) -> None:
        """A part of the answer, or the :class:`RefusalError` that ends it; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(self._said.put_nowait, item)

    async def heard(self) -> Any:
        """The next part (raises :class:`RefusalError`)."""
        item = await self._said.get()
        if isinstance(item, RefusalError):
            raise item
        return item


class Keeper:
    """Keeps one model.

    Args:
        opener: opens it; is called again where its process has ended. Raises an :class:`OpenVetError` where it cannot be.
        waiting: requests that may wait while one is answered.
        tries, within: how often, in how many seconds, its process may end of itself.
        given_up: is called, with why, when it is not started again.
    """

    def __init__(
        self,
        opener: Callable[[], Model],
        *,
        waiting: int = 16,
        tries: int = 3,
        within: float = 600.0,
        given_up: Callable[[str], None] | None = None,
    ) -> None:
        self._opener, self._most = opener, waiting
        self._tries, self._within = tries, within
        self._given_up = given_up or (lambda _: None)
        self._line: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._now: Ticket | None = None
        self._ended_at: deque[float] = deque()
        self._forgiven = False
        self._ending = False
        self._thread = threading.Thread(target=self._live, name="openvet-keeper", daemon=True)
        #: ``ready``, ``restarting``, ``failed`` or ``closed``.
        self.state = "ready"
        self.restarts = 0
        self.model = opener()

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._line)

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self._now is not None

    def submit(self, work: Work, seconds: float) -> Ticket:
        """Stand in the line.

        Args:
            work: asks the model and gives the last part of the answer, in the keeper's thread.
            seconds: that it may take once it is its turn.

        Raises:
            RefusalError: the line is full, or there is no model just now.
        """
        with self._changed:
            if self.state != "ready" or self._ending:
                raise self._absent()
            if len(self._line) >= self._most and (self._now is not None or self._line):
                raise RefusalError(429, "queue_full", f"{len(self._line)} requests wait already; try again", retry=1)
            ticket = Ticket(work, seconds)
            self._line.append(ticket)
            self._changed.notify()
        return ticket

    def give_up(self, ticket: Ticket) -> None:
        """Nobody waits for this one any longer."""
        ticket.given_up = True
        with self._changed, contextlib.suppress(ValueError):
            self._line.remove(ticket)

    def cut(self) -> None:
        """End what is being answered, and refuse who waits."""
        with self._changed:
            self._ending = True
            self._refuse_line()
            now = self._now
            self._changed.notify()
        if now is not None:
            now.cut = True
            threading.Thread(target=self._end_if_busy, args=(now,), name="openvet-cut", daemon=True).start()

    def _end_if_busy(self, ticket: Ticket) -> None:
        """What writes stops at its next piece; what does not is ended with its process."""
        until = time.monotonic() + MARGIN / 2
        while self._now is ticket and time.monotonic() < until:
            time.sleep(0.02)
        if self._now is ticket:
            self.model.kill()

    def close(self) -> None:
        """Let go of the model, at once."""
        self.cut()
        if self._thread.is_alive():
            self._thread.join(_END)
        self.state = "closed"
        if self._thread.is_alive() or self._now is not None:
            self.model.kill()
        else:
            self.model.close()

    def _absent(self) -> RefusalError:
        if self._ending:
            return RefusalError(503, "server_ending", "the server is ending", retry=5)
        if self.state == "failed":
            return RefusalError(503, "model_failed", "the model's process ended too often and is not started again; the log of the server says why")  # fmt: skip
        return RefusalError(503, "model_restarting", "the model's process ended and is started again", retry=2)

    def _refuse_line(self) -> None:
        for each in self._line:
            each.say(self._absent())
        self._line.clear()

    # --- in its own thread ---

    def _live(self) -> None:
        while True:
            with self._changed:
                if not self._line and not self._ending:
                    self._changed.wait(_LOOK)
                if self._ending:
                    return
                self._now = self._line.popleft() if self._line and self.model.alive else None
                ticket = self._now
            if ticket is not None:
                try:
                    self._answer(ticket)
                finally:
                    self._now = None
            if not self.model.alive and not self._ending and not self._again():
                return

    def _answer(self, ticket: Ticket) -> None:
        ticket.begin()
        try:
            ticket.say(ticket.work(self.model, ticket))
        except RefusalError as refusal:
            ticket.say(refusal)
        except AskedError as error:
            ticket.say(RefusalError(400, "model_cannot", f"the model's runtime says: {error}"))
        except ReplyError as error:
            _log.warning("%s", error)
            self.model.kill()  # what it says next could belong to anything
            ticket.say(self._absent())
        except EndedError as error:
            if ticket.cut or self._ending:
                ticket.say(self._absent())
            elif ticket.late:
                self._forgiven = True
                ticket.say(RefusalError(504, "time_limit", f"it took more than {ticket.seconds:g} seconds"))
            else:
                _log.warning("%s", error)
                ticket.say(RefusalError(503, "model_ended", "the model's process ended; it is started again", retry=2))
        except Exception:  # noqa: BLE001 - the last line of defence: an answer, and the next request is answered
            _log.exception("a fault of OpenVet itself")
            ticket.say(RefusalError(500, "fault", "a fault in OpenVet itself; its log says more"))

    def _again(self) -> bool:
        """Start it again; whether there is a model then."""
        self.state = "restarting"
        pause, why = _FIRST_PAUSE, "it ended"
        while not self._ending:
            if self._too_often():
                self.state = "failed"
                with self._changed:
                    self._refuse_line()
                self._given_up(f"the model's process ended {self._tries + 1} times in {self._within:g} seconds and is not started again: {why}")  # fmt: skip
                return False
            try:
                opened = self._opener()
            except Exception as error:  # noqa: BLE001 - such as a file that is gone; this thread has to live, or the server answers 503 for ever
                why = str(error) if isinstance(error, OpenVetError) else f"{type(error).__name__}: {error}"
                _log.warning("it cannot be started again: %s", why)
                with self._changed:
                    self._changed.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if not self._takes(opened):
                opened.kill()  # whoever closed the keeper meanwhile knows nothing of this one
                return False
            _log.warning("the model's process was started again")
            return True
        return False

    def _takes(self, opened: Model) -> bool:
        """Answer by this model from now on; ``False`` where the keeper is closed."""
        with self._changed:
            if self._ending:
                return False
            self.model, self.state = opened, "ready"
            self.restarts += 1
            return True

    def _too_often(self) -> bool:
        now = time.monotonic()
        if self._forgiven:
            self._forgiven = False
            return False
        self._ended_at.append(now)
        while self._ended_at and self._ended_at[0] < now - self._within:
            self._ended_at.popleft()
        return len(self._ended_at) > self._tries
