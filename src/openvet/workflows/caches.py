"""What lies in the Hugging Face caches of this machine, and telling a gate.

A client of a hub asks no server for what is in its cache under a commit, or while it is offline: what was pulled once goes on being used. So a
gate can know of it only when somebody looks. Only names, commits, numbers and dates are told, and only where that is asked for.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable, shorten
from openvet.errors import UsageError
from openvet.origins.hub_cache import CachedRepository, HubCache, Unread

if TYPE_CHECKING:
    from openvet.workflows.gate_client import GateClient

__all__ = ["CACHE_TYPE", "MOST_PROBLEMS", "CachesReport", "FoundCache", "FoundRepository", "FoundRevision", "Problem", "beside", "check_machine", "find_caches", "report_caches", "send_report", "unread_json"]  # fmt: skip

CACHE_TYPE: Final = "https://openvet/cache/v1"
#: Problems of one revision that are listed; all are counted.
MOST_PROBLEMS: Final = 100
#: Refs of one revision that are told to a gate, and revisions and bytes of one message to it.
_REFS: Final = 20
_PAGE: Final = 500
_PAGE_BYTES: Final = 400_000
#: Folders beside a cache that hold models in other forms, or what was made of them.
_BESIDE: Final = (
    ("transformers", "is the cache of Transformers before 4.22"),
    ("datasets", "holds data sets as they were prepared for use"),
    ("modules", "holds copies of code from models"),
    ("diffusers", "is the cache of Diffusers before 0.15"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that a client did not make so: its printable path in the snapshot, and what is wrong with it."""

    path: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "why": self.why}


