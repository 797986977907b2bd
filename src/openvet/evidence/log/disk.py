"""The few things that a log does to its folder, each of them one system call that may be the last one.

Nothing is ever changed in its place: a file is written under another name, waited for until the disk has it, and renamed. Names
count only when the folder that holds them was waited for as well.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from openvet.core.text import printable
from openvet.errors import OpenVetError

__all__ = ["Below", "Disk", "StorageError", "read_file", "told"]

_TICK: Final = 0.02
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class StorageError(OpenVetError):
    """The log cannot be written. What was acknowledged before is there still; what was to be added was not acknowledged."""


class Disk:
    """A folder, by names relative to it. Tests interrupt it by overriding :meth:`before`.

    All methods raise ``OSError``.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def before(self, step: str, name: str) -> None:
        """Called before each system call that changes something or waits for the disk."""

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name) if name else self.folder

    def write_new(self, name: str, data: bytes) -> None:
        """A new file with ``data``, on the disk when this returns."""
        self.before("open", name)
        descriptor = os.open(
            self.path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666
        )
        try:
            view = memoryview(data)
            while view:
                self.before("write", name)
                view = view[self.write(descriptor, view) :]
            self.before("fsync", name)
            _sync(descriptor)
        finally:
            os.close(descriptor)

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write some of ``data``; gives how many bytes."""
        return os.write(descriptor, data)

    def rename(self, source: str, target: str) -> None:
        """Give a file its name, replacing what had it."""
        self.before("rename", target)
        os.rename(self.path(source), self.path(target))

    def make_folder(self, name: str) -> bool:
        """Make a folder where there is none; gives whether it was made."""
        self.before("mkdir", name)
        try:
            os.mkdir(self.path(name))
        except FileExistsError:
            return False
        return True

    def make_new(self) -> None:
        """Make the folder itself where it is not there, on the disk when this returns."""
        if self.make_folder(""):
            Disk(os.path.dirname(os.path.abspath(self.folder))).sync_folder("")

    def make_folders(self, name: str) -> set[str]:
        """Make every missing folder on the way to ``name``; gives those in which one was made, which nobody has waited for."""
        parts = name.split("/")
        changed = set()
        for count in range(1, len(parts) + 1):
            each = "/".join(parts[:count])
            if not os.path.isdir(self.path(each)) and self.make_folder(each):
                changed.add("/".join(parts[: count - 1]))
        return changed

    def remove(self, name: str) -> None:
        """Remove a file or an empty folder that may be missing."""
        self.before("remove", name)
        path = self.path(name)
        try:
            os.rmdir(path) if stat.S_ISDIR(os.lstat(path).st_mode) else os.unlink(path)
        except FileNotFoundError:
            pass

    def sync_folder(self, name: str) -> None:
        """Wait until the disk has the names in a folder."""
        self.before("fsync", name)
        descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)

    def names(self, name: str) -> list[str]:
        """What is in a folder that may be missing, in order."""
        try:
            return sorted(os.listdir(self.path(name)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    @contextmanager
    def locked(self, wait: float) -> Iterator[None]:
        """Keep every other writer out; the kernel lets go when the process ends, however it ends.

        Args:
            wait: seconds to wait for another writer.

        Raises:
            StorageError: another writer is at work for longer than that, or the file system has no locks.
        """
        descriptor = os.open(self.path(""), os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            until = time.monotonic() + wait
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise StorageError(
                            f"another process has been writing to {printable(self.folder)} for {wait:g} s; try again when it is done"
                        ) from None
                    time.sleep(_TICK)
                except OSError as error:
                    raise StorageError(
                        f"cannot lock {printable(self.folder)}: {error.strerror or error}; a log is written on a file system with locks"
                    ) from error
            yield
        finally:
            os.close(descriptor)


class Below(Disk):
    """A folder in another one, written through the disk of that."""

    def __init__(self, above: Disk, name: str) -> None:
        super().__init__(above.path(name))
        self._above = above
        self._name = name

    def write_new(self, name: str, data: bytes) -> None:
        self._above.write_new(self._inside(name), data)

    def rename(self, source: str, target: str) -> None:
        self._above.rename(self._inside(source), self._inside(target))

    def make_folder(self, name: str) -> bool:
        return self._above.make_folder(self._inside(name))

    def remove(self, name: str) -> None:
        self._above.remove(self._inside(name))

    def sync_folder(self, name: str) -> None:
        self._above.sync_folder(self._inside(name))

    def _inside(self, name: str) -> str:
        return f"{self._name}/{name}" if name else self._name


@contextmanager
def told(folder: str, outcome: str) -> Iterator[None]:
    """Say what went wrong with writing to ``folder``, and with which ``outcome``.

    Raises:
        StorageError: in place of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write to {printable(folder)}: {error.strerror or error}; {outcome}") from error


def _sync(descriptor: int) -> None:
    """Wait for the disk itself; on macOS ``fsync`` only waits until the disk has it in its memory."""
    whole: int | None = getattr(fcntl, "F_FULLFSYNC", None)
    if whole is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, whole)


def read_file(path: str, most: int) -> bytes:
    """Up to ``most`` + 1 bytes of a regular file.

    Raises:
        OSError: it is missing, no regular file, or cannot be read.
    """
    descriptor = os.open(path, _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(2, "no regular file", path)
        parts, left = [], most + 1
        while left > 0 and (part := os.read(descriptor, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
