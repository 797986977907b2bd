"""A Hugging Face cache on this machine, as it lies there: repositories, their revisions, and the blobs that these link to.

::

    CACHE/
      models--ORG--NAME/              datasets--ORG--NAME/ is the same; NAME alone for one segment
        blobs/ETAG                    the bytes: ETAG is their SHA-256, or git's SHA-1 of a small file
        refs/NAME                     the commit that a branch or tag was seen as
        snapshots/COMMIT/PATH         a link to ../../blobs/ETAG; where links cannot be made, the bytes themselves
      blobs/AB/AB...                  bytes that several repositories share; blobs/ETAG is then a link to them
      .locks/models--ORG--NAME/ETAG.lock   held by whoever downloads

Nothing here is believed: every folder is opened below the one before with ``O_NOFOLLOW``, a link counts only where it is letter by letter the
one that a client makes, and memory does not grow with the number of files. What is no such thing is named with the reason, and not read.

Sources: huggingface_hub, "Understand caching"; ``file_download.py`` (``_create_symlink``), ``utils/_shared_blobs.py``, ``constants.py`` of 2.4.0.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, Self

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ChangedError, ReadError, SubjectError
from openvet.io.source import FileSource

__all__ = ["COMMIT", "EVICTED", "FOLDER", "Blob", "CachedFile", "CachedRepository", "HubCache", "Unread"]

#: How a repository folder's name begins -> its kind.
_KINDS: Final = {"models": "model", "datasets": "dataset"}
COMMIT: Final = pattern(r"[0-9a-f]{40}", re.ASCII)
_SEGMENT: Final = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}", re.ASCII)
_SHARED: Final = pattern(r"\.\./\.\./blobs/([0-9a-f]{2})/([0-9a-f]{64})", re.ASCII)
#: What lies in a cache beside repositories, and is no model.
_BESIDE: Final = frozenset({".locks", "version.txt", "version_diffusers_cache.txt", "CACHEDIR.TAG", ".DS_Store", ".huggingface-shared-blobs"})  # fmt: skip
_MARKER: Final = ".huggingface-shared-blobs"
#: A snapshot that is being evicted is called so, beside ``snapshots``, where no client looks.
EVICTED: Final = ".openvet-evicted-"
_DEPTH: Final = 64
_REFS: Final = 10_000
_REF_BYTES: Final = 256
#: Places of one cache that are named as not read.
_NOTED: Final = 1000

FOLDER: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY
# O_NONBLOCK: opening a fifo that was swapped in must not wait for a writer
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
#: Reading a blob to hash it is no use of it; only its owner may ask for that.
_QUIET: Final = getattr(os, "O_NOATIME", 0)


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that was not read: its printable place in the cache, and why."""

    place: str
    why: str


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file of a snapshot.

    Attributes:
        path: in the snapshot, as the file system has it: not printable.
        size: in bytes, 0 where there is a problem.
        used: when the file system says that its bytes were read last, in milliseconds since 1970.
        blob: the name of the blob to which it links, '' where it is no link.
        problem: why it is no file that a client made, '' where it is one.
    """

    path: str
    size: int = 0
    used: int = 0
    blob: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes of a repository: the name that says what they are, and their size in bytes. ``shared`` lie in the cache's own folder."""

    name: str
    size: int
    used: int = 0
    shared: bool = False
    problem: str = ""


