"""Counts for whoever runs a server: of what there is, and of nothing that names a model or a person."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import BLOB, DECISION, JOB, REQUEST, VETTING
from openvet.store.workers import living_workers

__all__ = ["Measures", "measure"]

_LIVE: Final = ("ready", "running", "failed")


@dataclass(frozen=True, slots=True)
class Measures:
    """What there is.

    Attributes:
        jobs: how many, by kind and state; those that are done are not counted.
        vettings: readings, by stage (``ranges bytes``) and state.
        oldest: how long the job has waited that may begin and waits longest, in milliseconds, by kind.
        requests: how many, by state.
        decisions: how many, by kind and outcome.
        stopped: pulls that were stopped, as far as requests count them.
        files, bytes: in the store.
        workers, threads: processes that vet, and how many vettings they do at a time.
    """

    jobs: dict[tuple[str, str], int]
    vettings: dict[tuple[str, str], int]
    oldest: dict[str, int]
    requests: dict[str, int]
    decisions: dict[tuple[str, str], int]
    stopped: int
    files: int
    bytes: int
    workers: int
    threads: int


def measure(connection: Connection, now: int) -> Measures:
    """Count."""
    jobs = select(JOB.c.kind, JOB.c.state, func.count()).where(JOB.c.state.in_(_LIVE)).group_by(JOB.c.kind, JOB.c.state)
    vettings = select(VETTING.c.stage, VETTING.c.state, func.count()).group_by(VETTING.c.stage, VETTING.c.state)
    waiting = select(JOB.c.kind, func.min(JOB.c.not_before)).where(JOB.c.state == "ready").group_by(JOB.c.kind)
    requests = select(REQUEST.c.state, func.count(), func.sum(REQUEST.c.blocks)).group_by(REQUEST.c.state)
    decisions = select(DECISION.c.kind, DECISION.c.outcome, func.count()).group_by(DECISION.c.kind, DECISION.c.outcome)
    files, size = connection.execute(select(func.count(), func.sum(BLOB.c.size))).one()
    asked = connection.execute(requests).all()
    workers, threads = living_workers(connection, now)
    return Measures(
        jobs={(kind, state): count for kind, state, count in connection.execute(jobs)},
        vettings={(stage, state): count for stage, state, count in connection.execute(vettings)},
        oldest={kind: max(0, now - int(begin)) for kind, begin in connection.execute(waiting)},
        requests={state: count for state, count, _ in asked},
        decisions={(kind, outcome): count for kind, outcome, count in connection.execute(decisions)},
        stopped=sum(int(blocks or 0) for _, _, blocks in asked),
        files=int(files),
        bytes=int(size or 0),
        workers=workers,
        threads=threads,
    )
