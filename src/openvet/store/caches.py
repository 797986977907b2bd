"""What people say lies in the caches of their machines. A report counts as a whole, and takes the place of the one before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Select, and_, cast, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.models import STANDINGS, counting
from openvet.store.tables import CACHE_REPORT, CACHED, DECISION, PERSON, REPOSITORY, REVISION

__all__ = [
    "UNKNOWN", "CachedRow", "InCache", "Machine", "Stands", "add_cached", "begin_report", "count_cached", "count_machines", "end_report",
    "find_machine", "forget_report", "list_in_caches", "list_machines", "machines_with", "stands_of",
]  # fmt: skip

#: How what the gate does not know stands.
UNKNOWN: Final = "unknown"
_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class CachedRow:
    """A revision that lies in a cache, as it is told: ``last_used`` in milliseconds UTC, ``None`` where nobody knows."""

    kind: str
    name: str
    commit: str
    files: int
    bytes: int
    refs: tuple[str, ...] = ()
    last_used: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A report that counts: whose machine (its number and name), what it calls itself, when it said so, and how much lies there."""

    id: int
    owner: int
    person: str
    machine: str
    at: int
    revisions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class InCache:
    """A revision in the caches of a machine.

    Attributes:
        id: of this line.
        row: what was told.
        person, machine, at: by whom, of what, when.
        revision: its number at the gate, ``None`` where it does not know it.
        standing: one of :data:`openvet.store.models.STANDINGS`, or :data:`UNKNOWN`.
    """

    id: int
    row: CachedRow
    person: str
    machine: str
    at: int
    revision: int | None
    standing: str


@dataclass(frozen=True, slots=True)
class Stands:
    """How a revision stands, and by which decision; ``outcome`` and the rest are '' where there is none."""

    revision: int
    standing: str
    decision: int | None = None
    of: str = ""
    outcome: str = ""
    by: str = ""
    reason: str = ""
    at: int | None = None


# --- writing ---


def begin_report(connection: Connection, person: int, machine: str, report: str, now: int) -> int:
    """The number of a report that is being told; others of the same machine that were never told to their end are forgotten."""
    mine = and_(CACHE_REPORT.c.person == person, CACHE_REPORT.c.machine == machine)
    known = select(CACHE_REPORT.c.id).where(mine, CACHE_REPORT.c.report == report)
    found = connection.execute(known).scalar()
    if found is not None:
        return int(found)
    stale = select(CACHE_REPORT.c.id).where(mine, CACHE_REPORT.c.complete.is_(False))
    _forget(connection, connection.execute(stale).scalars().all())
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    new = make(CACHE_REPORT).values(person=person, machine=machine, report=report, at=now, complete=False)
    connection.execute(new.on_conflict_do_nothing())
    return int(connection.execute(known).scalar_one())


def add_cached(connection: Connection, report: int, rows: Sequence[CachedRow]) -> None:
    """What lies there; what is told twice counts as it is told last."""
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    keys = [CACHED.c.report, CACHED.c.kind, CACHED.c.name, CACHED.c.commit_id]
    values = {
        (each.kind, each.name, each.commit): {
            "report": report, "kind": each.kind, "name": each.name, "commit_id": each.commit, "files": each.files, "bytes": each.bytes,
            "refs": "\n".join(each.refs), "last_used": each.last_used,
        }
        for each in rows
    }  # fmt: skip
    found = list(values.values())
    for start in range(0, len(found), _ROWS):
        new = make(CACHED).values(found[start : start + _ROWS])
        said = {name: new.excluded[name] for name in ("files", "bytes", "refs", "last_used")}
        connection.execute(new.on_conflict_do_update(index_elements=keys, set_=said))


def end_report(connection: Connection, report: int, now: int) -> None:
    """It was told to its end: from now on it counts, and those that the machine told before do not."""
    mine = select(CACHE_REPORT.c.person, CACHE_REPORT.c.machine).where(CACHE_REPORT.c.id == report)
    person, machine = connection.execute(mine).one()
    others = select(CACHE_REPORT.c.id).where(
        CACHE_REPORT.c.person == person, CACHE_REPORT.c.machine == machine, CACHE_REPORT.c.id != report
    )
    _forget(connection, connection.execute(others).scalars().all())
    connection.execute(update(CACHE_REPORT).where(CACHE_REPORT.c.id == report).values(complete=True, at=now))


