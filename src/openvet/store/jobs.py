"""Jobs: work that lasts, as rows. One process or ten do it, and what a job changes is changed exactly once.

Whoever claims a job holds it for a time (a lease) and gets a number that grows with each claim (a fence). It prolongs the lease while it works. Its effects are
written in the transaction that finishes the job (:func:`finishing`), which is refused where the fence moved on: somebody who was slow, or thought
to be dead, changes nothing. What was begun by a process that is no more is claimed again when its lease is over.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from openvet.core.dataclass import dataclass
from openvet.errors import OpenVetError
from openvet.store.database import Connection, Database
from openvet.store.tables import JOB

__all__ = [
    "Job",
    "JobState",
    "LostJobError",
    "add_job",
    "claim_job",
    "fail_job",
    "finishing",
    "give_up_job",
    "jobs_ahead",
    "keep_job",
    "last_job",
    "release_jobs",
]

#: Attempts after which a job that kills its worker is given up.
_MOST: Final = 5
_ACTIVE: Final = ("ready", "running")


class LostJobError(OpenVetError):
    """The job is somebody else's by now; nothing that this attempt did counts."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was claimed.

    Attributes:
        id: its number.
        kind, key: what is to be done, and what for.
        payload: what the work needs to know.
        fence: of this claim.
        attempts: how often it was claimed, with this time.
    """

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    fence: int
    attempts: int


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands. ``error`` is why its last attempt failed, '' where none has; ``not_before`` is when it may be tried (again)."""

    id: int
    state: str
    attempts: int
    not_before: int
    error: str
    finished: int | None


def add_job(
    connection: Connection, kind: str, key: str, payload: Mapping[str, Any], now: int, *, delay: int = 0
) -> int:
    """Ask for a job, unless one of this key is active; the number of the one that is.

    Args:
        now, delay: milliseconds; it is not begun before ``now + delay``.
    """
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    wanted = make(JOB).values(
        kind=kind, key=key, payload=json.dumps(payload, sort_keys=True), state="ready", fence=0, attempts=0, not_before=now + delay,
        lease_until=0, error="", added=now, finished=None,
    )  # fmt: skip
    active = JOB.c.state.in_(_ACTIVE)
    while True:
        found = connection.execute(select(JOB.c.id).where(JOB.c.key == key, active)).scalar()
        if found is not None:
            return int(found)
        # the words of the index, and no parameters, or SQLite does not recognise it
        made = connection.execute(
            wanted.on_conflict_do_nothing(
                index_elements=[JOB.c.key], index_where=_INDEX.dialect_options["sqlite"]["where"]
            ).returning(JOB.c.id)
        ).scalar()
        if made is not None:
            return int(made)


_INDEX: Final = next(each for each in JOB.indexes if each.name == "uq_job_active_key")


def claim_job(database: Database, now: int, lease: int, kinds: Collection[str] = ()) -> Job | None:
    """The job that has waited longest, for ``lease`` milliseconds; ``None`` where none waits.

    Args:
        kinds: only jobs of these; none means all.
    """
    waiting = or_(
        and_(JOB.c.state == "ready", JOB.c.not_before <= now), and_(JOB.c.state == "running", JOB.c.lease_until <= now)
    )
    # said once more for the index that holds only these
    which = select(JOB).where(JOB.c.state.in_(_ACTIVE), waiting)
    if kinds:
        which = which.where(JOB.c.kind.in_(list(kinds)))
    which = which.order_by(JOB.c.not_before, JOB.c.id).limit(1).with_for_update(skip_locked=True)
    with database.reading() as connection:  # waiting for work does not keep anybody from writing
        if connection.execute(which.with_only_columns(JOB.c.id).with_for_update(skip_locked=True)).first() is None:
            return None
    with database.writing() as connection:
        while True:
            row = connection.execute(which).mappings().first()
            if row is None:
                return None
            if row["attempts"] < _MOST or row["state"] == "ready":
                break
            text = row["error"] or f"fault: whoever worked on it ended before it did, {row['attempts']} times"
            connection.execute(
                update(JOB).where(JOB.c.id == row["id"]).values(state="failed", error=text, finished=now)
            )
        fence, attempts = row["fence"] + 1, row["attempts"] + 1
        connection.execute(
            update(JOB)
            .where(JOB.c.id == row["id"])
            .values(state="running", fence=fence, attempts=attempts, lease_until=now + lease)
        )
    return Job(row["id"], row["kind"], row["key"], json.loads(row["payload"]), fence, attempts)


def keep_job(connection: Connection, job: Job, now: int, lease: int) -> None:
    """Hold a job for ``lease`` milliseconds from now.

    Raises:
        LostJobError: it is somebody else's.
    """
    _held(connection, job, lease_until=now + lease)


@contextmanager
def finishing(database: Database, job: Job, now: int) -> Iterator[Connection]:
    """The transaction in which a job's effects are written and it is done, all or nothing.

    Raises:
        LostJobError: it is somebody else's; nothing is written.
    """
    with database.writing() as connection:
        _held(connection, job, state="done", finished=now, error="")
        yield connection


def fail_job(connection: Connection, job: Job, error: str, now: int, again: int | None) -> None:
    """Say that an attempt failed.

    Args:
        error: why, as one line.
        again: milliseconds until the next attempt; ``None`` gives the job up.

    Raises:
        LostJobError: it is somebody else's.
    """
    if again is None:
        _held(connection, job, state="failed", finished=now, error=error)
    else:
        _held(connection, job, state="ready", not_before=now + again, error=error)


def give_up_job(connection: Connection, job: Job, error: str, now: int) -> None:
    """Say in the transaction that finishes a job that what it was for was not reached, and is not tried again."""
    connection.execute(update(JOB).where(JOB.c.id == job.id).values(state="failed", finished=now, error=error))


def _held(connection: Connection, job: Job, **values: Any) -> None:
    mine = and_(JOB.c.id == job.id, JOB.c.fence == job.fence, JOB.c.state == "running")
    if connection.execute(update(JOB).where(mine).values(**values)).rowcount != 1:
        raise LostJobError(f"the job {job.kind} {job.key} was taken over by somebody else")


def release_jobs(connection: Connection) -> None:
    """Let everything that was begun be begun again at once: whoever worked on it is no more, and what they did elsewhere does not count here."""
    connection.execute(update(JOB).where(JOB.c.state == "running").values(lease_until=0))


def last_job(connection: Connection, key: str) -> JobState | None:
    """How the last job of a key stands."""
    columns = (JOB.c.id, JOB.c.state, JOB.c.attempts, JOB.c.not_before, JOB.c.error, JOB.c.finished)
    row = connection.execute(select(*columns).where(JOB.c.key == key).order_by(JOB.c.id.desc()).limit(1)).first()
    return None if row is None else JobState(*row)


def jobs_ahead(connection: Connection, job: int, kind: str) -> int:
    """How many active jobs of a kind were added before this one."""
    which = select(func.count()).where(JOB.c.state.in_(_ACTIVE), JOB.c.kind == kind, JOB.c.id < job)
    return int(connection.execute(which).scalar_one())
