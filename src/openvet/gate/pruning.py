"""Room on the disk: stored files that nobody has pulled for long are removed, by age or until the store fits into a size.

What was decided does not depend on them. Reports, statements, dossiers and the log stay whole; and whoever asks for a removed file waits until it was
fetched again, which has to be the same bytes. What a vetting is at, and what came within the last hour, is never removed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError
from openvet.gate.folder import UPKEEP, turn
from openvet.gate.identity import ITSELF
from openvet.gate.vetting import VET
from openvet.reports._text import bytes_for_people
from openvet.store.acts import add_act
from openvet.store.blobs import BlobStore
from openvet.store.database import Database
from openvet.store.revisions import blobs_at_work, forget_blob, last_uses

__all__ = ["Pruned", "Pruner", "prune"]

_SECOND: Final = 1000
#: Seconds for which a file is left alone that has just come: it may have no row yet.
_NEW: Final = 3600
#: Files that are removed in one transaction: nobody can begin to vet with them meanwhile.
_AT_ONCE: Final = 50
_EVERY: Final = 3600.0
_log = logging.getLogger("openvet.upkeep")


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, or would be.

    Attributes:
        files, bytes: removed.
        left_files, left_bytes: in the store after that.
        since: when the one of them was pulled last that was pulled latest, in milliseconds UTC; ``None`` where none is removed.
    """

    files: int
    bytes: int
    left_files: int
    left_bytes: int
    since: int | None

    def __str__(self) -> str:
        left = f"{self.left_files} are left, {bytes_for_people(self.left_bytes)}"
        return f"{self.files} stored files that nobody pulled for long, {bytes_for_people(self.bytes)}; {left}"


def prune(
    database: Database,
    blobs: BlobStore,
    now: int,
    *,
    idle: int | None = None,
    keep: int | None = None,
    dry: bool = False,
    by: str = ITSELF,
) -> Pruned:
    """Remove files from the store, those first that were not pulled for longest. Others go on meanwhile.

    Args:
        blobs: the store, in the folder of a gate.
        now: milliseconds UTC.
        idle: those that nobody was given for so many milliseconds, nor came since.
        keep: until the store has at most so many bytes.
        dry: say what would be removed, and remove nothing.
        by: who does it, as it is written down.

    Raises:
        UsageError: neither ``idle`` nor ``keep`` says what is too much.
        StorageError: the store or the database cannot be used, or a backup is being made.
    """
    if idle is None and keep is None:
        raise UsageError("say what is too much: how long nobody pulled a file, or how many bytes the store may have")
    with turn(blobs.folder, UPKEEP, wait=0):
        with database.reading() as connection:
            used, busy = last_uses(connection), blobs_at_work(connection, VET)
        sizes = {each: blobs.size(each) or 0 for each in blobs.names()}
        least = _NEW if idle is None else min(_NEW, idle // _SECOND)
        # whatever the database does not know of has not been used since it came
        last = {each: used.get(each) or now - int(blobs.age(each) * _SECOND) for each in sizes}
        gone: list[str] = []
        count, total = len(sizes), sum(sizes.values())
        for each in sorted(sizes, key=lambda each: (last[each], each)):
            too_old = idle is not None and last[each] <= now - idle
            too_much = keep is not None and total > keep
            if not (too_old or too_much):
                break
            if each in busy or blobs.age(each) < least:
                continue
            gone.append(each)
            count, total = count - 1, total - sizes[each]
        if not dry:
            kept = _remove(database, blobs, gone)
            gone = [each for each in gone if each not in kept]
            count, total = count + len(kept), total + sum(sizes[each] for each in kept)
        if gone and not dry:
            with database.writing() as connection:
                said = f"{len(gone)} files, {sum(sizes[each] for each in gone)} bytes"
                add_act(connection, by, "store.pruned", now, details=said)
    since = max((last[each] for each in gone), default=None)
    return Pruned(len(gone), sum(sizes[each] for each in gone), count, total, since)


def _remove(database: Database, blobs: BlobStore, names: list[str]) -> set[str]:
    """Remove these, but for those that a vetting has begun to need; which are those."""
    kept: set[str] = set()
    for at in range(0, len(names), _AT_ONCE):
        with database.writing() as connection:
            busy = blobs_at_work(connection, VET)
            for each in names[at : at + _AT_ONCE]:
                if each in busy:
                    kept.add(each)
                    continue
                # first the row: what is cut off between the two leaves a file that nobody knows, and is removed the next time
                forget_blob(connection, each)
                blobs.remove(each)
    return kept


class Pruner:
    """Makes room once an hour, in a thread of its own, until it is stopped.

    Args:
        clock: milliseconds UTC.
        idle, keep: as of :func:`prune`.
        every: seconds between two times.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        clock: Callable[[], int],
        *,
        idle: int | None,
        keep: int | None,
        every: float = _EVERY,
    ) -> None:
        self._database, self._blobs, self._clock = database, blobs, clock
        self._idle, self._keep, self._every = idle, keep, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="prune", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(self._every):
            try:
                found = prune(self._database, self._blobs, self._clock(), idle=self._idle, keep=self._keep)
            except StorageError as error:
                _log.warning("no room was made: %s; it is tried again in an hour", error)
                continue
            if found.files:
                _log.info("removed %s", found)
            if self._keep is not None and found.left_bytes > self._keep:
                _log.warning(
                    "the store has %s and keep says %s: what is left is new or being vetted",
                    bytes_for_people(found.left_bytes),
                    bytes_for_people(self._keep),
                )
