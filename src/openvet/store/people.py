"""People, service accounts, their tokens, and their roles in projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, Select, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import ConflictError, UsageError
from openvet.store.database import Connection
from openvet.store.tables import HELD_ROLE, PERSON, PROJECT, TOKEN

__all__ = [
    "HeldRole", "Person", "Project", "Token", "add_person", "add_project", "add_token", "by_group", "change_person", "find_password", "find_person", "find_token",
    "give_role", "group_of", "is_stale", "list_people", "list_projects", "list_tokens", "person_of_token", "revoke_token", "roles_in", "roles_of", "set_subject", "take_role", "touch_token",
]  # fmt: skip

#: A token's last use is written at most this often: a pull must not cost a write for each file.
_SEEN: Final = 60_000
#: How ``by`` of a role begins that a group at an identity provider gave; no name of a person holds a space.
_GROUP: Final = "group "


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a service account.

    Attributes:
        id: its number.
        name: by which it logs in.
        title: how people call it.
        service: no person, but a program.
        subject: ``ISSUER SUBJECT`` at an identity provider, or ``None``.
        added, disabled: when, in milliseconds.
    """

    id: int
    name: str
    title: str
    service: bool
    subject: str | None
    added: int
    disabled: int | None

    @property
    def issuer(self) -> str | None:
        """The identity provider at which they log in."""
        return None if self.subject is None else self.subject.partition(" ")[0]

    @property
    def known_as(self) -> str | None:
        """What it calls them for ever."""
        return None if self.subject is None else self.subject.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token.

    Attributes:
        id: its number.
        person: whose it is.
        hint: how it begins.
        title: what its owner calls it.
        project: in which it counts, and below.
        rights: words of :class:`openvet.gate.roles.Right` that it is good for at most.
        added, expires, revoked, last_used: when, in milliseconds; the last within a minute.
    """

    id: int
    person: int
    hint: str
    title: str
    project: str
    rights: tuple[str, ...]
    added: int
    expires: int
    revoked: int | None
    last_used: int | None


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that somebody has: who, in which project and below, given by whom and when."""

    person: int
    project: str
    role: str
    by: str
    added: int


@dataclass(frozen=True, slots=True)
class Project:
    """A project by its path."""

    path: str
    title: str
    added: int


# --- people ---

_PERSON: Final = select(
    PERSON.c.id, PERSON.c.name, PERSON.c.title, PERSON.c.service, PERSON.c.subject, PERSON.c.added, PERSON.c.disabled
)


def add_person(
    connection: Connection,
    name: str,
    title: str,
    now: int,
    *,
    service: bool = False,
    password: str | None = None,
    subject: str | None = None,
) -> Person:
    """Add somebody.

    Args:
        password: as it is kept, never as it is typed.

    Raises:
        ConflictError: somebody has the name, or is that subject.
    """
    values = {"name": name, "title": title, "service": service, "password": password, "subject": subject, "added": now}
    try:
        with connection.begin_nested():
            made = connection.execute(insert(PERSON).values(**values).returning(PERSON.c.id)).scalar_one()
    except IntegrityError:
        raise ConflictError(
            f"there is somebody of the name {printable(name)[:100]}, or of this identity, already"
        ) from None
    return Person(made, name, title, service, subject, now, None)


def find_person(connection: Connection, name: str = "", *, id: int | None = None, subject: str = "") -> Person | None:  # noqa: A002
    """Somebody by name, number or identity, disabled or not."""
    if id is not None:
        which = _PERSON.where(PERSON.c.id == id)
    elif subject:
        which = _PERSON.where(PERSON.c.subject == subject)
    else:
        which = _PERSON.where(PERSON.c.name == name)
    row = connection.execute(which).mappings().first()
    return None if row is None else Person(**row)


def find_password(connection: Connection, name: str) -> tuple[Person, str | None] | None:
    """Somebody who may log in, with what is kept of the password; ``None`` where nobody of that name may."""
    which = _PERSON.add_columns(PERSON.c.password).where(
        PERSON.c.name == name, PERSON.c.disabled.is_(None), PERSON.c.service.is_(False)
    )
    row = connection.execute(which).mappings().first()
    if row is None:
        return None
    values = dict(row)
    kept = values.pop("password")
    return Person(**values), kept


