"""Who somebody is, and what they may do: by token, by password, by session.

What a person may do is what their roles say (:mod:`openvet.gate.roles`). A token may do what its owner may do at that moment, and of that only what it
was made for: its project and its rights. A role that is taken away is taken from all tokens with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ConflictError, OpenVetError, UsageError
from openvet.gate.credentials import NewToken, check_password, hash_password, is_token, make_token, token_digest
from openvet.gate.provider import ProviderSettings
from openvet.gate.roles import ROOT, Grant, Right, Role, holds_in, parse_project, rights_in
from openvet.store import people, sessions
from openvet.store.acts import add_act
from openvet.store.database import Connection, Database
from openvet.store.people import Person, Project, Token

__all__ = [
    "ELSEWHERE",
    "NAME",
    "Identity",
    "Login",
    "NotAllowedError",
    "NotThereError",
    "People",
    "TooManyError",
    "grants_of",
]

#: What people and service accounts are called.
NAME: Final = pattern(r"[a-z0-9](?:[a-z0-9._@+-]{0,98}[a-z0-9])?")
_HOUR: Final = 3_600_000
#: A browser stays logged in for a working day, and for two hours without a click.
_SESSION: Final = 12 * _HOUR
_IDLE: Final = 2 * _HOUR
_INVITED: Final = 72 * _HOUR
#: How the secret of a link begins that counts also where passwords do not; nobody can make one of another link.
_RECOVERY: Final = "r."
#: How what the forms of a session send along begins, where somebody logged in at a provider.
ELSEWHERE: Final = "oidc."
#: Who did what no person did: this server, or whoever started it.
ITSELF: Final = "the server itself"
_FIRST: Final = "the first start"
_LONGEST_TOKEN: Final = 366 * 24 * _HOUR
#: Failures that cost nothing, by name and by address; they are forgotten after a day.
_FREE_BY_NAME, _FREE_BY_ADDRESS = 5, 20
_FORGET: Final = 24 * _HOUR


class NotAllowedError(OpenVetError):
    """Somebody may not do that, or is not who they say. The message tells nothing that they may not know."""


class NotThereError(OpenVetError):
    """There is nothing of that name or number that they may see."""


class TooManyError(NotAllowedError):
    """Too many attempts failed.

    Attributes:
        seconds: for which nobody is let in under this name, or from this address.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many attempts; try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who was recognised.

    Attributes:
        person: who.
        grants: the roles that they have.
        token: by which they were recognised, or ``None``.
    """

    person: Person
    grants: tuple[Grant, ...]
    token: Token | None = None

    def rights_in(self, project: str) -> frozenset[Right]:
        """What they may do in ``project``."""
        found = rights_in(self.grants, project)
        if self.token is None:
            return found
        if not holds_in(self.token.project, project):
            return frozenset()
        return found & {Right(each) for each in self.token.rights}

    @property
    def project(self) -> str:
        """In which they act where nothing else is said: the token's, or the root."""
        return ROOT if self.token is None else self.token.project

    def require(self, right: Right, project: str) -> None:
        """Hold them to what they may do.

        Raises:
            NotAllowedError: they may not.
        """
        if right not in self.rights_in(project):
            raise NotAllowedError(
                f"{self.person.name} may not {right} in the project {project}; somebody who administers it can give the role"
            )


@dataclass(frozen=True, slots=True)
class Login:
    """A new session at the one moment at which its secret is known."""

    person: Person
    secret: str


