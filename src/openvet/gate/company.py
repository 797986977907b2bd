"""Logins at a company's provider: the way there and back, and who somebody is here.

Nothing of a login that has begun is kept on the server. The browser has a cookie that we made; ``state``, ``nonce`` and PKCE's verifier are computed
from it and a key that this process alone has, so that an answer counts only in the browser that asked, within ten minutes, and once (RFC 6749 section
10.12, RFC 9700 sections 2.1 and 4.5, RFC 9207 against mix-ups).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.gate.identity import NAME, Login, NotAllowedError, People
from openvet.gate.provider import Provider, ProviderError, ProviderSettings, Told
from openvet.store import people as rows
from openvet.store.acts import add_act
from openvet.store.database import Connection, Database
from openvet.store.people import Person

__all__ = ["CALLBACK", "CompanyLogin", "CompanyLoginError"]

#: Where people come back to, below the server's address.
CALLBACK: Final = "/openvet/login/oidc/callback"
_MINUTES: Final = 10
_USED: Final = 10_000
_COOKIE: Final = pattern(r"(\d{13})\.[A-Za-z0-9_-]{32}\.([A-Za-z0-9_-]{0,2100})", re.ASCII)
_CODE: Final = pattern(r"[\x21-\x7e]{1,4096}", re.ASCII)
_ERROR: Final = pattern(r"[a-z0-9_]{1,60}", re.ASCII)
_log = logging.getLogger("openvet.people")


class CompanyLoginError(NotAllowedError):
    """Somebody was not let in. The message is for them.

    Attributes:
        why: in a word, for the log.
        away: whether it is the provider that does not work, and not they who may not.
    """

    def __init__(self, why: str, message: str, *, away: bool = False) -> None:
        super().__init__(message)
        self.why, self.away = why, away


@dataclass(frozen=True, slots=True)
class Begun:
    """The way to the provider: its ``url``, and the ``cookie`` that the browser has to bring back."""

    url: str
    cookie: str


class CompanyLogin:
    """Logins at one provider.

    Args:
        settings: which one, and what its groups mean.
        people: of this server.
        database: of both.
        clock: milliseconds UTC.
        base: the server's address, as browsers have it.
    """

    def __init__(
        self, settings: ProviderSettings, people: People, database: Database, clock: Callable[[], int], base: str
    ) -> None:
        self.settings = settings
        self.redirect = base.rstrip("/") + CALLBACK
        self._after = base.rstrip("/") + "/openvet/login"
        self._provider = Provider(settings, clock)
        self._people, self._database, self._clock = people, database, clock
        self._secret = secrets.token_bytes(32)
        self._used: dict[str, None] = {}
        self._lock = threading.Lock()

    def begin(self, wanted: str = "") -> Begun:
        """Send somebody to the provider; ``wanted`` is the page of ours that they want.

        Raises:
            CompanyLoginError: the provider is away.
        """
        try:
            document = self._provider.document()
        except ProviderError as error:
            raise self._failed(error) from error
        kept = base64.urlsafe_b64encode(wanted.encode()).decode("ascii").rstrip("=")
        cookie = f"{self._clock():013d}.{secrets.token_urlsafe(24)}.{kept}"
        challenge = hashlib.sha256(self._of(cookie, "verifier").encode("ascii")).digest()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect,
            "scope": " ".join(self.settings.scopes),
            "state": self._of(cookie, "state"),
            "nonce": self._of(cookie, "nonce"),
            "code_challenge": base64.urlsafe_b64encode(challenge).decode("ascii").rstrip("="),
            "code_challenge_method": "S256",
        }
        return Begun(_with(document["authorization_endpoint"], query), cookie)

    def finish(self, cookie: str, answer: Mapping[str, str]) -> tuple[Login, str]:
        """Let somebody in who came back; with the page that they wanted.

        Args:
            cookie: what their browser kept.
            answer: the query that they came back with.

        Raises:
            CompanyLoginError: the answer does not count here, the provider did not let them in or is away, or nobody here is that person.
        """
        try:
            wanted = self._ours(cookie, answer.get("state", ""))
            self._answered(answer)
            nonce, verifier = self._of(cookie, "nonce"), self._of(cookie, "verifier")
            try:
                told = self._provider.redeem(answer["code"], verifier, self.redirect, nonce)
            except ProviderError as error:
                raise self._failed(error) from error
            with self._database.writing() as connection:
                person = self._person(connection, told)
                given, taken = self._in_step(connection, person, told.groups)
        except CompanyLoginError as error:
            _log.warning("nobody was let in by %s (%s): %s", printable(self.settings.name), error.why, error)
            raise
        _log.info(
            "%s logged in by %s; roles given: %s; taken: %s",
            person.name,
            printable(self.settings.name),
            given or "none",
            taken or "none",
        )
        return self._people.begin_session(person), wanted

    def leaving(self) -> str:
        """Where the provider ends its own session of somebody, '' where it does not or is away (OpenID Connect RP-Initiated Logout 1.0)."""
        try:
            url = self._provider.document().get("end_session_endpoint", "")
        except ProviderError:
            return ""
        query = {"client_id": self.settings.client_id, "post_logout_redirect_uri": self._after}
        return _with(url, query) if url else ""

    # --- the way back ---

    def _of(self, cookie: str, what: str) -> str:
        """What belongs to a login that began with this cookie: 256 bits that nobody computes without our key."""
        found = hmac.new(self._secret, f"{what}:{cookie}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(found).decode("ascii").rstrip("=")

    def _ours(self, cookie: str, state: str) -> str:
        """The page wanted, where the answer is to what this browser asked."""
        again = f"Begin again at {self._after}."
        read = _COOKIE.fullmatch(cookie)
        if read is None:
            raise CompanyLoginError("cookie", f"This browser did not begin a login here, or too long ago. {again}")
        expected = self._of(cookie, "state")
        if not hmac.compare_digest(expected.encode(), state.encode("utf-8", "surrogatepass")):
            raise CompanyLoginError(
                "state", f"This answer belongs to another login than the one that this browser began last. {again}"
            )
        if not 0 <= self._clock() - int(read[1]) <= _MINUTES * 60_000:
            raise CompanyLoginError("late", f"The login took longer than {_MINUTES} minutes. {again}")
        with self._lock:
            if expected in self._used:
                raise CompanyLoginError("replayed", f"This login was used already. {again}")
            self._used[expected] = None
            if len(self._used) > _USED:
                self._used.pop(next(iter(self._used)))
        return base64.urlsafe_b64decode(read[2] + "=" * (-len(read[2]) % 4)).decode("utf-8", "replace")

    def _answered(self, answer: Mapping[str, str]) -> None:
        name = self.settings.name
        issuer = answer.get("iss")
        try:
            needed = bool(self._provider.document()["names_issuer"])
        except ProviderError as error:
            raise self._failed(error) from error
        if issuer != self.settings.issuer and (issuer is not None or needed):
            raise CompanyLoginError(
                "mix-up", f"This answer is not one of {name}; nothing of it was used. Begin again at {self._after}."
            )
        if "error" in answer:
            word = answer["error"] if _ERROR.fullmatch(answer["error"]) else "no reason that can be read"
            raise CompanyLoginError("refused", f"{name} did not let you in: {word}. Ask whoever runs it, or try again.")
        if not _CODE.fullmatch(answer.get("code", "")):
            raise CompanyLoginError("code", f"{name} sent no code. Begin again at {self._after}.")

    def _failed(self, error: ProviderError) -> CompanyLoginError:
        away = error.why in {"unreachable", "refused"}
        rest = (
            "Try again in a minute; if it stays, tell whoever runs this server"
            if away
            else "Tell whoever runs this server"
        )
        return CompanyLoginError(
            error.why, f"{self.settings.name} cannot be used to log in: {error}. {rest}.", away=True
        )

    # --- who that is here ---

    def _person(self, connection: Connection, told: Told) -> Person:
        """Somebody by issuer and subject, and by nothing else: names and addresses change hands."""
        subject = f"{self.settings.issuer} {told.subject}"
        person = rows.find_person(connection, subject=subject)
        who = f"You are {printable(told.subject)} at {self.settings.name}"
        if person is None:
            name = _name_of(told)
            if not self.settings.create:
                raise CompanyLoginError("unknown", f"{who}, and nobody here is connected with that. Send this sentence to an admin of this server, who can connect it.")  # fmt: skip
            if rows.find_person(connection, name) is not None:
                raise CompanyLoginError("name", f"{who}. The name {name} is another account's here, which is not connected with that. Send this sentence to an admin of this server, who can connect it.")  # fmt: skip
            now = self._clock()
            person = rows.add_person(connection, name, told.title or name, now, subject=subject)
            by = f"the first login at {printable(self.settings.name)}"
            add_act(connection, by, "person.added", now, person=person.id, details=printable(told.subject))
        if person.disabled is not None:
            raise CompanyLoginError("disabled", "An admin of this server lets you in no more.")
        if told.title and told.title != person.title:
            rows.change_person(connection, person.id, title=told.title)
        return person

    def _in_step(self, connection: Connection, person: Person, groups: frozenset[str]) -> tuple[str, str]:
        """Have their roles from groups be those of the groups that they are in now; those given by hand stay as they are."""
        wanted = {(each.role.value, each.project): each.group for each in self.settings.roles if each.group in groups}
        held = {(each.role, each.project): each for each in rows.roles_of(connection, person.id)}
        taken, given = [], []
        for key, each in held.items():
            if rows.group_of(each.by) is not None and rows.group_of(each.by) != wanted.get(key):
                rows.take_role(connection, person.id, each.project, each.role)
                if key not in wanted:
                    taken.append(" in ".join(key))
                    add_act(connection, each.by, "role.taken", self._clock(), person=person.id, project=each.project, details=each.role)  # fmt: skip
        for (role, project), group in wanted.items():
            try:
                if (
                    rows.give_role(connection, person.id, project, role, rows.by_group(group), self._clock())
                    and (role, project) not in held
                ):
                    given.append(f"{role} in {project}")
                    add_act(connection, rows.by_group(group), "role.given", self._clock(), person=person.id, project=project, details=role)  # fmt: skip
            except UsageError as error:
                _log.warning("the group %s gives nobody a role: %s", printable(group)[:100], error)
        return ", ".join(sorted(given)), ", ".join(sorted(taken))


def _name_of(told: Told) -> str:
    """A name for somebody who is new here."""
    name = re.sub(r"[^a-z0-9._@+-]", "-", told.name.strip().lower())[:100].strip("._@+-")
    return name if NAME.fullmatch(name) else f"user-{hashlib.sha256(told.subject.encode()).hexdigest()[:12]}"


def _with(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
