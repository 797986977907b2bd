"""The files of a model as a signature sees them: which are signed, which are not, and their digests."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry, EntryKind
from openvet.core.text import printable
from openvet.errors import ChangedError, ReadError, SubjectError
from openvet.evidence.model_signature import ALWAYS_IGNORED, SINGLE, Resource, Serialization
from openvet.io.digest_cache import DigestCache, Span
from openvet.io.hashing import HashPool, Pending, digest_chunks
from openvet.io.source import FileSource
from openvet.origins.local import LocalOrigin

if TYPE_CHECKING:
    from openvet.origins.remote import RemoteOrigin

__all__ = [
    "SIGNATURE", "FileError", "Listing", "NotCovered", "Reused", "Span", "default_signature", "digest", "list_files", "own_path", "read_small", "within",
]  # fmt: skip

#: The signature of a folder where nobody says otherwise, which is never about itself.
SIGNATURE: Final = "model.sig"
#: Files that are open at once: enough to keep all cores busy, few enough for any descriptor limit.
_OPEN = 64
#: Less is hashed at once and not by another thread, which would cost more than the hashing.
_SMALL = 256 * 1024


class FileError(ReadError):
    """A file that is to be signed or verified cannot be read. ``place`` is its name, printable."""

    def __init__(self, place: str, error: ReadError) -> None:
        super().__init__(f"{place}: {error}")
        self.place = place


@dataclass(frozen=True, slots=True)
class NotCovered:
    """A file that is there and about which the signature says nothing. ``path`` is printable."""

    path: str
    why: str

    def to_json(self) -> dict[str, str]:
        return {"path": self.path, "why": self.why}


@dataclass(slots=True)
class Reused:
    """Which files were not read, since the digest cache knows them: their printable paths, and how many bytes they have.

    ``messages`` say what is wrong with the cache.
    """

    paths: list[str] = field(default_factory=list)
    size: int = 0
    messages: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {"files": sorted(self.paths), "bytes": self.size, "messages": self.messages}


@dataclass(slots=True)
class Listing:
    """The names in a model, sorted into what a signature is about.

    Attributes:
        files: what is signed, by the name that it has in a statement.
        empty: empty files, which a signature by shards cannot hold.
        others: what no signature can be about (a link where links are not allowed, a device), with the reason.
        not_covered: what is there and is not signed on purpose.
    """

    files: dict[str, Entry] = field(default_factory=dict)
    empty: list[Entry] = field(default_factory=list)
    others: list[NotCovered] = field(default_factory=list)
    not_covered: list[NotCovered] = field(default_factory=list)


def list_files(
    origin: LocalOrigin | RemoteOrigin, serialization: Serialization, own: str | None, signed: Collection[str] = ()
) -> Listing:
    """Sort the names in a model.

    Args:
        signed: names that a signature lists; they count wherever they lie.
        own: the path of the signature in the model, which is never about itself; ``None`` where it lies elsewhere.

    Raises:
        SubjectError: the model has more files than are listed.
    """
    if origin.snapshot.cut:
        raise SubjectError(f"{origin.snapshot.name}: {origin.snapshot.cut}")
    found = Listing()
    for entry in origin.snapshot.entries:
        name = SINGLE if origin.snapshot.single else entry.name
        if name == own and own is not None:
            continue
        ignored = serialization.ignores(name) or within(name, ALWAYS_IGNORED)
        if ignored and not origin.snapshot.single and name not in signed:
            found.not_covered.append(NotCovered(entry.place, "ignored: lies in a path that the signature leaves out"))
        elif entry.kind is EntryKind.FILE and (serialization.allow_symlinks or not entry.linked):
            if serialization.shard_size is not None and entry.size == 0:
                found.empty.append(entry)
            found.files[name] = entry
        elif entry.kind is EntryKind.FOLDER_LINK and serialization.allow_symlinks:
            found.not_covered.append(NotCovered(entry.place, f"{entry.detail}, where each file has its own name"))
        elif entry.kind in {EntryKind.FILE, EntryKind.FOLDER_LINK}:
            found.others.append(NotCovered(entry.place, "is a link"))
        else:
            found.others.append(NotCovered(entry.place, entry.detail))
    return found


def within(name: str, paths: Iterable[str]) -> bool:
    """Whether ``name`` is one of ``paths`` or lies in one."""
    return any(name == each or name.startswith(each + "/") for each in paths)


def default_signature(model: str) -> str:
    """Where a model's signature is when nobody says otherwise: ``MODEL/model.sig`` for a folder, ``FILE.sig`` for a file."""
    return os.path.join(model, SIGNATURE) if os.path.isdir(model) else f"{model}.sig"


