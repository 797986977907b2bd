"""Pages of an SQLite data base: the trees of tables and indexes, the records in their cells, and the pages that cells overflow to.

::

    page of a tree: kind u8 (2, 5 inner; 10, 13 leaf; 2, 10 of an index), first free block u16, cells u16, where cells begin u16, pieces u8,
    inner: last child u32; places of the cells u16 each
    cell: [child u32] [payload varint] [row varint] record, and where it does not fit: the next page u32
    record: bytes of its header varint, a varint for the kind of each value, the values
    page that a record overflows to: the next one u32, data

Numbers are big-endian; varints have up to nine bytes, the last one with eight bits.

Specification: https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.errors import MalformedError
from openvet.formats._format import Facts
from openvet.io.source import Source

__all__ = ["Pages", "values", "varint"]

_INNER_INDEX, _INNER_TABLE, _LEAF_INDEX, _LEAF_TABLE = 2, 5, 10, 13
_TREES = frozenset((_INNER_INDEX, _INNER_TABLE, _LEAF_INDEX, _LEAF_TABLE))
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends.

    Raises:
        MalformedError: it goes beyond the end.
    """
    value = 0
    for index in range(9):
        if at + index >= len(data):
            raise MalformedError("a number of a record goes beyond it")
        byte = data[at + index]
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    raise MalformedError("a number has more than nine bytes")  # pragma: no cover - the ninth byte ends it


def values(record: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind of each value of a record and its bytes; those cut off at the end of ``record`` are shorter than they say."""
    size, at = varint(record, 0)
    place = size
    while at < min(size, len(record)):
        kind, at = varint(record, at)
        length = (kind - 12) // 2 if kind >= 12 else _SIZES[kind] if kind < len(_SIZES) else 0
        yield kind, record[place : place + length]
        place += length


class Pages:
    """Walks trees and keeps which page is what.

    Attributes:
        seen: pages that were reached.
    """

    def __init__(self, source: Source, facts: Facts, size: int, usable: int, most: int) -> None:
        self.source, self.facts, self.size, self.usable, self.most = source, facts, size, usable, most
        self.count = source.size // size
        self.seen: set[int] = set()

    def page(self, number: int) -> bytes:
        """A page that nothing else has led to.

        Raises:
            MalformedError: there is no such page, or it was reached before.
        """
        if not 1 <= number <= self.count:
            raise MalformedError(f"leads to page {number} of {self.count}", offset=0)
        if number in self.seen:
            raise MalformedError(f"leads to page {number} twice", offset=(number - 1) * self.size)
        self.seen.add(number)
        if not len(self.seen) % 256:
            self.facts.budget.check_time()
        return self.source.read((number - 1) * self.size, self.size)

    def records(self, root: int) -> Iterator[tuple[int, bytes]]:
        """Where each record of a tree begins, and the record."""
        waiting = [root]
        while waiting:
            number = waiting.pop()
            data = self.page(number)
            waiting.extend(self.children(number, data))
            yield from self.cells(number, data)

    def children(self, number: int, data: bytes) -> list[int]:
        """The pages below an inner page."""
        head = 100 if number == 1 else 0
        if data[head] not in {_INNER_INDEX, _INNER_TABLE}:
            return []
        last = int.from_bytes(data[head + 8 : head + 12], "big")
        return [last, *(int.from_bytes(data[at : at + 4], "big") for at in self._places(data, head))][::-1]

    def _places(self, data: bytes, head: int) -> list[int]:
        kind = data[head]
        if kind not in _TREES:
            raise MalformedError(f"a page of the kind {kind} is no part of a tree", offset=0)
        cells = int.from_bytes(data[head + 3 : head + 5], "big")
        begin = head + (12 if kind in {_INNER_INDEX, _INNER_TABLE} else 8)
        if begin + 2 * cells > self.usable:
            raise MalformedError("a page has more cells than it has room for", offset=0)
        places = [int.from_bytes(data[at : at + 2], "big") for at in range(begin, begin + 2 * cells, 2)]
        if any(at + 4 > self.usable for at in places):
            raise MalformedError("a cell begins beyond its page", offset=0)
        return places

    def cells(self, number: int, data: bytes, *, overflow: bool = True) -> Iterator[tuple[int, bytes]]:
        """The records on one page; without ``overflow`` as much of them as the page holds."""
        head = 100 if number == 1 else 0
        kind = data[head]
        places = self._places(data, head)
        if kind == _INNER_TABLE:
            return
        for place in places:
            at = place + (4 if kind == _INNER_INDEX else 0)
            length, at = varint(data, at)
            if kind == _LEAF_TABLE:
                _, at = varint(data, at)
            here = self._local(length, table=kind == _LEAF_TABLE)
            record = data[at : at + here]
            if at + here > self.usable:
                raise MalformedError("a record goes beyond its page", offset=(number - 1) * self.size + place)
            if here < length and overflow:
                record += self._overflow(int.from_bytes(data[at + here : at + here + 4], "big"), length - here)
            yield (number - 1) * self.size + at, record

    def _local(self, length: int, *, table: bool) -> int:
        """How many bytes of a record lie on the page itself."""
        usable = self.usable
        most = usable - 35 if table else (usable - 12) * 64 // 255 - 23
        if length <= most:
            return length
        least = (usable - 12) * 32 // 255 - 23
        here = least + (length - least) % (usable - 4)
        return here if here <= most else least

    def _overflow(self, number: int, left: int) -> bytes:
        out: list[bytes] = []
        held = 0
        while left > 0:
            data = self.page(number)
            part = data[4 : 4 + min(left, self.usable - 4)]
            left -= len(part)
            if held < self.most:  # more of one record is stepped over
                out.append(part)
                held += len(part)
            number = int.from_bytes(data[:4], "big")
        return b"".join(out)

    def free(self, trunk: int) -> None:
        """Steps over the list of free pages."""
        while trunk:
            data = self.page(trunk)
            leaves = int.from_bytes(data[4:8], "big")
            if 8 + 4 * leaves > self.size:
                raise MalformedError("a list of free pages is longer than its page", offset=(trunk - 1) * self.size)
            for at in range(8, 8 + 4 * leaves, 4):
                self.page(int.from_bytes(data[at : at + 4], "big"))
            trunk = int.from_bytes(data[:4], "big")

    def maps(self) -> None:
        """Steps over the pages that say what other pages are for, of a data base that shrinks by itself."""
        step = self.usable // 5 + 1
        lock = (1 << 30) // self.size + 1
        for number in range(2, self.count + 1, step):
            self.seen.add(number + (number == lock))
