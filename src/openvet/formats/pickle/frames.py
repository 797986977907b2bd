r"""How CPython's unpickler in C reads a stream whose frames contradict its opcodes, from a file that cannot be peeked into.

It asks its file for one frame at a time. Where a read does not fit into what is left of the frame, it forgets what is
left and reads as many bytes as it wants from behind the frame (``_Unpickler_ReadImpl`` and ``_Unpickler_Readline`` in
``Modules/_pickle.c``). So ``cos\nxsystem\n`` with a frame that ends behind the ``x`` is ``os.system`` for it; whoever reads
linearly sees another name. ``torch.load`` reads ``data.pkl`` of a zip in this way.

:func:`forgetful_reading` gives the stream that is left: the linear one without the bytes that are forgotten.
"""

from __future__ import annotations

from typing import Final

from openvet.core.limits import Budget
from openvet.formats.pickle import opcodes as op
from openvet.io.source import BLOCK, Source

__all__ = ["Spliced", "forgetful_reading"]

_SEGMENTS: Final = 100_000
_FRAME: Final = 0x95
_BYTEARRAY8: Final = 0x96
_STOP: Final = 0x2E
#: How many lines follow the opcode: GLOBAL and INST have two, PERSID, GET and PUT one.
_LINES: Final = {0x63: 2, 0x69: 2, 0x50: 1, 0x67: 1, 0x70: 1}


class Spliced(Source):
    """Parts of another source, one behind the other."""

    __slots__ = ("_parts", "_source", "_starts")

    def __init__(self, source: Source, parts: list[tuple[int, int]]) -> None:
        self._source = source
        self._parts = parts
        self._starts = []
        size = 0
        for begin, end in parts:
            self._starts.append(size)
            size += end - begin
        self.size = size

    def _read(self, offset: int, size: int) -> bytes:
        from bisect import bisect_right

        out = bytearray()
        index = bisect_right(self._starts, offset) - 1
        while size:
            begin, end = self._parts[index]
            skip = offset - self._starts[index]
            take = min(size, end - begin - skip)
            out += self._source.read(begin + skip, take)
            offset += take
            size -= take
            index += 1
        return bytes(out)


class _EndError(Exception):
    """The unpickler would find too few bytes."""


class _Reads:
    """The reads that the unpickler makes, and which bytes they give."""

    def __init__(self, source: Source, start: int) -> None:
        self.source = source
        self.at = start
        self.held_to = start  # the bytes from ``at`` to here are in the unpickler's buffer
        self.parts: list[tuple[int, int]] = []
        self.forgets = False

    def _keep(self, begin: int, end: int) -> None:
        if begin == end:
            return
        if self.parts and self.parts[-1][1] == begin:
            self.parts[-1] = (self.parts[-1][0], end)
        elif len(self.parts) < _SEGMENTS:
            self.parts.append((begin, end))
        else:
            raise _EndError

    def hold(self, size: int) -> None:
        """Have ``size`` bytes in the buffer, fresh ones where they do not fit into what is left of it."""
        if self.at + size > self.held_to:
            self.forgets = self.forgets or self.at < self.held_to
            self.at, self.held_to = self.held_to, self.held_to + size
            if self.held_to > self.source.size:
                raise _EndError

    def take(self, size: int) -> int:
        """Read ``size`` bytes; their value, little endian, where they are few."""
        self.hold(size)
        value = int.from_bytes(self.source.read(self.at, size), "little") if size <= 8 else 0
        self._keep(self.at, self.at + size)
        self.at += size
        return value

    def take_into(self, size: int) -> None:
        """Read a bytearray, which is the one thing that takes what is left of the buffer first."""
        end = self.at + size
        if end > self.source.size:
            raise _EndError
        self._keep(self.at, end)
        self.at, self.held_to = end, max(end, self.held_to)

    def line(self, budget: Budget) -> None:
        end = self._newline(self.at, self.held_to, budget)
        if end is None:
            self.forgets = self.forgets or self.at < self.held_to
            self.at = self.held_to
            end = self._newline(self.at, self.source.size, budget)
            if end is None:
                raise _EndError
            self.held_to = end
        self._keep(self.at, end)
        self.at = end

    def _newline(self, at: int, limit: int, budget: Budget) -> int | None:
        """Behind the first newline from ``at`` on."""
        size = 256
        while at < limit:
            block = self.source.read(at, min(size, limit - at))
            found = block.find(b"\n")
            if found >= 0:
                return at + found + 1
            at += len(block)
            size = BLOCK
            budget.check_time()
        return None


def forgetful_reading(source: Source, start: int, budget: Budget) -> Spliced | None:
    """The stream at ``start`` as the unpickler in C gets it, up to STOP or where it fails; ``None`` where it forgets nothing."""
    reads = _Reads(source, start)
    opcodes = 0
    try:
        while opcodes < budget.limits.opcodes:
            opcodes += 1
            code = reads.take(1)
            kind = op.KIND[code]
            if code == _STOP or kind == op.BAD:
                break
            if code == _FRAME:
                size = reads.take(8)
                reads.hold(min(size, source.size + 1))
            elif code == _BYTEARRAY8:
                reads.take_into(min(reads.take(8), source.size + 1))
            elif kind in (op.LENGTH1, op.LENGTH4, op.LENGTH8):
                reads.take(min(reads.take(op.WIDTH[code] - 1), source.size + 1))
            elif kind == op.LINE or code in _LINES:
                for _ in range(_LINES.get(code, 1)):
                    reads.line(budget)
            elif op.WIDTH[code] > 1:
                reads.take(op.WIDTH[code] - 1)
            if not opcodes % 4096:
                budget.check_time()
    except _EndError:
        pass
    return Spliced(source, reads.parts) if reads.forgets else None
