"""What was decided of a commit, by policy or by people. A row is there before anybody is told; it is never changed but for having been published."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, insert, select, update

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import DECISION, VETTING

__all__ = [
    "DecisionRow",
    "add_decision",
    "decision_line",
    "decisions_of",
    "lines_to_publish",
    "mark_published",
    "unpublished_revisions",
]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision.

    Attributes:
        scope: which files it is about.
        project: where it holds, and below; ``/`` is everywhere.
        kind: ``policy``, ``approval`` or ``revocation``.
        outcome: ``admit``, ``review``, ``reject`` or ``upstream`` (the upstream gave other bytes than it lists).
        reason: one line for people.
        by: who decided.
        at, until: when, and until when it holds (milliseconds UTC; ``None`` is for ever).
        conditions: what was asked for in return.
        vetting: the reading that it rests on.
    """

    id: int
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


_COLUMNS: Final = (
    DECISION.c.id, DECISION.c.scope, DECISION.c.project, DECISION.c.kind, DECISION.c.outcome, DECISION.c.reason, DECISION.c.by, DECISION.c.at, DECISION.c.until,
    DECISION.c.conditions, DECISION.c.vetting,
)  # fmt: skip

#: Made once: it is asked for each file that somebody gets.
_OF_REVISION: Final = select(*_COLUMNS).where(DECISION.c.revision == bindparam("which")).order_by(DECISION.c.id.desc())


def add_decision(
    connection: Connection,
    revision: int,
    scope: str,
    kind: str,
    outcome: str,
    reason: str,
    by: str,
    at: int,
    line: bytes,
    *,
    project: str = "/",
    until: int | None = None,
    conditions: str = "",
    vetting: int | None = None,
) -> int:
    """Write a decision down; its number. ``line`` is the signed statement of it."""
    new = insert(DECISION).values(
        revision=revision, scope=scope, project=project, kind=kind, outcome=outcome, reason=reason, by=by, at=at, until=until, conditions=conditions,
        vetting=vetting, line=line, published=False,
    )  # fmt: skip
    return int(connection.execute(new.returning(DECISION.c.id)).scalar_one())


def decisions_of(connection: Connection, revision: int) -> list[DecisionRow]:
    """All decisions about a commit, the latest first."""
    rows = connection.execute(_OF_REVISION, {"which": revision})
    return [DecisionRow(**each._mapping) for each in rows]


def decision_line(connection: Connection, decision: int) -> bytes:
    """The signed statement of a decision, which has to be one."""
    line: bytes = connection.execute(select(DECISION.c.line).where(DECISION.c.id == decision)).scalar_one()
    return line


def unpublished_revisions(connection: Connection) -> list[int]:
    """The commits of which a decision is not in its dossier and the log yet."""
    return list(connection.execute(select(DECISION.c.revision).where(~DECISION.c.published).distinct()).scalars())


def lines_to_publish(connection: Connection, revision: int) -> list[tuple[int, bytes, bytes | None]]:
    """Decisions about a commit that were not published, in their order: number, statement, and the deflated statements that they rest on."""
    which = (
        select(DECISION.c.id, DECISION.c.line, VETTING.c.lines)
        .select_from(DECISION.outerjoin(VETTING, DECISION.c.vetting == VETTING.c.id))
        .where(DECISION.c.revision == revision, ~DECISION.c.published)
        .order_by(DECISION.c.id)
    )
    return [(each[0], each[1], each[2]) for each in connection.execute(which)]


def mark_published(connection: Connection, decisions: list[int]) -> None:
    """Remember that these are in their dossier and in the log."""
    connection.execute(update(DECISION).where(DECISION.c.id.in_(decisions)).values(published=True))
