"""The catalogue: what the gate knows of models, shown to each person as far as they may see it; and what they may have done about it.

A model and its report are the same for everybody who may see anything at all. What was decided for a project is seen by those who may see that
project or one below it, in which it holds. Who pulled what is seen of people who have a role in a project that one may
see, and of pulls for such a project.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import ConflictError, UsageError, VerifyError
from openvet.evidence.predicates.admission_v1 import AdmissionV1, Approval
from openvet.evidence.signing import SignedStatement, parse_line, parse_statement
from openvet.gate.clients import Client, clients_among
from openvet.gate.identity import Identity, NotThereError
from openvet.gate.logged import Logged, LogPage, find_logged, read_entry, read_log
from openvet.gate.opening import open_key
from openvet.gate.papers import bill_of_lines, statements_of_lines, zip_of_dossier
from openvet.gate.policy import PackInForce, Policy, day_of, packs_in_force
from openvet.gate.publishing import dossier_folder
from openvet.gate.revocation_lists import RevocationLists
from openvet.gate.roles import ROOT, Right
from openvet.gate.seeing import above, decided_in, people_for, project_for, reach_for, seen_by
from openvet.gate.settings import Settings
from openvet.gate.standing import ALL, Stand, scope_of, standing
from openvet.gate.timeline import Timeline
from openvet.gate.vetting import VET, ask_for_vetting
from openvet.store import lists
from openvet.store import models as rows
from openvet.store import uses as use_rows
from openvet.store.caches import InCache, list_in_caches
from openvet.store.database import Connection, Database
from openvet.store.decisions import decisions_of
from openvet.store.lists import Counts, Decided, Vetted, VettingJob
from openvet.store.models import ModelRow
from openvet.store.revisions import FileRow, RevisionRow, files_of, revision_by_commit, revision_by_id
from openvet.store.uses import ProjectUse, Use
from openvet.store.vettings import vetting_lines, vetting_report

__all__ = [
    "Catalogue",
    "Day",
    "Overview",
    "Portfolio",
    "Revoking",
    "Shown",
    "Week",
    "approvals_of",
]

_DAY: Final = 24 * 3_600_000
_TIMELINE: Final = 1000
_USERS: Final = 100
_WEEKS: Final = 12
#: What is told of an upstream that is a folder.
_FOLDER: Final = "a folder of the server"


class Revoking(Protocol):
    """What writes a revocation down, as a signed statement, on a connection that is open for writing, and has work begun."""

    def write_revocation(
        self, connection: Connection, revision: int, *, by: str, reason: str, project: str = "/"
    ) -> int: ...

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A revision with what is known of it.

    Attributes:
        row: as a list shows it.
        project: in which that is how it stands.
        about: what the upstream says of it.
        timeline: the decisions about it, the latest first.
        vettings: how often it was read, the latest first.
        uses: who had it, whoever pulled last first, at most 100.
        caches: in which it was found, those that were told of last first, at most 100.
        files, bytes: how many it has, and how large they are.
    """

    row: ModelRow
    project: str
    about: dict[str, Any]
    timeline: tuple[Decided, ...]
    vettings: tuple[Vetted, ...]
    uses: tuple[Use, ...]
    caches: tuple[InCache, ...]
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day (the millisecond at which it begins, UTC), and how many files were pulled on it."""

    day: int
    files: int


@dataclass(frozen=True, slots=True)
class Overview:
    """How everything stands in a project, and what is new since a moment."""

    project: str
    since: int
    standings: dict[str, int]
    new: Counts
    waiting: int
    failed: int
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days (the millisecond at which they begin, UTC): how often policy admitted something, and how often policy or people did not."""

    begin: int
    admitted: int
    declined: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What is admitted in a project, by the newest revision of each repository.

    Attributes:
        licenses: how many declare which licence, the most first; '' is none.
        advisories: how many of them each hits, the most first.
        weeks: what was decided, the latest week last.
    """

    project: str
    licenses: tuple[tuple[str, int], ...]
    advisories: tuple[tuple[str, int], ...]
    weeks: tuple[Week, ...]


class Catalogue:
    """What is known, for people.

    Args:
        database: of the gate.
        folder: of the gate, where its dossiers, its log and its key are.
        revoking: writes what people take back; the gate itself.
        clock: milliseconds UTC.
        settings: of the gate.

    Attributes:
        lists: of what is revoked.
        timeline: of each revision.
    """

    def __init__(
        self,
        database: Database,
        folder: str,
        revoking: Revoking,
        clock: Callable[[], int],
        settings: Settings = Settings(),  # noqa: B008 - frozen
    ) -> None:
        self._database, self._folder, self._revoking = database, folder, revoking
        self._clock, self._settings = clock, settings
        self.lists = RevocationLists(database, folder, clock, settings.revocations, revoking.wake)
        self.timeline = Timeline(database, clock)
        self._policy: Policy | None = None
        self._lock = threading.Lock()

    # --- models ---

    def models(self, who: Identity, *, project: str = "", limit: int, **which: Any) -> tuple[str, tuple[ModelRow, ...]]:
        """The project that counts, and models as they stand in it; ``which`` as of :func:`openvet.store.models.list_models`.

        Raises:
            NotAllowedError: they may not see that project, or none.
        """
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            found = rows.list_models(connection, above(where), self._clock(), limit=limit, **which)
            return where, tuple(_told(who, each) for each in found)

    def revisions(
        self, who: Identity, kind: str, name: str, *, ref: str = "", project: str = "", before: int | None = None, limit: int = 100
    ) -> tuple[str, tuple[ModelRow, ...]]:  # fmt: skip
        """The project that counts, and the revisions of a model as they stand in it (raises like :meth:`models`).

        Args:
            ref: only what this branch or tag was seen as last, or commits that begin with this.
        """
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            found = rows.list_revisions(
                connection, (kind, name), above(where), self._clock(), ref=ref, before=before, limit=limit
            )
            return where, tuple(_told(who, each) for each in found)

    def find(self, who: Identity, kind: str, name: str, commit: str) -> int:
        """The number of a revision.

        Raises:
            NotThereError: the gate does not know it.
            NotAllowedError: they may see nothing.
        """
        with self._database.reading() as connection:
            seen_by(connection, who)
            found = revision_by_commit(connection, kind, name, commit)
        if found is None:
            raise NotThereError(
                f"the gate does not know {printable(name)[:200]}@{printable(commit)[:40]}: list or pull it once"
            )
        return found.id

    def show(self, who: Identity, revision: int, *, project: str = "") -> Shown:
        """One revision with what is known of it (raises like :meth:`find`)."""
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            row = rows.find_revision(connection, revision, above(where), self._clock())
            if row is None:
                raise _missing(revision)
            seen = seen_by(connection, who)
            files = files_of(connection, revision)
            timeline = lists.list_decided(connection, projects=decided_in(seen), revision=revision, limit=_TIMELINE)
            vettings = lists.list_vetted(connection, revision=revision, limit=_TIMELINE)
            people = people_for(connection, who, seen)
            uses = use_rows.list_uses(
                connection, reach=reach_for(connection, who, seen), revision=revision, limit=_USERS
            )
            named = (row.kind, row.name, row.commit)
            caches = list_in_caches(
                connection, above(where), self._clock(), people=people, repository=named, limit=_USERS
            )
            about = json.loads(revision_by_id(connection, revision).about)
        return Shown(
            _told(who, row),
            where,
            about,
            timeline,
            vettings,
            _shown_to(seen, uses),
            caches,
            len(files),
            sum(each.size for each in files),
        )

    def files(self, who: Identity, revision: int) -> list[FileRow]:
        """The files of a revision (raises like :meth:`find`)."""
        with self._database.reading() as connection:
            self._row(connection, who, revision)
            return files_of(connection, revision)

    def report(self, who: Identity, revision: int) -> bytes:
        """The last report about a revision, as ``openvet check --format json`` writes it (raises like :meth:`find`)."""
        with self._database.reading() as connection:
            self._row(connection, who, revision)
            number = lists.find_vetted(connection, revision)
            packed = None if number is None else vetting_report(connection, number)
        if packed is None:
            raise NotThereError("there is no report of it yet: its vetting waits or is under way")
        return zlib.decompress(packed)

    def bill(self, who: Identity, revision: int, form: str) -> bytes:
        """The bill of materials of a revision by its last check, as JSON.

        Args:
            form: one of :data:`openvet.workflows.bom.FORMS`.

        Raises:
            NotThereError: no check of it made statements; or as :meth:`find`.
        """
        with self._database.reading() as connection:
            row = self._row(connection, who, revision)
            number = lists.find_vetted(connection, revision)
            packed = None if number is None else vetting_lines(connection, number)
        bill = None if packed is None else bill_of_lines(row, packed, form)
        if bill is None:
            raise NotThereError(
                "there is no bill of it: its vetting waits or is under way, or could not name its bytes"
            )
        return bill

    def statements(self, who: Identity, revision: int) -> list[tuple[str, SignedStatement]]:
        """What the last check of a revision signed, each with the SHA-256 of it; none where no check did (raises like :meth:`find`)."""
        with self._database.reading() as connection:
            self._row(connection, who, revision)
            number = lists.find_vetted(connection, revision)
            packed = None if number is None else vetting_lines(connection, number)
        return [] if packed is None else statements_of_lines(packed)

    def dossier(self, who: Identity, revision: int) -> str:
        """The dossier of a revision, verified, as a zip: the path of a new file, which whoever asks removes.

        Raises:
            NotThereError: nothing was published about it yet; or as :meth:`find`.
            VerifyError: the dossier on our disk is damaged.
            StorageError: there is no room for the zip.
        """
        with self._database.reading() as connection:
            row = self._row(connection, who, revision)
        folder = dossier_folder(self._folder, row)
        if not os.path.isdir(folder):
            raise NotThereError("nothing is decided of it yet, or it is not published: try again in a moment")
        return zip_of_dossier(folder, open_key(self._folder).public)

    # --- acting ---

    def vet(self, who: Identity, revision: int, *, project: str = "") -> int:
        """Have a revision vetted, again where it was; the number of the job.

        Raises:
            NotAllowedError: they may not, in that project.
            NotThereError: there is no such revision.
        """
        with self._database.writing() as connection:
            where = project_for(connection, who, project, Right.VET)
            who.require(Right.VET, where)
            row = self._row(connection, who, revision)
            sizes = [each.size for each in files_of(connection, revision)]
            scope = "all"
            if row.upstream.startswith(("https://", "http://")):  # a folder is always vetted whole
                scope = scope_of("", 0, sum(sizes), self._settings.whole, self._settings.small)
            number = ask_for_vetting(connection, revision, scope, self._clock())
        self._revoking.wake()
        return number

    def revoke(self, who: Identity, revision: int, reason: str, *, project: str = "") -> int:
        """Let a revision not be had any more in a project and below; the number of the decision.

        Raises:
            NotAllowedError: they may not decide there.
            NotThereError: there is no such revision.
            UsageError: the reason is missing.
            ConflictError: it is revoked there already.
        """
        if not reason.strip():
            raise UsageError("the reason is missing: say it in a sentence")
        with self._database.writing() as connection:
            where = project_for(connection, who, project, Right.DECIDE)
            who.require(Right.DECIDE, where)
            row = self._row(connection, who, revision)
            said = standing(decisions_of(connection, revision), ALL, self._clock(), where)
            if said.stand is Stand.REVOKED and said.decision is not None:
                raise ConflictError(
                    f"{row.name}@{row.commit[:8]} is revoked in {where} already, by {said.decision.by}: {said.decision.reason}"
                )
            number = self._revoking.write_revocation(
                connection, revision, by=who.person.name, reason=reason, project=where
            )
        self._revoking.wake()
        return number

    # --- what happened ---

    def decisions(self, who: Identity, *, limit: int = 100, **which: Any) -> tuple[Decided, ...]:
        """Decisions that hold where they may see; ``which`` as of :func:`openvet.store.lists.list_decided`."""
        with self._database.reading() as connection:
            seen = seen_by(connection, who)
            return lists.list_decided(connection, projects=decided_in(seen), limit=limit, **which)

    def decision(self, who: Identity, number: int) -> tuple[Decided, bytes, Logged | None]:
        """A decision, the signed statement of it, and its entry in the log with the proof; ``None`` until it is published.

        Raises:
            NotThereError: there is none of that number that they may see.
            VerifyError: the log is damaged.
        """
        with self._database.reading() as connection:
            seen = seen_by(connection, who)
            found = lists.find_decided(connection, number)
        if found is None or found[0].project not in decided_in(seen):
            raise NotThereError(f"there is no decision {number} that {who.person.name} may see")
        decided, line = found
        if not decided.published:
            return decided, line, None
        logged = find_logged(self._folder, line)
        if logged is None:
            raise VerifyError("missing", f"decision {number} is not in the log, and was")
        return decided, line, logged

    def queue(
        self, who: Identity, states: Collection[str], *, before: int | None = None, limit: int = 100
    ) -> tuple[VettingJob, ...]:
        """Vettings that wait, are under way or failed, the latest first, with their progress."""
        with self._database.reading() as connection:
            seen_by(connection, who)
            return lists.list_jobs(connection, VET, states, before=before, limit=limit)

    def uses(self, who: Identity, *, project: str = "", limit: int = 100, **which: Any) -> tuple[Use, ...]:
        """Who had what, as far as they may see; ``which`` as of :func:`openvet.store.uses.list_uses`.

        Args:
            project: only for it and those below it.

        Raises:
            NotAllowedError: they may not see that project, or none.
            UsageError: the project is named as none can be.
        """
        with self._database.reading() as connection:
            seen, where = _looked_at(connection, who, project)
            reach = reach_for(connection, who, seen)
            found = use_rows.list_uses(connection, reach=reach, project=where, limit=limit, **which)
            return _shown_to(seen, found)

    def uses_by_project(self, who: Identity, *, project: str = "", **which: Any) -> tuple[ProjectUse, ...]:
        """How much was pulled for each project that they may see, those below it counted in (as :meth:`uses`)."""
        with self._database.reading() as connection:
            seen, where = _looked_at(connection, who, project)
            reach = reach_for(connection, who, seen)
            return use_rows.uses_by_project(connection, seen, reach=reach, project=where, **which)

    def clients(self, who: Identity, since: int, *, project: str = "") -> list[Client]:
        """The programs that models were pulled with since a moment, and the advisories about them (as :meth:`uses`)."""
        with self._database.reading() as connection:
            seen, where = _looked_at(connection, who, project)
            reach = reach_for(connection, who, seen)
            return clients_among(use_rows.agents_since(connection, since, reach, where))

    def packs(self, who: Identity) -> tuple[PackInForce, ...]:
        """The policy packs that decide here today, beside the built-in policy.

        Raises:
            NotAllowedError: they may see nothing.
            UsageError, PackError: a pack was changed since the server began, and makes no sense now.
        """
        with self._database.reading() as connection:
            seen_by(connection, who)
        now = self._clock()
        with self._lock:
            if self._policy is None:
                self._policy = Policy(self._settings, now)
        return packs_in_force(self._policy.packs(day_of(now)), self._settings)

    def portfolio(self, who: Identity, *, project: str = "") -> Portfolio:
        """Licences of what is admitted in a project, the advisories that hit it, and what was decided each week (raises like :meth:`models`)."""
        now = self._clock()
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            seen = seen_by(connection, who)
            begin = now - now % _DAY - (7 * _WEEKS - 1) * _DAY
            weeks = lists.decided_by_week(connection, begin, decided_in(seen))
            licenses, advisories = rows.admitted_hold(connection, above(where), now)
        return Portfolio(
            where, licenses, advisories,
            tuple(Week(begin + at * 7 * _DAY, *weeks.get(at, (0, 0))) for at in range(_WEEKS)),
        )  # fmt: skip

    def overview(self, who: Identity, since: int, *, project: str = "") -> Overview:
        """How everything stands, and what is new since a moment (raises like :meth:`models`)."""
        now = self._clock()
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            seen = seen_by(connection, who)
            reach = reach_for(connection, who, seen)
            begin = now - now % _DAY - 29 * _DAY
            days = use_rows.pulls_by_day(connection, begin, reach)
            return Overview(
                where, since, rows.count_standings(connection, above(where), now),
                lists.count_since(connection, since, decided_in(seen), seen, reach),
                lists.count_jobs(connection, VET, ("ready", "running")), lists.count_jobs(connection, VET, ("failed",)),
                tuple(Day(begin + at * _DAY, days.get(begin + at * _DAY, 0)) for at in range(30)),
            )  # fmt: skip

    def log(self, who: Identity, *, before: int | None = None, limit: int = 100) -> LogPage:
        """The log, and entries of it, the latest first. They are not compared with the tree; a proof is.

        Raises:
            NotAllowedError: they may not audit everything.
            VerifyError: the log is damaged.
        """
        who.require(Right.AUDIT, ROOT)
        return read_log(self._folder, before=before, limit=limit)

    def log_entry(self, who: Identity, index: int) -> LogPage:
        """The log, and one entry of it with its proof, which was checked (raises like :meth:`log`, and :class:`NotThereError`)."""
        who.require(Right.AUDIT, ROOT)
        return read_entry(self._folder, index)

    # --- inside ---

    def _row(self, connection: Connection, who: Identity, revision: int) -> RevisionRow:
        seen_by(connection, who)
        found = rows.find_revision(connection, revision, (ROOT,), self._clock())
        if found is None:
            raise _missing(revision)
        return revision_by_id(connection, revision)


def _told(who: Identity, row: ModelRow) -> ModelRow:
    """A row as somebody may see it: where a folder of ours lies is for those who look after the server."""
    if "://" in row.upstream or Right.ADMINISTER in who.rights_in(ROOT):
        return row
    return replace(row, upstream=_FOLDER)


def _looked_at(connection: Connection, who: Identity, project: str) -> tuple[list[str], str]:
    """The projects that they may see something in, and the one that they ask about; '' is any."""
    seen = seen_by(connection, who)
    return seen, project_for(connection, who, project) if project else ""


def _shown_to(seen: Collection[str], uses: Sequence[Use]) -> tuple[Use, ...]:
    """Uses as somebody may see them: of projects that they may not, not even the names."""
    return tuple(each if each.project is None or each.project in seen else replace(each, project="") for each in uses)


def approvals_of(line: bytes) -> tuple[Approval, ...]:
    """What each of those said who approved, by the signed statement of a decision; none where it is not of people, or names them together alone."""
    said = parse_statement(parse_line(line, "a statement of ours").envelope.payload).predicate
    return said.approvals if isinstance(said, AdmissionV1) else ()


def _missing(revision: int) -> NotThereError:
    return NotThereError(f"the gate knows no revision of number {revision}")