def forget_report(connection: Connection, report: int) -> None:
    """Forget a machine, for instance since there is none any more."""
    _forget(connection, [report])


def _forget(connection: Connection, reports: Iterable[int]) -> None:
    for each in reports:
        connection.execute(delete(CACHED).where(CACHED.c.report == each))
        connection.execute(delete(CACHE_REPORT).where(CACHE_REPORT.c.id == each))


# --- reading ---


def count_cached(connection: Connection, report: int) -> int:
    """How many revisions a report names so far."""
    return int(connection.execute(select(func.count()).where(CACHED.c.report == report)).scalar_one())


def count_machines(connection: Connection, person: int) -> int:
    """How many machines somebody has told of."""
    which = select(func.count(CACHE_REPORT.c.machine.distinct())).where(CACHE_REPORT.c.person == person)
    return int(connection.execute(which).scalar_one())


def list_machines(
    connection: Connection, *, people: Collection[int] | None = None, before: int | None = None, limit: int = 100
) -> tuple[Machine, ...]:
    """The reports that count, the latest first; of these people, or of all."""
    which = _machines(people)
    if before is not None:
        which = which.where(CACHE_REPORT.c.id < before)
    return tuple(Machine(*row) for row in connection.execute(which.order_by(CACHE_REPORT.c.id.desc()).limit(limit)))


def find_machine(connection: Connection, report: int) -> Machine | None:
    """A report that counts, by its number."""
    row = connection.execute(_machines(None).where(CACHE_REPORT.c.id == report)).first()
    return None if row is None else Machine(*row)


def _machines(people: Collection[int] | None) -> Select[Any]:
    told = (
        select(func.count(), func.coalesce(func.sum(CACHED.c.bytes), 0))
        .where(CACHED.c.report == CACHE_REPORT.c.id)
        .correlate(CACHE_REPORT)
    )
    count = told.with_only_columns(func.count()).scalar_subquery()
    size = told.with_only_columns(cast(func.coalesce(func.sum(CACHED.c.bytes), 0), BigInteger)).scalar_subquery()
    which = (
        select(CACHE_REPORT.c.id, CACHE_REPORT.c.person, PERSON.c.name, CACHE_REPORT.c.machine, CACHE_REPORT.c.at, count, size)
        .join(PERSON, PERSON.c.id == CACHE_REPORT.c.person)
        .where(CACHE_REPORT.c.complete)
    )  # fmt: skip
    return which if people is None else which.where(CACHE_REPORT.c.person.in_(list(people)))