def list_people(connection: Connection, after: str = "", limit: int = 100) -> tuple[Person, ...]:
    """People in order of their names, from the one after ``after``."""
    rows = connection.execute(_PERSON.where(PERSON.c.name > after).order_by(PERSON.c.name).limit(limit)).mappings()
    return tuple(Person(**row) for row in rows)


def change_person(
    connection: Connection,
    person: int,
    *,
    title: str | None = None,
    password: str | None = None,
    disabled: int | None = -1,
) -> None:
    """Change what is given; ``disabled`` is when somebody was, or ``None`` to let them in again."""
    values: dict[str, object] = {}
    if title is not None:
        values["title"] = title
    if password is not None:
        values["password"] = password
    if disabled != -1:
        values["disabled"] = disabled
    if values:
        connection.execute(update(PERSON).where(PERSON.c.id == person).values(**values))


def set_subject(connection: Connection, person: int, subject: str | None) -> None:
    """Say who somebody is at an identity provider, ``None`` for nobody.

    Raises:
        ConflictError: somebody else is that.
    """
    try:
        with connection.begin_nested():
            connection.execute(update(PERSON).where(PERSON.c.id == person).values(subject=subject))
    except IntegrityError:
        raise ConflictError("somebody else here is connected with this subject already") from None


# --- tokens ---

_TOKEN: Final = select(
    TOKEN.c.id, TOKEN.c.person, TOKEN.c.hint, TOKEN.c.title, TOKEN.c.project, TOKEN.c.rights, TOKEN.c.added, TOKEN.c.expires,
    TOKEN.c.revoked, TOKEN.c.last_used,
)  # fmt: skip


def _token(row: RowMapping) -> Token:
    return Token(**{**row, "rights": tuple(row["rights"].split())})


def add_token(
    connection: Connection,
    person: int,
    digest: str,
    hint: str,
    title: str,
    project: str,
    rights: Sequence[str],
    now: int,
    expires: int,
) -> Token:
    """Keep a new token by its digest."""
    values = {"person": person, "hint": hint, "title": title, "project": project, "added": now, "expires": expires}
    made = connection.execute(
        insert(TOKEN).values(**values, digest=digest, rights=" ".join(sorted(rights))).returning(TOKEN.c.id)
    ).scalar_one()
    return Token(made, person, hint, title, project, tuple(sorted(rights)), now, expires, None, None)


def person_of_token(connection: Connection, digest: str, now: int) -> tuple[Person, Token] | None:
    """Whose a token is that counts now: neither revoked nor expired, of somebody who is not disabled."""
    which = _TOKEN.where(
        TOKEN.c.digest == digest, TOKEN.c.revoked.is_(None), TOKEN.c.expires > now, TOKEN.c.person == PERSON.c.id,
        PERSON.c.disabled.is_(None),
    )  # fmt: skip
    row = connection.execute(which).mappings().first()
    if row is None:
        return None
    token = _token(row)
    person = find_person(connection, id=token.person)
    return None if person is None else (person, token)


def touch_token(connection: Connection, token: Token, now: int) -> None:
    """Remember that a token was used; see :func:`is_stale`."""
    connection.execute(update(TOKEN).where(TOKEN.c.id == token.id).values(last_used=now))


def is_stale(token: Token, now: int) -> bool:
    """Whether what is known of a token's last use is older than a minute."""
    return token.last_used is None or now - token.last_used >= _SEEN


def list_tokens(
    connection: Connection, person: int | None = None, after: int = 0, limit: int = 100
) -> tuple[Token, ...]:
    """Tokens of somebody, or of everybody, in the order in which they were made, from the one after ``after``."""
    which: Select[tuple[object, ...]] = _TOKEN.where(TOKEN.c.id > after).order_by(TOKEN.c.id).limit(limit)
    if person is not None:
        which = which.where(TOKEN.c.person == person)
    return tuple(map(_token, connection.execute(which).mappings()))


