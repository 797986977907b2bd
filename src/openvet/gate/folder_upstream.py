"""Repositories in folders on this machine, as an upstream of a gate: our own models, and what was carried into a network without a way out.

Sources: huggingface_hub, "Understand caching" (the layout of a client's cache); git-lfs,
https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md (pointers).
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from openvet.core.canonical import canonical_json
from openvet.core.limits import DEFAULT_LIMITS, Limits
from openvet.core.snapshot import EntryKind, Snapshot
from openvet.core.text import printable
from openvet.errors import ReadError, SubjectError, UsageError
from openvet.gate.answers import ListedFile, Refusal, Repository
from openvet.gate.upstreams import MOST_FILES, Found, Opened, UpstreamError, held_files
from openvet.io.source import BLOCK, FileSource
from openvet.origins.hub_cache import HubCache
from openvet.origins.local import LocalOrigin

__all__ = ["FolderUpstream"]

#: From this size on a hub keeps a file in LFS, and lists the SHA-256 of it.
_LFS: Final = 10 * 1024 * 1024
_IN_CACHE: Final = ("models--", "datasets--", "spaces--")


class FolderUpstream:
    """Folders ``ORG/NAME/`` (and ``NAME/``) below one, and ``datasets/ORG/NAME/``, on this machine; or a client's cache, as it is.

    A folder has one revision, ``main``: its commit is a digest of what lies there. It is read once for that, and again when its files
    change by size or times; the first listing takes as long as reading it. A cache (``models--ORG--NAME/``) has the branches, tags and commits that
    were pulled into it, with as many of their files.

    Args:
        path: the folder above.

    Raises:
        UsageError: it is no folder.
    """

    def __init__(self, path: str, *, limits: Limits = DEFAULT_LIMITS) -> None:
        if not os.path.isdir(path):
            raise UsageError(f"{printable(path)} is no folder; name the one in which ORG/NAME folders lie")
        self.name = os.path.abspath(path)
        self._limits = replace(limits, files=min(limits.files, MOST_FILES))
        self._lock = threading.Lock()
        #: what was read of a file, by its identity: SHA-256 and what git calls it
        self._known: dict[tuple[int, ...], tuple[str, str]] = {}

    def find(self, repository: Repository, revision: str) -> Found:
        origin, commit = self._open(repository, revision)
        try:
            files = self._list(origin)
        except ReadError as error:
            raise UpstreamError(Refusal.UPSTREAM, f"{repository} cannot be read: {error.message}") from error
        finally:
            origin.close()
        if not commit:
            listing = [[each.path, each.size, each.oid, each.lfs] for each in files]
            commit = hashlib.sha256(canonical_json(listing)).hexdigest()[:40]
            if revision not in {"main", commit}:
                raise UpstreamError(
                    Refusal.NO_REVISION,
                    f"{repository} has no revision {printable(revision)[:100]}: a folder has main, which is {commit}",
                )
        return Found(repository, commit, files, {}, self.name)

    def open(self, found: Found) -> Opened:
        try:
            same = self.find(found.repository, found.commit).files == found.files
        except UpstreamError as error:
            if error.why is not Refusal.NO_REVISION:
                raise
            same = False
        if not same:
            raise UpstreamError(
                Refusal.UPSTREAM,
                f"the folder of {found.repository} has changed since {found.commit} was listed; ask for main again",
            )
        return _InFolder(self._open(found.repository, found.commit)[0], f"hf:{found.repository}@{found.commit}")

    def _open(self, repository: Repository, revision: str) -> tuple[LocalOrigin, str]:
        """The files of a revision, and its commit where the folder says it."""
        path, commit = os.path.join(self.name, *str(repository).split("/")), ""
        if repository.name.startswith(_IN_CACHE) or not os.path.isdir(path):
            path, commit = self._cached(repository, revision)
        try:
            return LocalOrigin(path, limits=self._limits), commit
        except SubjectError as error:
            raise UpstreamError(Refusal.UPSTREAM, str(error)) from error

    def _cached(self, repository: Repository, revision: str) -> tuple[str, str]:
        """Where a client's cache has a revision, and its commit."""
        with HubCache(self.name) as cache:
            found = cache.find(repository.kind, repository.name)
            if found is None:
                raise UpstreamError(Refusal.NO_REPOSITORY, f"{repository} is not among the models of this gate")
            with found:
                for commit in found.revisions():
                    if revision == commit or revision in found.refs().get(commit, ()):
                        return os.path.join(cache.path, found.folder, "snapshots", commit), commit
        text = f"{repository} has no revision {printable(revision)[:100]} in the cache that was brought here"
        raise UpstreamError(Refusal.NO_REVISION, text)

    def _list(self, origin: LocalOrigin) -> tuple[ListedFile, ...]:
        if origin.snapshot.cut:
            raise UpstreamError(Refusal.UPSTREAM, origin.snapshot.cut)
        files = []
        for entry in origin.snapshot.entries:
            if entry.kind is not EntryKind.FILE:
                raise UpstreamError(
                    Refusal.UPSTREAM, f"{entry.place} {entry.detail or entry.kind}; only plain files can be served"
                )
            with origin.open(entry) as source:
                sha256, oid = self._read(source)
            called = origin.blob_of(entry)
            if called and called not in {sha256, oid}:
                raise UpstreamError(
                    Refusal.UPSTREAM,
                    f"{entry.place} is not what its blob is called: the cache is damaged, or was changed",
                )
            lfs = sha256 if called == sha256 or (not called and source.size >= _LFS) else ""
            pointer = _pointer(sha256, source.size) if lfs else b""
            files.append(ListedFile(entry.name, source.size, _git_blob(pointer) if lfs else oid, lfs, len(pointer)))
        if not files:
            raise UpstreamError(Refusal.NO_REPOSITORY, "the folder is empty")
        return held_files(files)

    def _read(self, source: FileSource) -> tuple[str, str]:
        with self._lock:
            known = self._known.get(source.identity)
        if known is not None:
            return known
        sha256, oid = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % source.size, usedforsecurity=False)
        for block in source.chunks():
            sha256.update(block)
            oid.update(block)
        source.check_unchanged()
        with self._lock:
            if len(self._known) > MOST_FILES:
                self._known.clear()
            self._known[source.identity] = sha256.hexdigest(), oid.hexdigest()
        return sha256.hexdigest(), oid.hexdigest()


class _InFolder:
    def __init__(self, origin: LocalOrigin, name: str) -> None:
        self.origin = origin
        origin.snapshot = Snapshot(name, origin.snapshot.entries, single=False)
        self._entries = {each.name: each for each in origin.snapshot.entries}

    def fetch(self, file: ListedFile) -> Iterator[bytes]:
        with self.origin.open(self._entries[file.path]) as source:
            for start in range(0, source.size, 4 * BLOCK):
                yield source.read(start, min(4 * BLOCK, source.size - start))
            source.check_unchanged()

    def close(self) -> None:
        self.origin.close()


def _pointer(sha256: str, size: int) -> bytes:
    """What git keeps of a file in LFS (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md)."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def _git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