class HubCache:
    """One cache folder. ``unread`` grows while its repositories are gone through.

    Args:
        path: the folder; a link given here by the user is followed.

    Raises:
        SubjectError: there is no such folder, or it may not be listed.
    """

    def __init__(self, path: str) -> None:
        try:
            self.path = os.path.realpath(path, strict=True)
            self.descriptor = os.open(self.path, FOLDER)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SubjectError(f"{printable(path)}: {why}: is no cache folder; --cache DIR names another") from error
        self.unread: list[Unread] = []

    def repositories(self) -> Iterator[CachedRepository]:
        """The repositories in order of their folders' names, each open until the next is asked for."""
        self.unread.clear()
        try:
            names = sorted(os.listdir(self.descriptor))
        except OSError as error:
            raise SubjectError(f"{printable(self.path)}: cannot be listed: {error.strerror}") from error
        for folder in names:
            if folder in _BESIDE or (folder == "blobs" and self._is_shared_store()):
                continue
            found = _parsed(folder)
            if isinstance(found, str):
                self.note(printable(folder), found)
                continue
            try:
                descriptor = os.open(folder, FOLDER, dir_fd=self.descriptor)
            except OSError as error:
                self.note(printable(folder), _why_no_folder(error))
                continue
            with CachedRepository(self, folder, *found, descriptor) as repository:
                for commit in repository.leftovers():
                    self.note(
                        f"{folder}/{EVICTED}{commit}",
                        "its eviction was begun and not finished: openvet cache evict finishes it",
                    )
                yield repository

    def find(self, kind: str, name: str) -> CachedRepository | None:
        """One repository, which whoever asks closes; ``None`` where it is not there, or no hub has such a name."""
        folder = f"{kind}s--" + name.replace("/", "--")
        if _parsed(folder) != (kind, name):
            return None
        try:
            descriptor = os.open(folder, FOLDER, dir_fd=self.descriptor)
        except OSError:
            return None
        return CachedRepository(self, folder, kind, name, descriptor)

    def note(self, place: str, why: str) -> None:
        """Remember what was not read; of very many only the first. ``place`` is printable."""
        if len(self.unread) < _NOTED:
            self.unread.append(Unread(place, why))
        elif len(self.unread) == _NOTED:
            self.unread.append(Unread("...", f"more than {_NOTED} places were not read: the rest is not listed"))

    def _is_shared_store(self) -> bool:
        try:
            status = os.stat(f"blobs/{_MARKER}", dir_fd=self.descriptor, follow_symlinks=False)
            folder = os.stat("blobs", dir_fd=self.descriptor, follow_symlinks=False)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and stat.S_ISDIR(folder.st_mode)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class CachedRepository:
    """A repository in a cache.

    Attributes:
        folder: its name in the cache.
        kind, name: ``model dataset``, and what it is called at a hub.
        descriptor: of its folder.
    """

    def __init__(self, cache: HubCache, folder: str, kind: str, name: str, descriptor: int) -> None:
        self.folder, self.kind, self.name, self.descriptor = folder, kind, name, descriptor
        self.cache = cache
        self._blobs: int | None = None

    def refs(self) -> dict[str, list[str]]:
        """The branches and tags (printable) by the commit that they were seen as."""
        found: dict[str, list[str]] = {}
        for parts, commit in self._refs(told=True):
            found.setdefault(commit, []).append(printable("/".join(parts)))
        return found

    def ref_files(self, commit: str) -> list[tuple[str, ...]]:
        """The files, by their parts below the repository, of the refs that name a commit."""
        return [("refs", *parts) for parts, named in self._refs(told=False) if named == commit]

    def _refs(self, *, told: bool) -> Iterator[tuple[tuple[str, ...], str]]:
        for at, (parts, status, descriptor) in enumerate(self._walk(("refs",))):
            place = printable("/".join((self.folder, "refs", *parts)))
            regular = status is not None and stat.S_ISREG(status.st_mode)
            commit = self._ref(parts[-1], descriptor) if regular else None
            if commit is not None and at < _REFS:
                yield parts, commit
            elif told:
                self._unread(place, "holds no commit" if regular else "is no regular file, as a ref is")
            if at >= _REFS:
                self._unread(place, f"more than {_REFS} refs: the rest was not read")
                return

    def _ref(self, name: str, folder: int) -> str | None:
        try:
            descriptor = os.open(name, _FILE, dir_fd=folder)
        except OSError:
            return None
        try:
            text = os.read(descriptor, _REF_BYTES).decode("ascii", "replace").strip()
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return text if COMMIT.fullmatch(text) else None

    def revisions(self) -> list[str]:
        """The commits of which there is a snapshot, in order."""
        try:
            folder = os.open("snapshots", FOLDER, dir_fd=self.descriptor)
        except OSError as error:
            self._unread(f"{self.folder}/snapshots", _why_no_folder(error))
            return []
        found = []
        try:
            for name in sorted(os.listdir(folder)):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if COMMIT.fullmatch(name) and stat.S_ISDIR(status.st_mode):
                    found.append(name)
                elif name != ".DS_Store":
                    self._unread(f"{self.folder}/snapshots/{printable(name)}", "is no folder that is named by a commit")
        except OSError as error:
            self._unread(f"{self.folder}/snapshots", f"cannot be listed: {error.strerror}")
        finally:
            os.close(folder)
        return found

    def leftovers(self) -> list[str]:
        """The commits whose eviction was begun and not finished, in order."""
        try:
            found = os.listdir(self.descriptor)
        except OSError:
            return []
        names = [each.removeprefix(EVICTED) for each in found if each.startswith(EVICTED)]
        return sorted(each for each in names if COMMIT.fullmatch(each))

    def files(self, commit: str, *, evicted: bool = False) -> Iterator[CachedFile]:
        """What lies in a snapshot, each with what a client would read; ``evicted`` looks where :data:`EVICTED` has put it.

        What cannot be listed comes as a file with a problem.
        """
        top = (f"{EVICTED}{commit}",) if evicted else ("snapshots", commit)
        for parts, status, folder in self._walk(top):
            path = "/".join(parts)
            if status is None:
                yield CachedFile(path, problem="cannot be listed, or is nested too deeply")
            elif stat.S_ISREG(status.st_mode):
                yield CachedFile(path, status.st_size, status.st_atime_ns // 1_000_000)
            elif stat.S_ISLNK(status.st_mode):
                yield self._linked(parts, folder)
            else:
                yield CachedFile(path, problem="is neither a file nor a link")

    def _linked(self, parts: tuple[str, ...], folder: int) -> CachedFile:
        path = "/".join(parts)
        try:
            target = os.readlink(parts[-1], dir_fd=folder)
        except OSError as error:
            return CachedFile(path, problem=f"cannot be read: {error.strerror}")
        name = self._blob_in(target, len(parts))
        if name is None:
            return CachedFile(path, problem=f"links to {printable(target)[:200]}, which is no blob of this repository")
        blob = self.blob(name)
        return CachedFile(path, blob.size, blob.used, name, blob.problem)

    def _blob_in(self, target: str, depth: int) -> str | None:
        """The blob that a link ``depth`` names below its snapshot leads to: spelled as a client does, which ``..`` in the middle is not."""
        for before in ("../" * (depth + 1) + "blobs/", f"{self.cache.path}/{self.folder}/blobs/"):
            name = target.removeprefix(before)
            if name != target and name not in {"", ".", ".."} and "/" not in name:
                return name
        return None

    def blob(self, name: str) -> Blob:
        """A blob by its name; with a problem where there is none that a client made."""
        try:
            status = os.stat(name, dir_fd=self._blobs_folder(), follow_symlinks=False)
            shared = stat.S_ISLNK(status.st_mode)
            if shared:
                place = _SHARED.fullmatch(os.readlink(name, dir_fd=self._blobs_folder()))
                if place is None:
                    return Blob(name, 0, problem="its blob links out of the cache")
                folder = self._shared_folder(place[1])
                try:
                    status = os.stat(place[2], dir_fd=folder, follow_symlinks=False)
                finally:
                    os.close(folder)
        except OSError as error:
            missing = error.errno in {errno.ENOENT, errno.ENOTDIR}
            return Blob(name, 0, problem="its blob is missing" if missing else f"its blob cannot be read: {error.strerror}")  # fmt: skip
        if not stat.S_ISREG(status.st_mode):
            return Blob(name, 0, problem="its blob is no regular file")
        return Blob(name, status.st_size, status.st_atime_ns // 1_000_000, shared)

    def blobs(self) -> Iterator[Blob]:
        """Every blob, in no order; those that were not downloaded to their end are not among them."""
        try:
            folder = self._blobs_folder()
            with os.scandir(folder) as found:
                for item in found:
                    if not item.name.endswith(".incomplete"):
                        yield self.blob(item.name)
        except FileNotFoundError:
            return
        except OSError as error:
            self._unread(f"{self.folder}/blobs", _why_no_folder(error))

    def open_blob(self, name: str) -> FileSource:
        """The bytes of a blob; where that is possible, the file system does not take it for a use.

        Raises:
            ReadError: it is gone, may not be read, or is no regular file.
        """
        try:
            try:
                descriptor = _open_quietly(name, self._blobs_folder())
            except OSError as error:
                place = _SHARED.fullmatch(os.readlink(name, dir_fd=self._blobs_folder())) if error.errno == errno.ELOOP else None  # fmt: skip
                if place is None:
                    raise
                folder = self._shared_folder(place[1])
                try:
                    descriptor = _open_quietly(place[2], folder)
                finally:
                    os.close(folder)
        except OSError as error:
            raise ReadError(f"cannot be opened: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ChangedError("is no regular file")
        return FileSource(descriptor)

    def open_folder(self, parts: Sequence[str]) -> int:
        """A folder below this one, which whoever asks closes; no link is followed (raises ``OSError``)."""
        folder = os.dup(self.descriptor)
        for part in parts:
            try:
                inner = os.open(part, FOLDER, dir_fd=folder)
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _blobs_folder(self) -> int:
        if self._blobs is None:
            self._blobs = os.open("blobs", FOLDER, dir_fd=self.descriptor)
        return self._blobs

    def _shared_folder(self, part: str) -> int:
        store = os.open("blobs", FOLDER, dir_fd=self.cache.descriptor)
        try:
            return os.open(part, FOLDER, dir_fd=store)
        finally:
            os.close(store)

    def _walk(self, top: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], os.stat_result | None, int]]:
        """What is no folder below ``top``: its parts, its status, and the folder in which it is (open until the next is asked for)."""
        folders: list[tuple[str, ...]] = [()]
        while folders:
            parts = folders.pop()
            try:
                folder = self.open_folder(top + parts)
            except OSError as error:
                if parts or error.errno != errno.ENOENT:
                    yield parts or (".",), None, -1
                continue
            try:
                inner = []
                for name in sorted(os.listdir(folder)):
                    here = (*parts, name)
                    try:
                        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    except OSError:
                        yield here, None, folder
                        continue
                    if not stat.S_ISDIR(status.st_mode):
                        yield here, status, folder
                    elif len(here) > _DEPTH:
                        yield here, None, folder
                    else:
                        inner.append(here)
                folders += reversed(inner)
            except OSError:
                yield (*parts, "."), None, folder
            finally:
                os.close(folder)

    def _unread(self, place: str, why: str) -> None:
        self.cache.note(place, why)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._blobs is not None:
            os.close(self._blobs)
            self._blobs = None
        os.close(self.descriptor)


def _parsed(folder: str) -> tuple[str, str] | str:
    """The kind and name of the repository that a folder is of; else why it is none."""
    before, separator, rest = folder.partition("--")
    if before == "spaces" and separator:
        return "is a space, and not a model or data set"
    if before not in _KINDS or not separator:
        return "is no folder of a repository: an older layout, or none of a hub's cache"
    parts = rest.split("--")
    if len(parts) > 2 or not all(_SEGMENT.fullmatch(each) and not each.endswith((".", "-")) for each in parts):
        return "is named as no repository of a hub can be"
    return _KINDS[before], "/".join(parts)


def _why_no_folder(error: OSError) -> str:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return "is no folder, or is a link; name where it leads with --cache"
    return f"cannot be listed: {error.strerror}"


def _open_quietly(name: str, folder: int) -> int:
    try:
        return os.open(name, _FILE | _QUIET, dir_fd=folder)
    except PermissionError:
        return os.open(name, _FILE, dir_fd=folder)
