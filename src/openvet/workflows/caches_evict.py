"""Taking revisions out of caches, so that no client finds a part of one, whenever this is stopped.

1. ``snapshots/COMMIT`` is renamed to a place where no client looks. From that moment nothing loads it: not by its commit, not offline.
2. The refs that name it go, and what clients noted about it (``trees``, ``.no_exist``).
3. Blobs go that no other snapshot links to, some at a time, each while we hold the lock under which a client would download or link it.
4. What was renamed goes last, since it says which blobs those are: whoever comes after a ``kill -9`` finishes it by that.

Nothing is followed and nothing is opened for it but folders, each below the one before with ``O_NOFOLLOW``. Source: huggingface_hub,
``file_download.py`` (``WeakFileLock`` of ``.locks/REPOSITORY/ETAG.lock``, by ``flock``).
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.origins.hub_cache import EVICTED, FOLDER, CachedRepository, HubCache
from openvet.workflows.gate_client import ModelName

__all__ = ["Evicted", "Target", "evict", "find_targets"]

#: Locks that are held at once.
_BATCH: Final = 256
#: Blobs that are looked for in other revisions at once.
_SEARCHED: Final = 100_000
_LOCKED: Final = ".lock"
#: Bytes of a name, on every file system that a cache is found on.
_LONGEST: Final = 255
#: Seconds for which a download is waited for.
_WAIT: Final = 5.0
_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Target:
    """A revision that is to go: its cache and the folder in it, what it is, how much a client would read of it, and why."""

    cache: str
    folder: str
    kind: str
    name: str
    commit: str
    refs: tuple[str, ...]
    bytes: int
    why: str
    #: Whether an earlier eviction of it was stopped.
    begun: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "cache": printable(self.cache), "kind": self.kind, "name": self.name, "commit": self.commit, "refs": list(self.refs),
            "bytes": self.bytes, "why": self.why, "begun": self.begun,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evicted:
    """What came of it.

    Attributes:
        gone: whether a client finds nothing of it any more.
        freed: bytes of the blobs that were removed.
        kept: blobs that other revisions need.
        problem: why something of it is still there, '' where nothing is.
    """

    target: Target
    gone: bool
    freed: int = 0
    kept: int = 0
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**self.target.to_json(), "gone": self.gone, "freed": self.freed, "kept": self.kept, "problem": self.problem or None}  # fmt: skip


# --- what is to go ---


def find_targets(
    paths: Sequence[str],
    named: Sequence[ModelName] = (),
    revoked: Mapping[tuple[str, str, str], str] | None = None,
) -> list[Target]:
    """What is named, or what is revoked, as it lies in caches; and what an earlier eviction left.

    Args:
        named: models, each with a commit, the beginning of one, a branch or a tag as the cache has it; without one all revisions of it.
        revoked: why revisions (kind, name, commit) are revoked.

    Raises:
        SubjectError: a cache may not be listed.
        UsageError: something that is named lies in no cache.
    """
    found: list[Target] = []
    met: set[ModelName] = set()
    for path in paths:
        with HubCache(path) as cache:
            for repository in cache.repositories():
                which = (cache.path, repository.folder, repository.kind, repository.name)
                found += [
                    Target(*which, each, (), 0, "its eviction was stopped", begun=True)
                    for each in repository.leftovers()
                ]
                wanted = [each for each in named if (each.kind, each.name) == (repository.kind, repository.name)]
                if not wanted and revoked is None:
                    continue
                refs = repository.refs()
                for commit in repository.revisions():
                    called = refs.get(commit, [])
                    hits = [each for each in wanted if _means(each.revision, commit, called)]
                    met.update(hits)
                    why = "is named" if hits else (revoked or {}).get((*which[2:], commit), "")
                    if why:
                        size = sum(each.size for each in repository.files(commit))
                        found.append(Target(*which, commit, tuple(called), size, why))
    missing = [each for each in named if each not in met]
    if missing:
        text = ", ".join(f"{each}@{each.revision}" if each.revision else str(each) for each in missing)
        raise UsageError(f"{text} is in none of these caches: openvet cache report lists what is; nothing was removed")
    return found


def _means(revision: str, commit: str, refs: Collection[str]) -> bool:
    if not revision or revision in refs:
        return True
    return len(revision) >= 7 and commit.startswith(revision)


# --- taking it out ---


def evict(target: Target, *, clock: Callable[[], float] = time.monotonic) -> Evicted:
    """Take one revision out of its cache.

    Args:
        clock: seconds; a download that is under way is waited for.

    Raises:
        SubjectError: the cache may not be listed any more.
    """
    with HubCache(target.cache) as cache:
        try:
            descriptor = os.open(target.folder, FOLDER, dir_fd=cache.descriptor)
        except OSError as error:
            return Evicted(target, gone=error.errno == errno.ENOENT, problem="" if error.errno == errno.ENOENT else _why(error))  # fmt: skip
        with CachedRepository(cache, target.folder, target.kind, target.name, descriptor) as repository:
            work = _Work(cache, repository, target, clock() + _WAIT, clock)
            try:
                if target.commit in repository.leftovers():
                    work.finish()
                if not target.begun:
                    work.hide()
                    work.finish()
            except OSError as error:
                work.problems.append(_why(error))
            gone = target.begun or target.commit not in repository.revisions()
            return Evicted(target, gone, work.freed, work.kept, "; ".join(dict.fromkeys(work.problems)))


class _Work:
    """One revision on its way out. Whatever is missing already is as it should be."""

    def __init__(
        self, cache: HubCache, repository: CachedRepository, target: Target, until: float, clock: Callable[[], float]
    ) -> None:
        self._cache, self._repository, self._commit = cache, repository, target.commit
        self._until, self._clock = until, clock
        self.freed = self.kept = 0
        self.problems: list[str] = []

    def hide(self) -> None:
        """Rename the snapshot, and have that on the disk before anything else happens."""
        try:
            snapshots = os.open("snapshots", FOLDER, dir_fd=self._repository.descriptor)
        except FileNotFoundError:
            return
        try:
            place = f"{EVICTED}{self._commit}"
            os.rename(self._commit, place, src_dir_fd=snapshots, dst_dir_fd=self._repository.descriptor)
            os.fsync(snapshots)
            os.fsync(self._repository.descriptor)
        except FileNotFoundError:
            return
        finally:
            os.close(snapshots)

    def finish(self) -> None:
        """Remove what is left of a snapshot that was renamed."""
        self._remove_refs()
        self._remove("trees", f"{self._commit}.json")
        self._remove(".no_exist", self._commit)
        names: set[str] = set()
        for each in self._repository.files(self._commit, evicted=True):
            if each.blob:
                names.add(each.blob)
            if len(names) >= _SEARCHED:
                self._remove_unneeded(names)
                names = set()
        self._remove_unneeded(names)
        if self.problems:
            return
        self._remove(f"{EVICTED}{self._commit}")
        if not self._repository.revisions() and not self._repository.leftovers():
            self._remove_empty()

    def _remove_refs(self) -> None:
        named = self._repository.ref_files(self._commit)
        for parts in named:
            with self._folder(parts[:-1]) as folder:
                _unlink(parts[-1], folder)

    def _remove(self, *parts: str) -> None:
        with self._folder(parts[:-1]) as folder:
            if folder is None:
                return
            try:
                os.unlink(parts[-1], dir_fd=folder)
            except FileNotFoundError:
                return
            except (IsADirectoryError, PermissionError):
                shutil.rmtree(parts[-1], dir_fd=folder)

    @contextmanager
    def _folder(self, parts: Sequence[str]) -> Iterator[int | None]:
        """A folder of the repository, ``None`` where there is none; a link is none."""
        try:
            folder = self._repository.open_folder(parts)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                raise
            yield None
            return
        try:
            yield folder
        finally:
            os.close(folder)

    # --- blobs ---

    def _remove_unneeded(self, names: set[str]) -> None:
        """Of what another revision needs no lock is asked for: every file of all others is looked at for each time that locks are held."""
        needed = self._needed(names) if names else set()
        self.kept += len(needed)
        left = sorted(names - needed)
        for start in range(0, len(left), _BATCH):
            self._remove_blobs(set(left[start : start + _BATCH]))

    def _remove_blobs(self, names: set[str]) -> None:
        with self._locked(names) as free, self._folder(("blobs",)) as folder:
            if folder is None:
                return
            # looked at only now: nobody can link one of these before we let go of it
            needed = self._needed(free)
            self.kept += len(needed)
            for name in sorted(free - needed):
                blob = self._repository.blob(name)
                if _unlink(name, folder) and not blob.shared:
                    self.freed += blob.size

    def _needed(self, names: Collection[str]) -> set[str]:
        """Those of these blobs to which other snapshots link."""
        found: set[str] = set()
        for commit in self._repository.revisions():
            for each in self._repository.files(commit):
                if each.blob in names:
                    found.add(each.blob)
        return found

    @contextmanager
    def _locked(self, names: set[str]) -> Iterator[set[str]]:
        """Hold the locks of these blobs; those that somebody else holds are left out, and said."""
        held: list[int] = []
        free: set[str] = set()
        try:
            folder = self._locks()
            try:
                for name in sorted(names):
                    if len(os.fsencode(name)) + len(_LOCKED) > _LONGEST:
                        free.add(name)  # no client can have a lock of that name either
                        continue
                    descriptor = self._lock(name, folder)
                    if descriptor is not None:
                        held.append(descriptor)
                        free.add(name)
            finally:
                os.close(folder)
            yield free
        finally:
            for each in held:
                os.close(each)

    def _locks(self) -> int:
        folder = os.dup(self._cache.descriptor)
        for part in (".locks", self._repository.folder):
            try:
                try:
                    os.mkdir(part, 0o777, dir_fd=folder)
                except FileExistsError:
                    pass
                inner = os.open(part, FOLDER, dir_fd=folder)
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _lock(self, name: str, folder: int) -> int | None:
        descriptor = os.open(f"{name}{_LOCKED}", _LOCK, 0o664, dir_fd=folder)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                if self._clock() >= self._until:
                    os.close(descriptor)
                    self.problems.append(
                        "a client downloads some of its files just now: run it again when that is done"
                    )
                    return None
                time.sleep(0.1)
            except OSError:
                os.close(descriptor)
                raise

    def _remove_empty(self) -> None:
        """Of a repository of which nothing is left, the folders."""
        for top in ("refs", "trees", ".no_exist", "snapshots", "blobs"):
            for parts in reversed(list(self._folders(top))):
                with self._folder(parts[:-1]) as above:
                    _rmdir(parts[-1], above)
        _rmdir(self._repository.folder, self._cache.descriptor)

    def _folders(self, top: str) -> Iterator[tuple[str, ...]]:
        left: list[tuple[str, ...]] = [(top,)]
        while left:
            parts = left.pop()
            with self._folder(parts) as folder:
                if folder is None:
                    continue
                yield parts
                with os.scandir(folder) as found:
                    inner = [each.name for each in found if each.is_dir(follow_symlinks=False)]
                left += [(*parts, each) for each in inner]


def _unlink(name: str, folder: int | None) -> bool:
    if folder is None:
        return False
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def _rmdir(name: str, folder: int | None) -> None:
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError:
        pass  # something else is in it


def _why(error: OSError) -> str:
    return f"{error.strerror or type(error).__name__}: what is left is finished by the next openvet cache evict"
