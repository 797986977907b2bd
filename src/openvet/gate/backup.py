"""A backup of a server while it runs: the whole folder as of one moment, in a folder of its own, complete or not there.

::

    TARGET/20261129T104500.000Z/    one backup: a folder of a server, as plain files
        backup.json                 which server, when, and the digest of SHA256SUMS
        SHA256SUMS                  the digest of every other file; `sha256sum --check SHA256SUMS` needs nothing of ours
        openvet.db                  the database, as SQLite wherever it was
        key.pem                     the key that signs (mode 600)
        log/, dossiers/             as of the moment of the database: nothing is published while these are copied
        blobs/sha256/               the files that this database lists

A file that the backup before has already, byte for byte, becomes a hard link to it, so that the next one takes the room of what is new. Any of
them may be removed without the others.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.log.disk import StorageError, read_file
from openvet.evidence.log.reading import LogReader
from openvet.evidence.strict import encode_base64
from openvet.gate.folder import DATABASE, KEY, PUBLISHING, UPKEEP, check_folder, database_url, turn
from openvet.gate.identity import ITSELF
from openvet.gate.opening import open_key
from openvet.gate.publishing import log_folder
from openvet.store.acts import add_act
from openvet.store.copies import blobs_in, copy_out
from openvet.store.database import Database, open_database, schema_of
from openvet.version import VERSION

__all__ = ["META", "NAME", "SUMS", "TYPE", "Backup", "back_up", "blob_name", "finished"]

META: Final = "backup.json"
SUMS: Final = "SHA256SUMS"
TYPE: Final = "https://openvet/backup/v1"
#: How a backup is called: by the moment at which it began.
NAME: Final = pattern(r"\d{8}T\d{6}\.\d{3}Z", re.ASCII)
_PART: Final = ".part"
_BLOCK: Final = 1 << 20
_LARGEST: Final = 1 << 30
#: Seconds to wait for a decision that is just being published.
_WAIT: Final = 600.0


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is complete.

    Attributes:
        path: its folder.
        files, bytes: what it holds.
        written: bytes of it that no earlier backup had.
        log: entries of the log.
        absent: digests of files that the database lists and the store has not: the gate fetches them again when they are asked for.
        damaged: digests of files whose bytes are others by now; they are not in the backup.
    """

    path: str
    files: int
    bytes: int
    written: int
    log: int
    absent: tuple[str, ...]
    damaged: tuple[str, ...]


def blob_name(sha256: str) -> str:
    """The name of a stored file in a backup, as in the folder of a server."""
    return f"blobs/sha256/{sha256[:2]}/{sha256[2:]}"


