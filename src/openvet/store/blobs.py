"""Files by the SHA-256 of their bytes: ``blobs/sha256/ab/REST``. A name stands there only once its bytes do.

Bytes come into a file that has no name (``O_TMPFILE``; where a file system has no such files, into ``staging/``) and are hashed on the way, once.
When they are all there, are those that were announced and are on the disk, the file gets its name, and the folder is waited for. So a process
that is killed, a disk that is full and an upstream that breaks off leave nothing that could be taken for a file.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ChangedError, UsageError
from openvet.evidence.log.disk import StorageError

__all__ = ["BlobStore", "Damage", "NewBlob", "Stored"]

_SHA256: Final = pattern(r"[0-9a-f]{64}")
_UNNAMED: Final = getattr(os, "O_TMPFILE", 0)
_WITHOUT: Final = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was taken in: its digests (``oid`` is what git calls these bytes, '' where nobody asked) and its size."""

    sha256: str
    oid: str
    size: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what its name says. ``found`` is the SHA-256 of what is there, '' where it cannot be read."""

    sha256: str
    path: str
    found: str


class BlobStore:
    """The files below ``folder``. May be used by several threads and processes at once.

    Args:
        folder: is made where it is not there; the one above has to be.

    Raises:
        StorageError: it cannot be made or written.
    """

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(folder)
        self._blobs = os.path.join(self.folder, "blobs", "sha256")
        self._staging = os.path.join(self.folder, "staging")
        try:
            for each in (self._blobs, self._staging):
                os.makedirs(each, exist_ok=True)
        except OSError as error:
            raise _storage(self.folder, error) from error
        self.sweep()

    def path(self, sha256: str) -> str:
        """Where the file of this digest is, or would be.

        Raises:
            UsageError: it is no SHA-256.
        """
        if not _SHA256.fullmatch(sha256):
            raise UsageError(f"{printable(sha256)[:80]!r} is no SHA-256 in lower-case hex")
        return os.path.join(self._blobs, sha256[:2], sha256[2:])

    def size(self, sha256: str) -> int | None:
        """The bytes of a file, ``None`` where it is not there."""
        try:
            status = os.stat(self.path(sha256), follow_symlinks=False)
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def age(self, sha256: str) -> float:
        """Seconds since a file came, by the clock of this machine; 0 where it is not there."""
        try:
            return max(0.0, time.time() - os.stat(self.path(sha256), follow_symlinks=False).st_mtime)
        except OSError:
            return 0.0

    def new(self, size: int, *, git: bool = True) -> NewBlob:
        """A file of ``size`` bytes that is about to come; ``git`` says whether it is hashed as git does, too (raises like :class:`NewBlob`)."""
        return NewBlob(self, size, git=git)

    def sweep(self) -> int:
        """Remove what was left by processes that are no more; gives how many files."""
        count = 0
        for name in os.listdir(self._staging):
            path = os.path.join(self._staging, name)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
                count += 1
            except OSError:
                pass  # somebody writes it, or removed it first
            finally:
                os.close(descriptor)
        return count

    def names(self) -> Iterator[str]:
        """The digests of all files, in order."""
        for first in sorted(os.listdir(self._blobs)):
            for rest in sorted(os.listdir(os.path.join(self._blobs, first))):
                if _SHA256.fullmatch(first + rest):
                    yield first + rest

    def verify(self, each: Callable[[str], object] = lambda _: None) -> Iterator[Damage]:
        """Read every file; those that are not what their names say.

        Args:
            each: is told of each file before it is read.
        """
        for sha256 in self.names():
            each(sha256)
            path = self.path(sha256)
            found = ""
            try:
                with open(path, "rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                if not os.path.lexists(path):
                    continue  # pruned meanwhile
            if found != sha256:
                yield Damage(sha256, path, found)

    def remove(self, sha256: str) -> int:
        """Remove a file; the bytes that this gives back. Whoever has it open reads on."""
        size = self.size(sha256) or 0
        try:
            os.unlink(self.path(sha256))
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _storage(self.path(sha256), error) from error
        return size

    # --- for the new file ---

    def open_new(self) -> tuple[int, str]:
        """A descriptor of an empty file, and its name in ``staging``, '' where it has none."""
        if _UNNAMED:
            try:
                return os.open(self._staging, _UNNAMED | os.O_WRONLY | os.O_CLOEXEC, 0o444), ""
            except OSError as error:
                if error.errno not in _WITHOUT:
                    raise
        while True:
            name = secrets.token_hex(16)
            path = os.path.join(self._staging, name)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # whoever sweeps may have been between us and our lock
            if os.fstat(descriptor).st_nlink:
                return descriptor, name
            os.close(descriptor)

    def name(self, descriptor: int, staged: str, sha256: str) -> None:
        """Give a complete file its name, and wait until the disk has it."""
        path = self.path(sha256)
        folder = os.path.dirname(path)
        made = not os.path.isdir(folder)
        os.makedirs(folder, exist_ok=True)
        inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                if staged:
                    os.link(os.path.join(self._staging, staged), path)
                else:
                    os.link(
                        f"/proc/self/fd/{descriptor}", os.path.basename(path), dst_dir_fd=inside, follow_symlinks=True
                    )
            except FileExistsError:
                pass  # the same bytes came by another way
            os.fsync(inside)
            if made:
                _sync_folder(self._blobs)
        finally:
            os.close(inside)

    def unstage(self, staged: str) -> None:
        """Forget a file in ``staging``."""
        try:
            os.unlink(os.path.join(self._staging, staged))
        except OSError:
            pass


class NewBlob:
    """A file on its way into the store. Used by one thread.

    Args:
        store: where it goes.
        size: how many bytes were announced.

    Raises:
        StorageError: there is no room for it.
    """

    def __init__(self, store: BlobStore, size: int, *, git: bool) -> None:
        self._store = store
        self._size = size
        self._done = 0
        self._sha256 = hashlib.sha256()
        self._oid = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False) if git else None
        try:
            room = os.statvfs(store.folder)
            if room.f_bavail * room.f_frsize < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._descriptor, self._staged = store.open_new()
        except OSError as error:
            raise _storage(store.folder, error, size) from error

    def write(self, data: bytes) -> None:
        """The next bytes.

        Raises:
            ChangedError: they are more than were announced.
            StorageError: they cannot be written.
        """
        self._done += len(data)
        if self._done > self._size:
            raise ChangedError(f"more than the {self._size} bytes came that were listed", offset=self._size)
        self._sha256.update(data)
        if self._oid is not None:
            self._oid.update(data)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise _storage(self._store.folder, error, self._size) from error

    def commit(self, *, sha256: str = "", oid: str = "") -> Stored:
        """Give the file its name. Once this returns it is on the disk.

        Args:
            sha256, oid: what its digests have to be, where somebody named one.

        Raises:
            ChangedError: these are other bytes, or not all of them. Nothing is kept.
            StorageError: it cannot be written.
        """
        found = Stored(self._sha256.hexdigest(), self._oid.hexdigest() if self._oid else "", self._done)
        if found.size != self._size:
            raise ChangedError(f"{found.size} bytes came where {self._size} were listed", offset=found.size)
        if sha256 and found.sha256 != sha256:
            raise ChangedError(f"sha256 {sha256} was listed, and bytes with {found.sha256} came")
        if oid and found.oid != oid:
            raise ChangedError(f"the git blob {oid} was listed, and the bytes of {found.oid} came")
        try:
            os.fsync(self._descriptor)
            self._store.name(self._descriptor, self._staged, found.sha256)
        except OSError as error:
            raise _storage(self._store.folder, error, self._size) from error
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._staged:
            self._store.unstage(self._staged)
        os.close(self._descriptor)


def _sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _storage(path: str, error: OSError, size: int = 0) -> StorageError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        needed = f" for a file of {size} bytes" if size else ""
        return StorageError(
            f"there is no room{needed} in {printable(path)}; free some, or move the store to a larger disk"
        )
    return StorageError(f"{printable(path)} cannot be written: {error.strerror or error}; nothing was kept")
