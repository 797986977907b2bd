"""Opening the files of a subject, and hashing the large ones before anybody parses the first.

This room imports little on purpose: a model that takes seconds to hash is being hashed while the formats and the rules are
still being imported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from openvet.core.snapshot import Entry, EntryKind, Snapshot
from openvet.errors import ReadError
from openvet.io.hashing import HashPool, Pending
from openvet.io.source import BLOCK, FileSource

if TYPE_CHECKING:
    from openvet.io.ranges import RangeSource

__all__ = ["AHEAD", "Ahead", "Opened", "Origin"]

#: Files whose hashing is under way at once: enough to keep all cores busy, few enough for any descriptor limit.
AHEAD = 64
_NAMES_AHEAD = 10_000


class Origin(Protocol):
    """What the inventory needs of a place that models come from."""

    @property
    def remote(self) -> bool: ...

    @property
    def snapshot(self) -> Snapshot: ...

    def open(self, entry: Entry) -> FileSource | RangeSource: ...


class Opened:
    """One entry on its way: its bytes, and its digests where threads compute them."""

    __slots__ = ("entry", "error", "pending", "source")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.source: FileSource | RangeSource | None = None
        self.pending: Pending | None = None
        self.error: ReadError | None = None

    def close(self) -> None:
        if self.source is not None:
            self.source.close()


class Ahead:
    """The entries of a subject in order, each opened; hashing of the large ones that come next has begun.

    Args:
        origin: lists and opens the files.
        pool: hashes the large files.
        submit: hands a file to the pool; the pool's own way where nothing is given.
    """

    def __init__(
        self, origin: Origin, pool: HashPool, submit: Callable[[Entry, FileSource], Pending] | None = None
    ) -> None:
        self.snapshot = origin.snapshot
        self._origin = origin
        self._submit = submit or (lambda _, source: pool.submit(source))
        self._remote = origin.remote
        self._entries = iter(self.snapshot.entries)
        self._waiting: deque[Opened] = deque()
        self._busy = 0
        self._fill()

    def __iter__(self) -> Iterator[Opened]:
        while self._waiting:
            first = self._waiting.popleft()
            self._busy -= first.pending is not None
            if first.entry.kind is EntryKind.FILE and first.source is None and first.error is None:
                self._open(first)
            yield first
            self._fill()

    def reopen(self, entry: Entry) -> FileSource | RangeSource:
        """The bytes of a file once more (raises like the origin's ``open``)."""
        return self._origin.open(entry)

    def close(self) -> None:
        """Close what was opened and not handed out. No thread may be hashing any more."""
        while self._waiting:
            self._waiting.popleft().close()

    def _fill(self) -> None:
        # small files are cheap to queue as names and are opened one at a time, when their turn comes
        while self._busy <= AHEAD // 2 and len(self._waiting) < _NAMES_AHEAD:
            entry = next(self._entries, None)
            if entry is None:
                return
            opened = Opened(entry)
            self._waiting.append(opened)
            # what is on a server is fetched when its turn comes: there is no descriptor to hash from
            if entry.kind is EntryKind.FILE and entry.size > BLOCK and not self._remote:
                self._open(opened)
                if isinstance(opened.source, FileSource):
                    opened.pending = self._submit(entry, opened.source)
                    self._busy += 1

    def _open(self, opened: Opened) -> None:
        try:
            opened.source = self._origin.open(opened.entry)
        except ReadError as error:
            opened.error = error
