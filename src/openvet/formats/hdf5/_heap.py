"""Global heaps: where values of variable length lie.

Specification: section III.E of the HDF5 file format.
"""

from __future__ import annotations

from openvet.errors import LimitError, MalformedError
from openvet.formats.hdf5._bytes import HdfBytes

__all__ = ["GlobalHeaps"]

_KEPT = 8


class GlobalHeaps:
    """The collections of a file; the last few stay at hand."""

    def __init__(self, file: HdfBytes, most: int) -> None:
        self._file = file
        self._most = most
        self._held: dict[int, dict[int, tuple[int, int]]] = {}

    def get(self, address: int, index: int) -> bytes:
        """The object ``index`` of the collection at ``address``.

        Raises:
            MalformedError: there is none.
            LimitError: it is longer than is held.
        """
        where = self._collection(address).get(index)
        if where is None:
            raise MalformedError(f"the heap has no object {index}", offset=self._file.base + address)
        at, size = where
        if size > self._most:
            raise LimitError("header", self._most, f"a value of {size} bytes was not read", offset=self._file.base + at)
        self._file.pay(3 * size)  # what is read may be kept
        return self._file.block(at, size).data

    def _collection(self, address: int) -> dict[int, tuple[int, int]]:
        held = self._held.get(address)
        if held is not None:
            return held
        length = self._file.wide[1]
        head = self._file.block(address, 8 + length)
        if head.take(4) != b"GCOL":
            raise MalformedError("no heap stands where a value should", offset=head.start)
        head.take(4)
        end = address + head.length()
        if self._file.base + end > self._file.source.size:
            raise MalformedError("a heap lies beyond the end of the file", offset=head.start)
        found: dict[int, tuple[int, int]] = {}
        at = address + head.at
        while at + 8 + length <= end:
            each = self._file.block(at, 8 + length)
            index = each.number(2)
            each.take(6)
            size = each.length()
            if index == 0:
                break
            at += 8 + length
            if at + size > end:
                raise MalformedError("a value goes beyond its heap", offset=each.start)
            found[index] = (at, size)
            at += size + -size % 8
        if len(self._held) >= _KEPT:
            del self._held[next(iter(self._held))]
        self._held[address] = found
        return found