def list_in_caches(
    connection: Connection,
    projects: Sequence[str],
    now: int,
    *,
    people: Collection[int] | None = None,
    repository: tuple[str, str, str] | None = None,
    search: str = "",
    person: str = "",
    machine: str = "",
    standing: Sequence[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> tuple[InCache, ...]:
    """Revisions in caches, those that were told last first.

    Args:
        projects, now: as of :func:`openvet.store.models.list_models`.
        people: only in caches of these; ``None`` is of all.
        repository: only this kind, name and commit.
        search: part of a name, in any case of letters.
        person, machine: only of this one.
        standing: only of these.
        before: only lines with a lower number.
    """
    word = counting(REVISION.c.id, projects, now)
    which: Select[Any] = _known(
        select(
            CACHED.c.id, CACHED.c.kind, CACHED.c.name, CACHED.c.commit_id, CACHED.c.files, CACHED.c.bytes, CACHED.c.refs, CACHED.c.last_used,
            PERSON.c.name, CACHE_REPORT.c.machine, CACHE_REPORT.c.at, REVISION.c.id, word,
        )
        .select_from(CACHED)
        .join(CACHE_REPORT, CACHE_REPORT.c.id == CACHED.c.report)
        .join(PERSON, PERSON.c.id == CACHE_REPORT.c.person)
    ).where(CACHE_REPORT.c.complete)  # fmt: skip
    if people is not None:
        which = which.where(CACHE_REPORT.c.person.in_(list(people)))
    if repository is not None:
        kind, name, commit = repository
        which = which.where(CACHED.c.kind == kind, CACHED.c.name == name, CACHED.c.commit_id == commit)
    if search:
        which = which.where(CACHED.c.name.icontains(search, autoescape=True))
    if person:
        which = which.where(PERSON.c.name == person)
    if machine:
        which = which.where(CACHE_REPORT.c.machine == machine)
    if standing:
        words = [STANDINGS.index(each) for each in standing if each != UNKNOWN]
        known = and_(REVISION.c.id.is_not(None), (word % 4).in_(words))
        which = which.where(known | REVISION.c.id.is_(None) if UNKNOWN in standing else known)
    if before is not None:
        which = which.where(CACHED.c.id < before)
    found = []
    for row in connection.execute(which.order_by(CACHED.c.id.desc()).limit(limit)):
        refs = tuple(row[6].split("\n")) if row[6] else ()
        told = CachedRow(row[1], row[2], row[3], row[4], row[5], refs, row[7])
        stands = UNKNOWN if row[11] is None else STANDINGS[row[12] % 4]
        found.append(InCache(row[0], told, row[8], row[9], row[10], row[11], stands))
    return tuple(found)


def _known(which: Select[Any]) -> Select[Any]:
    """With the revision that the gate knows, where it does."""
    return which.outerjoin(REPOSITORY, and_(REPOSITORY.c.kind == CACHED.c.kind, REPOSITORY.c.name == CACHED.c.name)).outerjoin(
        REVISION, and_(REVISION.c.repository == REPOSITORY.c.id, REVISION.c.commit_id == CACHED.c.commit_id)
    )  # fmt: skip


def machines_with(
    connection: Connection, repositories: Sequence[tuple[str, str]], people: Collection[int] | None = None
) -> dict[tuple[str, str], int]:
    """On how many machines some revision of these repositories (kind and name) lies in a cache; those on none are left out."""
    if not repositories:
        return {}
    which: Select[Any] = (
        select(CACHED.c.kind, CACHED.c.name, func.count(CACHED.c.report.distinct()))
        .join(CACHE_REPORT, CACHE_REPORT.c.id == CACHED.c.report)
        .where(CACHE_REPORT.c.complete, tuple_(CACHED.c.kind, CACHED.c.name).in_(list(repositories)))
        .group_by(CACHED.c.kind, CACHED.c.name)
    )
    if people is not None:
        which = which.where(CACHE_REPORT.c.person.in_(list(people)))
    return {(row[0], row[1]): int(row[2]) for row in connection.execute(which)}


def stands_of(
    connection: Connection, revisions: Sequence[tuple[str, str, str]], projects: Sequence[str], now: int
) -> dict[tuple[str, str, str], Stands]:
    """How revisions (kind, name, commit) stand; what the gate does not know is left out."""
    if not revisions:
        return {}
    columns = (REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id)
    which: Select[Any] = (
        select(*columns, REVISION.c.id, counting(REVISION.c.id, projects, now))
        .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
        .where(tuple_(*columns).in_(list(revisions)))
    )
    rows = connection.execute(which).all()
    decisions = {row[4] // 4 for row in rows if row[4] // 4}
    said = {
        each.id: each
        for each in connection.execute(
            select(DECISION.c.id, DECISION.c.kind, DECISION.c.outcome, DECISION.c.by, DECISION.c.reason, DECISION.c.at).where(DECISION.c.id.in_(decisions))
        )
    }  # fmt: skip
    found = {}
    for kind, name, commit, revision, counted in rows:
        number, word = divmod(counted, 4)
        stands = STANDINGS[word]
        if number:
            each = said[number]
            stood = Stands(revision, stands, number, each.kind, each.outcome, each.by, each.reason, each.at)
        else:
            stood = Stands(revision, stands)
        found[kind, name, commit] = stood
    return found
