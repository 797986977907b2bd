"""What all subjects on servers have in common: files with sizes and claimed digests, fetched by range, small ones ahead of time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits
from openvet.core.snapshot import Entry, EntryKind, Snapshot
from openvet.core.text import printable
from openvet.errors import ChangedError, ReadError, SubjectError
from openvet.io.archive.names import escape_of
from openvet.io.http import Client, Reply, StatusError
from openvet.io.ranges import SMALL, Claim, RangeSource

__all__ = ["RemoteFile", "RemoteOrigin", "make_entries"]

_LARGEST = 2**50
_THREADS = 4
_AHEAD = 8
#: Statuses with which a signed address says that its time is over.
_STALE = (400, 401, 403, 404, 410)


@dataclass(slots=True)
class RemoteFile:
    """One file as the server lists it.

    Attributes:
        name: its path in the subject.
        url: where it is.
        size: its bytes.
        claim: the digest that the server names.
        check: sees each answer; raises where it is not about this file.
        target, etag: where a redirect led and what stood there, for the next range.
        oid, pointer: what a hub says beside that: SHA-1 of the git blob (of the pointer, where the file is in LFS), and the bytes of that
            pointer.
    """

    name: str
    url: str
    size: int
    claim: Claim | None
    check: Callable[[Reply], None] = lambda _: None
    target: str = ""
    etag: str = ""
    oid: str = ""
    pointer: int = 0


def make_entries(
    files: Sequence[RemoteFile], exclude: Sequence[str], limits: Limits
) -> tuple[tuple[Entry, ...], dict[str, RemoteFile], str]:
    """Entries in byte order of their names, the files by name, and why the listing is cut, or ''.

    Raises:
        SubjectError: two files have one name, or a size makes no sense.
    """
    entries: list[Entry] = []
    by_name: dict[str, RemoteFile] = {}
    cut = ""
    for file in files:
        if len(entries) >= limits.files:
            cut = f"more files than allowed; the rest was not listed (limit files = {limits.files})"
            break
        if file.name in by_name:
            raise SubjectError(f"the server lists {printable(file.name)[:200]} twice")
        if not 0 <= file.size < _LARGEST:
            raise SubjectError(f"the server lists {printable(file.name)[:200]} with a size that makes no sense")
        by_name[file.name] = file
        entries.append(_entry(file, exclude))
    entries.sort(key=lambda each: each.name.encode("utf-8", "surrogatepass"))
    return tuple(entries), by_name, cut


def _entry(file: RemoteFile, exclude: Sequence[str]) -> Entry:
    name, place = file.name, printable(file.name)
    last = name.rsplit("/", 1)[-1]
    how = escape_of(name)
    if how is None and ("\0" in name or "" in name.split("/") or "." in name.split("/") or ".." in name.split("/")):
        how = "it is no plain relative path"
    if how is not None:
        return Entry(
            name,
            place,
            EntryKind.SPECIAL,
            detail=f"a download would be written outside of its folder, or nowhere: {how}",
        )
    if any(fnmatchcase(name, each) or fnmatchcase(last, each) for each in exclude):
        return Entry(name, place, EntryKind.EXCLUDED, detail="excluded by the command's own options")
    return Entry(name, place, EntryKind.FILE, file.size, key=(name,))


class RemoteOrigin:
    """Opens the files of a listing over HTTP.

    Args:
        client: fetches.
        snapshot: what there is.
        files: the same, by name.
        whole: every byte of every file is to be fetched and hashed.
        about: what the server says about the whole of it, parsed and not looked at.
    """

    remote: Literal[True] = True

    def __init__(
        self,
        client: Client,
        snapshot: Snapshot,
        files: dict[str, RemoteFile],
        *,
        whole: bool,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.about = about
        self._client = client
        self._files = files
        self._whole = whole
        small = [each.name for each in snapshot.entries if each.kind is EntryKind.FILE and each.size <= SMALL]
        self._small = _Prefetch(small, self._all_of)

    def open(self, entry: Entry) -> RangeSource:
        """The bytes of ``entry``, which must be a file of this snapshot."""
        file = self._files[entry.key[0]]
        if file.size > SMALL:
            return RangeSource(file.size, partial(self._fetch, file), file.claim, whole=self._whole)
        data = self._small.take(file.name)
        return RangeSource(file.size, lambda start, stop: iter((data[start:stop],)), file.claim, whole=True)

    def fetch(self, name: str) -> Iterator[bytes]:
        """Every byte of the file ``name`` of this listing, once, as the server gives them (raises :class:`ReadError`)."""
        return self._fetch(self._files[name], 0, self._files[name].size)

    def only(self, entries: Iterable[Entry]) -> None:
        """Say which files will be opened, so that no other is fetched ahead of time. Nothing may have been opened yet."""
        names = {each.name for each in entries}
        small = [each.name for each in self.snapshot.entries if each.name in names and each.size <= SMALL]
        self._small = _Prefetch(small, self._all_of)

    def claim_of(self, entry: Entry) -> Claim | None:
        """The digest that the server names for ``entry``, if it names one."""
        return self._files[entry.key[0]].claim

    def close(self) -> None:
        self._small.stop()
        self._client.close()

    def _all_of(self, name: str) -> bytes:
        file = self._files[name]
        return b"".join(self._fetch(file, 0, file.size))

    def _fetch(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        position = start
        if file.target:
            try:
                for piece in self._client.ranged(file.target, start, stop, file.size, etag=file.etag):
                    position += len(piece)
                    yield piece
            except StatusError as error:
                if error.status not in _STALE:
                    raise
                file.target = ""  # a signed address ends some day: ask the hub for a new one
        if position < stop:
            yield from self._client.ranged(
                file.url, position, stop, file.size, etag=file.etag, on_reply=partial(_note, file)
            )


def _note(file: RemoteFile, reply: Reply) -> None:
    file.check(reply)
    if reply.hops:
        file.target = reply.url
    etag = reply.headers.get("etag", "")
    if file.etag and etag and etag != file.etag:
        raise ChangedError("the server has another file at this address than a moment ago (its ETag changed)")
    file.etag = file.etag or etag


class _Prefetch:
    """Fetches small files a few ahead of the one that is read, with a few threads that die with the process."""

    def __init__(self, names: Sequence[str], fetch: Callable[[str], bytes]) -> None:
        self._names = list(names)
        self._order = {name: at for at, name in enumerate(names)}
        self._fetch = fetch
        self._ready: dict[str, bytes | ReadError] = {}
        self._change = threading.Condition()
        self._next = 0
        self._taken = 0
        self._stop = False
        self._threads: list[threading.Thread] = []

    def take(self, name: str) -> bytes:
        """The bytes of ``name``; raises as fetching them did."""
        at = self._order[name]
        if at < self._taken:  # asked for out of order
            return self._fetch(name)
        with self._change:
            self._taken = at + 1
            self._change.notify_all()
            while len(self._threads) < min(_THREADS, len(self._names)):
                thread = threading.Thread(target=self._work, name="fetch", daemon=True)
                self._threads.append(thread)
                thread.start()
            while name not in self._ready:
                self._change.wait(0.2)  # wake up now and then, so that Ctrl-C is seen
            found = self._ready.pop(name)
        if isinstance(found, ReadError):
            raise found
        return found

    def stop(self) -> None:
        """Let the threads end after what they are at; nobody waits for them."""
        with self._change:
            self._stop = True
            self._change.notify_all()

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._stop and self._next < len(self._names) and self._next >= self._taken + _AHEAD:
                    self._change.wait()
                if self._stop or self._next >= len(self._names):
                    return
                name = self._names[self._next]
                self._next += 1
            result: bytes | ReadError
            try:
                result = self._fetch(name)
            except ReadError as error:
                result = error
            except Exception as error:  # noqa: BLE001 - a thread must hand every failure on, or the reader waits for ever
                result = ReadError(f"could not be fetched: {type(error).__name__}: {printable(str(error))[:200]}")
            with self._change:
                self._ready[name] = result
                self._change.notify_all()
