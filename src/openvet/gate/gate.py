"""The answer to somebody who asks: what a revision lists, whether a file of it may be had, and why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.keys import PrivateKey
from openvet.evidence.log.disk import StorageError
from openvet.evidence.predicates.admission_v1 import Approval
from openvet.gate.answers import Asking, Listed, ListedFile, Ready, Refusal, RefusedError, Repository, Waiting
from openvet.gate.hooks import announce_decision
from openvet.gate.policy import admission_line
from openvet.gate.pruning import Pruned, Pruner, prune
from openvet.gate.publishing import ask_for_publishing
from openvet.gate.resolving import KnownRevision, Resolver
from openvet.gate.settings import SECOND, Settings
from openvet.gate.standing import ALL, Stand, Standing, clock_time, line_of, standing
from openvet.gate.upstreams import Upstreams, about_for_clients, is_commit
from openvet.gate.vetting import RATE, VET, ask_for_vetting, missing_bytes, part_of, vet_key
from openvet.gate.worker import Clock, Worker
from openvet.store.blobs import BlobStore
from openvet.store.database import Connection, Database
from openvet.store.decisions import add_decision, decision_line, decisions_of
from openvet.store.jobs import JobState, jobs_ahead, last_job
from openvet.store.pulls import add_pull, get_value
from openvet.store.revisions import (
    files_of,
    repositories_named,
    revisions_of,
    stored_digest,
)
from openvet.store.vettings import vetting_of_job

__all__ = ["OpenGate"]

#: Bytes a second: how fast an upstream is taken to be before anything came from it, and how fast what is here is read.
_RATE: Final = 20_000_000
_READING: Final = 150_000_000
#: Seconds that a vetting takes beside that, and those of one that is before it in the queue.
_ONCE: Final = 2
_EACH: Final = 4
#: Failed attempts of a vetting that nobody is told of.
_PATIENT: Final = 2


class OpenGate:
    """Answers from the database and the store of files; a :class:`~openvet.gate.worker.Worker` does the vettings. Used by many threads.

    Made by :func:`openvet.gate.opening.open_gate`.

    Args:
        worker, publishing: do vettings here, if any are done here, and publish what is decided.
        end: ends these and whatever else is at work.
    """

    def __init__(
        self, database: Database, blobs: BlobStore, upstreams: Upstreams, settings: Settings, key: PrivateKey, clock: Clock, worker: Worker,
        publishing: Worker, end: Callable[[], None],
    ) -> None:  # fmt: skip
        self._database, self._blobs, self._upstreams, self._settings = database, blobs, upstreams, settings
        self._key, self._clock, self._worker, self._publishing, self._end = key, clock, worker, publishing, end
        self._revisions = Resolver(database, upstreams, settings, clock, self._ask)

    @property
    def database(self) -> Database:
        """Where it keeps what it knows."""
        return self._database

    @property
    def clock(self) -> Clock:
        """Milliseconds UTC."""
        return self._clock

    @property
    def upstream_failures(self) -> dict[str, int]:
        """How often an upstream failed this process, as :attr:`openvet.gate.upstreams.Upstreams.failures`."""
        return self._upstreams.failures

    @property
    def working(self) -> bool:
        """Whether the work of this process goes on: publishing, and the vettings that are done here."""
        return self._worker.alive and self._publishing.alive

    @property
    def vets(self) -> bool:
        """Whether vettings are done in this process; else others have to (:func:`openvet.gate.opening.open_worker`)."""
        return self._worker.threads > 0

    def close(self) -> None:
        """End the work that is under way; it goes on when the gate is opened again."""
        self._end()
        self._database.close()

    def wake(self) -> None:
        """Look for work now: some was just added in a transaction of somebody else's."""
        self._worker.wake()
        self._publishing.wake()

    # --- what clients ask ---

    def listed(self, repository: Repository, revision: str, asking: Asking) -> Listed:
        """See :meth:`openvet.gate.answers.Gate.listed`."""
        with _told():
            found = self._revisions.resolve(repository, revision, asking)
            scope = self._revisions.scope_of(found, None)
            with self._database.reading() as connection:
                said = decisions_of(connection, found.row.id)
                stand = standing(said, scope, self._clock(), asking.project)
            self._refuse(found, stand)
            if stand.stand is Stand.OPEN:
                self._ask(found, scope, len(said))
            return found.listed

    def file(self, repository: Repository, revision: str, path: str, asking: Asking) -> Ready | Waiting:
        """See :meth:`openvet.gate.answers.Gate.file`."""
        with _told():
            found = self._revisions.resolve(repository, revision, asking)
            listed = found.by_path.get(path)
            if listed is None:
                text = f"{repository}@{found.row.commit[:8]} has no file {printable(path)[:200]}"
                raise RefusedError(Refusal.NO_FILE, line_of(text), commit=found.row.commit)
            scope = self._revisions.scope_of(found, listed)
            with self._database.reading() as connection:
                said = decisions_of(connection, found.row.id)
                stand = standing(said, scope, self._clock(), asking.project)
                self._refuse(found, stand)
                sha256 = stored_digest(connection, found.row.id, path)
            if stand.stand is Stand.ADMITTED and sha256 and self._blobs.size(sha256) == listed.size:
                return Ready(found.row.commit, listed, self._blobs.path(sha256), sha256, found.row.id)
            return self._wait(found, listed, scope, asking, len(said))

    def pulled(self, ready: Ready, asking: Asking, sent: int) -> None:
        """See :meth:`openvet.gate.answers.Gate.pulled`."""
        with _told(), self._database.writing() as connection:
            add_pull(
                connection, ready.revision, ready.file.path, ready.sha256, asking.person, line_of(asking.agent, 1000), asking.address, sent,
                self._clock(), asking.project,
            )  # fmt: skip

    def admitted(self, kind: str, search: str, after: str, limit: int, asking: Asking) -> Sequence[Listed]:
        """See :meth:`openvet.gate.answers.Gate.admitted`."""
        out: list[Listed] = []
        now = self._clock()
        with _told(), self._database.reading() as connection:
            for number, name in repositories_named(connection, kind, search, after):
                for row in revisions_of(connection, number):
                    scope = self._revisions.scope_of(self._revisions.held_in(connection, row.id), None)
                    if standing(decisions_of(connection, row.id), scope, now, asking.project).stand is Stand.ADMITTED:
                        about = about_for_clients(json.loads(row.about))
                        out.append(Listed(Repository(kind, name), row.commit, (), about))
                        break
                if len(out) >= limit:
                    break
        return out

    def name_of(self, asking: Asking) -> str:  # noqa: ARG002 - this gate knows nobody
        """See :meth:`openvet.gate.answers.Gate.name_of`; :class:`openvet.gate.peopled.PeopledGate` knows people."""
        return ""

    # --- the store ---

    def prune(self, *, idle: int | None = None, keep: int | None = None, dry: bool = False) -> Pruned:
        """See :func:`openvet.gate.pruning.prune`."""
        return prune(self._database, self._blobs, self._clock(), idle=idle, keep=keep, dry=dry)

    def pruner(self, idle: int | None, keep: int | None) -> Pruner:
        """What does that once an hour, when it is started."""
        return Pruner(self._database, self._blobs, self._clock, idle=idle, keep=keep)

    # --- what people decide ---

    def approve(
        self,
        repository: Repository,
        commit: str,
        *,
        by: str,
        reason: str,
        until: int | None = None,
        project: str = "/",
        conditions: str = "",
    ) -> int:
        """Let a revision be had whatever the policy says of it; what is missing of it is fetched. Gives the number of the decision.

        Once this returns, the decision stands.

        Args:
            by: who decides, as the gate knows them.
            reason: why, as one line.
            until: when it ends (milliseconds UTC).
            project: where it holds, and below.
            conditions: what is asked for in return.

        Raises:
            UsageError: nobody decides, or for no reason, or it would have ended before.
            RefusedError: there is no such revision.
        """
        with self._deciding(repository, commit) as (connection, revision):
            return self.write_approval(
                connection, revision, by=by, reason=reason, until=until, project=project, conditions=conditions
            )

    def revoke(self, repository: Repository, commit: str, *, by: str, reason: str, project: str = "/") -> int:
        """Let a revision not be had any more, whatever was decided before (as :meth:`approve`). Only a later approval takes it back."""
        with self._deciding(repository, commit) as (connection, revision):
            return self.write_revocation(connection, revision, by=by, reason=reason, project=project)

    def write_approval(
        self,
        connection: Connection,
        revision: int,
        *,
        by: str,
        reason: str,
        conditions: str = "",
        until: int | None = None,
        project: str = "/",
        approvals: Sequence[Approval] = (),
    ) -> int:
        """As :meth:`approve`, in a transaction that is open for writing, of a revision by its number. It stands when that is committed.

        Args:
            approvals: what each of those said who approve it, where they are known one by one.
        """
        number = self._decide(
            connection, revision, "approval", "admit", by, reason, until, project, conditions, approvals
        )
        found = self._revisions.held_in(connection, revision)
        scope = self._revisions.scope_of(found, None)
        if missing_bytes(part_of(files_of(connection, revision), scope, self._settings)):
            ask_for_vetting(connection, revision, scope, self._clock())
        return number

    def write_revocation(
        self, connection: Connection, revision: int, *, by: str, reason: str, project: str = "/"
    ) -> int:
        """As :meth:`revoke`, in a transaction that is open for writing, of a revision by its number."""
        return self._decide(connection, revision, "revocation", "reject", by, reason, None, project, "")

    @contextmanager
    def _deciding(self, repository: Repository, commit: str) -> Iterator[tuple[Connection, int]]:
        """A transaction in which something is decided about a commit."""
        if not is_commit(commit):
            raise UsageError("a decision is about a commit, of 40 hex digits: a branch is something else tomorrow")
        with _told():
            found = self._revisions.resolve(repository, commit, Asking())
            with self._database.writing() as connection:
                yield connection, found.row.id
        self.wake()

    def _decide(
        self, connection: Connection, revision: int, kind: str, outcome: str, by: str, reason: str, until: int | None, project: str,
        conditions: str, approvals: Sequence[Approval] = (),
    ) -> int:  # fmt: skip
        now, found = self._clock(), self._revisions.held_in(connection, revision)
        by, reason, conditions = line_of(by, 200), line_of(reason), line_of(conditions, 2000)
        if not by or not reason or not project.startswith("/"):
            raise UsageError("a decision names who makes it, why, and for which project")
        if until is not None and until <= now:
            raise UsageError("a decision ends after it begins")
        before = next((each.id for each in decisions_of(connection, revision) if each.kind == "policy"), None)
        line = admission_line(
            found.listed.repository, found.row.commit, self._key, scope=ALL, kind=kind, outcome=outcome, reason=reason, by=by, now=now, until=until,
            project=project, conditions=conditions, rests=() if before is None else (decision_line(connection, before),),
            approvals=approvals,
        )  # fmt: skip
        number = add_decision(
            connection, revision, ALL, kind, outcome, reason, by, now, line, project=project, until=until, conditions=conditions,
        )  # fmt: skip
        announce_decision(connection, self._settings.hooks, revision, number, now)
        ask_for_publishing(connection, revision, now)
        return number

    # --- the answer ---

    def _refuse(self, found: KnownRevision, stand: Standing) -> None:
        """Say no where that is what counts."""
        said, row = stand.decision, found.row
        named = f"{found.listed.repository}@{row.commit[:8]}"
        if said is None or stand.stand not in {Stand.REFUSED, Stand.REVOKED}:
            return
        if stand.stand is Stand.REVOKED:
            text = f"{named} was revoked by {said.by}: {said.reason}. Take another revision; openvet cache evict removes it from this machine"
            raise RefusedError(Refusal.REVOKED, line_of(text), commit=row.commit)
        why = Refusal.UPSTREAM if said.outcome == "upstream" else Refusal.NOT_APPROVED
        askable = row.id if why is Refusal.NOT_APPROVED else None
        raise RefusedError(why, line_of(said.reason), commit=row.commit, revision=askable)

    def _ask(self, found: KnownRevision, scope: str, seen: int | None = None) -> None:
        """Have a part of a revision vetted, unless that is so already, or has just failed or ended.

        Args:
            seen: how many decisions there were when it was found to be missing.
        """
        now = self._clock()
        with self._database.reading() as connection:
            state = last_job(connection, vet_key(found.row.id, scope))
            if (
                state is not None
                and state.state == "done"
                and seen not in {None, len(decisions_of(connection, found.row.id))}
            ):
                return  # it ended between the two looks: whoever asks again sees what came of it
        if state is not None and (state.state in {"ready", "running"} or self._has_just_failed(state, now)):
            return
        with self._database.writing() as connection:
            ask_for_vetting(connection, found.row.id, scope, now)
        self._worker.wake()

    def _has_just_failed(self, state: JobState, now: int) -> bool:
        return state.state == "failed" and now - (state.finished or 0) < self._settings.again

    def _wait(self, found: KnownRevision, file: ListedFile, scope: str, asking: Asking, seen: int) -> Waiting:
        """How long the vetting of a file takes from now, or why it does not end."""
        self._ask(found, scope, seen)
        now, row = self._clock(), found.row
        named = f"{found.listed.repository}@{row.commit[:8]}"
        with self._database.reading() as connection:
            state = last_job(connection, vet_key(row.id, scope))
            if state is None:
                raise StorageError("the vetting is not in the database")
            seconds = self._estimate(connection, found, scope, state)
        if state.state == "failed" or _is_hopeless(state, now):
            raise _failed(named, row.commit, state, now, self._settings.again)
        seconds += max(0, state.not_before - now) // SECOND if state.state == "ready" else 0
        patient, others = self._settings.patience
        if seconds * SECOND <= (patient if _is_patient(asking.agent) else others):
            return Waiting(row.commit, file, seconds)
        at = clock_time(now + seconds * SECOND)
        text = f"{named} is being vetted, ready about {at}. Ask for it again then; nothing has to be done meanwhile"
        return Waiting(row.commit, file, seconds, RefusedError(Refusal.NOT_APPROVED, line_of(text), commit=row.commit))

    def _estimate(self, connection: Connection, found: KnownRevision, scope: str, state: JobState) -> int:
        files = part_of(files_of(connection, found.row.id), scope, self._settings)
        under_way = vetting_of_job(connection, state.id)
        left, rate = missing_bytes(files), float(get_value(connection, RATE) or _RATE)
        if under_way is not None and under_way.stage == "bytes" and under_way.bytes_total:
            left = min(left, under_way.bytes_total - under_way.bytes_done)
            lasted = self._clock() - under_way.started
            if lasted >= SECOND and under_way.bytes_done:  # what this very vetting shows says more than those before
                rate = under_way.bytes_done * SECOND / lasted
        reading = sum(each.size for each in files) / _READING
        ahead = 0 if state.state == "running" else jobs_ahead(connection, state.id, VET)
        return max(1, round(_ONCE + max(0, left) / max(rate, 1.0) + reading + ahead * _EACH))


