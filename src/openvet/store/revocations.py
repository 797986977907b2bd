"""What is revoked: every commit that people took back and nobody approved since, for a list that is carried to where nobody can ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import func, select

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.pulls import set_value
from openvet.store.tables import DECISION, META, REPOSITORY, REVISION

__all__ = ["KeptList", "RevokedRow", "keep_list", "kept_list", "last_by_people", "list_revoked", "lists_to_publish"]

_NAME: Final = "revocations:"


@dataclass(frozen=True, slots=True)
class RevokedRow:
    """A commit that is revoked, and the revocation that says so.

    Attributes:
        kind, name, commit: which.
        project, by, at, reason: of the revocation; milliseconds UTC.
        line: its signed statement.
        since: when the approvals end that came later, ``None`` where none is in force: it counts from then on.
    """

    kind: str
    name: str
    commit: str
    project: str
    by: str
    at: int
    reason: str
    line: bytes
    since: int | None = None


def list_revoked(connection: Connection, projects: Sequence[str], now: int, until: int) -> list[RevokedRow]:
    """The commits that are revoked now, or will be before ``until`` if nobody decides anything more, in order of kind, name and commit.

    That is how they stand by :func:`openvet.gate.standing.standing`: what people decided last and has not ended counts.

    Args:
        projects: a project and those above it: what was decided for them counts.
        now, until: milliseconds UTC.
    """
    here = DECISION.c.project.in_(list(projects))
    revoked = select(DECISION.c.revision).where(DECISION.c.kind == "revocation", here)
    rows = connection.execute(
        select(DECISION.c.id, DECISION.c.revision, DECISION.c.kind, DECISION.c.until)
        .where(DECISION.c.revision.in_(revoked), DECISION.c.kind != "policy", here)
        .order_by(DECISION.c.revision, DECISION.c.id.desc())
    )
    found: dict[int, int | None] = {}  # the revocation that counts, by its number, and from when on
    current = settled = 0
    free = now  # until when approvals hold that came later
    for number, revision, kind, end in rows:
        if revision == settled:
            continue
        if revision != current:
            current, free = revision, now
        if kind == "revocation":
            found[number] = free if free > now else None
            settled = revision
        elif end is None or end >= until:  # approved for longer than the list is good for
            settled = revision
        else:
            free = max(free, end)
    return _rows(connection, found)


def last_by_people(connection: Connection, projects: Sequence[str]) -> int:
    """The number of the latest decision of people for these projects, 0 where there is none."""
    which = select(func.max(DECISION.c.id)).where(DECISION.c.kind != "policy", DECISION.c.project.in_(list(projects)))
    return int(connection.execute(which).scalar() or 0)


def _rows(connection: Connection, since: dict[int, int | None]) -> list[RevokedRow]:
    which = (
        select(
            DECISION.c.id, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id, DECISION.c.project, DECISION.c.by, DECISION.c.at,
            DECISION.c.reason, DECISION.c.line,
        )
        .join(REVISION, REVISION.c.id == DECISION.c.revision)
        .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
    )  # fmt: skip
    numbers = list(since)
    out = []
    for start in range(0, len(numbers), 500):
        part = connection.execute(which.where(DECISION.c.id.in_(numbers[start : start + 500])))
        out += [RevokedRow(*each[1:9], since[each[0]]) for each in part]
    return sorted(out, key=lambda each: (each.kind, each.name, each.commit))


@dataclass(frozen=True, slots=True)
class KeptList:
    """The last list that was made for a project.

    Attributes:
        number: of it; 0 where there is none.
        at, until: when it was made, and how long it may be relied on, in milliseconds UTC.
        count: commits on it.
        decision: the number of the latest decision of people that it holds.
        line: the signed statement.
        waiting: what is to be put into the log, SHA-256 of signed statements: of it, and of earlier ones that are not there yet.
    """

    number: int = 0
    at: int = 0
    until: int = 0
    count: int = 0
    decision: int = 0
    line: str = ""
    waiting: tuple[str, ...] = ()


def kept_list(connection: Connection, project: str, *, hold: bool = False) -> KeptList:
    """The last list of a project.

    Args:
        hold: whether nobody else may change it until this transaction ends.
    """
    which = select(META.c.value).where(META.c.name == _NAME + project)
    text = connection.execute(which.with_for_update() if hold else which).scalar()
    if text is None:
        return KeptList()
    said = json.loads(text)
    return KeptList(**{**said, "waiting": tuple(said["waiting"])})


def keep_list(connection: Connection, project: str, kept: KeptList) -> None:
    """Keep a list in place of the one before."""
    set_value(connection, _NAME + project, json.dumps(asdict(kept), ensure_ascii=False))


def lists_to_publish(connection: Connection) -> list[str]:
    """The projects of which a list is not in the log yet."""
    names = connection.execute(select(META.c.name).where(META.c.name.startswith(_NAME, autoescape=True))).scalars()
    projects = [each.removeprefix(_NAME) for each in names]
    return [each for each in projects if kept_list(connection, each).waiting]
