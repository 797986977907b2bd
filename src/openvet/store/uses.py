"""Who had what, for which project, and with which clients: lists of pulls, the latest first, in pages.

A pull is for the project of the token that it came with. Those of before that was kept, which is NULL in the table, are told as such, and counted for none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Select, and_, cast, func, or_, select

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import HELD_ROLE, PERSON, PROJECT, PULL, REPOSITORY, REVISION

__all__ = [
    "ProjectUse",
    "Reach",
    "Use",
    "agents_since",
    "list_uses",
    "people_of",
    "pulls_by_day",
    "users_of",
    "uses_by_project",
    "within",
]  # fmt: skip

_DAY: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose pulls are meant: those of these people, and those for these projects."""

    people: frozenset[int]
    projects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Use:
    """What one person had of one revision for one project.

    Attributes:
        last: the number of the latest pull.
        person: who, '' where nobody knows.
        project: for which, ``None`` where nobody knows, '' where whoever asks may not see it.
        files, bytes: how many, and how much was sent.
        first_at, last_at: when.
        agent: the client of the latest one.
    """

    last: int
    revision: int
    repository: str
    name: str
    commit: str
    person: str
    project: str | None
    files: int
    bytes: int
    first_at: int
    last_at: int
    agent: str


@dataclass(frozen=True, slots=True)
class ProjectUse:
    """What was pulled for a project and those below it.

    Attributes:
        project: which; ``None`` is what was pulled before projects were kept.
        models: how many repositories.
        people: how many; who is not known is not counted.
        files, bytes: how many, and how much was sent.
        last_at: when last.
    """

    project: str | None
    models: int
    people: int
    files: int
    bytes: int
    last_at: int


def people_of(connection: Connection, projects: Sequence[str]) -> frozenset[int]:
    """The numbers of those who have a role in one of these projects."""
    which = select(HELD_ROLE.c.person).where(HELD_ROLE.c.project.in_(list(projects))).distinct()
    return frozenset(connection.execute(which).scalars())


def within(which: Select[Any], reach: Reach | None) -> Select[Any]:
    """Only the pulls in reach; ``None`` is all, those of whom nobody knows among them."""
    if reach is None:
        return which
    return which.where(or_(PULL.c.person.in_(list(reach.people)), PULL.c.project.in_(list(reach.projects))))


def _chosen(
    which: Select[Any],
    reach: Reach | None,
    search: str,
    person: str,
    agent: str,
    project: str,
    since: int | None,
) -> Select[Any]:
    """The pulls that are asked for (as :func:`list_uses`)."""
    which = within(which, reach)
    if agent:
        which = which.where(PULL.c.agent.icontains(agent, autoescape=True))
    if since is not None:
        which = which.where(PULL.c.at >= since)
    if search:
        named = select(REVISION.c.id).join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
        which = which.where(PULL.c.revision.in_(named.where(REPOSITORY.c.name.icontains(search, autoescape=True))))
    if person:
        which = which.where(PULL.c.person.in_(select(PERSON.c.id).where(PERSON.c.name == person)))
    return _for_project(which, project)


def _for_project(which: Select[Any], project: str) -> Select[Any]:
    """Only what was pulled for a project, or for one below it; '' is all, of which it is not known, too."""
    if not project:
        return which
    if project == "/":
        return which.where(PULL.c.project.is_not(None))
    return which.where(or_(PULL.c.project == project, PULL.c.project.startswith(f"{project}/", autoescape=True)))


