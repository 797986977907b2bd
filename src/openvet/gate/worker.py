"""Does jobs, one after another in each of its threads; a thread beside keeps the lease of the job that is under way."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from openvet.core.text import printable
from openvet.errors import OpenVetError
from openvet.evidence.log.disk import StorageError
from openvet.gate.upstreams import UpstreamError
from openvet.store.database import Connection, Database, schema_of
from openvet.store.jobs import Job, LostJobError, claim_job, fail_job, finishing, keep_job
from openvet.store.workers import add_worker, end_worker, keep_worker
from openvet.version import VERSION

__all__ = ["Clock", "Effects", "Handler", "Keeper", "Sign", "StoppingError", "Worker", "system_clock"]

#: Gives the time in milliseconds UTC.
Clock = Callable[[], int]
#: Writes what came of a job, in the transaction that finishes it.
Effects = Callable[[Connection], None]

_LEASE: Final = 30_000
_POLL: Final = 0.5
#: Seconds between two signs of life.
_SIGN: Final = 5.0
#: Attempts of a job that fails; a fault of ours does not go away by waiting.
_ATTEMPTS: Final = 6
_FAULTS: Final = 2
_LONGEST: Final = 60_000


def system_clock() -> int:
    """The time of this machine."""
    return time.time_ns() // 1_000_000


class StoppingError(OpenVetError):
    """The server is being stopped; the job is done later."""


class Keeper:
    """Holds the lease of a job while it is worked on.

    Args:
        progress: is called from time to time, in a transaction, to say how far it is.
    """

    def __init__(self, database: Database, job: Job, clock: Clock, lease: int, stop: threading.Event) -> None:
        self.progress: Callable[[Connection], None] = lambda _: None
        self._database, self._job, self._clock, self._lease, self._stop = database, job, clock, lease, stop
        self._lost = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keep", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Go on only while the job is ours.

        Raises:
            LostJobError, StoppingError: it is not, or the server stops.
        """
        if self._lost:
            raise LostJobError(f"the job {self._job.key} was taken over by somebody else")
        if self._stop.is_set():
            raise StoppingError("the server is being stopped")

    def close(self) -> None:
        """Let the thread end, and wait for that."""
        self._end.set()
        self._thread.join()

    def _keep(self) -> None:
        kept = time.monotonic()
        while not self._end.wait(min(1.0, self._lease / 3000)):
            try:
                with self._database.writing() as connection:
                    keep_job(connection, self._job, self._clock(), self._lease)
                    self.progress(connection)
                kept = time.monotonic()
            except LostJobError:
                self._lost = True
                return
            except StorageError:
                # the database does not answer: go on while the lease lasts
                if time.monotonic() - kept > self._lease / 1000:
                    self._lost = True
                    return


class Sign:
    """Says every few seconds that this process vets, in a thread of its own.

    Args:
        vetter: does the work.
        lost: is told, once, why it must not go on: the database is one of another version by now.
    """

    def __init__(
        self, database: Database, vetter: Worker, clock: Clock, lost: Callable[[str], None] = lambda _: None
    ) -> None:
        self._database, self._vetter, self._clock, self._lost = database, vetter, clock, lost
        self._key = secrets.token_hex(16)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._say, name="sign", daemon=True)

    def start(self) -> None:
        """Begin (raises :class:`StorageError`)."""
        self._schema = schema_of(self._database)
        self._add()
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that."""
        self._stop.set()
        self._thread.join()
        try:
            with self._database.writing() as connection:
                end_worker(connection, self._key)
        except StorageError:
            pass  # it is missed soon

    def _add(self) -> None:
        place = f"{os.uname().nodename[:200]}, process {os.getpid()}"
        with self._database.writing() as connection:
            add_worker(connection, self._key, place, VERSION, self._vetter.threads, self._clock())

    def _say(self) -> None:
        while not self._stop.wait(_SIGN):
            if not self._vetter.alive:
                continue
            try:
                if (found := schema_of(self._database)) != self._schema:
                    self._lost(
                        f"the database has the schema {printable(found)[:40]} by now: start the worker with the OpenVet that the server has"
                    )
                    return
                with self._database.writing() as connection:
                    known = keep_worker(connection, self._key, self._clock())
                if not known:
                    self._add()
            except StorageError:
                continue  # the database does not answer: that is told elsewhere


#: Does a job and gives what is to be written of it. ``Keeper.check`` is asked often.
Handler = Callable[[Job, Keeper], Effects]


class Worker:
    """Threads that do jobs.

    Args:
        handlers: who does which kind.
        clock: the time.
        lease: milliseconds after which a job of a worker that is no more is begun again.
        threads: jobs at a time.
        done: is told after each job: it may have asked for one of another worker's.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        clock: Clock = system_clock,
        *,
        lease: int = _LEASE,
        threads: int = 1,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._handlers, self._clock, self._lease = database, handlers, clock, lease
        self._done = done
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._threads = [threading.Thread(target=self._work, name="worker", daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Begin to do jobs."""
        for each in self._threads:
            each.start()

    @property
    def threads(self) -> int:
        """Jobs at a time."""
        return len(self._threads)

    @property
    def alive(self) -> bool:
        """Whether all of its threads are at work; true where it has none, and others work."""
        return all(each.is_alive() for each in self._threads)

    def wake(self) -> None:
        """Look for a job now: one was just added."""
        self._wake.set()

    def stop(self) -> None:
        """End after what is under way was put back, and wait for that."""
        self._stop.set()
        self._wake.set()
        for each in self._threads:
            if each.is_alive():
                each.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                busy = self.run_one()
            except StorageError:
                busy = False  # the database does not answer: ask again later
            if busy:
                self._done()
            else:
                self._wake.wait(_POLL)
                self._wake.clear()

    def run_one(self) -> bool:
        """Do the job that has waited longest; false where none waits (raises :class:`StorageError`)."""
        job = claim_job(self._database, self._clock(), self._lease, tuple(self._handlers))
        if job is None:
            return False
        keeper = Keeper(self._database, job, self._clock, self._lease, self._stop)
        try:
            effects = self._handlers[job.kind](job, keeper)
            keeper.close()
            with finishing(self._database, job, self._clock()) as connection:
                effects(connection)
        except LostJobError:
            pass
        except StoppingError:
            self._fail(job, "", 0)
        except UpstreamError as error:
            self._fail(job, f"{error.why}: {error}", _ATTEMPTS)
        except StorageError as error:
            self._fail(job, f"storage: {error}", _ATTEMPTS)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one job must not end the worker
            self._fail(job, f"fault: {type(error).__name__}: {printable(str(error))[:300]}", _FAULTS)
        finally:
            keeper.close()
        return True

    def _fail(self, job: Job, error: str, attempts: int) -> None:
        again: int | None = 0
        if error:
            again = min(1000 * 2 ** (job.attempts - 1), _LONGEST) if job.attempts < attempts else None
        try:
            with self._database.writing() as connection:
                fail_job(connection, job, error, self._clock(), again)
        except (LostJobError, StorageError):
            pass  # its lease ends, and it is begun again
