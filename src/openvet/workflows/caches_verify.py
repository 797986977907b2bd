"""Whether what lies in caches is what its names say, and what a gate says of it.

A client asks nobody for a commit that it has, and does not look at the bytes again: both are done here. A blob is called by its SHA-256, or by
git's SHA-1 where the hub keeps no SHA-256 of a small file; that is what git's name can promise, and no more.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import ReadError, UnreachableError
from openvet.io.hashing import HashPool
from openvet.origins.hub_cache import CachedRepository, HubCache, Unread
from openvet.workflows.caches import MOST_PROBLEMS, Problem, beside, unread_json

if TYPE_CHECKING:
    from openvet.io.hashing import Pending
    from openvet.io.source import FileSource
    from openvet.workflows.gate_client import GateClient
    from openvet.workflows.revocations import HeldList

__all__ = ["CORRUPT", "FINE", "NOT_REVOKED", "OPEN", "Checked", "CheckedCache", "CheckedRepository", "CheckedRevision", "Standing", "ask_gate", "ask_list", "check_caches", "list_names"]  # fmt: skip

#: What it comes to, for one revision and for all, the worst last.
FINE, OPEN, CORRUPT = 0, 3, 1
#: How what is not on a list of revocations stands: it does not say more of it.
NOT_REVOKED: Final = "not-revoked"
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)
_GIT: Final = pattern(r"[0-9a-f]{40}", re.ASCII)
_ASKED: Final = 500
_OPEN_AT_ONCE: Final = 32

Named = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a gate says that a revision stands: ``open admitted refused revoked unknown``, and the decision that says so, '' and ``None`` where there is
    none. By a list of revocations it is ``revoked`` or :data:`NOT_REVOKED`.
    """

    standing: str
    of: str = ""
    outcome: str = ""
    by: str = ""
    at: int | None = None
    reason: str = ""

    @property
    def comes_to(self) -> int:
        """:data:`CORRUPT` for what is revoked or rejected, :data:`FINE` for what is admitted or not on a list, else :data:`OPEN`."""
        if self.standing in {"admitted", NOT_REVOKED}:
            return FINE
        rejected = self.standing == "refused" and self.outcome in {"reject", "upstream"}
        return CORRUPT if rejected or self.standing == "revoked" else OPEN

    def to_json(self) -> dict[str, Any]:
        return {
            "standing": self.standing, "of": self.of or None, "outcome": self.outcome or None, "by": self.by or None, "at": self.at,
            "reason": self.reason or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedRevision:
    """A revision that was looked at.

    Attributes:
        files: how many it has.
        corrupt, problems: the first files of each kind, and how many there are: those whose bytes are not what their blob's name says, and
            those that no client made so.
        unchecked: files of which no name says what they should be.
        standing: what the gate says; ``None`` where it was not asked, or is away.
    """

    commit: str
    refs: tuple[str, ...]
    files: int
    corrupt: tuple[Problem, ...]
    corrupt_count: int
    problems: tuple[Problem, ...]
    problem_count: int
    unchecked: int
    standing: Standing | None

    @property
    def comes_to(self) -> int:
        """The worst that was found."""
        said = FINE if self.standing is None else self.standing.comes_to
        if self.corrupt_count or said == CORRUPT:
            return CORRUPT
        return OPEN if self.problem_count or self.unchecked else said

    def to_json(self) -> dict[str, Any]:
        return {
            "commit": self.commit, "refs": list(self.refs), "files": self.files,
            "corrupt": [each.to_json() for each in self.corrupt], "corrupt_count": self.corrupt_count,
            "problems": [each.to_json() for each in self.problems], "problem_count": self.problem_count,
            "unchecked": self.unchecked, "gate": None if self.standing is None else self.standing.to_json(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedRepository:
    """A repository: ``blobs`` were hashed, and those of ``corrupt`` (blob and reason) are not what they are called, whether a revision has them or not."""

    kind: str
    name: str
    blobs: int
    corrupt: tuple[Problem, ...]
    revisions: tuple[CheckedRevision, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "name": self.name, "blobs": self.blobs,
            "corrupt_blobs": [{"blob": each.path, "why": each.why} for each in self.corrupt],
            "revisions": [each.to_json() for each in self.revisions],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedCache:
    """A cache: its printable path, its repositories, and what was not read in it and beside it."""

    path: str
    repositories: tuple[CheckedRepository, ...]
    unread: tuple[Unread, ...]
    beside: tuple[Unread, ...]

    def to_json(self) -> dict[str, Any]:
        repositories = [each.to_json() for each in self.repositories]
        return {"path": self.path, "repositories": repositories, "unread": unread_json(self.unread), "beside": unread_json(self.beside)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in all caches.

    Attributes:
        server, project: of whom it was asked, and for what; '' where nobody was.
        away: why the gate did not answer, '' where it did or was not asked.
        hashed: whether blobs were read.
        listed: the list of revocations that was asked in place of a gate, ``None`` where none was, or none that is believed.
        refused: why a list is not believed, or says nothing of what is not on it: a reason and a message; '' twice where it is, or none was asked.
    """

    caches: tuple[CheckedCache, ...]
    server: str = ""
    project: str = ""
    away: str = ""
    hashed: bool = True
    listed: HeldList | None = None
    refused: tuple[str, str] = ("", "")

    @property
    def comes_to(self) -> int:
        """0 all fine, 1 something is revoked, rejected or corrupt, 2 the gate is away or the list is not believed, 3 something is not approved, not known or not read."""
        found = {
            each.comes_to for cache in self.caches for repository in cache.repositories for each in repository.revisions
        }
        if CORRUPT in found or any(each.corrupt for cache in self.caches for each in cache.repositories):
            return CORRUPT
        if self.away or self.refused[0]:
            return 2
        return OPEN if OPEN in found or any(cache.unread for cache in self.caches) else FINE

    def to_json(self) -> dict[str, Any]:
        return {
            "server": self.server or None, "project": self.project or None, "away": self.away or None, "hashed": self.hashed,
            "revocations": None if self.listed is None else self.listed.to_json(),
            "refused": {"reason": self.refused[0], "message": self.refused[1]} if self.refused[0] else None,
            "caches": [each.to_json() for each in self.caches],
        }  # fmt: skip


def list_names(paths: Iterable[str]) -> list[Named]:
    """Kind, name and commit of every revision in caches, once each (raises :class:`SubjectError`)."""
    found: dict[Named, None] = {}
    for path in paths:
        with HubCache(path) as cache:
            for repository in cache.repositories():
                found |= {(repository.kind, repository.name, commit): None for commit in repository.revisions()}
    return list(found)


def ask_gate(gate: GateClient, names: Sequence[Named], project: str = "") -> tuple[str, dict[Named, Standing]]:
    """The project that counts, and how revisions stand in it, some hundreds in one question.

    Raises:
        RefusedError: the gate does not tell us.
        UnreachableError: it is away.
    """
    from openvet.workflows.gate_client import RefusedError

    found: dict[Named, Standing] = {}
    for start in range(0, len(names), _ASKED):
        part = names[start : start + _ASKED]
        asked = [{"kind": kind, "name": name, "commit": commit} for kind, name, commit in part]
        try:
            said = gate.send("POST", "/standings", {"revisions": asked, "project": project})
            project = said["project"]
            for key, each in zip(part, said["standings"], strict=True):
                found[key] = Standing(
                    each["standing"], each["of"] or "", each["outcome"] or "", each["by"] or "", each["at"], each["reason"] or ""
                )  # fmt: skip
        except RefusedError as error:
            if error.status < 500:
                raise
            raise UnreachableError(str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError(200, "the gate answers as none does: is it a newer OpenVet?") from error
    return project, found


def ask_list(listed: HeldList, now: datetime) -> dict[Named, Standing]:
    """How the revisions on a list of revocations stand; in milliseconds UTC as a gate says it."""
    return {
        name: Standing(
            "revoked", "revocation", "reject", each.by, int(datetime.fromisoformat(each.at).timestamp() * 1000), each.reason
        )
        for name, each in listed.revoked(now).items()
    }  # fmt: skip


def check_caches(
    paths: Sequence[str],
    standings: dict[Named, Standing] | None = None,
    *,
    others: str = "unknown",
    hashing: bool = True,
    jobs: int = 0,
    progress: Progress | None = None,
) -> tuple[CheckedCache, ...]:
    """Look at every revision of caches.

    Args:
        standings: what a gate says of them; ``None`` where none was asked.
        others: how those stand of which nothing is said; '' where that is not known.
        hashing: whether blobs are read, each once.
        jobs: hashing threads; 0 for all cores.

    Raises:
        SubjectError: a cache may not be listed.
    """
    progress = progress or Progress()
    if hashing:
        for path in paths:
            with HubCache(path) as cache:
                for repository in cache.repositories():
                    progress.bytes_total += sum(each.size for each in repository.blobs())
    otherwise = Standing(others) if others else None

    def said(name: Named) -> Standing | None:
        return None if standings is None else standings.get(name, otherwise)

    pool = HashPool(jobs or os.cpu_count() or 1, ("sha256",), progress)
    try:
        found = []
        for path in paths:
            with HubCache(path) as cache:
                repositories = tuple(
                    _check(each, pool if hashing else None, said, progress) for each in cache.repositories()
                )
                found.append(CheckedCache(printable(cache.path), repositories, tuple(cache.unread), tuple(beside(cache.path))))  # fmt: skip
        return tuple(found)
    finally:
        pool.stop()


def _check(
    repository: CachedRepository, pool: HashPool | None, said: Callable[[Named], Standing | None], progress: Progress
) -> CheckedRepository:
    progress.doing = repository.name
    blobs = _Blobs({}, {}, set())
    if pool is not None:
        _check_blobs(repository, pool, progress, blobs)
    refs = repository.refs()
    revisions = []
    for commit in repository.revisions():
        files = broken = odd = unchecked = 0
        bad: list[Problem] = []
        problems: list[Problem] = []
        for each in repository.files(commit):
            files += 1
            why = each.problem or blobs.unread.get(each.blob, "")
            if why:
                odd += 1
                if odd <= MOST_PROBLEMS:
                    problems.append(Problem(printable(each.path), why))
            elif each.blob in blobs.corrupt:
                broken += 1
                if broken <= MOST_PROBLEMS:
                    bad.append(Problem(printable(each.path), blobs.corrupt[each.blob]))
            elif pool is not None and (not each.blob or each.blob in blobs.unnamed):
                unchecked += 1
        revisions.append(
            CheckedRevision(
                commit,
                tuple(refs.get(commit, ())),
                files,
                tuple(bad),
                broken,
                tuple(problems),
                odd,
                unchecked,
                said((repository.kind, repository.name, commit)),
            )
        )
    listed = tuple(Problem(printable(name), why) for name, why in sorted(blobs.corrupt.items())[:MOST_PROBLEMS])
    return CheckedRepository(repository.kind, repository.name, blobs.hashed, listed, tuple(revisions))


@dataclass(slots=True)
class _Blobs:
    """Why blobs are not what they are called, why others could not be read, those whose names are no digests, and how many were hashed."""

    corrupt: dict[str, str]
    unread: dict[str, str]
    unnamed: set[str]
    hashed: int = 0

    def settle(self, name: str, source: FileSource, pending: Pending) -> None:
        """Compare a blob with its name."""
        with source:
            try:
                found = pending.wait()["sha256"]
                source.check_unchanged()
            except ReadError as error:
                self.unread[name] = f"its blob {error}"
                return
        self.hashed += 1
        if found != name:
            self.corrupt[name] = f"has the SHA-256 {found}"

    def settle_small(self, name: str, source: FileSource, progress: Progress) -> None:
        """The same of a blob that is called as git does."""
        with source:
            try:
                found = _git_name(source, progress)
            except ReadError as error:
                self.unread[name] = f"its blob {error}"
                return
        self.hashed += 1
        if found != name:
            self.corrupt[name] = f"is called {found} by git"


def _check_blobs(repository: CachedRepository, pool: HashPool, progress: Progress, found: _Blobs) -> None:
    waiting: deque[tuple[str, FileSource, Pending]] = deque()
    try:
        for blob in repository.blobs():
            is_sha256 = bool(_SHA256.fullmatch(blob.name))
            if blob.problem:
                found.unread[blob.name] = blob.problem
                continue
            if not is_sha256 and not _GIT.fullmatch(blob.name):
                found.unnamed.add(blob.name)
                continue
            try:
                source = repository.open_blob(blob.name)
            except ReadError as error:
                found.unread[blob.name] = f"its blob {error}"
                continue
            if not is_sha256:
                found.settle_small(blob.name, source, progress)
                continue
            waiting.append((blob.name, source, pool.submit(source)))
            if len(waiting) > _OPEN_AT_ONCE:
                found.settle(*waiting.popleft())
        while waiting:
            found.settle(*waiting.popleft())
    except BaseException:
        pool.stop()  # nobody may close what is still read
        for _, source, _ in waiting:
            source.close()
        raise


def _git_name(source: FileSource, progress: Progress) -> str:
    total = hashlib.sha1(b"blob %d\0" % source.size, usedforsecurity=False)
    for block in source.chunks():
        total.update(block)
        progress.bytes_done += len(block)
    source.check_unchanged()
    return total.hexdigest()
