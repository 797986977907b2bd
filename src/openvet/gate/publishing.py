"""Decisions that are written down in the database are put where others can verify them: the dossier of the revision, and the log of the gate.
Lists of revocations are put into the log as well.

Both can be repeated: a line that is there is not added again. So the job that does it may be killed anywhere.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from openvet.errors import UsageError
from openvet.evidence.dossier.layout import INDEX
from openvet.evidence.dossier.writing import add_to_dossier
from openvet.evidence.keys import PrivateKey
from openvet.evidence.log.disk import StorageError
from openvet.evidence.log.index import known
from openvet.evidence.log.layout import CHECKPOINT
from openvet.evidence.log.proof import entry_for, entry_for_digest
from openvet.evidence.log.reading import LogReader
from openvet.evidence.log.writing import create_log, open_writer
from openvet.evidence.signing import parse_line
from openvet.gate.folder import PUBLISHING, turn
from openvet.gate.worker import Clock, Effects, Keeper
from openvet.store.database import Connection, Database
from openvet.store.decisions import lines_to_publish, mark_published
from openvet.store.jobs import Job, add_job
from openvet.store.revisions import RevisionRow, revision_by_id
from openvet.store.revocations import keep_list, kept_list
from openvet.workflows.dossier import create

__all__ = [
    "PUBLISH",
    "Publisher",
    "ask_for_listing",
    "ask_for_publishing",
    "dossier_folder",
    "log_folder",
    "publishing_key",
]

PUBLISH: Final = "publish"

_DOSSIERS: Final = "dossiers"
_LOG: Final = "log"


def dossier_folder(folder: str, row: RevisionRow) -> str:
    """Where the dossier of a revision is, of the gate in ``folder``."""
    return os.path.join(folder, _DOSSIERS, f"{row.kind}s", row.name.replace("/", "--"), row.commit)


def log_folder(folder: str) -> str:
    """Where the log is, of the gate in ``folder``."""
    return os.path.join(folder, _LOG)


class Publisher:
    """Puts decisions into dossiers and the log below ``folder``. Its :meth:`publish` is a :data:`openvet.gate.worker.Handler`.

    Args:
        folder: where ``dossiers/`` and ``log/`` are.
        key: of the gate, whose both are.
        name: the name of the log for ever.
    """

    def __init__(self, database: Database, folder: str, key: PrivateKey, name: str, clock: Clock) -> None:
        self._database, self._folder, self._key, self._clock = database, folder, key, clock
        self._log = log_folder(folder)
        if not os.path.isfile(os.path.join(self._log, CHECKPOINT)):
            try:
                create_log(self._log, name, key)
            except UsageError:  # another process was faster
                LogReader(self._log, key.public)

    def publish(self, job: Job, keeper: Keeper) -> Effects:
        """Publish what is decided of a revision and was not published, or lists of revocations (raises :class:`StorageError`)."""
        if "list" in job.payload:
            return self._publish_lists(str(job.payload["list"]), keeper)
        revision = int(job.payload["revision"])
        with self._database.reading() as connection:
            row, waiting = revision_by_id(connection, revision), lines_to_publish(connection, revision)
        lines: list[bytes] = []
        for _, line, packed in waiting:
            lines += [*(zlib.decompress(packed).split(b"\n") if packed else ()), line]
        lines = [each for each in dict.fromkeys(lines) if each]
        keeper.check()
        if lines:
            # whoever makes a backup copies database, dossiers and log as of one moment
            with turn(self._folder, PUBLISHING, wait=None, check=keeper.check):
                self._fill(dossier_folder(self._folder, row), lines)
                keeper.check()
                self._append(map(entry_for, lines))
        decisions = [number for number, _, _ in waiting]

        def write(connection: Connection) -> None:
            mark_published(connection, decisions)
            if lines_to_publish(
                connection, revision
            ):  # decided while this job was at work, and so without one of its own
                ask_for_publishing(connection, revision, self._clock())

        return write

    def _publish_lists(self, project: str, keeper: Keeper) -> Effects:
        with self._database.reading() as connection:
            waiting = kept_list(connection, project).waiting
        keeper.check()
        with turn(self._folder, PUBLISHING, wait=None, check=keeper.check):
            self._append(map(entry_for_digest, waiting))

        def write(connection: Connection) -> None:
            kept = kept_list(connection, project, hold=True)
            left = tuple(each for each in kept.waiting if each not in waiting)
            keep_list(connection, project, replace(kept, waiting=left))
            if left:  # made while this job was at work
                ask_for_listing(connection, project, self._clock())

        return write

    def _fill(self, folder: str, lines: list[bytes]) -> None:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise StorageError(f"the dossier cannot be written: {error.strerror or error}") from error
        if not os.path.isfile(os.path.join(folder, INDEX)):
            try:
                create(folder, self._key)
            except UsageError:
                if not os.path.isfile(os.path.join(folder, INDEX)):
                    raise
        add_to_dossier(folder, self._key, [parse_line(each, "a statement of ours") for each in lines])

    def _append(self, entries: Iterable[bytes]) -> None:
        with open_writer(self._log, self._key) as writer:
            wanted = dict.fromkeys(entries)
            there = known(LogReader(self._log, self._key.public), wanted)
            writer.append([each for each in wanted if each not in there])


def ask_for_publishing(connection: Connection, revision: int, now: int) -> int:
    """The job that publishes what is decided of a revision."""
    return add_job(connection, PUBLISH, publishing_key(revision), {"revision": revision}, now)


def publishing_key(revision: int) -> str:
    """What the jobs are kept under that publish what is decided of a revision."""
    return f"publish:{revision}"


def ask_for_listing(connection: Connection, project: str, now: int) -> int:
    """The job that puts the lists of revocations of a project into the log."""
    return add_job(connection, PUBLISH, f"publish:list:{project}", {"list": project}, now)
