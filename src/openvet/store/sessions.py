"""Who is logged in with a browser, who is invited to choose a password, and which logins failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.people import Person, find_person
from openvet.store.tables import ATTEMPT, INVITATION, SESSION

__all__ = ["Session", "add_invitation", "add_session", "blocked_until", "count_failure", "end_invitation", "end_session", "end_sessions", "find_invitation", "find_session", "forget_failures", "sweep", "touch_session"]  # fmt: skip

#: A session's last use is written at most this often.
_SEEN: Final = 60_000


@dataclass(frozen=True, slots=True)
class Session:
    """A session that counts: whose it is, and what its forms have to send along."""

    person: Person
    form: str


def add_session(connection: Connection, person: int, digest: str, form: str, now: int, expires: int) -> None:
    """Keep a new session by the digest of its secret."""
    values = {"digest": digest, "person": person, "form": form, "added": now, "seen": now, "expires": expires}
    connection.execute(insert(SESSION).values(**values))


def find_session(connection: Connection, digest: str, now: int, idle: int) -> tuple[Session, bool] | None:
    """The session of a secret, where it counts: not expired, used within ``idle`` milliseconds, of somebody who is not disabled; and whether its
    use should be written down (:func:`touch_session`).
    """
    which = select(SESSION.c.person, SESSION.c.form, SESSION.c.seen).where(
        SESSION.c.digest == digest, SESSION.c.expires > now, SESSION.c.seen > now - idle
    )
    row = connection.execute(which).first()
    person = None if row is None else find_person(connection, id=row.person)
    if row is None or person is None or person.disabled is not None:
        return None
    return Session(person, row.form), now - row.seen >= _SEEN


def touch_session(connection: Connection, digest: str, now: int) -> None:
    """Remember that a session was used."""
    connection.execute(update(SESSION).where(SESSION.c.digest == digest).values(seen=now))


def end_session(connection: Connection, digest: str) -> None:
    """End one session."""
    connection.execute(delete(SESSION).where(SESSION.c.digest == digest))


def end_sessions(connection: Connection, person: int) -> None:
    """End all sessions of somebody: after a new password, or when they are disabled."""
    connection.execute(delete(SESSION).where(SESSION.c.person == person))


def end_sessions_without(connection: Connection, mark: str) -> None:
    """End all sessions but those whose forms send along what begins with ``mark``."""
    connection.execute(delete(SESSION).where(~SESSION.c.form.startswith(mark, autoescape=True)))


def add_invitation(connection: Connection, person: int, digest: str, now: int, expires: int) -> None:
    """Invite somebody to choose a password; what was sent before counts no more."""
    connection.execute(delete(INVITATION).where(INVITATION.c.person == person))
    connection.execute(insert(INVITATION).values(digest=digest, person=person, added=now, expires=expires))


def find_invitation(connection: Connection, digest: str, now: int) -> Person | None:
    """Who is invited by a link that counts."""
    which = select(INVITATION.c.person).where(INVITATION.c.digest == digest, INVITATION.c.expires > now)
    row = connection.execute(which).first()
    person = None if row is None else find_person(connection, id=row.person)
    return None if person is None or person.disabled is not None else person


def end_invitation(connection: Connection, digest: str) -> bool:
    """Use up a link; whether it was there."""
    return connection.execute(delete(INVITATION).where(INVITATION.c.digest == digest)).rowcount == 1


def sweep(connection: Connection, now: int) -> None:
    """Forget sessions and invitations that are over, and failures that count no more."""
    connection.execute(delete(SESSION).where(SESSION.c.expires <= now))
    connection.execute(delete(INVITATION).where(INVITATION.c.expires <= now))
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.until <= now, ATTEMPT.c.last <= now - 24 * 3_600_000))


def blocked_until(connection: Connection, keys: Sequence[str], now: int) -> int | None:
    """Until when nobody is let in under one of these keys; ``None`` where somebody may try."""
    which = select(ATTEMPT.c.until).where(ATTEMPT.c.key.in_(list(keys)), ATTEMPT.c.until > now)
    found = [row.until for row in connection.execute(which)]
    return max(found, default=None)


def count_failure(connection: Connection, key: str, now: int, free: int, forget: int) -> None:
    """Count a failure under a key. After ``free`` of them each one doubles the time for which nobody is let in, from a second up to a quarter of
    an hour; ``forget`` milliseconds after the last one all are forgotten.
    """
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    row = connection.execute(select(ATTEMPT.c.failures, ATTEMPT.c.last).where(ATTEMPT.c.key == key)).first()
    before = 0 if row is None or now - row.last > forget else row.failures
    failures = before + 1
    over = failures - free
    until = now + min(1000 * 2 ** min(over - 1, 20), 900_000) if over > 0 else 0
    values = {"failures": failures, "last": now, "until": until}
    wanted = make(ATTEMPT).values(key=key, **values)
    connection.execute(wanted.on_conflict_do_update(index_elements=[ATTEMPT.c.key], set_=values))


def forget_failures(connection: Connection, key: str) -> None:
    """Somebody logged in."""
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.key == key))
