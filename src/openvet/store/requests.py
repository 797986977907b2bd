"""Who wants to have what, and what others say about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Select, and_, insert, or_, select, update

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import DECISION, PERSON, REPOSITORY, REQUEST, REVISION, VOICE

__all__ = ["STATES", "Request", "Voice", "add_request", "change_request", "count_block", "find_request", "hold_request", "list_requests", "say", "voices_of"]  # fmt: skip

#: ``blocked``: a pull was stopped, and nobody said yet what it was for. The first two are open.
STATES: Final = ("blocked", "asked", "approved", "declined", "withdrawn")


@dataclass(frozen=True, slots=True)
class Request:
    """A request, with the names of what it points at.

    Attributes:
        id: its number.
        revision: the number of the commit.
        kind, name, commit: of what it is a commit.
        project: for which it is asked.
        person, asker: who asks, by number and name; ``None`` and '' where nobody knows.
        state: one of :data:`STATES`.
        purpose, environment: what for, and where.
        agent: the client that was stopped, '' where none was.
        blocks: how often one was.
        until: until when it is wanted.
        added, changed: when; all times in milliseconds UTC.
        decision: the number of the decision that it led to.
    """

    id: int
    revision: int
    kind: str
    name: str
    commit: str
    project: str
    person: int | None
    asker: str
    state: str
    purpose: str
    environment: str
    agent: str
    blocks: int
    until: int | None
    added: int
    changed: int
    decision: int | None


@dataclass(frozen=True, slots=True)
class Voice:
    """What somebody said: ``approve``, ``decline``, ``for``, ``against`` (recommendations), or ``comment``."""

    id: int
    person: int
    name: str
    says: str
    text: str
    conditions: str
    until: int | None
    at: int


_REQUEST: Final = (
    select(
        REQUEST.c.id, REQUEST.c.revision, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id.label("commit"), REQUEST.c.project,
        REQUEST.c.person, PERSON.c.name.label("asker"), REQUEST.c.state, REQUEST.c.purpose, REQUEST.c.environment, REQUEST.c.agent,
        REQUEST.c.blocks, REQUEST.c.until, REQUEST.c.added, REQUEST.c.changed, REQUEST.c.decision,
    )
    .select_from(REQUEST)
    .join(REVISION, REVISION.c.id == REQUEST.c.revision)
    .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
    .outerjoin(PERSON, PERSON.c.id == REQUEST.c.person)
)  # fmt: skip


def _made(row: Any) -> Request:
    return Request(**{**row, "asker": row["asker"] or ""})


def add_request(
    connection: Connection,
    revision: int,
    project: str,
    person: int | None,
    state: str,
    now: int,
    *,
    purpose: str = "",
    environment: str = "",
    agent: str = "",
    until: int | None = None,
) -> int:
    """Write a request down; its number."""
    values = {
        "revision": revision,
        "project": project,
        "person": person,
        "state": state,
        "purpose": purpose,
        "environment": environment,
    }
    more = {"agent": agent, "blocks": int(state == "blocked"), "until": until, "added": now, "changed": now}
    return int(connection.execute(insert(REQUEST).values(**values, **more).returning(REQUEST.c.id)).scalar_one())


def count_block(
    connection: Connection, revision: int, project: str, person: int | None, agent: str, now: int
) -> tuple[int, bool]:
    """Remember that a pull was stopped: in the open request of this person for this commit and project, or in a new one; its number, and whether
    it is new.
    """
    connection.execute(
        select(REVISION.c.id).where(REVISION.c.id == revision).with_for_update()
    )  # one at a time, or there would be two
    same = REQUEST.c.person.is_(None) if person is None else REQUEST.c.person == person
    which = and_(
        REQUEST.c.revision == revision, REQUEST.c.project == project, same, REQUEST.c.state.in_(("blocked", "asked"))
    )
    found = connection.execute(select(REQUEST.c.id).where(which).order_by(REQUEST.c.id).limit(1)).scalar()
    if found is None:
        return add_request(connection, revision, project, person, "blocked", now, agent=agent), True
    values = {"blocks": REQUEST.c.blocks + 1, "agent": agent, "changed": now}
    connection.execute(update(REQUEST).where(REQUEST.c.id == found).values(**values))
    return int(found), False


def hold_request(connection: Connection, number: int) -> None:
    """Let nobody else decide this request until the transaction ends (SQLite has one that writes at a time anyway)."""
    connection.execute(select(REQUEST.c.id).where(REQUEST.c.id == number).with_for_update())


def find_request(connection: Connection, number: int) -> Request | None:
    """A request by its number."""
    row = connection.execute(_REQUEST.where(REQUEST.c.id == number)).mappings().first()
    return None if row is None else _made(row)


def list_requests(
    connection: Connection,
    *,
    states: Collection[str] = (),
    projects: Sequence[str] | None = None,
    person: int | None = None,
    search: str = "",
    ending: tuple[int, int] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> tuple[Request, ...]:
    """Requests, the newest first.

    Args:
        states: only these; none means all.
        projects: only of these and of what lies below them; ``None`` means of all. With ``person``, also what that person asked for elsewhere.
        person: only of this one, where ``projects`` is ``None``.
        search: part of a repository's name, in any case of letters.
        ending: only those whose approval holds at the first of these moments, ends by the second, and was neither renewed nor revoked.
        before: only those with a lower number.
    """
    which: Select[Any] = _REQUEST
    if states:
        which = which.where(REQUEST.c.state.in_(list(states)))
    if projects is not None:
        held = [REQUEST.c.project == each for each in projects]
        held += [REQUEST.c.project.startswith("/" if each == "/" else f"{each}/", autoescape=True) for each in projects]
        if person is not None:
            held.append(REQUEST.c.person == person)
        which = which.where(or_(*held))
    elif person is not None:
        which = which.where(REQUEST.c.person == person)
    if search:
        which = which.where(REPOSITORY.c.name.icontains(search, autoescape=True))
    if ending is not None:
        later = DECISION.alias()
        decided_since = (
            select(later.c.id)
            .where(
                later.c.revision == REQUEST.c.revision, later.c.project == REQUEST.c.project, later.c.kind != "policy", later.c.id > DECISION.c.id
            )
            .exists()
        )  # fmt: skip
        which = which.join(DECISION, DECISION.c.id == REQUEST.c.decision).where(
            REQUEST.c.state == "approved", DECISION.c.until > ending[0], DECISION.c.until <= ending[1], ~decided_since
        )
    if before is not None:
        which = which.where(REQUEST.c.id < before)
    rows = connection.execute(which.order_by(REQUEST.c.id.desc()).limit(limit)).mappings()
    return tuple(map(_made, rows))


def change_request(
    connection: Connection,
    number: int,
    now: int,
    *,
    state: str | None = None,
    purpose: str | None = None,
    environment: str | None = None,
    until: int | None = None,
    decision: int | None = None,
    only: Collection[str] = STATES,
) -> bool:
    """Change what is given, where the request is in one of the states ``only``; whether it was."""
    given = {"state": state, "purpose": purpose, "environment": environment, "until": until, "decision": decision}
    values = {name: value for name, value in given.items() if value is not None}
    which = and_(REQUEST.c.id == number, REQUEST.c.state.in_(list(only)))
    return connection.execute(update(REQUEST).where(which).values(**values, changed=now)).rowcount == 1


def say(
    connection: Connection,
    number: int,
    person: int,
    says: str,
    text: str,
    now: int,
    *,
    conditions: str = "",
    until: int | None = None,
) -> int:
    """Write down what somebody says about a request; its number."""
    values = {
        "request": number,
        "person": person,
        "says": says,
        "text": text,
        "conditions": conditions,
        "until": until,
        "at": now,
    }
    return int(connection.execute(insert(VOICE).values(**values).returning(VOICE.c.id)).scalar_one())


def voices_of(connection: Connection, number: int) -> tuple[Voice, ...]:
    """All that was said about a request, in order."""
    which = (
        select(
            VOICE.c.id,
            VOICE.c.person,
            PERSON.c.name,
            VOICE.c.says,
            VOICE.c.text,
            VOICE.c.conditions,
            VOICE.c.until,
            VOICE.c.at,
        )
        .join(PERSON, PERSON.c.id == VOICE.c.person)
        .where(VOICE.c.request == number)
        .order_by(VOICE.c.id)
    )
    return tuple(Voice(*row) for row in connection.execute(which))