def own_path(signature: str, model: str) -> str | None:
    """The path of a signature below the folder ``model``, or ``None`` where it is not in it.

    A link's own place counts and not where it leads: in a hub's cache the signature is a link like every file.
    """
    folder = os.path.realpath(model)
    place = os.path.join(os.path.realpath(os.path.dirname(os.path.abspath(signature))), os.path.basename(signature))
    inside = place.startswith(os.path.join(folder, ""))
    return os.path.relpath(place, folder).replace(os.sep, "/") if inside else None


def digest(
    origin: LocalOrigin,
    wanted: Sequence[tuple[str, Entry, Sequence[Span]]],
    algorithm: str,
    jobs: int,
    progress: Progress,
    cache: DigestCache | None = None,
    reused: Reused | None = None,
) -> Iterator[Resource]:
    """The digests of files, on ``jobs`` threads (0: all cores), the largest first; they come in no particular order.

    Args:
        wanted: for each file its name in the statement, its entry, and the spans to hash.
        cache: what it knows about a file that was opened is taken, and the file is not read; ``reused`` says so.

    Raises:
        FileError: a file is gone, may not be read, or is not what was listed.
    """
    pool = HashPool(jobs or len(os.sched_getaffinity(0)), (algorithm,), progress)
    waiting: deque[_Open] = deque()
    progress.files_total, progress.bytes_total = len(wanted), sum(entry.size for _, entry, _ in wanted)
    try:
        for name, entry, spans in sorted(wanted, key=lambda each: -each[1].size):
            progress.doing = entry.place
            if len(waiting) >= _OPEN:
                yield from _finish(waiting, algorithm, progress)
            opened = _open(origin, name, entry, cache)
            waiting.append(opened)
            known = None if cache is None else cache.find(opened.source.identity, algorithm, spans)
            if known is not None:
                opened.cache = None
                opened.ready = [Resource(name, algorithm, each, *span) for each, span in zip(known, spans, strict=True)]
                progress.bytes_total -= entry.size
                if reused is not None:
                    reused.paths.append(entry.place)
                    reused.size += entry.size
            elif entry.size <= _SMALL:
                opened.ready = list(_at_once(opened, spans, algorithm, progress))
            else:
                opened.pending = [(span, pool.submit(opened.source, *span)) for span in spans]
        while waiting:
            yield from _finish(waiting, algorithm, progress)
    finally:
        pool.stop()
        for each in waiting:
            each.source.close()
        if cache is not None:
            cache.save()
            if reused is not None:
                reused.messages += cache.messages


@dataclass(slots=True)
class _Open:
    name: str
    entry: Entry
    source: FileSource
    pending: list[tuple[Span, Pending]] = field(default_factory=list)
    ready: list[Resource] = field(default_factory=list)
    cache: DigestCache | None = None
    at: int = 0


def _open(origin: LocalOrigin, name: str, entry: Entry, cache: DigestCache | None) -> _Open:
    at = 0 if cache is None else cache.clock()
    try:
        source = origin.open(entry)
    except ReadError as error:
        raise FileError(entry.place, error) from error
    if source.size != entry.size:
        source.close()
        raise FileError(entry.place, ChangedError("is not the file that was listed"))
    return _Open(name, entry, source, cache=cache, at=at)


def _at_once(opened: _Open, spans: Sequence[Span], algorithm: str, progress: Progress) -> Iterator[Resource]:
    try:
        data = opened.source.read(0, opened.source.size)
    except ReadError as error:
        raise FileError(opened.entry.place, error) from error
    for start, end in spans:
        yield Resource(opened.name, algorithm, digest_chunks([data[start:end]], (algorithm,))[algorithm], start, end)
    progress.bytes_done += len(data)


def _finish(waiting: deque[_Open], algorithm: str, progress: Progress) -> Iterator[Resource]:
    """Wait for the file that was opened first; it is closed whatever happens."""
    opened = waiting[0]
    try:
        for (start, end), pending in opened.pending:
            opened.ready.append(Resource(opened.name, algorithm, pending.wait()[algorithm], start, end))
        opened.source.check_unchanged()
    except ReadError as error:
        raise FileError(opened.entry.place, error) from error
    if opened.cache is not None:
        spans = {(each.start, each.end): each.digest for each in opened.ready}
        opened.cache.remember(opened.source.identity, algorithm, spans, opened.at)
    waiting.popleft()
    opened.source.close()
    progress.files_done += 1
    yield from opened.ready


def read_small(path: str, most: int) -> bytes:
    """A small file of the user's own (a key, a signature): all of it.

    Raises:
        OSError: it is not there or may not be read.
        SubjectError: it is no regular file, or larger than ``most`` bytes.
    """
    import stat

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SubjectError(f"{printable(path)}: is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise SubjectError(f"{printable(path)}: has more than {most} bytes")
    return data
