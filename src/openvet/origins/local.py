"""A subject on this machine: a folder, one file, or a Hugging Face cache snapshot.

Every file is opened by walking down from the root with ``openat`` and ``O_NOFOLLOW``, so that a link put in place while we
read leads nowhere. A link is followed only when what it names lies inside the subject, or, for a cache snapshot,
inside the repository folder that the snapshot belongs to (``models--org--name/blobs``); its real path is then opened
the same way. Source of the cache's layout: huggingface_hub, "Understand caching".
"""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from typing import Literal

from openvet.core.limits import DEFAULT_LIMITS, Limits
from openvet.core.snapshot import Entry, EntryKind, Snapshot
from openvet.core.text import printable
from openvet.errors import ChangedError, ReadError, SubjectError
from openvet.io.source import FileSource

__all__ = ["DeniedError", "LocalOrigin", "VanishedError", "cache_repository"]

# O_NONBLOCK: opening a fifo that was swapped in must not wait for a writer
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FOLDER_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY

#: How the folder of a repository in a hub's cache begins.
_REPOSITORIES = ("models--", "datasets--", "spaces--")

_SPECIAL = {
    stat.S_IFIFO: "a fifo",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


class VanishedError(ReadError):
    """The file was listed and is not there any more."""


class DeniedError(ReadError):
    """The operating system refuses to open the file."""


class LocalOrigin:
    """Lists and opens the files below ``path``.

    Args:
        path: a folder or a file; a link given here by the user is followed.
        exclude: shell patterns (``fnmatch``) against relative paths, or against any one part of them; what they match
            is listed as excluded and not read.

    Raises:
        SubjectError: nothing is there, it may not be opened, or it is neither a folder nor a regular file.
    """

    remote: Literal[False] = False
    #: Whether this is a snapshot in a hub's cache, where every file is a link to a blob.
    cached: bool

    def __init__(self, path: str, *, exclude: Sequence[str] = (), limits: Limits = DEFAULT_LIMITS) -> None:
        self._exclude = tuple(exclude)
        self._limits = limits
        if not path:
            raise SubjectError("an empty path names no model")
        try:
            real = os.path.realpath(path, strict=True)
            status = os.stat(real)
        except OSError as error:
            raise SubjectError(f"{printable(path)}: {_pipe(path) or _why(error)}") from error
        except ValueError as error:
            raise SubjectError(f"{printable(path)}: {error}") from error
        single = not stat.S_ISDIR(status.st_mode)
        if single and not stat.S_ISREG(status.st_mode):
            what = _SPECIAL.get(stat.S_IFMT(status.st_mode), "no regular file")
            raise SubjectError(f"{printable(path)}: {_pipe(path) or f'is {what}, not a file or folder'}")
        # the name that the user gave tells more than a blob's digest, to which a cache link leads
        given = os.path.basename(os.path.normpath(path))
        name = given if given not in {"", ".", ".."} else os.path.basename(real) or real
        self._root = os.path.dirname(real) if single else real
        self._walk_root = self._root
        repository = None if single else cache_repository(real)
        if repository is not None:
            self._root = repository
        try:
            self._descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if single:
                only = Entry(name, printable(name), EntryKind.FILE, status.st_size, key=(os.path.basename(real),))
                if self._excluded(name, name):
                    only = Entry(name, only.place, EntryKind.EXCLUDED, detail="excluded by the command's own options")
                entries: tuple[Entry, ...] = (only,)
                cut = ""
            else:
                entries, cut = self._list()
        except OSError as error:
            raise SubjectError(f"{printable(path)}: {_why(error)}") from error
        self.snapshot = Snapshot(name=printable(name), entries=entries, single=single, cut=cut)
        self.cached = repository is not None

    def open(self, entry: Entry) -> FileSource:
        """The bytes of ``entry``, which must be a file of this snapshot.

        Raises:
            VanishedError, DeniedError: it is gone, or may not be read.
            ChangedError: it is no regular file any more, or its path now leads through a link.
        """
        folder = os.dup(self._descriptor)
        try:
            for part in entry.key[:-1]:
                inner = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
                os.close(folder)
                folder = inner
            descriptor = os.open(entry.key[-1], _FILE_FLAGS, dir_fd=folder)
        except FileNotFoundError as error:
            raise VanishedError("is not there any more") from error
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}:
                raise ChangedError("is not the file that was listed") from error
            raise DeniedError(f"cannot be opened: {error.strerror}") from error
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ChangedError("is not the file that was listed")
        return FileSource(descriptor)

    def blob_of(self, entry: Entry) -> str:
        """What a hub's cache calls the bytes of ``entry``: its etag, which may be a digest; '' where it is no link into a cache."""
        parts = os.path.join(self._root, *entry.key).split(os.sep)
        there = len(parts) > 2 and parts[-2] == "blobs" and parts[-3].startswith(_REPOSITORIES)
        return parts[-1] if there else ""

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _list(self) -> tuple[tuple[Entry, ...], str]:
        entries: list[Entry] = []
        cut = ""
        for entry in self._walk():
            if len(entries) >= self._limits.files:
                cut = f"more files than allowed; the rest was not listed (limit files = {self._limits.files})"
                break
            entries.append(entry)
        entries.sort(key=lambda each: os.fsencode(each.name))
        return tuple(entries), cut

    def _walk(self) -> Iterator[Entry]:
        above = self._parts_of(self._walk_root)
        folders: list[tuple[str, ...]] = [()]
        while folders:
            parts = folders.pop()
            path = os.path.join(self._walk_root, *parts)
            try:
                found = sorted(os.scandir(path), key=lambda each: each.name)
            except OSError as error:
                if not parts:
                    raise
                name = "/".join(parts)
                yield Entry(
                    name,
                    printable(name) + "/",
                    EntryKind.DENIED,
                    detail=f"the folder cannot be listed: {error.strerror}",
                )
                continue
            for item in found:
                here = (*parts, item.name)
                name = "/".join(here)
                if self._excluded(name, item.name):
                    yield Entry(
                        name, printable(name), EntryKind.EXCLUDED, detail="excluded by the command's own options"
                    )
                elif item.is_symlink():
                    yield self._link(name, item.path)
                elif item.is_dir(follow_symlinks=False):
                    folders.append(here)
                else:
                    yield self._plain(name, item, (*above, *here))

    def _excluded(self, name: str, last: str) -> bool:
        return any(fnmatch.fnmatchcase(name, each) or fnmatch.fnmatchcase(last, each) for each in self._exclude)

    def _plain(self, name: str, item: os.DirEntry[str], key: tuple[str, ...]) -> Entry:
        place = printable(name)
        try:
            status = item.stat(follow_symlinks=False)
        except OSError as error:
            return Entry(name, place, EntryKind.DENIED, detail=_why(error))
        if stat.S_ISREG(status.st_mode):
            return Entry(name, place, EntryKind.FILE, status.st_size, key=key)
        what = _SPECIAL.get(stat.S_IFMT(status.st_mode), "no regular file")
        return Entry(name, place, EntryKind.SPECIAL, detail=f"is {what}")

    def _link(self, name: str, path: str) -> Entry:
        place, target = printable(name), ""
        try:
            target = printable(os.readlink(path))
            real = os.path.realpath(path, strict=True)
            status = os.stat(real)
        except OSError as error:
            loop = error.errno == errno.ELOOP
            if not loop and self._leads_out(path):
                return Entry(
                    name,
                    place,
                    EntryKind.ESCAPING_LINK,
                    detail=f"links to {target}, outside the model, where nothing is",
                )
            return Entry(
                name,
                place,
                EntryKind.BROKEN_LINK,
                detail="a link in a circle" if loop else f"a link to nothing: {_why(error)}",
            )
        key = self._parts_of(real)
        inside = key is not None and self._may_follow(real)
        if not inside or key is None:
            return Entry(name, place, EntryKind.ESCAPING_LINK, detail=f"links to {target}, outside the model")
        if stat.S_ISDIR(status.st_mode):
            return Entry(name, place, EntryKind.FOLDER_LINK, detail=f"links to the folder {target} of the same model")
        if not stat.S_ISREG(status.st_mode):
            return Entry(name, place, EntryKind.SPECIAL, detail=f"links to {target}, which is no regular file")
        return Entry(name, place, EntryKind.FILE, status.st_size, key=key, linked=True)

    def _leads_out(self, path: str) -> bool:
        """Whether the path that a link to nothing names would lie outside: elsewhere there may be something."""
        try:
            target = os.path.normpath(os.path.join(os.path.realpath(os.path.dirname(path)), os.readlink(path)))
        except (OSError, ValueError):
            return False
        return not _below(target, self._root)

    def _may_follow(self, real: str) -> bool:
        """Inside the subject itself; in a cache snapshot, inside the repository's ``blobs`` too."""
        return _below(real, self._walk_root) or _below(real, os.path.join(self._root, "blobs"))

    def _parts_of(self, real: str) -> tuple[str, ...]:
        if real == self._root:
            return ()
        return tuple(os.path.relpath(real, self._root).split(os.sep))


def _below(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)


def cache_repository(real: str) -> str | None:
    """The repository folder when ``real`` is (below) a snapshot of a hub cache, else ``None``."""
    parts = real.split(os.sep)
    for index in range(len(parts) - 2, 0, -1):
        if parts[index] == "snapshots" and parts[index - 1].startswith(_REPOSITORIES):
            return os.sep.join(parts[:index])
    return None


def _pipe(path: str) -> str:
    """What to say of a pipe, also of one without a name, such as ``/dev/stdin``; empty where it is none."""
    try:
        pipe = stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return ""
    if not pipe:
        return ""
    return (
        "is a fifo, not a file or folder; a model is read in any order, so write what comes through it to a file first"
    )


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
