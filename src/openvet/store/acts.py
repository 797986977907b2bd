"""What people did with people, tokens, projects and the server itself: written in the transaction in which it is done, and never changed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import insert, or_, select

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import ACT, PERSON

__all__ = ["ACTS", "Act", "add_act", "list_acts"]

#: What is done, and how it is said to people.
ACTS: Final = {
    "person.added": "added",
    "person.disabled": "let in no more",
    "person.enabled": "let in again",
    "person.connected": "connected with the provider",
    "person.parted": "not connected with the provider any more",
    "invitation.made": "sent a link to choose a password",
    "password.chosen": "chose a password",
    "role.given": "given a role",
    "role.taken": "lost a role",
    "token.made": "token made",
    "token.revoked": "token revoked",
    "project.added": "project added",
    "admin.recovered": "way back in printed",
    "backup.made": "backup made",
    "server.restored": "restored from a backup",
    "store.pruned": "stored files removed",
}


@dataclass(frozen=True, slots=True)
class Act:
    """One of them.

    Attributes:
        id: its number; later ones have higher ones.
        at: when, in milliseconds UTC.
        by: the name of who did it, or words for who is no person, such as ``group ml-approvers``.
        what: a key of :data:`ACTS`.
        person: the name of whom it was done to, '' for nobody.
        project: where, '' where that makes no difference.
        details: what else there is to say, as a line.
    """

    id: int
    at: int
    by: str
    what: str
    person: str
    project: str
    details: str


def add_act(
    connection: Connection,
    by: str,
    what: str,
    now: int,
    *,
    person: int | None = None,
    project: str | None = None,
    details: str = "",
) -> None:
    """Write down what is done in this transaction.

    Args:
        by: the name of a person, or words with a space in them.
        what: a key of :data:`ACTS`.
        person: on whom.
    """
    values = {"at": now, "by": by, "what": what, "person": person, "project": project, "details": details}
    connection.execute(insert(ACT).values(**values))


def list_acts(
    connection: Connection,
    *,
    about: str = "",
    what: str = "",
    before: int | None = None,
    limit: int = 100,
) -> tuple[Act, ...]:
    """The latest first.

    Args:
        about: the name of somebody who did it or to whom it was done.
        what: a key of :data:`ACTS`.
        before: only those with lower numbers.
    """
    columns = (ACT.c.id, ACT.c.at, ACT.c.by, ACT.c.what, PERSON.c.name, ACT.c.project, ACT.c.details)
    which = select(*columns).select_from(ACT.outerjoin(PERSON, ACT.c.person == PERSON.c.id))
    if about:
        which = which.where(or_(ACT.c.by == about, PERSON.c.name == about))
    if what:
        which = which.where(ACT.c.what == what)
    if before is not None:
        which = which.where(ACT.c.id < before)
    rows = connection.execute(which.order_by(ACT.c.id.desc()).limit(limit))
    return tuple(Act(a, at, by, done, name or "", project or "", said) for a, at, by, done, name, project, said in rows)
