"""The timeline of a dossier: what happened to a revision, in one order of time, each with who it was, what it was, and the signed statement behind it.

Everybody sees of it what they see of each part elsewhere: decisions of projects that they may see, requests of these and their own, pulls of people in them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError
from openvet.evidence.predicates.advisories_v1 import PREDICATE_TYPE, AdvisoriesV1
from openvet.gate.identity import Identity, NotThereError
from openvet.gate.papers import digest_of_line, statement_of_kind
from openvet.gate.publishing import publishing_key
from openvet.gate.roles import ROOT, Right
from openvet.gate.seeing import decided_in, reach_for, seen_by
from openvet.gate.standing import latest_by_policy
from openvet.gate.summaries import advisories_of
from openvet.store import timeline as rows
from openvet.store.database import Connection, Database
from openvet.store.decisions import DecisionRow, decision_line, decisions_of
from openvet.store.models import find_revision
from openvet.store.vettings import vetting_lines

__all__ = ["KINDS", "Event", "Timeline"]

#: What there is in it, in the order in which one leads to the next: what happened in the same millisecond stands so.
KINDS: Final = (
    "listed", "vetting", "advisory", "policy", "request", "approval", "exception", "revocation", "end", "pull", "log",
)  # fmt: skip
_RANK: Final = {kind: at for at, kind in enumerate(KINDS)}
_CURSOR: Final = pattern(r"(\d{1,16})-(\d{1,2})-(\d{1,16})", re.ASCII)
#: Readings whose advisories a process remembers: they never change.
_KEPT: Final = 10_000
_VOICES: Final = {
    "approve": "approves", "decline": "declines", "for": "recommends", "against": "advises-against", "comment": "comments",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        at: when, in milliseconds UTC.
        kind: one of :data:`KINDS`.
        number: of the row behind it; with ``at`` and ``kind`` it names the event.
        what: a word: the verdict of a vetting, the outcome of a decision, what somebody did about a request, ``hits`` or ``gone`` of advisories, ``first``
            or ``last`` of pulls.
        by: who, '' where nobody is known or it was this server.
        project: where it holds, '' where that makes no difference.
        text: why, what for, or which.
        conditions: what was asked for in return.
        until: when it ends.
        decision, request: the number of what it belongs to, where there is one.
        statement: SHA-256 of what was signed about it, '' where nothing was.
    """

    at: int
    kind: str
    number: int
    what: str
    by: str = ""
    project: str = ""
    text: str = ""
    conditions: str = ""
    until: int | None = None
    decision: int | None = None
    request: int | None = None
    statement: str = ""

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it stands in the order of time."""
        return self.at, _RANK[self.kind], self.number

    @property
    def cursor(self) -> str:
        """What names it, to go on behind it."""
        return "-".join(map(str, self.place))


class Timeline:
    """Timelines of one gate.

    Args:
        database: of the gate.
        clock: milliseconds UTC.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database, self._clock = database, clock
        self._hits: dict[int, tuple[frozenset[str], str]] = {}
        self._lock = threading.Lock()

    def of(
        self, who: Identity, revision: int, *, kinds: Collection[str] = (), by: str = "", since: int | None = None, after: str = "",
        limit: int = 100,
    ) -> tuple[Event, ...]:  # fmt: skip
        """What happened to a revision, the latest first.

        Args:
            kinds: only of these, some of :data:`KINDS`.
            by: only by whom this is a part of the name, in any case of letters.
            since: not before, in milliseconds UTC.
            after: the ``cursor`` of the last one that was listed.
            limit: at most so many.

        Raises:
            NotThereError: the gate does not know the revision.
            NotAllowedError: they may see nothing.
            UsageError: ``after`` is no cursor.
        """
        behind = _place(after)
        with self._database.reading() as connection:
            seen = seen_by(connection, who)
            if find_revision(connection, revision, (ROOT,), self._clock()) is None:
                raise NotThereError(f"the gate knows no revision of number {revision}")
            wanted = frozenset(kinds or KINDS)
            sources = self._sources(connection, who, seen, revision)
            found = [
                each
                for part, source in sources
                if wanted & part
                for each in source()
                if each.kind in wanted
                and (since is None or each.at >= since)
                and by.lower() in each.by.lower()
                and (behind is None or each.place < behind)
            ]
            found.sort(key=lambda each: each.place, reverse=True)
            return tuple(_signed(connection, each) for each in found[:limit])

    # --- inside ---

    def _sources(
        self, connection: Connection, who: Identity, seen: Sequence[str], revision: int
    ) -> list[tuple[frozenset[str], Callable[[], Iterator[Event]]]]:
        """Where events come from, each with the kinds that it gives."""
        decisions = partial(self._decisions, connection, seen, revision)
        return [
            (frozenset({"listed"}), partial(_listed, connection, revision)),
            (frozenset({"vetting"}), partial(_vettings, connection, revision)),
            (frozenset({"advisory"}), partial(self._advisories, connection, revision)),
            (frozenset({"policy", "approval", "exception", "revocation", "end"}), decisions),
            (frozenset({"request"}), partial(_requests, connection, who, revision)),
            (frozenset({"pull"}), partial(_pulls, connection, who, seen, revision)),
            (frozenset({"log"}), partial(_published, connection, revision)),
        ]

    def _decisions(self, connection: Connection, seen: Sequence[str], revision: int) -> Iterator[Event]:
        everything, now, shown = decisions_of(connection, revision), self._clock(), frozenset(decided_in(seen))
        for at, each in enumerate(everything):
            if each.project not in shown:
                continue
            kind = each.kind
            if kind == "approval" and any(
                one.outcome not in {"admit", "review"} for one in latest_by_policy(everything[at + 1 :])
            ):
                kind = "exception"
            yield Event(
                each.at, kind, each.id, each.outcome, "" if each.kind == "policy" else each.by, each.project, each.reason, each.conditions,
                each.until, each.id,
            )  # fmt: skip
            if each.kind == "approval" and _ended(each, everything[:at], now):
                yield Event(each.until or 0, "end", each.id, "ended", "", each.project, each.reason, decision=each.id)

    def _advisories(self, connection: Connection, revision: int) -> Iterator[Event]:
        """What came and what went with each reading that signed what it knew."""
        before: frozenset[str] | None = None
        for each in rows.read_of(connection, revision):
            if not each.signed:
                continue
            found, statement = self._hits_of(connection, each.id)
            if not statement:
                continue
            for what, which in (("hits", found - (before or frozenset())), ("gone", (before or frozenset()) - found)):
                if which:
                    # two of one reading, told apart by the number
                    number = 2 * each.id + (what == "gone")
                    yield Event(
                        each.at, "advisory", number, what, text=", ".join(sorted(which)), decision=each.decision, statement=statement
                    )  # fmt: skip
            before = found

    def _hits_of(self, connection: Connection, vetting: int) -> tuple[frozenset[str], str]:
        known = self._hits.get(vetting)
        if known is not None:
            return known
        found: tuple[frozenset[str], str] = (frozenset(), "")
        packed = vetting_lines(connection, vetting)
        said = None if packed is None else statement_of_kind(packed, PREDICATE_TYPE)
        if said is not None and isinstance(said[1].predicate, AdvisoriesV1):
            found = frozenset(advisories_of(said[1].predicate)), said[0]
        with self._lock:
            if len(self._hits) >= _KEPT:
                self._hits.clear()
            self._hits[vetting] = found
        return found


