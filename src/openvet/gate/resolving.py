"""Which revision is meant: by what the gate knows of a branch, a tag or a commit, or by what the upstream says of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.gate.answers import Asking, Listed, ListedFile, Refusal, RefusedError, Repository
from openvet.gate.settings import HOUR, SECOND, Settings
from openvet.gate.standing import ALL, Stand, line_of, scope_of, standing
from openvet.gate.upstreams import Found, UpstreamError, Upstreams, about_for_clients, is_commit
from openvet.gate.worker import Clock
from openvet.store.database import Connection, Database
from openvet.store.decisions import decisions_of
from openvet.store.revisions import (
    FileRow,
    RevisionRow,
    add_revision,
    files_of,
    note_ref,
    ref_history,
    revision_by_commit,
    revision_by_id,
)

__all__ = ["KnownRevision", "Resolver"]

_LOCKS: Final = 64
_KEPT: Final = 256
_NOTED: Final = 10_000
#: Until when this process remembers what a commit is, and for how long what a branch or tag is, which another process may have asked anew.
_EVER: Final = 2**62
_BRIEF: Final = 5 * SECOND


@dataclass(frozen=True, slots=True)
class KnownRevision:
    """A revision and its files as they are listed; both never change, but for the digests that come in, which are not looked at here."""

    row: RevisionRow
    listed: Listed
    by_path: Mapping[str, ListedFile]
    total: int


class Resolver:
    """Which revision somebody means, and what is in it. Used by many threads.

    Args:
        database, upstreams, settings, clock: of the gate.
        ask: has a part of a revision vetted.
    """

    def __init__(
        self,
        database: Database,
        upstreams: Upstreams,
        settings: Settings,
        clock: Clock,
        ask: Callable[[KnownRevision, str], None],
    ) -> None:
        self._database, self._upstreams, self._settings = database, upstreams, settings
        self._clock, self._ask = clock, ask
        self._asking = [threading.Lock() for _ in range(_LOCKS)]
        self._kept: dict[int, KnownRevision] = {}
        self._numbers: dict[tuple[Repository, str], tuple[int, int]] = {}
        #: when the upstream last gave no answer about what it had
        self._away: dict[Repository, int] = {}

    def resolve(self, repository: Repository, revision: str, asking: Asking) -> KnownRevision:
        """The revision that this is, by what is known or by what the upstream says.

        Raises:
            RefusedError: there is none, the upstream does not answer, or a branch or tag means nothing yet that may be told.
        """
        now = self._clock()
        number, until = self._numbers.get((repository, revision), (0, 0))
        if now < until:
            return self.held(number)
        if is_commit(revision):
            with self._database.reading() as connection:
                row = revision_by_commit(connection, repository.kind, repository.name, revision)
            return self.held(
                self._note(repository, revision, row.id if row else self._learn(repository, revision), _EVER)
            )
        # many ask at once for what is new: the upstream is asked once
        with self._asking[hash((repository, revision)) % _LOCKS]:
            with self._database.reading() as connection:
                history = ref_history(connection, repository.kind, repository.name, revision)
            latest = history[0].revision if history else 0
            if not history or now - max(history[0].last_seen, self._away.get(repository, 0)) > self._settings.fresh:
                try:
                    latest = self._learn(repository, revision)
                except RefusedError as error:
                    if error.why is not Refusal.UPSTREAM or not history:
                        raise
                    self._away[repository] = self._clock()  # what was vetted can be had while the upstream is away
        if not self._settings.main_is_admitted and not self._settings.cooldown:
            return self.held(self._note(repository, revision, latest, now + min(self._settings.fresh, _BRIEF)))
        return self.held(self._settled(repository, revision, latest, asking))

    def _note(self, repository: Repository, revision: str, number: int, until: int) -> int:
        """Remember in this process which revision that is, so that not everybody has to ask the database for it."""
        if len(self._numbers) >= _NOTED:
            self._numbers.clear()
            self._away.clear()
        self._numbers[repository, revision] = number, until
        return number

    def _settled(self, repository: Repository, revision: str, latest: int, asking: Asking) -> int:
        """What a branch or tag means to clients: the last commit that is old enough, and admitted where that is wanted."""
        now = self._clock()
        with self._database.reading() as connection:
            history = ref_history(connection, repository.kind, repository.name, revision)
            youngest = now - self._settings.cooldown
            for each in history:
                if each.first_seen > youngest:
                    continue
                if not self._settings.main_is_admitted:
                    return each.revision
                scope = self.scope_of(self.held_in(connection, each.revision), None)
                if (
                    standing(decisions_of(connection, each.revision), scope, now, asking.project).stand
                    is Stand.ADMITTED
                ):
                    return each.revision
            first = next(each for each in history if each.revision == latest)
        if (self._settings.main_is_admitted and latest != history[-1].revision) or first.first_seen <= youngest:
            self._ask(self.held(latest), self.scope_of(self.held(latest), None))
        if first.first_seen <= youngest:
            return latest
        at = first.first_seen + self._settings.cooldown
        hours = max(1, round((at - now) / HOUR))
        text = (
            f"{repository}@{first.commit[:8]} is newer than this gate serves a branch or tag of: ask again in about {hours} h, or name "
            f"an older commit"
        )
        raise RefusedError(Refusal.NOT_APPROVED, line_of(text), commit=first.commit)

    def _learn(self, repository: Repository, revision: str) -> int:
        """Ask the upstream what a revision is, and remember it; its number."""
        try:
            found: Found = self._upstreams.find(repository, revision)
        except UpstreamError as error:
            raise RefusedError(error.why, line_of(str(error))) from error
        now = self._clock()
        rows = [FileRow(each.path, each.size, each.oid, each.lfs, each.pointer) for each in found.files]
        about = json.dumps(dict(found.about), sort_keys=True)
        with self._database.writing() as connection:
            number = add_revision(
                connection, repository.kind, repository.name, found.commit, found.upstream, about, rows, now
            )
            if not is_commit(revision):
                note_ref(connection, number, revision, now)
        return number

    def held(self, number: int) -> KnownRevision:
        """A revision by its number, which has to be one."""
        found = self._kept.get(number)
        if found is None:
            with self._database.reading() as connection:
                found = self.held_in(connection, number)
        return found

    def held_in(self, connection: Connection, number: int) -> KnownRevision:
        """The same, in a transaction that is open."""
        found = self._kept.get(number)
        if found is not None:
            return found
        row = revision_by_id(connection, number)
        files = tuple(
            ListedFile(each.path, each.size, each.oid, each.lfs, each.pointer) for each in files_of(connection, number)
        )
        listed = Listed(Repository(row.kind, row.name), row.commit, files, about_for_clients(json.loads(row.about)))
        found = KnownRevision(row, listed, {each.path: each for each in files}, sum(each.size for each in files))
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[number] = found
        return found

    def scope_of(self, found: KnownRevision, file: ListedFile | None) -> str:
        """The part of a revision that has to be vetted for a file, or for its small files alone."""
        if not found.row.upstream.startswith(("https://", "http://")):
            return ALL  # a folder: nothing is spared by leaving out
        path, size = ("", 0) if file is None else (file.path, file.size)
        return scope_of(path, size, found.total, self._settings.whole, self._settings.small)