@dataclass(frozen=True, slots=True)
class FoundRevision:
    """A revision in a cache.

    Attributes:
        refs: the branches and tags that it was pulled as, as far as they are it still.
        files, bytes: what a client would read of it.
        last_used: when the file system says that one of its files was read last, in milliseconds since 1970; ``None`` without files.
        copies: files that are no links to blobs, so that no name says what they should be.
        problems: the first of what no client made so, and how many there are.
    """

    commit: str
    refs: tuple[str, ...]
    files: int
    bytes: int
    last_used: int | None
    copies: int
    problems: tuple[Problem, ...]
    problem_count: int

    def to_json(self) -> dict[str, Any]:
        return {
            "commit": self.commit, "refs": list(self.refs), "files": self.files, "bytes": self.bytes, "last_used": self.last_used,
            "copies": self.copies, "problems": [each.to_json() for each in self.problems], "problem_count": self.problem_count,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundRepository:
    """A repository in a cache: ``bytes`` are those of its blobs, of which revisions may share some."""

    kind: str
    name: str
    bytes: int
    revisions: tuple[FoundRevision, ...]

    def to_json(self) -> dict[str, Any]:
        revisions = [each.to_json() for each in self.revisions]
        return {"kind": self.kind, "name": self.name, "bytes": self.bytes, "revisions": revisions}


@dataclass(frozen=True, slots=True)
class FoundCache:
    """A cache: its printable path, its repositories by name, what was not read in it, and what lies beside it."""

    path: str
    repositories: tuple[FoundRepository, ...]
    unread: tuple[Unread, ...]
    beside: tuple[Unread, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "repositories": [each.to_json() for each in self.repositories],
            "unread": unread_json(self.unread),
            "beside": unread_json(self.beside),
        }


def unread_json(places: Iterable[Unread]) -> list[dict[str, Any]]:
    """What was not read, as JSON."""
    return [{"place": each.place, "why": each.why} for each in places]


@dataclass(frozen=True, slots=True)
class CachesReport:
    """What lies in the caches of a machine, which calls itself ``machine``."""

    machine: str
    caches: tuple[FoundCache, ...]

    def revisions(self) -> Iterator[tuple[FoundRepository, FoundRevision]]:
        """Every revision of every cache."""
        for cache in self.caches:
            for repository in cache.repositories:
                for revision in repository.revisions:
                    yield repository, revision

    def to_json(self) -> dict[str, Any]:
        return {"machine": self.machine, "caches": [each.to_json() for each in self.caches]}


def find_caches(named: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The folders to look into: those that are named, else wherever a client of a hub, with or without its variables, would.

    Raises:
        UsageError: nothing is named and there is none.
    """
    if named:
        return list(dict.fromkeys(os.path.realpath(each) for each in named))
    home = os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache"), "huggingface")
    wanted = [environ.get("HF_HUB_CACHE"), environ.get("HUGGINGFACE_HUB_CACHE"), environ.get("TRANSFORMERS_CACHE"), environ.get("SENTENCE_TRANSFORMERS_HOME")]  # fmt: skip
    wanted += [os.path.join(each, "hub") for each in (environ.get("HF_HOME"), home) if each]
    places = [os.path.realpath(os.path.expandvars(os.path.expanduser(each))) for each in wanted if each]
    found = [each for each in dict.fromkeys(places) if os.path.isdir(each)]
    if not found:
        looked = ", ".join(printable(each) for each in dict.fromkeys(places))
        raise UsageError(f"there is no cache at {looked}; --cache DIR names one that is somewhere else")
    return found


def report_caches(paths: Iterable[str], machine: str, progress: Progress | None = None) -> CachesReport:
    """List what is in caches; no blob is read.

    Raises:
        SubjectError: a cache may not be listed.
    """
    progress = progress or Progress()
    return CachesReport(machine, tuple(_cache(each, progress) for each in paths))


def beside(path: str) -> list[Unread]:
    """Folders beside a cache in which models are found in forms that are not read."""
    above = os.path.dirname(path)
    if os.path.basename(path) != "hub":
        return []
    return [Unread(f"../{name}", f"{why}: not read") for name, why in _BESIDE if os.path.isdir(os.path.join(above, name))]  # fmt: skip


def _cache(path: str, progress: Progress) -> FoundCache:
    with HubCache(path) as cache:
        found = []
        for repository in cache.repositories():
            progress.doing = repository.name
            found.append(_repository(repository))
            progress.files_done += 1
        return FoundCache(printable(cache.path), tuple(found), tuple(cache.unread), tuple(beside(cache.path)))


def _repository(repository: CachedRepository) -> FoundRepository:
    refs = repository.refs()
    size = sum(each.size for each in repository.blobs())
    commits = repository.revisions()
    for commit in sorted(set(refs) - set(commits)):
        for each in refs[commit]:
            repository.cache.note(f"{repository.folder}/refs/{each}", "names a commit of which there is no snapshot")
    revisions = tuple(_revision(repository, each, tuple(refs.get(each, ()))) for each in commits)
    return FoundRepository(repository.kind, repository.name, size, revisions)


def _revision(repository: CachedRepository, commit: str, refs: tuple[str, ...]) -> FoundRevision:
    files = size = used = copies = count = 0
    problems: list[Problem] = []
    for each in repository.files(commit):
        if each.problem:
            count += 1
            if len(problems) < MOST_PROBLEMS:
                problems.append(Problem(printable(each.path), each.problem))
            continue
        files, size, used = files + 1, size + each.size, max(used, each.used)
        copies += not each.blob
    return FoundRevision(commit, refs, files, size, used or None, copies, tuple(problems), count)


# --- telling a gate ---


def send_report(gate: GateClient, report: CachesReport) -> dict[str, Any]:
    """Tell a gate what was found, in as many messages as it takes; nobody sees a part of it. What the gate made of the last one.

    A revision that lies in several caches is told once.

    Raises:
        RefusedError, UnreachableError: the gate did not take it; what it knew before counts still.
    """
    number = secrets.token_hex(16)
    pages = list(_pages(report)) or [[]]
    made: dict[str, Any] = {}
    for at, page in enumerate(pages):
        body = {"machine": report.machine, "report": number, "more": at + 1 < len(pages), "found": page}
        made = gate.send("POST", "/caches", body)
    return made


def _pages(report: CachesReport) -> Iterator[list[dict[str, Any]]]:
    page: list[dict[str, Any]] = []
    size = 0
    for row in _rows(report):
        length = len(json.dumps(row))
        if page and (len(page) >= _PAGE or size + length > _PAGE_BYTES):
            yield page
            page, size = [], 0
        page.append(row)
        size += length
    if page:
        yield page


def _rows(report: CachesReport) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for repository, revision in report.revisions():
        key = (repository.kind, repository.name, revision.commit)
        refs = [shorten(each, 100) for each in revision.refs[:_REFS]]
        row = {
            "kind": key[0], "name": key[1], "commit": key[2], "files": revision.files, "bytes": revision.bytes, "refs": refs,
            "last_used": revision.last_used,
        }  # fmt: skip
        before = rows.get(key)
        if before is not None:  # the same in another cache: the larger one is the more complete one
            row["refs"] = list(dict.fromkeys(before["refs"] + refs))[:_REFS]
            row["last_used"] = max(before["last_used"] or 0, revision.last_used or 0) or None
            row["files"], row["bytes"] = max(before["files"], revision.files), max(before["bytes"], revision.bytes)
        rows[key] = row
    return list(rows.values())


def check_machine(name: str) -> str:
    """The name under which a machine is known at a gate.

    Raises:
        UsageError: it is empty, or no line.
    """
    text = name.strip()
    if not text or len(text) > 200 or not text.isprintable():
        raise UsageError("--machine has to be a name of up to 200 characters in one line")
    return text