def list_uses(
    connection: Connection,
    *,
    reach: Reach | None = None,
    revision: int | None = None,
    search: str = "",
    person: str = "",
    agent: str = "",
    project: str = "",
    since: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> tuple[Use, ...]:
    """Who had what, one line for each person, revision and project, whoever pulled last first.

    Args:
        reach: only these pulls; ``None`` means all.
        revision: only of it.
        search: part of the name of a model, in any case of letters.
        person: the name of somebody.
        agent: part of what the client said it is, such as ``torch/2.5``.
        project: only for it, and for those below it.
        since: not before, in milliseconds UTC.
        before: only where the latest pull has a lower number.
    """
    which: Select[Any] = select(
        func.max(PULL.c.id).label("last"), PULL.c.revision, PULL.c.person, PULL.c.project, func.count().label("files"),
        cast(func.sum(PULL.c.bytes), BigInteger).label("bytes"), func.min(PULL.c.at).label("first_at"), func.max(PULL.c.at).label("last_at"),
    ).group_by(PULL.c.revision, PULL.c.person, PULL.c.project)  # fmt: skip
    which = _chosen(which, reach, search, person, agent, project, since)
    if revision is not None:
        which = which.where(PULL.c.revision == revision)
    if before is not None:
        which = which.having(func.max(PULL.c.id) < before)
    used = which.order_by(func.max(PULL.c.id).desc()).limit(limit).subquery()
    latest = PULL.alias()
    rows = connection.execute(
        select(
            used.c.last, used.c.revision, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id, func.coalesce(PERSON.c.name, ""),
            used.c.project, used.c.files, used.c.bytes, used.c.first_at, used.c.last_at, latest.c.agent,
        )
        .select_from(used)
        .join(latest, latest.c.id == used.c.last)
        .join(REVISION, REVISION.c.id == used.c.revision)
        .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
        .outerjoin(PERSON, PERSON.c.id == used.c.person)
        .order_by(used.c.last.desc())
    )  # fmt: skip
    return tuple(Use(*tuple(row)) for row in rows)


def uses_by_project(
    connection: Connection,
    projects: Sequence[str],
    *,
    reach: Reach | None = None,
    search: str = "",
    person: str = "",
    agent: str = "",
    project: str = "",
    since: int | None = None,
) -> tuple[ProjectUse, ...]:
    """How much was pulled for each of ``projects`` and those below it, in order of their paths; last, of which it is not known. Else as :func:`list_uses`."""
    parts: Select[Any] = (
        select(
            PULL.c.project, PULL.c.person, REVISION.c.repository, func.count().label("files"), func.sum(PULL.c.bytes).label("bytes"),
            func.max(PULL.c.at).label("last"),
        )
        .join(REVISION, REVISION.c.id == PULL.c.revision)
        .group_by(PULL.c.project, PULL.c.person, REVISION.c.repository)
    )  # fmt: skip
    used = _chosen(parts, reach, search, person, agent, project, since).subquery()
    path = PROJECT.c.path
    below = or_(path == "/", used.c.project == path, used.c.project.like(path + "/%"))  # no path has % or _ in it
    figures = (
        func.count(used.c.repository.distinct()), func.count(used.c.person.distinct()), cast(func.sum(used.c.files), BigInteger),
        cast(func.sum(used.c.bytes), BigInteger), func.max(used.c.last),
    )  # fmt: skip
    known = (
        select(path, *figures)
        .join_from(PROJECT, used, and_(used.c.project.is_not(None), below))
        .where(path.in_(list(projects)))
        .group_by(path)
    )
    found = sorted((ProjectUse(*row) for row in connection.execute(known)), key=lambda each: each.project or "")
    row = connection.execute(select(*figures).where(used.c.project.is_(None))).one()
    return (*found, *([ProjectUse(None, *row)] if row[0] else []))


def users_of(connection: Connection, revisions: Sequence[int], reach: Reach | None = None) -> dict[int, int]:
    """How many people had each of these revisions, at most a thousand; who is not known is not counted."""
    which: Select[Any] = select(PULL.c.revision, func.count(PULL.c.person.distinct()))
    which = within(which.where(PULL.c.revision.in_(list(revisions))), reach).group_by(PULL.c.revision)
    return {row[0]: int(row[1]) for row in connection.execute(which)}


def agents_since(
    connection: Connection, since: int, reach: Reach | None = None, project: str = ""
) -> Iterator[tuple[str, int | None, int, int]]:
    """What clients said they are since a moment: the words, by whom, how many files, and when last; ``project`` as of :func:`list_uses`."""
    which: Select[Any] = select(PULL.c.agent, PULL.c.person, func.count(), func.max(PULL.c.at))
    which = _for_project(within(which.where(PULL.c.at >= since), reach), project).group_by(PULL.c.agent, PULL.c.person)
    for row in connection.execute(which.order_by(PULL.c.agent)):
        yield row[0], row[1], row[2], row[3]


def pulls_by_day(connection: Connection, since: int, reach: Reach | None = None) -> dict[int, int]:
    """How many files were pulled on each day since a moment; days by the millisecond at which they begin (UTC)."""
    days = within(select((PULL.c.at - PULL.c.at % _DAY).label("day")).where(PULL.c.at >= since), reach).subquery()
    which = select(days.c.day, func.count()).group_by(days.c.day).order_by(days.c.day)
    return {int(row[0]): int(row[1]) for row in connection.execute(which)}
