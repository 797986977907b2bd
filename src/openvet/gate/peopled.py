"""The gate for people who are known: a token says who asks and for which project, and a pull that is stopped becomes a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from openvet.errors import OpenVetError
from openvet.gate.answers import Asking, Gate, Listed, Ready, Refusal, RefusedError, Repository, Waiting
from openvet.gate.credentials import is_token, token_digest
from openvet.gate.hooks import announce_request
from openvet.gate.identity import Identity, NotAllowedError, People
from openvet.gate.roles import ROOT, Right
from openvet.gate.settings import Hook
from openvet.store.database import Database
from openvet.store.people import list_projects
from openvet.store.requests import count_block

__all__ = ["PeopledGate"]

#: Milliseconds for which a token that counted is not looked up again: a model of many files asks many times. So long a token that was
#: revoked goes on counting.
_REMEMBERED: Final = 1000
#: Milliseconds in which one person who is stopped at one commit again and again is counted once: a client asks several times for each pull.
_SAME: Final = 10_000
_MOST: Final = 10_000


class PeopledGate:
    """A gate that knows people.

    Args:
        gate: gives the answers.
        people: says who has a token.
        database: of both.
        clock: milliseconds UTC.
        anonymous: whether whoever sends no token may pull, in the root project.
        hooks: who is told that a pull was stopped for the first time.
    """

    def __init__(
        self,
        gate: Gate,
        people: People,
        database: Database,
        clock: Callable[[], int],
        *,
        anonymous: bool,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self._gate, self._people, self._database, self._clock, self._anonymous = (
            gate,
            people,
            database,
            clock,
            anonymous,
        )
        self._hooks = hooks
        self._known: dict[str, tuple[int, Identity]] = {}
        self._counted: dict[tuple[int, str, int | None], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def listed(self, repository: Repository, revision: str, asking: Asking) -> Listed:
        """See :meth:`openvet.gate.answers.Gate.listed`."""
        who = self._who(asking)
        try:
            return self._gate.listed(repository, revision, who)
        except RefusedError as refused:
            raise self._counted_in(refused, who) from refused

    def file(self, repository: Repository, revision: str, path: str, asking: Asking) -> Ready | Waiting:
        """See :meth:`openvet.gate.answers.Gate.file`."""
        who = self._who(asking)
        try:
            return self._gate.file(repository, revision, path, who)
        except RefusedError as refused:
            raise self._counted_in(refused, who) from refused

    def pulled(self, ready: Ready, asking: Asking, sent: int) -> None:
        """See :meth:`openvet.gate.answers.Gate.pulled`."""
        self._gate.pulled(ready, self._who(asking), sent)

    def admitted(self, kind: str, search: str, after: str, limit: int, asking: Asking) -> Sequence[Listed]:
        """See :meth:`openvet.gate.answers.Gate.admitted`."""
        return self._gate.admitted(kind, search, after, limit, self._who(asking))

    def name_of(self, asking: Asking) -> str:
        """By which name somebody is known; '' where no token was sent.

        Raises:
            RefusedError: the token does not count.
        """
        return self._identity(asking.token).person.name if asking.token else ""

    # --- who ---

    def _who(self, asking: Asking) -> Asking:
        """The same, with the person and the project.

        Raises:
            RefusedError: nobody may pull without a token, or not with this one.
        """
        # clients send the token of another hub with every request, wherever that leads
        if not asking.token or (self._anonymous and not is_token(asking.token)):
            if self._anonymous:
                return replace(asking, token="")
            text = "This server gives models to people it knows: set HF_TOKEN to a token of yours; one is made under your account here."
            raise RefusedError(Refusal.NOT_ALLOWED, text, link="/openvet/account")
        identity = self._identity(asking.token)
        project = identity.project
        if Right.PULL not in identity.rights_in(project):
            place = "any project" if project == ROOT else f"the project {project}"
            text = f"{identity.person.name} may not pull in {place} with this token: ask somebody who administers it for a role."
            raise RefusedError(Refusal.NOT_ALLOWED, text, link="/openvet/account")
        return replace(asking, person=identity.person.id, project=project, token="")

    def _identity(self, token: str) -> Identity:
        digest, now = token_digest(token), self._clock()
        known = self._known.get(digest)
        if known is not None and 0 <= now - known[0] < _REMEMBERED:
            return known[1]
        try:
            found = self._people.by_token(token)
        except NotAllowedError as error:
            raise RefusedError(Refusal.NOT_ALLOWED, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[digest] = now, found
        return found

    # --- what is stopped ---

    def _counted_in(self, refused: RefusedError, who: Asking) -> RefusedError:
        """The refusal, with where to ask for what was refused, where somebody may let it in."""
        if refused.revision is None:
            return refused
        key, now = (refused.revision, who.project, who.person), self._clock()
        with self._lock:
            known = self._counted.get(key)
        if known is not None and 0 <= now - known[0] < _SAME:
            number = known[1]
        else:
            try:
                with self._database.writing() as connection:
                    if not list_projects(connection):
                        return refused
                    number, new = count_block(connection, refused.revision, who.project, who.person, who.agent, now)
                    if new:
                        announce_request(connection, self._hooks, number, "request.blocked", now)
            except OpenVetError:  # that it is refused has to be said also where it cannot be counted
                return refused
            with self._lock:
                if len(self._counted) >= _MOST:
                    self._counted.clear()
                self._counted[key] = now, number
        link = f"/openvet/requests/{number}"
        return RefusedError(refused.why, refused.reason, commit=refused.commit, link=link, revision=refused.revision)
