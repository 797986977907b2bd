"""Lists of revocations: what may not be had any more in a project, signed, for whoever reaches no gate.

A list is made when somebody asks for one, and the last one is old or something was decided since. It is acknowledged when it is in the database with
its number, and put into the log by a job, so that a gate that shows two people different lists of one number leaves both there.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.fields import timestamp
from openvet.evidence.predicates.revocations_v1 import RevocationsV1, Revoked
from openvet.evidence.signing import sign_statement, to_line
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.gate.identity import Identity
from openvet.gate.logged import Logged, find_logged, log_name
from openvet.gate.opening import open_key
from openvet.gate.policy import moment_of
from openvet.gate.publishing import ask_for_listing
from openvet.gate.seeing import above, project_or_root
from openvet.gate.settings import HOUR, SECOND
from openvet.store.database import Connection, Database
from openvet.store.revocations import KeptList, RevokedRow, keep_list, kept_list, last_by_people, list_revoked
from openvet.workflows.knowledge import tool

__all__ = ["RevocationList", "RevocationLists"]

#: A list is made anew after a day, or after half the time for which it may be relied on.
_DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list as it was signed, and what it says of itself; times in milliseconds UTC.

    Attributes:
        project, number: of which, and its number, which grows.
        at, until: when it was made, and how long it may be relied on; to the second.
        count: commits on it.
        line: the signed statement.
        logged: its entry in the log with the proof, ``None`` until it is there.
    """

    project: str
    number: int
    at: int
    until: int
    count: int
    line: str
    logged: Logged | None = None


class RevocationLists:
    """The lists of one gate. One process makes them.

    Args:
        database: of the gate.
        folder: of the gate, where its log and its key are.
        clock: milliseconds UTC.
        life: milliseconds for which a list may be relied on.
        wake: has a job begun that was just added.
    """

    def __init__(
        self, database: Database, folder: str, clock: Callable[[], int], life: int, wake: Callable[[], None]
    ) -> None:
        self._database, self._folder, self._clock, self._life, self._wake = database, folder, clock, life, wake
        self._lock = threading.Lock()

    def current(self, who: Identity | None, project: str = "") -> RevocationList:
        """The list of a project as it is now, with its proof where it is in the log.

        Args:
            who: asks; ``None`` is whoever pulls without a token, in the root project.

        Raises:
            NotAllowedError: they may not see that project, or none.
            VerifyError: the log is damaged.
        """
        with self._database.reading() as connection:
            where = project_or_root(connection, who, project)
            kept = self._fresh(connection, where)
        if kept is None:
            kept = self._make(where)
        return self._shown(where, kept)

    # --- inside ---

    def _fresh(self, connection: Connection, project: str) -> KeptList | None:
        """The last list, where it needs no other in its place."""
        kept = kept_list(connection, project, hold=False)
        age = self._clock() - kept.at
        good = kept.number and 0 <= age < min(_DAY, self._life // 2)
        return kept if good and kept.decision == last_by_people(connection, above(project)) else None

    def _make(self, project: str) -> KeptList:
        key = open_key(self._folder)
        with self._lock, self._database.writing() as connection:
            found = self._fresh(connection, project)  # somebody else was faster
            if found is not None:
                return found
            before = kept_list(connection, project, hold=True)
            now, decision = self._clock(), last_by_people(connection, above(project))
            until = now + self._life
            rows = list_revoked(connection, above(project), now, until)
            said = RevocationsV1(
                tool(), project, before.number + 1, _time(now), _time(until), tuple(map(_revoked, rows))
            )
            gate = ResourceDescriptor(log_name(self._folder), {"sha256": key.public.hint})
            line = to_line(sign_statement(Statement(gate, said), key))
            waiting = (*before.waiting, hashlib.sha256(line).hexdigest())
            made = KeptList(said.number, now, until, len(rows), decision, line.decode("utf-8"), waiting)
            keep_list(connection, project, made)
            ask_for_listing(connection, project, now)
        self._wake()
        return made

    def _shown(self, project: str, kept: KeptList) -> RevocationList:
        line = kept.line.encode("utf-8")
        waits = hashlib.sha256(line).hexdigest() in kept.waiting
        logged = None if waits else find_logged(self._folder, line)
        at, until = (each - each % SECOND for each in (kept.at, kept.until))
        return RevocationList(project, kept.number, at, until, kept.count, kept.line, logged)


def _revoked(row: RevokedRow) -> Revoked:
    return Revoked(
        repository=row.kind, name=row.name, commit=row.commit, project=row.project, by=row.by, at=_time(row.at), reason=row.reason,
        sha256=hashlib.sha256(row.line).hexdigest(), since=None if row.since is None else _time(row.since),
    )  # fmt: skip


def _time(now: int) -> str:
    return timestamp(moment_of(now))
