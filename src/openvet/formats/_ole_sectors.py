"""Compound files of Microsoft (OLE): a small file system in sectors.

::

    D0CF11E0A1B11AE1 ... bytes of a sector as a power of two u16 (at 30), of a small one u16 (at 32), sectors of the table u32 (at 44), first
    sector of the directory u32 (at 48), largest small stream u32 (at 56), first sector of the small table u32 (at 60), and how many (at
    64), first sector with more of the table's places u32 (at 68), and how many (at 72), 109 places of the table u32 (at 76)
    table: for each sector the next one of its chain; FFFFFFFE ends it
    directory entry, 128 bytes: name in UTF-16 [64], bytes of the name u16, kind u8 (1 storage, 2 stream, 5 root), ... class[16] (at 80),
    first sector u32 (at 116), bytes u64 (at 120)

Specification: [MS-CFB], https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-cfb/
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts
from openvet.io.source import Source

__all__ = ["Compound", "Entry"]

_END = 0xFFFFFFFA  # this and all above lead nowhere
_MOST_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One storage or stream."""

    name: str
    kind: int
    start: int
    size: int


class Compound:
    """Reads streams.

    Attributes:
        end: where the last sector of a chain ends.

    Raises:
        MalformedError: a sector lies outside of the file, or a chain goes in a circle.
    """

    def __init__(self, source: Source, facts: Facts) -> None:
        self.source, self.facts = source, facts
        head = source.read(0, 512)
        self.wide = int.from_bytes(head[26:28], "little") >= 4
        shift, small = int.from_bytes(head[30:32], "little"), int.from_bytes(head[32:34], "little")
        if shift not in {9, 12} or not 2 <= small <= 9:
            raise MalformedError(f"has sectors of two to the power of {shift} bytes", offset=30)
        self.size, self.small = 1 << shift, 1 << small
        self.count = (source.size - self.size + self.size - 1) // self.size
        self.end = self.size
        self.next: list[int] = []
        for sector in self._table_places(head):
            data = self._sector(sector)
            self.next += [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
        self.cutoff = int.from_bytes(head[56:60], "little")
        table = self.chain(int.from_bytes(head[60:64], "little"))
        self.next_small = [int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table) - 3, 4)]
        self.entries = self._directory(int.from_bytes(head[48:52], "little"))
        root = next((each for each in self.entries if each.kind == 5), None)
        if root is None:
            raise MalformedError("has no root", offset=48)
        self._little = self.chain(root.start)[: root.size]

    def _table_places(self, head: bytes) -> list[int]:
        places = [int.from_bytes(head[at : at + 4], "little") for at in range(76, 512, 4)]
        following = int.from_bytes(head[68:72], "little")
        seen: set[int] = set()
        while following < _END:
            if following in seen:
                raise MalformedError("the places of its table go in a circle", offset=68)
            seen.add(following)
            data = self._sector(following)
            places += [int.from_bytes(data[at : at + 4], "little") for at in range(0, self.size - 4, 4)]
            following = int.from_bytes(data[self.size - 4 : self.size], "little")
        return [place for place in places if place < _END]

    def _sector(self, number: int) -> bytes:
        if number >= self.count:
            raise MalformedError(f"leads to sector {number} of {self.count}", offset=0)
        at = (number + 1) * self.size
        self.end = max(self.end, min(at + self.size, self.source.size))
        return self.source.upto(at, self.size)

    def chain(self, number: int, most: int | None = None) -> bytes:
        """The sectors of a chain, or the first ``most`` bytes of them."""
        out: list[bytes] = []
        held = 0
        seen: set[int] = set()
        while number < _END:
            if number in seen or number >= len(self.next):
                raise MalformedError("a chain of sectors goes in a circle, or to nowhere", offset=0)
            seen.add(number)
            if not len(seen) % 1024:
                self.facts.budget.check_time()
            data = self._sector(number)
            if most is None or held < most:
                held += len(data)
                if held > self.facts.limits.spool_memory * 8:
                    raise LimitError(
                        "spool_memory", self.facts.limits.spool_memory * 8, "a stream is not held whole", offset=0
                    )
                out.append(data)
            number = self.next[number]
        return b"".join(out)

    def _directory(self, start: int) -> list[Entry]:
        data = self.chain(start)
        if len(data) // 128 > _MOST_ENTRIES:
            raise LimitError("records", _MOST_ENTRIES, "more entries than are followed", offset=48)
        out = []
        for at in range(0, len(data) - 127, 128):
            entry = data[at : at + 128]
            named = min(int.from_bytes(entry[64:66], "little"), 64)
            if entry[66] in {1, 2, 5}:
                size = int.from_bytes(entry[120 : 128 if self.wide else 124], "little")
                name = entry[: max(named - 2, 0)].decode("utf-16-le", "replace")
                out.append(Entry(name, entry[66], int.from_bytes(entry[116:120], "little"), size))
        return out

    def stream(self, entry: Entry) -> bytes:
        """What a stream holds."""
        if entry.size >= self.cutoff:
            return self.chain(entry.start)[: entry.size]
        out: list[bytes] = []
        number, seen = entry.start, 0
        while number < _END and seen * self.small < entry.size:
            if number >= len(self.next_small):
                raise MalformedError("a chain of small sectors leads to nowhere", offset=0)
            out.append(self._little[number * self.small : (number + 1) * self.small])
            number = self.next_small[number]
            seen += 1
        return b"".join(out)[: entry.size]
