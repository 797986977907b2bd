"""A vetting: the first pass by ranges, where that can spare a download; the bytes into the store; the second pass over them; the decision (docs/adr/0034).

Only the second pass can admit. It reads the files as they lie in the store, under the digests that they were hashed to when they came.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.digest import dir_hash
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry, EntryKind, Snapshot
from openvet.core.text import printable
from openvet.errors import ChangedError, ReadError, UnreachableError
from openvet.evidence.keys import PrivateKey
from openvet.evidence.log.disk import StorageError
from openvet.evidence.statement import ResourceDescriptor
from openvet.gate.answers import ListedFile, Refusal, Repository
from openvet.gate.hooks import announce_decision
from openvet.gate.policy import Policy, admission_line, day_of, evidence_lines
from openvet.gate.publishing import ask_for_publishing
from openvet.gate.settings import SECOND, Settings
from openvet.gate.standing import ALL, clock_time, is_approved, line_of, reason_of
from openvet.gate.summaries import bases_of_report, summary_of_report
from openvet.gate.upstreams import Found, Opened, UpstreamError, Upstreams
from openvet.gate.worker import Clock, Effects, Keeper
from openvet.io.hashing import Pending
from openvet.io.ranges import SMALL, RangeSource
from openvet.io.source import FileSource
from openvet.policy.builtin import decide, verdict_of
from openvet.reports import json as json_report
from openvet.reports.report import ModelReport, Report
from openvet.store.bases import note_bases
from openvet.store.blobs import BlobStore
from openvet.store.database import Connection, Database
from openvet.store.decisions import add_decision, decisions_of
from openvet.store.jobs import Job, add_job
from openvet.store.models import note_summary
from openvet.store.pulls import get_value, set_value
from openvet.store.revisions import FileRow, RevisionRow, blob_of_oid, files_of, note_blob, note_stored, revision_by_id
from openvet.store.vettings import end_vetting, note_progress, start_vetting
from openvet.workflows.assemble import assemble, terms_of
from openvet.workflows.check import Options, begin, finish, make_pool
from openvet.workflows.knowledge import rule_texts, tool

__all__ = ["RATE", "VET", "Vetter", "ask_for_vetting", "found_of", "missing_bytes", "part_of"]

VET: Final = "vet"
#: Where the rate at which bytes came lately is remembered, in bytes a second.
RATE: Final = "rate"
_WORTH: Final = 4 * 1024 * 1024
#: How much longer a refusal by ranges holds than one because of wrong bytes.
_DAYS: Final = 24
#: How often stored files are read that something touches meanwhile: a backup, a virus scanner.
_READINGS: Final = 2


def ask_for_vetting(connection: Connection, revision: int, scope: str, now: int) -> int:
    """The job that vets this part of a revision: a new one, or the one that is waiting or at it."""
    return add_job(connection, VET, vet_key(revision, scope), {"revision": revision, "scope": scope}, now)


def vet_key(revision: int, scope: str) -> str:
    """What a vetting's job is known by."""
    return f"vet:{revision}:{scope}"


def found_of(row: RevisionRow, files: Sequence[FileRow]) -> Found:
    """A revision as the upstream listed it once."""
    import json

    listed = tuple(ListedFile(each.path, each.size, each.oid, each.lfs, each.pointer) for each in files)
    return Found(Repository(row.kind, row.name), row.commit, listed, json.loads(row.about), row.upstream)


def part_of(files: Sequence[FileRow], scope: str, settings: Settings) -> list[FileRow]:
    """The files that a scope is about."""
    if scope == ALL:
        return list(files)
    return [each for each in files if each.size <= settings.small or scope == f"file:{each.path}"]


def missing_bytes(files: Iterable[FileRow]) -> int:
    """The bytes that would have to be fetched, as far as the database knows."""
    return sum(each.size for each in files if not each.sha256)


class LieError(ReadError):
    """The upstream gave other bytes than it lists."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What one run of a job is about."""

    job: Job
    keeper: Keeper
    row: RevisionRow
    found: Found
    files: list[FileRow]
    scope: str
    part: list[FileRow]

    @property
    def title(self) -> str:
        return f"hf:{self.found.repository}@{self.found.commit}"