def _listed(connection: Connection, revision: int) -> Iterator[Event]:
    listed, refs = rows.seen_as(connection, revision)
    yield Event(listed, "listed", 0, "listed")
    for number, (name, at) in enumerate(refs, 1):
        yield Event(at, "listed", number, "seen-as", text=name)


def _vettings(connection: Connection, revision: int) -> Iterator[Event]:
    for each in rows.read_of(connection, revision):
        yield Event(
            each.at, "vetting", each.id, each.verdict or each.state, text=_reading(each), decision=each.decision
        )


def _reading(each: rows.Read) -> str:
    stage = {"ranges": "headers, by ranges", "bytes": "all bytes"}.get(each.stage, each.stage)
    return f"{stage}: {each.reason}" if each.reason else stage


def _requests(connection: Connection, who: Identity, revision: int) -> Iterator[Event]:
    asked = {
        each.id: each
        for each in rows.asked_of(connection, revision)
        if each.person == who.person.id or Right.SEE in who.rights_in(each.project)
    }
    # the numbers of requests and of voices are apart: three for each row
    for each in asked.values():
        what = ("blocked-and-asks" if each.purpose else "blocked") if each.blocks else "asks"
        yield Event(each.added, "request", 3 * each.id, what, each.name, each.project, each.purpose, until=each.until, request=each.id)  # fmt: skip
        if each.state == "withdrawn":
            yield Event(each.changed, "request", 3 * each.id + 1, "withdraws", each.name, each.project, request=each.id)
    for said in rows.said_of(connection, list(asked)):
        yield Event(
            said.at, "request", 3 * said.id + 2, _VOICES.get(said.says, said.says), said.name, asked[said.request].project, said.text,
            said.conditions, said.until, request=said.request,
        )  # fmt: skip


def _pulls(connection: Connection, who: Identity, seen: Sequence[str], revision: int) -> Iterator[Event]:
    for each in rows.pulled_of(connection, revision, reach_for(connection, who, seen)):
        files = f"{each.files:,} {'file' if each.files == 1 else 'files'} in all"
        yield Event(each.first_at, "pull", each.first, "first", each.person, text=files)
        if each.last != each.first:
            yield Event(each.last_at, "pull", each.last, "last", each.person, text=files)


def _published(connection: Connection, revision: int) -> Iterator[Event]:
    for number, at in rows.published_at(connection, publishing_key(revision)):
        yield Event(at, "log", number, "published")


def _ended(approval: DecisionRow, later: Sequence[DecisionRow], now: int) -> bool:
    """Whether an approval ended by its day, and not by what people decided after it for the same project."""
    if approval.until is None or approval.until > now:
        return False
    return not any(
        each.kind != "policy" and each.project == approval.project and each.at < approval.until for each in later
    )


def _signed(connection: Connection, event: Event) -> Event:
    """With the digest of the statement that is behind it."""
    if event.statement or event.decision is None:
        return event
    return replace(event, statement=digest_of_line(decision_line(connection, event.decision)))


def _place(cursor: str) -> tuple[int, int, int] | None:
    if not cursor:
        return None
    read = _CURSOR.fullmatch(cursor)
    if read is None:
        raise UsageError("after has to be what the page before said as next")
    return int(read[1]), int(read[2]), int(read[3])
