"""Lists of what happened: decisions and vettings, the latest first, in pages; and how much is new."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Select, func, select

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import DECISION, JOB, PULL, REPOSITORY, REQUEST, REVISION, VETTING
from openvet.store.uses import Reach, within

__all__ = [
    "Counts", "Decided", "Vetted", "VettingJob", "count_jobs", "count_since", "decided_by_week", "find_decided", "find_vetted", "list_decided", "list_jobs",
    "list_vetted",
]  # fmt: skip

_DAY: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and what it is about; the fields as of :class:`openvet.store.decisions.DecisionRow`."""

    id: int
    revision: int
    repository: str
    name: str
    commit: str
    scope: str
    project: str
    kind: str
    outcome: str
    reason: str
    by: str
    at: int
    until: int | None
    conditions: str
    vetting: int | None
    published: bool


@dataclass(frozen=True, slots=True)
class Vetted:
    """A reading, and what it is of; the fields as of :class:`openvet.store.vettings.VettingRow`."""

    id: int
    revision: int
    repository: str
    name: str
    commit: str
    scope: str
    stage: str
    state: str
    verdict: str
    reason: str
    bytes_total: int
    bytes_done: int
    started: int
    finished: int | None


@dataclass(frozen=True, slots=True)
class VettingJob:
    """A vetting that waits, is under way, or was given up.

    Attributes:
        id: the job's number.
        revision, repository, name, commit: what is vetted.
        state: ``ready running failed``.
        attempts: how often it was begun.
        not_before: when it may be tried (again), in milliseconds UTC.
        error: why its last attempt failed, '' where none has.
        added: when it was asked for.
        stage, bytes_total, bytes_done, started: of the reading that it is at, '' and 0 where it has not begun.
    """

    id: int
    revision: int
    repository: str
    name: str
    commit: str
    state: str
    attempts: int
    not_before: int
    error: str
    added: int
    stage: str
    bytes_total: int
    bytes_done: int
    started: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What is new since a moment."""

    repositories: int
    revisions: int
    admitted: int
    refused: int
    approvals: int
    revocations: int
    requests: int
    pulls: int
    people: int
    bytes: int


# --- decisions ---

_DECIDED: Final = (
    select(
        DECISION.c.id, DECISION.c.revision, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id, DECISION.c.scope, DECISION.c.project,
        DECISION.c.kind, DECISION.c.outcome, DECISION.c.reason, DECISION.c.by, DECISION.c.at, DECISION.c.until, DECISION.c.conditions,
        DECISION.c.vetting, DECISION.c.published,
    )
    .join(REVISION, REVISION.c.id == DECISION.c.revision)
    .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
)  # fmt: skip


def list_decided(
    connection: Connection,
    *,
    projects: Sequence[str] | None = None,
    revision: int | None = None,
    kinds: Collection[str] = (),
    outcomes: Collection[str] = (),
    search: str = "",
    by: str = "",
    since: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> tuple[Decided, ...]:
    """Decisions, the latest first.

    Args:
        projects: only those that hold there: which were made for one of them; ``None`` means all.
        revision: only those about it.
        kinds: ``policy approval revocation``.
        outcomes: ``admit review reject upstream``.
        search: part of the name of what was decided of, in any case of letters.
        by: part of the name of who decided.
        since: not made before, in milliseconds UTC.
        before: only lower numbers.
    """
    which: Select[Any] = _DECIDED
    if projects is not None:
        which = which.where(DECISION.c.project.in_(list(projects)))
    if revision is not None:
        which = which.where(DECISION.c.revision == revision)
    if kinds:
        which = which.where(DECISION.c.kind.in_(list(kinds)))
    if outcomes:
        which = which.where(DECISION.c.outcome.in_(list(outcomes)))
    if search:
        which = which.where(REPOSITORY.c.name.icontains(search, autoescape=True))
    if by:
        which = which.where(DECISION.c.by.icontains(by, autoescape=True))
    if since is not None:
        which = which.where(DECISION.c.at >= since)
    if before is not None:
        which = which.where(DECISION.c.id < before)
    return tuple(Decided(*row) for row in connection.execute(which.order_by(DECISION.c.id.desc()).limit(limit)))


def find_decided(connection: Connection, number: int) -> tuple[Decided, bytes] | None:
    """A decision and its signed statement."""
    row = connection.execute(_DECIDED.add_columns(DECISION.c.line).where(DECISION.c.id == number)).first()
    return None if row is None else (Decided(*row[:-1]), row[-1])


# --- vettings ---

_VETTED: Final = (
    select(
        VETTING.c.id, VETTING.c.revision, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id, VETTING.c.scope, VETTING.c.stage,
        VETTING.c.state, VETTING.c.verdict, VETTING.c.reason, VETTING.c.bytes_total, VETTING.c.bytes_done, VETTING.c.started, VETTING.c.finished,
    )
    .join(REVISION, REVISION.c.id == VETTING.c.revision)
    .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
)  # fmt: skip


def list_vetted(
    connection: Connection,
    *,
    revision: int | None = None,
    states: Collection[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> tuple[Vetted, ...]:
    """Readings, the latest first, of one revision or of all, with a lower number than ``before``."""
    which: Select[Any] = _VETTED
    if revision is not None:
        which = which.where(VETTING.c.revision == revision)
    if states:
        which = which.where(VETTING.c.state.in_(list(states)))
    if before is not None:
        which = which.where(VETTING.c.id < before)
    return tuple(Vetted(*row) for row in connection.execute(which.order_by(VETTING.c.id.desc()).limit(limit)))


def find_vetted(connection: Connection, revision: int) -> int | None:
    """The number of the last reading of a revision that has a report."""
    which = select(VETTING.c.id).where(VETTING.c.revision == revision, VETTING.c.report.is_not(None))
    return connection.execute(which.order_by(VETTING.c.id.desc()).limit(1)).scalar()


def list_jobs(
    connection: Connection, kind: str, states: Collection[str], *, before: int | None = None, limit: int = 100
) -> tuple[VettingJob, ...]:
    """Jobs of vettings in some states, the latest first, each with the reading that it is at. Their keys are ``KIND:REVISION:SCOPE``."""
    import json

    which = select(JOB).where(JOB.c.kind == kind, JOB.c.state.in_(list(states)))
    if before is not None:
        which = which.where(JOB.c.id < before)
    rows = connection.execute(which.order_by(JOB.c.id.desc()).limit(limit)).mappings().all()
    revisions = {row["id"]: int(json.loads(row["payload"])["revision"]) for row in rows}
    named = {
        each[0]: (each[1], each[2], each[3])
        for each in connection.execute(
            select(REVISION.c.id, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id)
            .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
            .where(REVISION.c.id.in_(set(revisions.values())))
        )
    }
    at: dict[int, tuple[str, int, int, int]] = {}
    readings = select(VETTING.c.job, VETTING.c.stage, VETTING.c.bytes_total, VETTING.c.bytes_done, VETTING.c.started)
    for each in connection.execute(readings.where(VETTING.c.job.in_(revisions)).order_by(VETTING.c.id)):
        at[each[0]] = (each[1], each[2], each[3], each[4])
    out = []
    for row in rows:
        revision = revisions[row["id"]]
        repository, name, commit = named[revision]
        stage, total, done, started = at.get(row["id"], ("", 0, 0, 0))
        out.append(
            VettingJob(
                row["id"], revision, repository, name, commit, row["state"], row["attempts"], row["not_before"], row["error"], row["added"],
                stage, total, done, started,
            )
        )  # fmt: skip
    return tuple(out)


def count_jobs(connection: Connection, kind: str, states: Collection[str]) -> int:
    """How many jobs of a kind are in some states."""
    which = select(func.count()).where(JOB.c.kind == kind, JOB.c.state.in_(list(states)))
    return int(connection.execute(which).scalar_one())


# --- counts ---


def decided_by_week(connection: Connection, since: int, projects: Sequence[str]) -> dict[int, tuple[int, int]]:
    """How often something was admitted, and how often it was not, in each week since a moment (counted from 0), for ``projects``."""
    week = ((DECISION.c.at - since) - (DECISION.c.at - since) % (7 * _DAY)).label("week")
    good = (DECISION.c.outcome == "admit").label("good")
    which = select(week, good).where(DECISION.c.at >= since, DECISION.c.project.in_(list(projects))).subquery()
    found: dict[int, tuple[int, int]] = {}
    for begin, admitted, count in connection.execute(
        select(which.c.week, which.c.good, func.count()).group_by(which.c.week, which.c.good)
    ):
        at = int(begin) // (7 * _DAY)
        before = found.get(at, (0, 0))
        found[at] = (before[0] + int(count), before[1]) if admitted else (before[0], before[1] + int(count))
    return found


def count_since(
    connection: Connection,
    since: int,
    projects: Sequence[str],
    seen: Sequence[str],
    reach: Reach | None = None,
) -> Counts:
    """What is new since a moment: decisions of ``projects``, requests of those ``seen``, pulls as far as ``reach`` (``None``: all)."""

    def count(which: Select[Any]) -> int:
        return int(connection.execute(which).scalar_one() or 0)

    by_kind = (
        select(DECISION.c.kind, DECISION.c.outcome, func.count())
        .where(DECISION.c.at >= since, DECISION.c.project.in_(list(projects)))
        .group_by(DECISION.c.kind, DECISION.c.outcome)
    )
    decided = {(row[0], row[1]): int(row[2]) for row in connection.execute(by_kind)}
    columns: tuple[Any, ...] = (func.count(), func.count(PULL.c.person.distinct()), func.sum(PULL.c.bytes))
    pulled: Select[Any] = select(*columns)
    pulls, who, sent = connection.execute(within(pulled.where(PULL.c.at >= since), reach)).one()
    return Counts(
        repositories=count(select(func.count()).select_from(REPOSITORY).where(REPOSITORY.c.first_seen >= since)),
        revisions=count(select(func.count()).select_from(REVISION).where(REVISION.c.listed_at >= since)),
        admitted=decided.get(("policy", "admit"), 0),
        refused=sum(number for (kind, outcome), number in decided.items() if kind == "policy" and outcome != "admit"),
        approvals=sum(number for (kind, _), number in decided.items() if kind == "approval"),
        revocations=sum(number for (kind, _), number in decided.items() if kind == "revocation"),
        requests=count(
            select(func.count()).select_from(REQUEST).where(REQUEST.c.added >= since, REQUEST.c.project.in_(list(seen)))
        ),
        pulls=int(pulls),
        people=int(who),
        bytes=int(sent or 0),
    )
