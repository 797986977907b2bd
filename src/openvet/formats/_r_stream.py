"""The three ways in which R writes the same items: big-endian (XDR), little-endian and as lines of text."""

from __future__ import annotations

import re

from openvet.core.limits import Budget
from openvet.errors import MalformedError, UnsupportedError
from openvet.io.source import Cursor

__all__ = ["NA", "Binary", "Lines"]

#: R's missing integer; also what a line "NA" stands for.
NA = -(2**31)

_STEP = 4096


class Binary:
    """Integers of four bytes, text as it is."""

    __slots__ = ("_order", "cursor")

    def __init__(self, cursor: Cursor, *, little: bool) -> None:
        self.cursor = cursor
        self._order = little

    def integer(self) -> int:
        return int.from_bytes(self.cursor.read(4), "little" if self._order else "big", signed=True)

    def string(self, size: int, keep: int) -> bytes:
        """A text of ``size`` bytes, of which at most ``keep`` are kept."""
        kept = self.cursor.read(min(size, keep))
        self.cursor.skip(size - len(kept))
        return kept

    def skip(self, count: int, size: int) -> None:
        """``count`` numbers of ``size`` bytes."""
        self.cursor.skip(count * size)


class Lines:
    """One number or text a line; text has escapes."""

    __slots__ = ("_budget", "cursor")

    def __init__(self, cursor: Cursor, budget: Budget) -> None:
        self.cursor = cursor
        self._budget = budget

    def _line(self, limit: int = 400) -> bytes:
        at = self.cursor.position
        line = self.cursor.readline(limit)
        if not line:
            raise MalformedError("ends where a line is due", offset=at)
        return line.strip(b"\r\n \t")

    def integer(self) -> int:
        at = self.cursor.position
        word = self._line(40)
        if word == b"NA":
            return NA
        if not re.fullmatch(rb"-?\d{1,10}", word):
            raise MalformedError("a line that must be a whole number is none", offset=at)
        value = int(word)
        if not NA <= value < 2**31:
            raise MalformedError("a number does not fit into 32 bits", offset=at)
        return value

    def string(self, size: int, keep: int) -> bytes:
        if size > 1 << 24:
            raise UnsupportedError("a text of more than 16 MiB is not read", offset=self.cursor.position)
        at = self.cursor.position
        text = _unescaped(self._line(4 * size + 4))
        if len(text) != size:
            raise MalformedError(f"a text of {size} bytes has {len(text)}", offset=at)
        return text[:keep]

    def skip(self, count: int, size: int) -> None:
        """As many lines: a complex number stands on two."""
        for index in range(count * 2 if size == 16 else count):
            self._line()
            if index % _STEP == 0:
                self._budget.check_time()


_SHORT = {b"n": b"\n", b"t": b"\t", b"v": b"\v", b"b": b"\b", b"r": b"\r", b"f": b"\f", b"a": b"\a"}


def _unescaped(line: bytes) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        what = match[1]
        return bytes([int(what, 8) & 0xFF]) if what.isdigit() else _SHORT.get(what, what)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, line)
