"""A gate whose answers a test sets: repositories in a folder, each file of them ready, waited for or refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

from openvet.gate.answers import Asking, Listed, ListedFile, Ready, Refusal, RefusedError, Repository, Waiting

#: Files of at least so many bytes are in LFS.
LARGE = 4096


class Shelf:
    """The gate. ``refused`` and ``waiting`` are what stands in the way of a repository; nothing else is.

    Args:
        folder: where the bytes lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.revisions: dict[Repository, list[Listed]] = {}
        self.names: dict[tuple[Repository, str], str] = {}
        self.refused: dict[Repository, RefusedError] = {}
        #: refuses files only, and lists all the same
        self.refused_files: dict[Repository, RefusedError] = {}
        #: how often "wait" is still said
        self.waiting: dict[Repository, int] = {}
        self.seconds = 20
        self.late: RefusedError | None = None
        self.asked: list[tuple[str, str, Asking]] = []
        self.given: list[tuple[str, int, Asking]] = []
        self._lock = threading.Lock()

    def put(self, name: str, files: dict[str, bytes], *, kind: str = "model", revision: str = "main") -> Listed:
        """A revision with these files; ``revision`` then names it."""
        repository = Repository.parse(kind, name)
        listed = []
        for path, data in sorted(files.items()):
            digest = hashlib.sha256(data).hexdigest()
            (self.folder / digest).write_bytes(data)
            large = len(data) >= LARGE
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n".encode()
            blob = pointer if large else data
            oid = hashlib.sha1(b"blob %d\0" % len(blob) + blob, usedforsecurity=False).hexdigest()
            listed.append(ListedFile(path, len(data), oid, digest if large else "", len(pointer) if large else 0))
        commit = hashlib.sha1(repr(listed).encode(), usedforsecurity=False).hexdigest()
        made = Listed(
            repository, commit, tuple(listed), {"tags": ["safetensors"], "lastModified": "2026-11-01T00:00:00.000Z"}
        )
        self.revisions.setdefault(repository, []).append(made)
        self.names[repository, revision] = self.names[repository, commit] = commit
        return made

    def listed(self, repository: Repository, revision: str, asking: Asking) -> Listed:
        with self._lock:
            self.asked.append(("listed", str(repository), asking))
        if repository in self.refused:
            raise self.refused[repository]
        if repository not in self.revisions:
            raise RefusedError(Refusal.NO_REPOSITORY, f"There is no {repository} in any upstream.")
        commit = self.names.get((repository, revision))
        if commit is None:
            raise RefusedError(Refusal.NO_REVISION, f"{repository} has no revision {revision}.")
        return next(each for each in self.revisions[repository] if each.commit == commit)

    def file(self, repository: Repository, revision: str, path: str, asking: Asking) -> Ready | Waiting:
        listed = self.listed(repository, revision, asking)
        file = next((each for each in listed.files if each.path == path), None)
        if file is None:
            raise RefusedError(Refusal.NO_FILE, f"{repository} has no file {path}.", commit=listed.commit)
        if repository in self.refused_files:
            raise self.refused_files[repository]
        with self._lock:
            left = self.waiting.get(repository, 0)
            self.waiting[repository] = max(left - 1, 0)
        if left:
            return Waiting(listed.commit, file, self.seconds, self.late)
        digest = self.digest(file)
        return Ready(listed.commit, file, str(self.folder / digest), digest)

    def name_of(self, asking: Asking) -> str:
        return ""

    def pulled(self, ready: Ready, asking: Asking, sent: int) -> None:
        with self._lock:
            self.given.append((ready.file.path, sent, asking))

    def admitted(self, kind: str, search: str, after: str, limit: int, asking: Asking) -> Sequence[Listed]:
        some = sorted(
            (each for each in self.revisions if each.kind == kind and each not in self.refused),
            key=lambda each: each.name,
        )
        return [self.revisions[each][-1] for each in some if search.lower() in each.name.lower() and each.name > after][
            :limit
        ]

    def digest(self, file: ListedFile) -> str:
        if file.lfs:
            return file.lfs
        for each in self.folder.iterdir():
            data = each.read_bytes()
            if hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == file.oid:
                return each.name
        raise AssertionError(file)