def find_token(connection: Connection, token: int) -> Token | None:
    """A token by its number, whether it counts or not."""
    row = connection.execute(_TOKEN.where(TOKEN.c.id == token)).mappings().first()
    return None if row is None else _token(row)


def revoke_token(connection: Connection, token: int, now: int) -> bool:
    """End a token; whether there was one that was not ended."""
    which = and_(TOKEN.c.id == token, TOKEN.c.revoked.is_(None))
    return connection.execute(update(TOKEN).where(which).values(revoked=now)).rowcount == 1


# --- projects and roles ---


def add_project(connection: Connection, path: str, title: str, now: int) -> Project:
    """Add a project below one that is there.

    Raises:
        ConflictError: it is there already, or the one above it is not.
    """
    above = path.rpartition("/")[0] or "/"
    if path != "/" and connection.execute(select(PROJECT.c.path).where(PROJECT.c.path == above)).first() is None:
        raise ConflictError(f"there is no project {above}; add it first")
    try:
        with connection.begin_nested():
            connection.execute(insert(PROJECT).values(path=path, title=title, added=now))
    except IntegrityError:
        raise ConflictError(f"there is a project {path} already") from None
    return Project(path, title, now)


def list_projects(connection: Connection) -> tuple[Project, ...]:
    """All projects in order of their paths."""
    rows = connection.execute(select(PROJECT.c.path, PROJECT.c.title, PROJECT.c.added).order_by(PROJECT.c.path))
    return tuple(Project(*row) for row in rows)


def give_role(connection: Connection, person: int, project: str, role: str, by: str, now: int) -> bool:
    """Give somebody a role; whether they had it not before.

    Raises:
        UsageError: there is no such project.
    """
    if connection.execute(select(PROJECT.c.path).where(PROJECT.c.path == project)).first() is None:
        raise UsageError(f"there is no project {project}; add it first")
    try:
        with connection.begin_nested():
            connection.execute(insert(HELD_ROLE).values(person=person, project=project, role=role, by=by, added=now))
    except IntegrityError:
        if group_of(by) is None:  # whoever gives by hand what a group gave makes it theirs to take
            which = and_(HELD_ROLE.c.person == person, HELD_ROLE.c.project == project, HELD_ROLE.c.role == role)
            connection.execute(
                update(HELD_ROLE).where(which, HELD_ROLE.c.by.startswith(_GROUP)).values(by=by, added=now)
            )
        return False
    return True


def by_group(group: str) -> str:
    """What stands for a group as the giver of a role."""
    return _GROUP + group


def group_of(by: str) -> str | None:
    """The group at an identity provider that gave a role; ``None`` where a person did."""
    return by.removeprefix(_GROUP) if by.startswith(_GROUP) else None


def take_role(connection: Connection, person: int, project: str, role: str) -> bool:
    """Take a role from somebody; whether they had it."""
    which = and_(HELD_ROLE.c.person == person, HELD_ROLE.c.project == project, HELD_ROLE.c.role == role)
    return connection.execute(delete(HELD_ROLE).where(which)).rowcount == 1


_ROLE: Final = select(HELD_ROLE.c.person, HELD_ROLE.c.project, HELD_ROLE.c.role, HELD_ROLE.c.by, HELD_ROLE.c.added)
_IN_ORDER: Final = (HELD_ROLE.c.project, HELD_ROLE.c.person, HELD_ROLE.c.role)


def roles_of(connection: Connection, person: int) -> tuple[HeldRole, ...]:
    """The roles that somebody has."""
    rows = connection.execute(_ROLE.where(HELD_ROLE.c.person == person).order_by(*_IN_ORDER))
    return tuple(HeldRole(*row) for row in rows)


def roles_in(connection: Connection, project: str) -> tuple[HeldRole, ...]:
    """The roles that hold in a project, those given above it among them."""
    above = ["/"]
    for at, letter in enumerate(project):
        if letter == "/" and at:
            above.append(project[:at])
    which = or_(HELD_ROLE.c.project == project, HELD_ROLE.c.project.in_(above))
    return tuple(HeldRole(*row) for row in connection.execute(_ROLE.where(which).order_by(*_IN_ORDER)))
