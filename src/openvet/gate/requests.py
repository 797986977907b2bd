"""Requests: somebody wants what is not admitted, says what for, and others decide.

A pull that is stopped becomes a request by itself, which waits for its purpose. Whoever may decide approves or declines; nobody approves what they asked
for themselves. What policy rejects outright is an exception: it ends on a day, and needs two people unless the rules say otherwise. Packs may ask for
more people (``approvers`` of a requirement): what the last decision of the policy asks for counts. The decision is a signed statement with the words of
everybody who approved, written in the same transaction as the last voice that it needed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

from openvet.core.dataclass import dataclass
from openvet.errors import ConflictError, UsageError
from openvet.evidence.predicates.admission_v1 import Approval
from openvet.evidence.predicates.fields import timestamp
from openvet.gate.hooks import announce_request
from openvet.gate.identity import Identity, NotAllowedError
from openvet.gate.policy import approvers_by_packs, moment_of
from openvet.gate.roles import ROOT, Right, parse_project
from openvet.gate.settings import Hook
from openvet.gate.standing import latest_by_policy
from openvet.store import people as people_rows
from openvet.store import requests as rows
from openvet.store.database import Connection, Database
from openvet.store.decisions import decision_line, decisions_of
from openvet.store.requests import Request, Voice

__all__ = ["Deciding", "Outcome", "Requests", "Rules", "Shown"]

_DAY: Final = 24 * 3_600_000
_TEXT: Final = 4000
_OPEN: Final = ("blocked", "asked")


@dataclass(frozen=True, slots=True)
class Rules:
    """How many people it takes, and how long it holds.

    Attributes:
        approvers: people who have to approve what needs a review.
        exception_approvers: people who have to approve what policy rejects.
        alone: whether somebody may approve what they asked for: for a team of one.
        longest: days for which an approval holds at most; it is to be given anew then.
    """

    approvers: int = 1
    exception_approvers: int = 2
    alone: bool = False
    longest: int = 180


class Deciding(Protocol):
    """What writes a decision of people down, as a signed statement, on a connection that is open for writing; gives its number."""

    def write_approval(
        self,
        connection: Connection,
        revision: int,
        *,
        by: str,
        reason: str,
        conditions: str,
        until: int | None,
        project: str,
        approvals: Sequence[Approval],
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a voice led to: the state of the request now, whose approval is still missing (a number of people), and the decision's number."""

    state: str
    missing: int = 0
    decision: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as one person may see it: with all voices, whether policy rejects it, and how many people have to approve it; ``by_packs`` is how many
    of them packs ask for, 0 where they leave that to the gate.
    """

    request: Request
    voices: tuple[Voice, ...]
    exception: bool
    needed: int
    missing: int
    by_packs: int = 0


class Requests:
    """Requests of one server.

    Args:
        database: where they are kept.
        deciding: writes decisions.
        clock: milliseconds UTC.
        rules: how many people it takes.
        hooks: who is told what becomes of them.
    """

    def __init__(
        self,
        database: Database,
        deciding: Deciding,
        clock: Callable[[], int],
        rules: Rules = Rules(),  # noqa: B008 - frozen
        hooks: Sequence[Hook] = (),
    ) -> None:
        self._database = database
        self._deciding = deciding
        self._clock = clock
        self._rules = rules
        self._hooks = hooks

    @property
    def rules(self) -> Rules:
        """How many people it takes."""
        return self._rules

    # --- asking ---

    def ask(
        self,
        who: Identity,
        revision: int,
        purpose: str,
        environment: str = "",
        *,
        project: str = "",
        until: int | None = None,
    ) -> Request:
        """Ask for a commit; what was blocked for the same person and project becomes this request.

        Raises:
            NotAllowedError: they may not ask in the project.
            UsageError: the purpose is missing or too long, or the day has passed.
        """
        where = parse_project(project or who.project)
        who.require(Right.ASK, where)
        purpose, environment = _text("the purpose", purpose), _text("the environment", environment, empty=True)
        now = self._clock()
        if until is not None and until <= now:
            raise UsageError("the day until which it is wanted has passed")
        with self._database.writing() as connection:
            known = rows.list_requests(connection, states=_OPEN, person=who.person.id)
            same = [each for each in known if (each.revision, each.project) == (revision, where)]
            if same:
                number = same[0].id
                rows.change_request(
                    connection, number, now, state="asked", purpose=purpose, environment=environment, until=until
                )
            else:
                number = rows.add_request(
                    connection, revision, where, who.person.id, "asked", now, purpose=purpose, environment=environment, until=until
                )  # fmt: skip
            announce_request(connection, self._hooks, number, "request.asked", now)
            return _found(connection, number)

    def withdraw(self, who: Identity, number: int) -> Request:
        """Take one's own request back.

        Raises:
            NotAllowedError: it is somebody else's, or not there.
            ConflictError: it is decided already.
        """
        now = self._clock()
        with self._database.writing() as connection:
            rows.hold_request(connection, number)
            found = self._visible(connection, who, number)
            if found.person != who.person.id:
                raise NotAllowedError(f"request {number} is not yours to withdraw")
            if not rows.change_request(connection, number, now, state="withdrawn", only=_OPEN):
                raise ConflictError(f"request {number} is {found.state} already")
            announce_request(connection, self._hooks, number, "request.withdrawn", now)
            return _found(connection, number)

    # --- deciding ---

    def approve(
        self, who: Identity, number: int, reason: str, *, conditions: str = "", until: int | None = None
    ) -> Outcome:
        """Approve; where that is the last approval that it needs, the commit may be had in the project and below from now on.

        Where several people approve, the earliest day counts, and everybody's conditions.

        Raises:
            NotAllowedError: they may not decide there, or asked for it themselves.
            ConflictError: it is decided already.
            UsageError: an exception without a day, or a day that is too far away.
        """
        reason = _text("the reason", reason)
        conditions = _text("the conditions", conditions, empty=True)
        now = self._clock()
        with self._database.writing() as connection:
            shown = self._decidable(connection, who, number)
            found = shown.request
            if found.person == who.person.id and not self._rules.alone:
                raise NotAllowedError(f"request {number} is yours: somebody else has to approve it")
            ends = self._end(until, now, exception=shown.exception)
            rows.say(connection, number, who.person.id, "approve", reason, now, conditions=conditions, until=ends)
            voices = rows.voices_of(connection, number)
            approving = self._approving(connection, voices, found)
            missing = max(0, shown.needed - len(approving))
            if missing:
                return Outcome(found.state, missing)
            decision = self._deciding.write_approval(
                connection,
                found.revision,
                by=", ".join(each.name for each in approving),
                reason=approving[0].text
                if len(approving) == 1
                else "; ".join(f"{each.name}: {each.text}" for each in approving),
                conditions="; ".join(dict.fromkeys(each.conditions for each in approving if each.conditions)),
                until=min(each.until for each in approving if each.until is not None),
                project=found.project,
                approvals=tuple(map(_approval, approving)),
            )
            rows.change_request(connection, number, now, state="approved", decision=decision)
            announce_request(connection, self._hooks, number, "request.approved", now)
            return Outcome("approved", 0, decision)

    def decline(self, who: Identity, number: int, reason: str) -> Outcome:
        """Decline: one voice is enough.

        Raises:
            NotAllowedError: they may not decide there.
            ConflictError: it is decided already.
        """
        reason = _text("the reason", reason)
        now = self._clock()
        with self._database.writing() as connection:
            self._decidable(connection, who, number)
            rows.say(connection, number, who.person.id, "decline", reason, now)
            rows.change_request(connection, number, now, state="declined")
            announce_request(connection, self._hooks, number, "request.declined", now)
            return Outcome("declined")

    def comment(self, who: Identity, number: int, text: str, says: str = "comment") -> Voice:
        """Say something, or recommend (``for``, ``against``).

        Raises:
            NotAllowedError: they may not recommend there, or may not see it.
            UsageError: nothing was said.
        """
        if says not in {"comment", "for", "against"}:
            raise UsageError("a comment says comment, for or against")
        text = _text("the comment", text)
        with self._database.writing() as connection:
            found = self._visible(connection, who, number)
            if found.person != who.person.id or says != "comment":
                who.require(Right.RECOMMEND, found.project)
            rows.say(connection, number, who.person.id, says, text, self._clock())
            return rows.voices_of(connection, number)[-1]

    # --- looking ---

    def show(self, who: Identity, number: int) -> Shown:
        """One request, with everything that was said.

        Raises:
            NotAllowedError: it is not there, or not for their eyes: which of the two is not told.
        """
        with self._database.reading() as connection:
            return self._shown(connection, self._visible(connection, who, number))

    def listed(
        self,
        who: Identity,
        *,
        states: Sequence[str] = (),
        search: str = "",
        ending: int | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[Request, ...]:
        """The requests that they may see, the newest first: their own, and those of projects in which they may see what is asked.

        Args:
            ending: only approvals that end within so many days, to be looked at anew.
        """
        now = self._clock()
        soon = None if ending is None else (now, now + ending * _DAY)
        with self._database.reading() as connection:
            paths = [each.path for each in people_rows.list_projects(connection)]
            seen = [each for each in paths if Right.SEE in who.rights_in(each)]
            return rows.list_requests(
                connection, states=states, projects=_tops(seen), person=who.person.id, search=search, ending=soon, before=before, limit=limit
            )  # fmt: skip

    # --- inside ---

    def _visible(self, connection: Connection, who: Identity, number: int) -> Request:
        found = rows.find_request(connection, number)
        own = found is not None and found.person == who.person.id
        if found is None or not (own or Right.SEE in who.rights_in(found.project)):
            raise NotAllowedError(f"there is no request {number} that {who.person.name} may see")
        return found

    def _decidable(self, connection: Connection, who: Identity, number: int) -> Shown:
        rows.hold_request(connection, number)
        found = self._visible(connection, who, number)
        who.require(Right.DECIDE, found.project)
        if found.state not in _OPEN:
            raise ConflictError(f"request {number} is {found.state} already")
        return self._shown(connection, found)

    def _shown(self, connection: Connection, found: Request) -> Shown:
        decisions = decisions_of(connection, found.revision)
        exception = any(each.outcome not in {"admit", "review"} for each in latest_by_policy(decisions))
        by_packs = approvers_by_packs(decisions, partial(decision_line, connection))
        needed = max(by_packs, self._rules.exception_approvers if exception else self._rules.approvers)
        voices = rows.voices_of(connection, found.id)
        missing = 0 if found.state not in _OPEN else needed - len(self._approving(connection, voices, found))
        return Shown(found, voices, exception, needed, max(0, missing), by_packs)

    def _approving(self, connection: Connection, voices: Sequence[Voice], found: Request) -> list[Voice]:
        """The last word of everybody who approves, and may still decide: a role that was taken away takes the voice with it."""
        last = {each.person: each for each in voices if each.says in {"approve", "decline"}}
        return [
            each
            for each in last.values()
            if each.says == "approve" and _may_decide(connection, each.person, found.project)
        ]

    def _end(self, until: int | None, now: int, *, exception: bool) -> int:
        most = now + self._rules.longest * _DAY
        if until is None:
            if exception:
                raise UsageError("policy rejects this, so an approval is an exception: say until which day it holds")
            return most
        if not now < until <= most:
            day = datetime.fromtimestamp(most / 1000, UTC).date().isoformat()
            raise UsageError(f"an approval ends after today and no later than {day}; it can be given anew then")
        return until


def _approval(voice: Voice) -> Approval:
    until = None if voice.until is None else timestamp(moment_of(voice.until))
    return Approval(voice.name, timestamp(moment_of(voice.at)), voice.text, voice.conditions, until)


def _may_decide(connection: Connection, person: int, project: str) -> bool:
    from openvet.gate.identity import grants_of
    from openvet.gate.roles import rights_in

    found = people_rows.find_person(connection, id=person)
    return (
        found is not None
        and found.disabled is None
        and Right.DECIDE in rights_in(grants_of(connection, found), project)
    )


def _found(connection: Connection, number: int) -> Request:
    found = rows.find_request(connection, number)
    assert found is not None  # noqa: S101 - it was written a moment ago
    return found


def _tops(paths: Sequence[str]) -> list[str]:
    """Those that lie below no other one: they stand for the rest."""
    if ROOT in paths:
        return [ROOT]
    return [each for each in paths if not any(each.startswith(f"{other}/") for other in paths)]


def _text(what: str, text: str, *, empty: bool = False) -> str:
    flat = text.strip().replace("\r\n", "\n")
    if not flat and not empty:
        raise UsageError(f"{what} is missing: say it in a sentence")
    if len(flat) > _TEXT:
        raise UsageError(f"{what} has at most {_TEXT} characters")
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs"} and each not in "\n\t" for each in flat):
        raise UsageError(f"{what} has characters that do not show as themselves; write it without them")
    return flat