@contextmanager
def _told() -> Iterator[None]:
    """Nothing is served where the database or the store cannot be used; that is an answer, too."""
    try:
        yield
    except StorageError as error:
        raise RefusedError(
            Refusal.STORAGE, line_of(f"nothing can be served now: {error}. Tell whoever runs this gate")
        ) from error


def _is_patient(agent: str) -> bool:
    """Whether this client asks again, for about a minute: huggingface_hub from 1.x on, and a gate in front of this one."""
    return "hf_hub/" in agent or agent.startswith("openvet/")


def _is_hopeless(state: JobState, now: int) -> bool:
    """Whether whoever asks is told that the next attempt may fail, too, and not to wait."""
    waits = state.state == "ready" and state.not_before > now and bool(state.error)
    return waits and (state.attempts >= _PATIENT or state.error.startswith("storage: "))


def _failed(named: str, commit: str, state: JobState, now: int, again: int) -> RefusedError:
    kind, _, said = state.error.partition(": ")
    why = {"storage": Refusal.STORAGE, "upstream": Refusal.UPSTREAM}.get(kind, Refusal.NOT_APPROVED)
    what = {"storage": "cannot be kept", "upstream": "cannot be had from the upstream"}.get(kind, "could not be vetted")
    when = state.not_before if state.state == "ready" else (state.finished or now) + again
    text = f"{named} {what}: {said or state.error}. It is tried again after {clock_time(when)}; tell whoever runs this gate"
    return RefusedError(why, line_of(text), commit=commit)
