"""Fractal heaps and version 2 B-trees: where new files keep the links of large groups and the many attributes of an object.

Specification: sections III.A.2 (version 2 B-trees) and III.G (fractal heaps) of the HDF5 file format.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from openvet.errors import MalformedError, UnsupportedError
from openvet.formats.hdf5._bytes import Block, HdfBytes

__all__ = ["FractalHeap", "records"]


def _bytes_for(value: int) -> int:
    return max((value.bit_length() + 7) // 8, 1)


class FractalHeap:
    """One fractal heap: gives the object behind a heap id."""

    def __init__(self, file: HdfBytes, address: int) -> None:
        wide, length = file.wide
        head = file.block(address, 26 + 12 * length + 3 * wide)
        if head.take(4) != b"FRHP" or head.number(1) != 0:
            raise MalformedError("no fractal heap stands where one should", offset=head.start)
        self._file = file
        self.id_size, filters = head.number(2), head.number(2)
        flags = head.number(1)
        self._longest = head.number(4)
        head.length()
        self._huge = head.address()
        head.length()
        head.address()
        for _ in range(8):
            head.length()
        self._width, self._first, self._direct = head.number(2), head.length(), head.length()
        self._bits = head.number(2)
        head.number(2)
        self._root, self._rows = head.address(), head.number(2)
        if filters:
            raise UnsupportedError("a fractal heap with filters is not read", offset=head.start)
        if not self._width or not self._first or self._first & (self._first - 1) or self._width > 4096:
            raise MalformedError("the table of a fractal heap is impossible", offset=head.start)
        self._check = 4 if flags & 2 else 0
        self._offset_size = (self._bits + 7) // 8
        self._length_size = min(_bytes_for(self._direct), _bytes_for(self._longest))
        self._starts: list[tuple[int, int, int]] | None = None
        self._huge_found: dict[int, tuple[int, int]] | None = None

    def get(self, identifier: bytes) -> Block:
        """The object of a heap id.

        Raises:
            UnsupportedError: an object of an unknown kind.
            MalformedError: it lies in no block of the heap.
        """
        block = Block(identifier, 0, self._file.wide)
        kind = block.number(1) >> 4 & 3
        if kind == 2:
            size = (identifier[0] & 15) + 1
            return block.part(size)
        if kind == 1:
            return self._huge_object(block)
        if kind != 0:
            raise UnsupportedError("an object of a fractal heap is of an unknown kind")
        offset, size = block.number(self._offset_size), block.number(self._length_size)
        blocks = self._blocks()
        index = bisect_right(blocks, offset, key=itemgetter(0)) - 1
        if index >= 0:
            start, length, address = blocks[index]
            if offset + size <= start + length:
                return self._file.block(address + offset - start, size)
        raise MalformedError("an object lies outside its fractal heap")

    def _huge_object(self, block: Block) -> Block:
        """An object too long for the heap's blocks: its id is its place, or a number that a B-tree leads from."""
        wide, length = self._file.wide
        if block.left >= wide + length:
            address, size = block.address(), block.length()
            return self._file.block(address or 0, size)
        wanted = block.number(min(length, block.left))
        found = self._huge_places().get(wanted)
        if found is not None:
            return self._file.block(*found)
        raise MalformedError("an object lies outside its fractal heap")

    def _huge_places(self) -> dict[int, tuple[int, int]]:
        """Address and size of each huge object by its number."""
        if self._huge_found is None:
            self._huge_found = {}
            for record in records(self._file, self._huge) if self._huge is not None else ():
                address, size = record.address(), record.length()
                if address is not None:
                    self._huge_found.setdefault(record.length(), (address, size))
        return self._huge_found

    def _blocks(self) -> list[tuple[int, int, int]]:
        """Start in the heap's own space, length and address of each direct block, in the order of the starts."""
        if self._starts is None:
            self._starts = []
            if self._root is not None:
                if self._rows:
                    self._starts.extend(sorted(self._indirect()))
                else:
                    self._starts.append((0, self._first, self._root))
        return self._starts

    def _row_size(self, row: int) -> int:
        return self._first << max(row - 1, 0)

    def _indirect(self) -> Iterator[tuple[int, int, int]]:
        wide = self._file.wide[0]
        stack = [(self._root or 0, self._rows, 0)]
        seen: set[int] = set()
        while stack:
            address, rows, start = stack.pop()
            if address in seen or rows > 64:
                raise MalformedError("blocks of a fractal heap lead back to each other")
            seen.add(address)
            self._file.budget.check_time()
            head = 5 + wide + self._offset_size
            block = self._file.block(address, head + rows * self._width * wide)
            if block.take(4) != b"FHIB":
                raise MalformedError("no block of a fractal heap stands where one should", offset=block.start)
            block.take(head - 4)
            at = start
            for row in range(rows):
                size = self._row_size(row)
                for _ in range(self._width):
                    child = block.address()
                    if child is not None and size <= self._direct:
                        yield at, size, child
                    elif child is not None:
                        inner = (size // (self._first * self._width)).bit_length()
                        stack.append((child, inner, at))
                    at += size


def records(file: HdfBytes, address: int) -> Iterator[Block]:
    """The records of a version 2 B-tree."""
    wide, length = file.wide
    head = file.block(address, 16 + wide + 2 + length)
    if head.take(4) != b"BTHD" or head.number(1) != 0:
        raise MalformedError("no B-tree header stands where one should", offset=head.start)
    kind, node_size, size, depth = head.number(1), head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, count = head.address(), head.number(2)
    if root is None:
        return
    if not size or depth > 16 or node_size < 16:
        raise MalformedError("the header of a B-tree is impossible", offset=head.start)
    # how many records a node of each level can have, from which the width of the counts follows
    most = [(node_size - 10) // size]
    total = [most[0]]
    widths = [(0, 0)]
    for level in range(1, depth + 1):
        counts = (_bytes_for(most[0]), _bytes_for(total[level - 1]) if level > 1 else 0)
        pointer = wide + sum(counts)
        here = (node_size - 10 - pointer) // (size + pointer)
        if here <= 0:
            raise MalformedError("the header of a B-tree is impossible", offset=head.start)
        most.append(here)
        total.append((here + 1) * total[level - 1] + here)
        widths.append(counts)
    seen: set[int] = set()
    stack = [(root, count, depth)]
    while stack:
        address, count, level = stack.pop()
        if address in seen:
            raise MalformedError("a node stands in a B-tree twice", offset=file.base + address)
        seen.add(address)
        file.budget.check_time()
        node = file.block(address, node_size)
        if node.take(4) != (b"BTIN" if level else b"BTLF") or node.take(2)[1] != kind or count > most[level]:
            raise MalformedError("no B-tree node stands where one should", offset=node.start)
        for _ in range(count):
            file.pay(0)
            yield node.part(size)
        if level:
            for _ in range(count + 1):
                child, inner = node.address(), node.number(widths[level][0])
                node.take(widths[level][1])
                if child is not None:
                    stack.append((child, inner, level - 1))