class Vetter:
    """Vets revisions. Its :meth:`vet` is a :data:`openvet.gate.worker.Handler`.

    Args:
        key: signs what is found.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        upstreams: Upstreams,
        policy: Policy,
        settings: Settings,
        key: PrivateKey,
        clock: Clock,
    ) -> None:
        self._database, self._blobs, self._upstreams, self._policy = database, blobs, upstreams, policy
        self._settings, self._key, self._clock = settings, key, clock

    def vet(self, job: Job, keeper: Keeper) -> Effects:
        """Vet a part of a revision; gives what is to be written of it.

        Raises:
            UpstreamError, StorageError: it cannot be done now.
        """
        revision, scope = int(job.payload["revision"]), str(job.payload["scope"])
        with self._database.reading() as connection:
            row, files = revision_by_id(connection, revision), files_of(connection, revision)
            approved = is_approved(decisions_of(connection, revision), self._clock())
        task = _Task(job, keeper, row, found_of(row, files), files, scope, part_of(files, scope, self._settings))
        opened: Opened | None = None
        try:
            missing = [each for each in task.part if self._blobs.size(each.sha256 or "0" * 64) != each.size]
            others = len(task.part) < len(files)
            if missing or others:
                opened = self._upstreams.open(task.found)
            remote = opened is not None and opened.origin.remote
            if missing and opened is not None and remote and not approved:
                self._fetch(task, opened, [each for each in missing if each.size <= SMALL], None)
                task = self._anew(task)
                missing = [each for each in missing if each.size > SMALL]
                refused = self._by_ranges(task, opened) if missing else None
                if refused is not None:
                    return refused
            return self._by_bytes(task, opened if remote else None, opened, missing)
        except UpstreamError as error:
            if error.why is Refusal.UPSTREAM:
                self._upstreams.failed("reading")
            raise
        except LieError as error:
            self._upstreams.failed("lying")
            if job.attempts < 2:  # a bit may have been lost on the way
                raise UpstreamError(Refusal.UPSTREAM, error.message) from error
            return self._lied(task, error)
        finally:
            if opened is not None:
                opened.close()

    def _anew(self, task: _Task) -> _Task:
        """The same, with the digests that came in."""
        with self._database.reading() as connection:
            files = files_of(connection, task.row.id)
        return replace(task, files=files, part=part_of(files, task.scope, self._settings))

    # --- the first pass ---

    def _by_ranges(self, task: _Task, opened: Opened) -> Effects | None:
        """Read headers and programs from the upstream; what is to be written where that is enough to refuse it, else ``None``."""
        started = self._clock()
        with self._database.writing() as connection:
            vetting = start_vetting(connection, task.row.id, task.job.id, task.scope, "ranges", 0, started)
        options = self._policy.options(day_of(started))
        report = self._read(task, opened, options)
        if not self._is_bad(report, options) or self._policy.outcome(report) == "admit":
            with self._database.writing() as connection:
                end_vetting(connection, vetting, "done", str(report.verdict), "", None, None, self._clock())
            return None
        # ranges prove nothing, neither good nor bad: what is refused by them is looked at anew some day
        until = started + _DAYS * self._settings.again
        return self._decided(task, vetting, replace(report, subject=ResourceDescriptor(task.title, {})), started, until)

    def _is_bad(self, report: ModelReport, options: Options) -> bool:
        """Whether all the bytes could not make it better: what is missing here is only what was not fetched."""
        config = self._settings.config
        accepted = (
            set()
            if config is None
            else {each.rule for each in config.acceptances_on(options.today)}
            if options.today
            else set()
        )
        leads = {str(verdict_of(each)) for each in report.findings if each.rule not in accepted}
        packs = {line.verdict for policy in report.policies for line in policy.lines if "scan" not in line.kinds}
        worst = {"reject"} if self._settings.review_admits else {"reject", "review"}
        return bool(leads & worst) or "reject" in packs

    # --- the bytes ---

    def _fetch(self, task: _Task, opened: Opened, missing: Sequence[FileRow], vetting: int | None) -> None:
        """Bring files into the store, each hashed on the way and held against what was listed."""
        done = 0

        def say(connection: Connection) -> None:
            if vetting is not None:
                note_progress(connection, vetting, done)

        task.keeper.progress = say
        for each in missing:
            listed = ListedFile(each.path, each.size, each.oid, each.lfs, each.pointer)
            started = self._clock()
            sha256, came = self._here(each), 0
            try:
                if not sha256:
                    with self._blobs.new(each.size, git=not each.lfs) as new:
                        for piece in opened.fetch(listed):
                            task.keeper.check()
                            new.write(piece)
                            done += len(piece)
                            came += len(piece)
                        stored = new.commit(sha256=each.lfs or each.sha256, oid="" if each.lfs else each.oid)
                    sha256 = stored.sha256
                else:
                    done += each.size
            except UnreachableError as error:
                raise UpstreamError(Refusal.UPSTREAM, f"{printable(each.path)[:100]}: {error.message}") from error
            except ReadError as error:
                raise LieError(f"{printable(each.path)[:100]}: {error.message}") from error
            now = self._clock()
            with self._database.writing() as connection:
                note_blob(connection, sha256, "" if each.lfs else each.oid, each.size, now)
                if not note_stored(connection, task.row.id, each.path, sha256):
                    raise LieError(f"{printable(each.path)[:100]}: other bytes came than before")
                if came >= _WORTH:
                    _note_rate(connection, came * SECOND / max(1, now - started))

    def _here(self, file: FileRow) -> str:
        """The digest of a file whose bytes came here by another way already, else ''."""
        sha256 = file.sha256 or file.lfs
        if not sha256:
            with self._database.reading() as connection:
                sha256 = blob_of_oid(connection, file.oid, file.size)
        return sha256 if sha256 and self._blobs.size(sha256) == file.size else ""

    # --- the second pass ---

    def _by_bytes(
        self, task: _Task, remote: Opened | None, opened: Opened | None, missing: Sequence[FileRow]
    ) -> Effects:
        started = self._clock()
        total = sum(each.size for each in missing)
        with self._database.writing() as connection:
            vetting = start_vetting(connection, task.row.id, task.job.id, task.scope, "bytes", total, started)
        if missing and opened is not None:
            self._fetch(task, opened, missing, vetting)
            task.keeper.progress = lambda connection: note_progress(connection, vetting, total)
        task = self._anew(task)
        options = self._policy.options(day_of(started))
        for _ in range(_READINGS):
            report = self._read(task, remote, options)
            hashed = {each.path: each.digest.get("sha256", "") for each in report.scan.files}
            touched = [each for each in task.part if not each.sha256 or hashed.get(printable(each.path)) != each.sha256]
            if not touched:  # what was read is what was hashed when it came, or nothing is said
                return self._decided(task, vetting, report, started)
        name = printable(touched[0].path)[:100]
        raise StorageError(f"{name} was changed or removed in the store while it was vetted")

    def _read(self, task: _Task, remote: Opened | None, options: Options) -> ModelReport:
        """One check of the revision: stored files as they lie here, others by ranges."""
        stored = {
            each.path: each.sha256 for each in task.part if self._blobs.size(each.sha256 or "0" * 64) == each.size
        }
        origin = _Mixed(task, stored, self._blobs, None if remote is None else remote.origin)
        progress = Progress()
        pool = make_pool(options, progress)

        def submit(entry: Entry, source: FileSource) -> Pending:
            pending = Pending(source, 0, source.size)
            pending.finish({"sha256": stored[entry.name]})
            return pending

        try:
            taken = finish(begin(origin, options, pool, submit), options, progress)
        finally:
            pool.stop()
        task.keeper.check()
        report = assemble(task.title, taken, options)
        if len(stored) < len(task.files):
            report = _only(report, stored, options) if len(stored) == len(task.part) else report
        return self._policy.decided(report, options.today or day_of(self._clock()))

    # --- the decision ---

    def _decided(
        self, task: _Task, vetting: int, report: ModelReport, started: int, until: int | None = None
    ) -> Effects:
        """What is to be written where a report decides."""
        finished = self._clock()
        repository, commit = task.found.repository, task.found.commit
        outcome = self._policy.outcome(report)
        reason = "" if outcome == "admit" else reason_of(repository, commit, report)
        lines = evidence_lines(report, self._key, started, finished)
        line = admission_line(
            repository, commit, self._key, scope=task.scope, kind="policy", outcome=outcome, reason=reason, by="policy", now=finished,
            until=until, subject=report.subject, rests=lines, approvers=max((each.approvers for each in report.policies), default=0),
        )  # fmt: skip
        text = json_report.compose(Report(tool(), (report,), rule_texts(), ()))
        summary, (bases, _) = summary_of_report(report, vetting), bases_of_report(report)
        packed, kept = zlib.compress(text.encode("utf-8", "surrogatepass")), zlib.compress(b"\n".join(lines))

        def write(connection: Connection) -> None:
            now = self._clock()
            end_vetting(connection, vetting, "done", str(report.verdict), reason, packed, kept, now)
            note_summary(connection, task.row.id, summary)
            note_bases(connection, task.row.id, bases)
            number = add_decision(
                connection,
                task.row.id,
                task.scope,
                "policy",
                outcome,
                reason,
                "policy",
                finished,
                line,
                until=until,
                vetting=vetting,
            )
            announce_decision(connection, self._settings.hooks, task.row.id, number, now)
            ask_for_publishing(connection, task.row.id, now)

        return write

    def _lied(self, task: _Task, error: LieError) -> Effects:
        """What is to be written where the upstream gave other bytes than it lists: nothing is served, and it is asked anew after a while."""
        now = self._clock()
        until = now + self._settings.again
        repository, commit = task.found.repository, task.found.commit
        reason = line_of(
            f"{repository}@{commit[:8]}: the upstream gave other bytes than it lists, and nothing of it is served: {error.message}. "
            f"It is asked anew after {clock_time(until)}; tell whoever runs this gate"
        )
        line = admission_line(
            repository, commit, self._key, scope=task.scope, kind="policy", outcome="upstream", reason=reason, by="policy", now=now, until=until,
        )  # fmt: skip

        def write(connection: Connection) -> None:
            number = add_decision(
                connection, task.row.id, task.scope, "policy", "upstream", reason, "policy", now, line, until=until
            )
            announce_decision(connection, self._settings.hooks, task.row.id, number, now)
            ask_for_publishing(connection, task.row.id, now)

        return write


class _Mixed:
    """A revision to be read: stored files from the store, all others from the upstream, by ranges."""

    remote: Final = False

    def __init__(self, task: _Task, stored: Mapping[str, str], blobs: BlobStore, upstream: Any) -> None:
        entries = tuple(
            Entry(each.path, printable(each.path), EntryKind.FILE, each.size, key=(each.path,))
            for each in task.files
            if each.path in stored or upstream is not None
        )
        self.snapshot = Snapshot(task.title, entries, single=False)
        self.about = task.found.about or None
        self._stored, self._blobs, self._upstream = stored, blobs, upstream

    def open(self, entry: Entry) -> FileSource | RangeSource:
        sha256 = self._stored.get(entry.name)
        if sha256 is None:
            source: RangeSource = self._upstream.open(entry)
            return source
        try:
            descriptor = os.open(self._blobs.path(sha256), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise ChangedError(f"is not in the store any more: {error.strerror}") from error
        return FileSource(descriptor)


def _only(report: ModelReport, stored: Mapping[str, str], options: Options) -> ModelReport:
    """The report about the stored files alone: of the others only headers were read, so that nothing is missing beside these."""
    places = {printable(each) for each in stored}
    scan = replace(report.scan, files=tuple(each for each in report.scan.files if each.path in places))
    total = dir_hash(stored)
    subject = ResourceDescriptor(report.subject.name, {} if total is None else {"dirHash": total})
    return replace(report, scan=scan, subject=subject, decision=decide(scan, terms_of(options)))


def _note_rate(connection: Connection, rate: float) -> None:
    before = get_value(connection, RATE)
    set_value(connection, RATE, str(int(rate if not before else (float(before) + rate) / 2)))
