"""Thrift's compact protocol: structures decoded as far as somebody wants them, everything else walked and let go.

::

    field     delta << 4 | type (or 0 << 4 | type, then the number as a zigzag varint); a structure ends with 0
    types     1 true   2 false   3 byte   4 5 6 zigzag varint   7 eight bytes   8 length and bytes
              9 10 list or set: size << 4 | type (size 15: a varint follows)   11 map   12 structure

Specification: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from typing import Any

from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts

__all__ = ["RAW", "Compact", "Wanted"]

#: Which fields of a structure are wanted: number -> ``None`` for a value, or what is wanted of the structure in it.
Wanted = dict[int, Any]

#: Wanted of a structure in place of a field: its own bytes, up to and with the zero that ends it. No field has this number.
RAW = -(1 << 80)
_DEPTH = 64
#: Values of lists that are kept: an empty structure takes one byte, and sixty-four here.
_MOST_KEPT = 1_000_000
_CHECK_EVERY = 65536


class Compact:
    """Decodes one structure out of bytes in memory; ``at`` is where it has come."""

    def __init__(self, data: bytes, facts: Facts, origin: int = 0) -> None:
        self.data = data
        self.facts = facts
        self.origin = origin
        self.at = 0
        self._count = 0
        self._kept = 0

    def structure(self, wanted: Wanted, depth: int = 0) -> dict[int, Any]:
        """The wanted fields of the structure that begins here; a field that stands there twice keeps its last value.

        Raises:
            MalformedError: it breaks the protocol.
            LimitError: it is nested too deeply, or took too long.
        """
        if depth > _DEPTH:
            raise LimitError("nesting", _DEPTH, "structures are nested too deeply", offset=self.origin + self.at)
        out: dict[int, Any] = {}
        number = 0
        begin = self.at
        while True:
            self._count += 1
            if not self._count % _CHECK_EVERY:
                self.facts.budget.check_time()
            head = self._byte()
            kind = head & 15
            if not kind:
                if RAW in wanted:
                    out[RAW] = self.data[begin : self.at]
                return out
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            if number in wanted:
                out[number] = self._value(kind, wanted[number], depth, keep=True)
            else:
                self._value(kind, None, depth, keep=False)

    def _value(self, kind: int, wanted: Any, depth: int, *, keep: bool) -> Any:
        if kind in {1, 2}:
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in {4, 5, 6}:
            return self._zigzag()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in {9, 10}:
            return self._list(wanted, depth, keep=keep)
        if kind == 11:
            return self._map(depth)
        if kind == 12:
            return self.structure(wanted or {}, depth + 1)
        raise MalformedError(f"a value has the type {kind}, which does not exist", offset=self.origin + self.at)

    def _list(self, wanted: Any, depth: int, *, keep: bool) -> list[Any]:
        if depth > _DEPTH:
            raise LimitError("nesting", _DEPTH, "lists are nested too deeply", offset=self.origin + self.at)
        head = self._byte()
        kind, size = head & 15, head >> 4
        if size == 15:
            size = self._varint()
        if size > len(self.data) - self.at:
            raise MalformedError(f"a list of {size} values has no room", offset=self.origin + self.at)
        out = []
        for _ in range(size):
            value = self._byte() == 1 if kind in {1, 2} else self._value(kind, wanted, depth + 1, keep=keep)
            if keep:
                self._kept += 1
                if self._kept > _MOST_KEPT:
                    raise LimitError(
                        "records", _MOST_KEPT, "more values in lists than are kept", offset=self.origin + self.at
                    )
                out.append(value)
        return out

    def _map(self, depth: int) -> None:
        if depth > _DEPTH:
            raise LimitError("nesting", _DEPTH, "maps are nested too deeply", offset=self.origin + self.at)
        size = self._varint()
        if size > len(self.data) - self.at:
            raise MalformedError(f"a map of {size} entries has no room", offset=self.origin + self.at)
        kinds = self._byte() if size else 0
        for _ in range(size):
            for kind in (kinds >> 4, kinds & 15):
                if kind in {1, 2}:
                    self._byte()
                else:
                    self._value(kind, None, depth + 1, keep=False)

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise MalformedError("ends in the middle of a structure", offset=self.origin + self.at)
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise MalformedError(f"a value of {size} bytes goes beyond the end", offset=self.origin + self.at)
        self.at += size
        return self.data[self.at - size : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise MalformedError("a number has more than ten bytes", offset=self.origin + self.at)

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