def finished(target: str) -> list[str]:
    """The backups in a folder of them, the latest last."""
    try:
        found = [each for each in os.listdir(target) if NAME.fullmatch(each)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(each for each in found if os.path.isfile(os.path.join(target, each, META)))


def back_up(
    folder: str,
    target: str,
    now: int,
    database: str = "",
    *,
    by: str = ITSELF,
    each: Callable[[str], object] = lambda _: None,
) -> Backup:
    """Make a backup of the server in ``folder``, which may be running.

    Args:
        target: the folder of the backups; is made where it is not there.
        now: milliseconds UTC.
        database: its URL, where it is not in ``folder``.
        by: who makes it, as it is written down once it is complete; and so the next one says that there was one.
        each: is told of each file before it is copied.

    Raises:
        UsageError: this is no folder of a server, or something else lies in ``target``.
        StorageError: it cannot be read or written, or another backup is being made. Nothing of it stays.
        VerifyError: the log in ``folder`` is not one of its key.
    """
    check_folder(folder)
    if not os.path.lexists(os.path.join(folder, KEY)):
        raise UsageError(f"{printable(folder)[:300]} has no {KEY}: no server was ever started there")
    key = open_key(folder).public.hint
    began = datetime.fromtimestamp(now / 1000, UTC)
    name = began.strftime("%Y%m%dT%H%M%S.") + f"{now % 1000:03d}Z"
    with turn(folder, UPKEEP, wait=0):
        before = _before(target, key)
        path, part = os.path.join(target, name), os.path.join(target, f".{name}{_PART}")
        if os.path.lexists(path):
            raise StorageError(f"{printable(path)} is there already; nothing was done")
        copy = _Copy(folder, part, before, each)
        opened = open_database(database_url(folder, database), upgrade=False)
        try:
            os.mkdir(part, 0o700)
            schema = _state(copy, opened)
            absent, damaged = _blobs(copy)
            found = _end(copy, key, schema, began)
            os.rename(part, path)
            _sync(target)
            with opened.writing() as connection:
                add_act(
                    connection, by, "backup.made", now, details=f"{name}, {len(copy.sums)} files, {copy.bytes} bytes"
                )
        except BaseException as error:
            shutil.rmtree(part, ignore_errors=True)
            if isinstance(error, OSError):
                text = f"the backup cannot be written to {printable(target)}: {error.strerror or error}; nothing of it was left there"
                raise StorageError(text) from error
            raise
        finally:
            opened.close()
    return Backup(path, len(copy.sums), copy.bytes, copy.written, found, tuple(absent), tuple(damaged))


def _before(target: str, key: str) -> str:
    """The latest backup of this server there, '' where there is none; what was cut off before is removed."""
    shown = printable(target)[:300]
    try:
        os.makedirs(target, mode=0o700, exist_ok=True)
        names = os.listdir(target)
        others = [each for each in names if not NAME.fullmatch(each.removeprefix(".").removesuffix(_PART))]
        if others:
            raise UsageError(f"{shown} holds {printable(others[0])[:100]}; backups lie in a folder of their own")
        latest = (finished(target) or [""])[-1]
        if latest and _server_of(os.path.join(target, latest)) != key:
            raise UsageError(f"{shown} holds backups of another server, or {latest} is damaged; name another folder")
        for each in names:
            if each.endswith(_PART):
                shutil.rmtree(os.path.join(target, each))
    except OSError as error:
        raise StorageError(
            f"{shown} cannot be used for backups: {error.strerror or error}; nothing was done"
        ) from error
    return os.path.join(target, latest) if latest else ""


def _server_of(backup: str) -> str:
    """The key of the server that a backup is of, '' where it does not say (raises ``OSError``)."""
    try:
        told = json.loads(read_file(os.path.join(backup, META), _LARGEST))
    except ValueError:
        return ""
    return str(told.get("server")) if isinstance(told, dict) else ""


class _Copy:
    """Files on their way into a backup.

    Attributes:
        sums: the digests of those that are in it.
        bytes, written: of them all, and of those that are no links to an earlier backup.
    """

    def __init__(self, folder: str, part: str, before: str, each: Callable[[str], object]) -> None:
        self.folder, self.part = folder, part
        self._before, self._each = before, each
        self._known = _sums_of(before) if before else {}
        self._made: set[str] = set()
        self.sums: dict[str, str] = {}
        self.bytes = self.written = 0

    def take(self, name: str, mode: int, sha256: str = "") -> str:
        """Take in a file; its digest, which has to be ``sha256`` where that is given, or it is not taken in (raises ``OSError``)."""
        self._each(name)
        source, target = os.path.join(self.folder, name), os.path.join(self.part, name)
        folder = os.path.dirname(target)
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(0, f"{printable(name)} is no regular file")
            if name in self._known:
                found = sha256 or hashlib.file_digest(file, "sha256").hexdigest()
                if found == self._known[name] and self._linked(name, target, os.fstat(descriptor).st_size):
                    self._note(name, found, os.fstat(descriptor).st_size)
                    return found
                file.seek(0)
            total, size = hashlib.sha256(), 0
            with open(
                os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb", buffering=0
            ) as out:
                while block := file.read(_BLOCK):
                    total.update(block)
                    size += len(block)
                    _write(out.fileno(), block)
        found = total.hexdigest()
        if sha256 and found != sha256:
            os.unlink(target)
            return found
        self.written += size
        self._note(name, found, size)
        return found

    def put(self, name: str, data: bytes) -> None:
        """A file of ours (raises ``OSError``)."""
        with open(os.path.join(self.part, name), "xb") as out:
            out.write(data)

    def note(self, name: str) -> None:
        """Take in a file that was written into the backup already (raises ``OSError``)."""
        with open(os.path.join(self.part, name), "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            size = os.fstat(file.fileno()).st_size
        self.written += size
        self._note(name, found, size)

    def _note(self, name: str, sha256: str, size: int) -> None:
        self.sums[name] = sha256
        self.bytes += size

    def _linked(self, name: str, target: str, size: int) -> bool:
        earlier = os.path.join(self._before, name)
        try:
            if os.stat(earlier, follow_symlinks=False).st_size != size:
                return False
            os.link(earlier, target, follow_symlinks=False)
        except OSError:
            return False  # it is gone, or the file system has no hard links, or no more of this one
        return True


def _state(copy: _Copy, database: Database) -> str:
    """Database, key, log and dossiers, as of one moment: decisions wait until then to be published. Gives the schema."""
    with turn(copy.folder, PUBLISHING, wait=_WAIT):
        schema = schema_of(database)
        copy_out(database, os.path.join(copy.part, DATABASE))
        os.chmod(os.path.join(copy.part, DATABASE), 0o600)
        copy.note(DATABASE)
        copy.take(KEY, 0o600)
        for name in _files(copy.folder, "log", "dossiers"):
            copy.take(name, 0o644)
        return schema


def _blobs(copy: _Copy) -> tuple[list[str], list[str]]:
    """The stored files that the copied database lists; those that are not there, and those that are damaged."""
    absent, damaged = [], []
    for sha256, _ in blobs_in(os.path.join(copy.part, DATABASE)):
        try:
            if copy.take(blob_name(sha256), 0o444, sha256) != sha256:
                damaged.append(sha256)
        except FileNotFoundError:
            absent.append(sha256)
    return absent, damaged


def _end(copy: _Copy, key: str, schema: str, began: datetime) -> int:
    """What says that it is complete, once everything is on the disk; the entries of the log."""
    log = LogReader(log_folder(copy.part), open_key(copy.part).public).checkpoint
    sums = "".join(f"{sha256}  {each}\n" for each, sha256 in sorted(copy.sums.items())).encode()
    copy.put(SUMS, sums)
    told: dict[str, Any] = {
        "type": TYPE,
        "made": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": VERSION,
        "schema": schema,
        "server": key,
        "log": {"origin": log.origin, "size": log.size, "root": encode_base64(log.root)},
        "files": len(copy.sums),
        "bytes": copy.bytes,
        "sums": hashlib.sha256(sums).hexdigest(),
    }
    os.sync()
    copy.put(META, json.dumps(told, indent=2).encode() + b"\n")
    os.sync()
    return log.size


def _files(folder: str, *below: str) -> Iterator[str]:
    """Every file below these, relative to ``folder``, in order (raises ``OSError``)."""

    def fail(error: OSError) -> None:
        raise error

    for top in below:
        if not os.path.isdir(os.path.join(folder, top)):
            continue
        for here, folders, names in os.walk(os.path.join(folder, top), onerror=fail):
            folders.sort()
            for each in sorted(names):
                name = os.path.relpath(os.path.join(here, each), folder)
                if not each.isprintable() or "\\" in each:
                    raise OSError(0, f"{printable(name)} is no name of a file of ours")
                yield name


def _sums_of(backup: str) -> dict[str, str]:
    """The digests of an earlier backup; none where they cannot be read, and everything is copied then."""
    try:
        lines = read_file(os.path.join(backup, SUMS), _LARGEST).decode().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {each[66:]: each[:64] for each in lines if each[64:66] == "  "}


def _write(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
