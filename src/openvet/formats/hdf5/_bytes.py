"""The bytes of an HDF5 file by their address: bounded blocks, and the sizes of addresses and lengths."""

from __future__ import annotations

from openvet.core.limits import Budget, MiB
from openvet.errors import LimitError, MalformedError
from openvet.io.source import Source

__all__ = ["Block", "HdfBytes"]

#: How many times over the bytes of a file are read, for its structures to refer to each other, and how much in any case.
_OVER = 16
_ALWAYS = 64 * MiB
#: What a step costs at least, in bytes: a million structures of one byte take longer than one of a million.
_STEP = 64


class Block:
    """A run of bytes that is read from front to back. ``start`` is where it stands in the file."""

    __slots__ = ("at", "data", "start", "wide")

    def __init__(self, data: bytes, start: int, wide: tuple[int, int]) -> None:
        self.data = data
        self.at = 0
        self.start = start
        self.wide = wide

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes; raises :class:`MalformedError` where there are fewer."""
        if size < 0 or size > self.left:
            raise MalformedError(f"a structure ends before a field of {size} bytes", offset=self.start + self.at)
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def address(self) -> int | None:
        """An address; ``None`` for the undefined one."""
        data = self.take(self.wide[0])
        return None if data == b"\xff" * len(data) else int.from_bytes(data, "little")

    def length(self) -> int:
        return self.number(self.wide[1])

    def text(self, pad: int = 1) -> bytes:
        """Up to a zero, which is taken too, with what fills up to a multiple of ``pad`` bytes."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise MalformedError("a name has no end", offset=self.start + self.at)
        text = self.data[self.at : end]
        size = end + 1 - self.at
        self.take(size + -size % pad)
        return text

    def part(self, size: int) -> Block:
        """The next ``size`` bytes as a block of their own."""
        start = self.start + self.at
        return Block(self.take(size), start, self.wide)


class HdfBytes:
    """A source by addresses, which count from the superblock. Structures that are read again and again are paid for."""

    __slots__ = ("base", "budget", "decoded", "source", "spent", "wide")

    def __init__(self, source: Source, base: int, wide: tuple[int, int], budget: Budget) -> None:
        self.source = source
        self.base = base
        self.wide = wide
        self.budget = budget
        self.spent = 0
        self.decoded = 0

    def block(self, address: int, size: int) -> Block:
        """``size`` bytes at ``address``; raises :class:`MalformedError` where the file does not have them."""
        start = self.base + address
        self.pay(size)
        if start + size > self.source.size:
            message = f"a structure of {size} bytes lies beyond the end of the file"
            raise MalformedError(message, offset=min(start, self.source.size))
        return Block(self.source.read(start, size), start, self.wide)

    def upto(self, address: int, size: int) -> Block:
        """At most ``size`` bytes at ``address``."""
        start = self.base + address
        if start >= self.source.size:
            raise MalformedError("an address lies beyond the end of the file", offset=self.source.size)
        return self.block(address, min(size, self.source.size - start))

    def pay(self, size: int, step: int = _STEP) -> None:
        """Count bytes that were read or are kept, so that structures which share bytes cannot keep us busy.

        Raises:
            LimitError: many times the bytes of the file were read.
        """
        self.spent += max(size, step)
        if self.spent > _OVER * self.source.size + _ALWAYS:
            raise LimitError("ratio", _OVER, "the structures of the file share their bytes over and over")
        self.budget.check_time()
