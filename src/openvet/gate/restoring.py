"""A server from a backup: everything is held against its digests on the way, and the folder is one of a server only when all of it was right."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.keys import PublicKey
from openvet.evidence.log.audit import audit
from openvet.evidence.log.disk import StorageError, read_file
from openvet.evidence.strict import encode_base64
from openvet.gate.backup import META, SUMS, TYPE, finished
from openvet.gate.folder import DATABASE, KEY, MARK, database_url
from openvet.gate.identity import ITSELF
from openvet.gate.publishing import log_folder
from openvet.store.acts import add_act
from openvet.store.copies import fill
from openvet.store.database import open_database
from openvet.store.jobs import release_jobs
from openvet.version import VERSION
from openvet.workflows.keys import read_private

__all__ = ["Restored", "restore"]

#: Is in a folder while it is being restored: what is beside it is ours, and not complete.
_BEGUN: Final = ".restoring"
_LINE: Final = pattern(r"([0-9a-f]{64})  ([^\\\n]{1,4096})", re.ASCII)
_BLOCK: Final = 1 << 20
_LARGEST: Final = 1 << 31
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Restored:
    """What a backup held: when it was ``made``, its files, their bytes, and the entries of its log."""

    made: str
    files: int
    bytes: int
    log: int


def restore(
    backup: str,
    folder: str,
    now: int,
    database: str = "",
    *,
    by: str = ITSELF,
    dry: bool = False,
    each: Callable[[str], object] = lambda _: None,
) -> Restored:
    """Make ``folder`` what it was when the backup was made.

    Args:
        backup: the folder of one backup.
        folder: where the server will be; not there, or empty.
        now: milliseconds UTC.
        by: who does it, as it is written down in the server that comes of it.
        database: URL of an empty database, where it is not to be in ``folder``.
        dry: verify the backup and write nothing.
        each: is told of each file before it is read.

    Raises:
        UsageError: that is no backup, or something is in the folder or in the database.
        VerifyError: ``missing``, ``tampered``: the backup is not what it was. Nothing of it stays.
        StorageError: it cannot be written. Nothing of it stays.
    """
    told = _told_by(backup)
    sums = _sums(backup, told)
    if dry:
        size = _take(backup, "", sums, each)
        return _audited(backup, told, len(sums), size)
    with _new_folder(folder):
        size = _take(backup, folder, sums, each)
        found = _audited(folder, told, len(sums), size)
        path = os.path.join(folder, DATABASE)
        copied = open_database(database_url(folder))
        try:
            with copied.writing() as connection:
                release_jobs(connection)
                add_act(connection, by, "server.restored", now, details=f"as of {found.made[:40]}")
        finally:
            copied.close()
        if database:
            into = open_database(database)
            try:
                fill(path, into)
            finally:
                into.close()
            for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, name))
    return found


@contextlib.contextmanager
def _new_folder(folder: str) -> Iterator[None]:
    """A folder that becomes one of a server when the block is left, and is empty again where it is left by an error."""
    shown = printable(folder)[:300]
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        names = os.listdir(folder)
        if names and _BEGUN not in names:
            raise UsageError(
                f"{shown} is not empty; a backup is restored into a new folder, so that nothing that is there is lost"
            )
        _empty(folder)  # what was cut off before
        with open(os.path.join(folder, _BEGUN), "xb"):
            pass
    except OSError as error:
        raise StorageError(f"{shown} cannot be written: {error.strerror or error}; nothing was restored") from error
    try:
        yield
        os.sync()
        # from here on it is one, whoever is killed
        with open(
            os.open(os.path.join(folder, MARK), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        ) as file:
            file.write(json.dumps({"process": 0, "version": VERSION}).encode() + b"\n")
        os.unlink(os.path.join(folder, _BEGUN))
        os.sync()
    except BaseException as error:
        _empty(folder)
        if isinstance(error, OSError):
            raise StorageError(f"{shown} cannot be written: {error.strerror or error}; nothing was restored") from error
        raise


def _empty(folder: str) -> None:
    for name in sorted(os.listdir(folder), key=lambda name: name == _BEGUN):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def _told_by(backup: str) -> Mapping[str, Any]:
    shown = printable(backup)[:300]
    try:
        data = read_file(os.path.join(backup, META), _BLOCK)
    except OSError:
        latest = (finished(backup) or [""])[-1]
        hint = (
            f"it holds some: name one, such as {printable(os.path.join(backup, latest))[:300]}"
            if latest
            else "one that was cut off is none"
        )
        raise UsageError(f"{shown} is no backup; {hint}") from None
    try:
        told = json.loads(data)
        if told["type"] != TYPE:
            raise ValueError
        _ = (str(told["made"]), str(told["server"]), str(told["sums"]), told["log"]["size"], told["log"]["root"])
        return dict(told)
    except (ValueError, KeyError, TypeError):
        raise VerifyError("tampered", f"{shown}/{META} is not as a backup has it; nothing was restored") from None


def _sums(backup: str, told: Mapping[str, Any]) -> dict[str, str]:
    """The digests of all files, which are all the files that there are."""
    try:
        data = read_file(os.path.join(backup, SUMS), _LARGEST)
    except OSError as error:
        raise VerifyError("missing", f"the backup has no {SUMS} that can be read: {error.strerror or error}") from error
    if hashlib.sha256(data).hexdigest() != told["sums"]:
        raise VerifyError("tampered", f"{SUMS} of the backup is not the one that {META} names; nothing was restored")
    sums = {}
    for line in data.decode("utf-8", "replace").splitlines():
        read = _LINE.fullmatch(line)
        if read is None or os.path.isabs(read[2]) or ".." in read[2].split("/"):
            raise VerifyError("tampered", f"{SUMS} of the backup holds a line that none has: {printable(line)[:200]}")
        sums[read[2]] = read[1]
    there = set(_walk(backup)) - {META, SUMS}
    wrong = [f"{each} is missing" for each in sorted(sums.keys() - there)]
    wrong += [f"{each} was not in it" for each in sorted(there - sums.keys())]
    if wrong or DATABASE not in sums or KEY not in sums:
        raise _damaged(wrong or ["it holds no database, or no key"], "missing" if sums.keys() - there else "tampered")
    return sums


def _walk(backup: str) -> Iterator[str]:
    for here, folders, names in os.walk(backup):
        for each in names + [each for each in folders if os.path.islink(os.path.join(here, each))]:
            yield os.path.relpath(os.path.join(here, each), backup)


def _take(backup: str, folder: str, sums: Mapping[str, str], each: Callable[[str], object]) -> int:
    """Copy every file (or only read it, where there is no ``folder``); their bytes."""
    wrong, size = [], 0
    for name, sha256 in sums.items():
        each(name)
        try:
            descriptor = os.open(os.path.join(backup, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            wrong.append(f"{name} cannot be read: {error.strerror or error}")
            continue
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                wrong.append(f"{name} is no regular file")
                continue
            found, count = _copied(file.fileno(), os.path.join(folder, name) if folder else "", _mode(name))
        size += count
        if found != sha256:
            wrong.append(f"{name} is not what it was (sha256 {found}, and not {sha256})")
    if wrong:
        raise _damaged(wrong, "tampered")
    return size


def _mode(name: str) -> int:
    if name in {KEY, DATABASE}:
        return 0o600
    return 0o444 if name.startswith("blobs/") else 0o644


def _copied(source: int, path: str, mode: int) -> tuple[str, int]:
    total, size = hashlib.sha256(), 0
    out = -1
    if path:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        while block := os.read(source, _BLOCK):
            total.update(block)
            size += len(block)
            view = memoryview(block)
            while path and view:
                view = view[os.write(out, view) :]
    finally:
        if path:
            os.close(out)
    return total.hexdigest(), size


def _audited(folder: str, told: Mapping[str, Any], files: int, size: int) -> Restored:
    """The log is computed anew from its entries, and is the one that was backed up."""
    public: PublicKey = read_private(os.path.join(folder, KEY), lambda _: None).public
    if public.hint != told["server"]:
        raise VerifyError(
            "wrong-key", f"the backup is of the key {printable(str(told['server']))[:80]}, and holds {public.hint}"
        )
    found = audit(log_folder(folder), public).checkpoint
    if (found.size, encode_base64(found.root)) != (told["log"]["size"], told["log"]["root"]):
        raise VerifyError(
            "mismatch", f"the log in the backup has {found.size} entries and another head than {META} says"
        )
    return Restored(str(told["made"]), files, size, found.size)


def _damaged(wrong: list[str], why: str) -> VerifyError:
    more = f", and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    text = "; ".join(printable(each)[:300] for each in wrong[:_SHOWN])
    return VerifyError(why, f"the backup is damaged: {text}{more}. Nothing was restored; take another backup")
