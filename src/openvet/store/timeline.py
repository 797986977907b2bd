"""What happened to a revision, from every table that knows something of it; the order of time is made above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import DECISION, JOB, PERSON, PULL, REF, REQUEST, REVISION, VETTING, VOICE
from openvet.store.uses import Reach, within

__all__ = ["Asked", "Pulled", "Read", "Said", "asked_of", "published_at", "pulled_of", "read_of", "said_of", "seen_as"]


@dataclass(frozen=True, slots=True)
class Read:
    """A reading: its number, stage, state and verdict, why it does not admit, when it ended (or began, where it did not end), the decision that rests on
    it, and whether it left signed statements.
    """

    id: int
    stage: str
    state: str
    verdict: str
    reason: str
    at: int
    decision: int | None
    signed: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its number, project, who asks (number and name, ``None`` and '' where nobody knows), state, purpose, and when it was added and changed."""

    id: int
    project: str
    person: int | None
    name: str
    state: str
    purpose: str
    until: int | None
    blocks: int
    added: int
    changed: int


@dataclass(frozen=True, slots=True)
class Said:
    """A voice about a request; the fields as of :class:`openvet.store.requests.Voice`."""

    id: int
    request: int
    name: str
    says: str
    text: str
    conditions: str
    until: int | None
    at: int


@dataclass(frozen=True, slots=True)
class Pulled:
    """The first and the last pull of somebody, '' where nobody knows who: their numbers and times, and how many files there were of it."""

    person: str
    first: int
    last: int
    first_at: int
    last_at: int
    files: int


def seen_as(connection: Connection, revision: int) -> tuple[int, list[tuple[str, int]]]:
    """When a revision was listed first, and as which branches and tags it was seen, each with when first."""
    listed = connection.execute(select(REVISION.c.listed_at).where(REVISION.c.id == revision)).scalar_one()
    repository = select(REVISION.c.repository).where(REVISION.c.id == revision).scalar_subquery()
    which: Select[Any] = select(REF.c.name, REF.c.first_seen).where(
        REF.c.repository == repository, REF.c.revision == revision
    )
    return int(listed), [(row[0], row[1]) for row in connection.execute(which.order_by(REF.c.first_seen, REF.c.name))]


def read_of(connection: Connection, revision: int) -> list[Read]:
    """The readings of a revision, the earliest first."""
    decision = select(func.max(DECISION.c.id)).where(
        DECISION.c.vetting == VETTING.c.id, DECISION.c.revision == revision
    )
    which: Select[Any] = select(
        VETTING.c.id, VETTING.c.stage, VETTING.c.state, VETTING.c.verdict, VETTING.c.reason,
        func.coalesce(VETTING.c.finished, VETTING.c.started), decision.scalar_subquery(), VETTING.c.lines.is_not(None),
    )  # fmt: skip
    rows = connection.execute(which.where(VETTING.c.revision == revision).order_by(VETTING.c.id))
    return [Read(row[0], row[1], row[2], row[3], row[4], row[5], row[6], bool(row[7])) for row in rows]


def asked_of(connection: Connection, revision: int) -> list[Asked]:
    """The requests for a revision, the earliest first."""
    which: Select[Any] = (
        select(
            REQUEST.c.id, REQUEST.c.project, REQUEST.c.person, func.coalesce(PERSON.c.name, ""), REQUEST.c.state, REQUEST.c.purpose,
            REQUEST.c.until, REQUEST.c.blocks, REQUEST.c.added, REQUEST.c.changed,
        )
        .outerjoin(PERSON, PERSON.c.id == REQUEST.c.person)
        .where(REQUEST.c.revision == revision)
    )  # fmt: skip
    return [Asked(*row) for row in connection.execute(which.order_by(REQUEST.c.id))]


def said_of(connection: Connection, requests: Sequence[int]) -> list[Said]:
    """What was said about requests, the earliest first."""
    found: list[Said] = []
    which: Select[Any] = select(
        VOICE.c.id, VOICE.c.request, PERSON.c.name, VOICE.c.says, VOICE.c.text, VOICE.c.conditions, VOICE.c.until, VOICE.c.at
    ).join(PERSON, PERSON.c.id == VOICE.c.person)  # fmt: skip
    for start in range(0, len(requests), 500):
        part = which.where(VOICE.c.request.in_(requests[start : start + 500]))
        found += [Said(*row) for row in connection.execute(part)]
    return sorted(found, key=lambda each: each.id)


def pulled_of(connection: Connection, revision: int, reach: Reach | None) -> list[Pulled]:
    """Who pulled a revision; of pulls within ``reach``, or of all."""
    which: Any = (
        select(
            func.coalesce(PERSON.c.name, ""), func.min(PULL.c.id), func.max(PULL.c.id), func.min(PULL.c.at), func.max(PULL.c.at), func.count(),
        )
        .outerjoin(PERSON, PERSON.c.id == PULL.c.person)
        .where(PULL.c.revision == revision)
        .group_by(PULL.c.person, PERSON.c.name)
    )  # fmt: skip
    return [Pulled(*row) for row in connection.execute(within(which, reach))]


def published_at(connection: Connection, key: str) -> list[tuple[int, int]]:
    """The jobs of a key that were done: number and time, the earliest first."""
    which: Select[Any] = select(JOB.c.id, JOB.c.finished).where(
        JOB.c.key == key, JOB.c.state == "done", JOB.c.finished.is_not(None)
    )
    return [(row[0], row[1]) for row in connection.execute(which.order_by(JOB.c.id))]