class People:
    """People of one server.

    Args:
        database: where they are kept.
        clock: milliseconds UTC.
        company: the provider at which people log in, where there is one; where it is the only way in, passwords count no more.
    """

    def __init__(self, database: Database, clock: Callable[[], int], company: ProviderSettings | None = None) -> None:
        self._database = database
        self._clock = clock
        self.company = company

    @property
    def passwords(self) -> bool:
        """Whether people may log in by a password."""
        return self.company is None or not self.company.only

    # --- the first one ---

    def begin(self, name: str = "admin") -> str | None:
        """Make the root project and its first admin, where there is nobody yet; the secret of the link by which they choose a password.

        Whoever starts a server again before that link was used gets a new one, and the old one counts no more. ``None`` means that somebody
        can log in. Where passwords count no more, whoever logged in by one before is logged in no longer.
        """
        now = self._clock()
        with self._database.writing() as connection:
            if not self.passwords:  # whoever came in by one is out: it counts no more
                sessions.end_sessions_without(connection, ELSEWHERE)
            if not people.list_projects(connection):
                people.add_project(connection, ROOT, "everything", now)
            first = people.find_person(connection, name)
            if first is None:
                if people.list_people(connection, limit=1):
                    return None
                first = people.add_person(connection, name, "the first admin", now)
                add_act(connection, _FIRST, "person.added", now, person=first.id)
                for role in (Role.ADMIN, Role.APPROVER):
                    people.give_role(connection, first.id, ROOT, role, _FIRST, now)
                    add_act(connection, _FIRST, "role.given", now, person=first.id, project=ROOT, details=role)
            found = people.find_password(connection, name)
            if found is None or found[1] is not None or first.subject is not None:
                return None
            return self._invite(connection, first.id, now, _FIRST, recovery=True)

    def recover(self, name: str, *, by: str = ITSELF) -> str:
        """The secret of a link by which an admin of everything gets in, also where passwords do not count.

        Args:
            by: who asked for it, as it is written down.

        Raises:
            UsageError: there is nobody of that name who is one, or they are let in no more.
        """
        with self._database.writing() as connection:
            found = people.find_person(connection, name)
            is_admin = found is not None and Grant(Role.ADMIN, ROOT) in grants_of(connection, found)
            if found is None or not is_admin or found.disabled is not None or found.service:
                raise UsageError(f"{printable(name)[:100]!r} is no admin of the root project, or is let in no more")
            now = self._clock()
            add_act(connection, by, "admin.recovered", now, person=found.id)
            return self._invite(connection, found.id, now, "", recovery=True)

    # --- people ---

    def add(self, name: str, title: str, *, service: bool = False, by: str = ITSELF) -> tuple[Person, str | None]:
        """Add somebody; with the secret of the link by which they choose a password, which a service account has none of.

        Here and below ``by`` is the name of who does it, which is written down with it.

        Raises:
            UsageError: the name has no such form.
            ConflictError: it is taken.
        """
        if not NAME.fullmatch(name):
            raise UsageError(
                "a name has up to 100 lower-case letters, digits and . _ @ + -, and begins and ends with a letter or digit"
            )
        now = self._clock()
        with self._database.writing() as connection:
            made = people.add_person(connection, name, title[:200] or name, now, service=service)
            add_act(connection, by, "person.added", now, person=made.id, details="a service account" if service else "")
            return made, None if service or not self.passwords else self._invite(connection, made.id, now, by)

    def invite(self, person: Person, *, by: str = ITSELF) -> str:
        """A new link for somebody who lost the password; the old password counts until it is used.

        Raises:
            ConflictError: passwords do not count here.
        """
        if self.company is not None and self.company.only:
            raise ConflictError(f"passwords do not count here: people log in at {self.company.name}")
        with self._database.writing() as connection:
            return self._invite(connection, person.id, self._clock(), by)

    def _invite(self, connection: Connection, person: int, now: int, by: str, *, recovery: bool = False) -> str:
        if by:
            add_act(connection, by, "invitation.made", now, person=person)
        secret = (_RECOVERY if recovery else "") + secrets.token_urlsafe(32)
        sessions.add_invitation(connection, person, token_digest(secret), now, now + _INVITED)
        return secret

    def invited(self, secret: str) -> Person | None:
        """Whose link that is."""
        if not self.passwords and not secret.startswith(_RECOVERY):
            return None
        with self._database.reading() as connection:
            return sessions.find_invitation(connection, token_digest(secret), self._clock())

    def accept(self, secret: str, password: str) -> Login:
        """Choose a password by a link, which is used up, and log in. Whoever was logged in under this name is not any more.

        Raises:
            NotAllowedError: the link does not count (any more).
            UsageError: the password is refused; the link still counts.
        """
        if self.invited(secret) is None:
            raise NotAllowedError("this link was used, or is too old: ask an admin for a new one")
        kept = hash_password(password)
        digest = token_digest(secret)
        now = self._clock()
        with self._database.writing() as connection:
            person = sessions.find_invitation(connection, digest, now)
            if person is None or not sessions.end_invitation(connection, digest):
                raise NotAllowedError("this link was used, or is too old: ask an admin for a new one")
            people.change_person(connection, person.id, password=kept)
            add_act(connection, person.name, "password.chosen", now, person=person.id)
            sessions.end_sessions(connection, person.id)
            sessions.forget_failures(connection, f"name:{person.name}")
            return self._begin_session(connection, person, now)

    def disable(self, person: Person, *, by: str = ITSELF) -> None:
        """Let somebody in no more: not by password, not by token, not by the session that is open."""
        now = self._clock()
        with self._database.writing() as connection:
            people.change_person(connection, person.id, disabled=now)
            sessions.end_sessions(connection, person.id)
            add_act(connection, by, "person.disabled", now, person=person.id)

    def enable(self, person: Person, *, by: str = ITSELF) -> None:
        """Let somebody in again; the tokens that have not expired count again, too."""
        with self._database.writing() as connection:
            people.change_person(connection, person.id, disabled=None)
            add_act(connection, by, "person.enabled", self._clock(), person=person.id)

    # --- projects and roles ---

    def add_project(self, path: str, title: str, *, by: str = ITSELF) -> Project:
        """Add a project.

        Raises:
            UsageError: it has no such form.
            ConflictError: it is there already, or the one above it is not.
        """
        now = self._clock()
        with self._database.writing() as connection:
            made = people.add_project(connection, parse_project(path), title[:200], now)
            add_act(connection, by, "project.added", now, project=path)
            return made

    def give_role(self, person: Person, project: str, role: Role, *, by: str = ITSELF) -> None:
        """Give somebody a role.

        Raises:
            UsageError: there is no such project.
        """
        now = self._clock()
        with self._database.writing() as connection:
            if people.give_role(connection, person.id, project, role, by, now):
                add_act(connection, by, "role.given", now, person=person.id, project=project, details=role)

    def take_role(self, person: Person, project: str, role: Role, *, by: str = ITSELF) -> None:
        """Take a role from somebody.

        Raises:
            ConflictError: they do not have it.
        """
        with self._database.writing() as connection:
            if not people.take_role(connection, person.id, project, role):
                raise ConflictError("they do not have that role in that project")
            add_act(connection, by, "role.taken", self._clock(), person=person.id, project=project, details=role)

    # --- browsers ---

    def log_in(self, name: str, password: str, address: str) -> Login:
        """Log in by name and password.

        Raises:
            NotAllowedError: that is not the password, there is nobody of that name, or too many tried; which of the first two is not told,
                by the time that it takes neither.
        """
        if self.company is not None and self.company.only:
            raise NotAllowedError(f"passwords do not count here: log in at {self.company.name}")
        keys = (f"name:{name[:100]}", f"address:{address[:100]}")
        now = self._clock()
        with self._database.reading() as connection:
            until = sessions.blocked_until(connection, keys, now)
            found = people.find_password(connection, name)
        if until is not None:
            raise TooManyError((until - now + 999) // 1000)
        good = check_password(password, None if found is None else found[1])
        with self._database.writing() as connection:
            if not good or found is None:
                sessions.count_failure(connection, keys[0], now, _FREE_BY_NAME, _FORGET)
                sessions.count_failure(connection, keys[1], now, _FREE_BY_ADDRESS, _FORGET)
            else:
                sessions.forget_failures(connection, keys[0])
                return self._begin_session(connection, found[0], self._clock())
        raise NotAllowedError("that is not the name or not the password")

    def begin_session(self, person: Person) -> Login:
        """A session for somebody who was recognised elsewhere."""
        with self._database.writing() as connection:
            return self._begin_session(connection, person, self._clock(), ELSEWHERE)

    def connect(self, person: Person, subject: str, *, by: str = ITSELF) -> None:
        """Say who somebody is at the provider, '' for nobody; sessions of theirs end, and roles that a group gave them with them.

        Raises:
            UsageError: that is no subject.
            ConflictError: there is no provider, that is a service account, or it is somebody else's.
        """
        if self.company is None:
            raise ConflictError("this server has no [oidc] in serve.toml, so nobody logs in elsewhere")
        if person.service:
            raise ConflictError("a service account logs in nowhere: it has tokens")
        if len(subject) > 255 or not subject.isprintable():
            raise UsageError("a subject is what the provider calls somebody for ever: up to 255 characters")
        with self._database.writing() as connection:
            now = self._clock()
            people.set_subject(connection, person.id, f"{self.company.issuer} {subject}" if subject else None)
            what = "person.connected" if subject else "person.parted"
            add_act(connection, by, what, now, person=person.id, details=subject)
            for each in people.roles_of(connection, person.id):
                if people.group_of(each.by) is not None:
                    people.take_role(connection, person.id, each.project, each.role)
                    add_act(
                        connection, by, "role.taken", now, person=person.id, project=each.project, details=each.role
                    )
            sessions.end_sessions(connection, person.id)

    def _begin_session(self, connection: Connection, person: Person, now: int, mark: str = "") -> Login:
        secret = secrets.token_urlsafe(32)
        form = mark + secrets.token_urlsafe(24)
        sessions.add_session(connection, person.id, token_digest(secret), form, now, now + _SESSION)
        return Login(person, secret)

    def by_session(self, secret: str) -> tuple[Identity, str] | None:
        """Whose session that is, and what its forms have to send along."""
        digest, now = token_digest(secret), self._clock()
        with self._database.reading() as connection:
            found = sessions.find_session(connection, digest, now, _IDLE)
            if found is None:
                return None
            session, stale = found
            identity = Identity(session.person, grants_of(connection, session.person))
        if stale:
            with self._database.writing() as connection:
                sessions.touch_session(connection, digest, now)
        return identity, session.form

    def log_out(self, secret: str) -> None:
        """End a session."""
        with self._database.writing() as connection:
            sessions.end_session(connection, token_digest(secret))

    # --- tokens ---

    def add_token(
        self, owner: Person, title: str, project: str, rights: Sequence[Right], days: int, *, by: str = ""
    ) -> tuple[NewToken, Token]:
        """A new token of somebody, made by themselves where nobody else is named; its text is known to nobody afterwards.

        Raises:
            UsageError: no such project, no rights, or it would live for more than a year or less than a day.
        """
        now = self._clock()
        until = now + days * 24 * _HOUR
        if not now < until <= now + _LONGEST_TOKEN:
            raise UsageError("a token lives for 1 to 366 days")
        if not rights:
            raise UsageError("say what the token is for, such as pull")
        made = make_token()
        with self._database.writing() as connection:
            known = {each.path for each in people.list_projects(connection)}
            if parse_project(project) not in known:
                raise UsageError(f"there is no project {project}")
            names = sorted(set(rights))
            kept = people.add_token(
                connection, owner.id, made.digest, made.hint, title[:200], project, names, now, until
            )
            said = f"{made.hint}... for {', '.join(names)}, {days} days"
            add_act(connection, by or owner.name, "token.made", now, person=owner.id, project=project, details=said)
        return made, kept

    def revoke_token(self, number: int, *, by: str, of: Person | None = None) -> None:
        """End a token, of somebody where that is given.

        Raises:
            NotThereError: there is none of that number.
            ConflictError: it counts no more already.
        """
        now = self._clock()
        with self._database.writing() as connection:
            found = people.find_token(connection, number)
            if found is None or (of is not None and found.person != of.id):
                raise NotThereError(f"there is no token {number} of theirs" if of else f"there is no token {number}")
            if not people.revoke_token(connection, number, now):
                raise ConflictError(f"the token {found.hint}... counts no more already")
            said = f"{found.hint}..."
            add_act(connection, by, "token.revoked", now, person=found.person, project=found.project, details=said)

    def by_token(self, text: str) -> Identity:
        """Whose token that is.

        Raises:
            NotAllowedError: nobody's that counts; the message is for whoever set ``HF_TOKEN``.
        """
        if not is_token(text):
            kind = "a token of another hub" if text.startswith("hf_") else "no token of this server"
            raise NotAllowedError(f"this is {kind}: set HF_TOKEN to one that this server made (ovt_...)")
        now = self._clock()
        with self._database.reading() as connection:
            found = people.person_of_token(connection, token_digest(text), now)
            if found is None:
                raise NotAllowedError(
                    f"the token {printable(text[:12])}... has expired, was revoked, or is of another server: make a new one"
                )
            person, token = found
            identity = Identity(person, grants_of(connection, person), token)
        if people.is_stale(token, now):
            with self._database.writing() as connection:
                people.touch_token(connection, token, now)
        return identity


def grants_of(connection: Connection, person: Person) -> tuple[Grant, ...]:
    """The roles that somebody has."""
    return tuple(Grant(Role(each.role), each.project) for each in people.roles_of(connection, person.id))
