"""Limits are one frozen object; a :class:`Budget` counts what one examination has spent of them.

Budgets that count (bytes, members, depth, opcodes) come first, because they give the same answer on every
machine. ``seconds`` and ``subject_seconds`` are only guards: a result that hit one is marked as not reproducible.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields

from openvet.core.dataclass import dataclass
from openvet.errors import BombError, LimitError, UsageError

__all__ = ["DEFAULT_LIMITS", "Budget", "Limits", "parse_amount"]

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one examination may spend. Every field is named in the error that it raises.

    Attributes:
        depth: containers inside containers, at most.
        members: members of all archives of one subject together.
        member_name: bytes in the name of one member.
        decoded_bytes: bytes that all decompression of one subject may produce.
        ratio: decoded bytes for one encoded byte, counted once ``ratio_floor`` bytes came out. DEFLATE can reach 1032; what
            holds weights or text stays far below 250, but for tables of zeros and ones.
        ratio_floor: decoded bytes below which no ratio is computed, so that an array of a thousand million zeros is read; of
            all streams of one subject that go beyond two fifths of ``ratio`` together, four times as many: the fastest level of
            DEFLATE makes 229 zeros out of a byte.
        spool_memory: decoded bytes of one member kept in memory before they move to an unnamed temporary file.
        header: bytes of one format header (safetensors JSON, npy header, GGUF key) held at once.
        text: bytes of one text file that is parsed (JSON, Python, template); a longer one is partly unread.
        documents: bytes that parsed texts (JSON, YAML, TOML, tables of settings) take which are kept for the rules, of one subject
            together: each value and each key counts as 100 and its characters. Of a text that does not fit the rules see nothing.
        nesting: nested objects in one JSON or YAML text.
        tensors: tensors described in one file.
        opcodes: opcodes of all pickle programs in one file.
        memo: entries in one pickle memo.
        stack: values on one pickle stack.
        literal: bytes of one pickle literal kept by value; a longer one is kept as its length and offset.
        records: anomalies, calls or unknowns of one kind recorded for one file before the rest is only counted.
        files: files in one subject.
        seconds: wall time for one file with everything inside it, as a guard; all rules together have as much again.
        subject_seconds: wall time for reading and hashing one whole subject, as a guard. What is not read by then
            is reported as not read.
    """

    depth: int = 8
    members: int = 200_000
    member_name: int = 4 * KiB
    decoded_bytes: int = 32 * GiB
    ratio: int = 250
    ratio_floor: int = 1280 * MiB
    spool_memory: int = 8 * MiB
    header: int = 12 * MiB
    text: int = 32 * MiB
    documents: int = 192 * MiB
    nesting: int = 200
    tensors: int = 200_000
    opcodes: int = 100_000_000
    memo: int = 50_000_000
    stack: int = 20_000_000
    literal: int = 64 * KiB
    records: int = 10_000
    files: int = 1_000_000
    seconds: float = 600.0
    subject_seconds: float = 4 * 3600.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise UsageError(f"limit {field.name} must be greater than zero")


DEFAULT_LIMITS = Limits()

#: So much out of a stream that goes beyond ``ratio`` is a bomb, whatever smaller limits a team has.
_BOMB = GiB

_UNITS = {"k": 1, "m": 2, "g": 3, "t": 4}


def parse_amount(text: str, *, whole: bool) -> int | float:
    """A limit as people write it: ``5000``, ``64M``, ``1.5G``, ``2GiB`` in powers of 1024; ``600MB``, ``1.5GB`` in powers of 1000.

    Raises:
        UsageError: it is no number above zero, or not a whole one where that is needed.
    """
    lower = text.strip().lower()
    binary = lower[-3:-2] in _UNITS and lower.endswith("ib")
    decimal = lower[-2:-1] in _UNITS and lower.endswith("b")
    lower = lower[: -2 if binary else -1] if binary or decimal else lower
    power = _UNITS.get(lower[-1:], 0)
    number = lower[:-1] if power else lower
    factor = int((1000 if decimal else 1024) ** power)
    value: int | float = 0
    plain = number.isascii() and number.replace(".", "", 1).isdecimal()
    if len(number) <= 20 and (plain or not whole):
        try:
            value = int(number) * factor if number.isdecimal() else float(number) * factor
        except ValueError:
            value = 0
    if whole and value < 2**63 and value == int(value):
        value = int(value)
    if not 0 < value < 2**63 or (whole and not isinstance(value, int)):
        kind = "a whole number above zero, such as 5000, 64M or 600MB" if whole else "a number above zero"
        raise UsageError(f"the value must be {kind}")
    return value


class Budget:
    """What one subject's examination has spent. Not shared between threads.

    ``clock`` is passed in so that a test can move time.
    """

    __slots__ = ("_clock", "_deadline", "_end", "decoded", "dense", "documents", "limits", "members", "timed_out")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.members = 0
        self.decoded = 0
        #: decoded bytes of streams while they were dense
        self.dense = 0
        #: bytes of the limit ``documents``
        self.documents = 0
        self.timed_out = False
        self._clock = clock
        self._end = clock() + limits.subject_seconds
        self._deadline = 0.0
        self.start_file()

    def start_file(self) -> None:
        """Give the next file its own allowance of seconds, as far as the subject's goes."""
        self._deadline = min(self._clock() + self.limits.seconds, self._end)

    def start_rules(self) -> None:
        """Give the rules one allowance together, also where reading has spent the subject's: what was read is judged."""
        self._deadline = self._clock() + self.limits.seconds

    def start_transfer(self) -> None:
        """Fetching and hashing the bytes of a file takes as long as they are many: only the subject's seconds count."""
        self._deadline = self._end

    def check_time(self) -> None:
        """Raise :class:`LimitError` when the file's or the subject's seconds are spent. Call it from every long loop."""
        if self._clock() > self._deadline:
            raise self.out_of_time()

    def out_of_time(self) -> LimitError:
        """The error that says which seconds are spent; from now on the result is marked as not reproducible."""
        self.timed_out = True
        if self._deadline == self._end:
            text = "reading the whole took too long; the rest was not read"
            return LimitError("subject_seconds", self.limits.subject_seconds, text)
        return LimitError("seconds", self.limits.seconds, "reading took too long; the rest was not read")

    @property
    def left(self) -> float:
        """Seconds until :meth:`check_time` raises, below zero when they are spent."""
        return self._deadline - self._clock()

    @property
    def subject_left(self) -> float:
        """Seconds until the time for the whole subject is spent, below zero when it is."""
        return self._end - self._clock()

    def check_depth(self, depth: int) -> None:
        if depth > self.limits.depth:
            raise LimitError("depth", self.limits.depth, "containers are nested too deeply; this one was not opened")

    def add_members(self, count: int = 1) -> None:
        self.members += count
        if self.members > self.limits.members:
            raise LimitError("members", self.limits.members, "too many members; the rest was not read")

    def add_document(self, weight: int) -> None:
        """Account for a parsed text that is kept for the rules. One that does not fit is not counted: a smaller one may."""
        if self.documents + weight > self.limits.documents:
            text = "all parsed texts together are too large to be kept; no rule looked at the values of this one"
            raise LimitError("documents", self.limits.documents, text)
        self.documents += weight

    def add_decoded(self, produced: int, total_out: int, total_in: int) -> None:
        """Account for ``produced`` decoded bytes of a stream that so far gave ``total_out`` for ``total_in``."""
        self.decoded += produced
        if self.decoded > self.limits.decoded_bytes:
            raise LimitError("decoded_bytes", self.limits.decoded_bytes, "decompression produces too much")
        if self.is_dense(total_out, total_in):
            self.dense += produced
            alone = total_out > self.limits.ratio * max(total_in, 1) and total_out > self.limits.ratio_floor
            if alone or self.dense > self.most_dense:
                kind = BombError if max(total_out, self.dense) > _BOMB else LimitError
                raise kind("ratio", self.limits.ratio, "compressed data expands too much")
        self.check_time()

    def is_dense(self, decoded: int, encoded: int) -> bool:
        """Whether so many decoded bytes for so many encoded ones count towards :attr:`most_dense`."""
        return decoded * 5 > self.limits.ratio * 2 * max(encoded, 1)

    @property
    def most_dense(self) -> int:
        """Decoded bytes of all dense streams of the subject together, at most."""
        return 4 * self.limits.ratio_floor

    def add_declared(self, decoded: int, encoded: int) -> None:
        """Account for an archive whose members announce ``decoded`` bytes together and take ``encoded``: a bomb is not unpacked.

        Raises:
            BombError: they give more than the dense streams of a whole subject may; from now on no dense stream is decoded.
        """
        if self.is_dense(decoded, encoded) and decoded > self.most_dense:
            self.dense = max(self.dense, decoded)
            kind = BombError if decoded > _BOMB else LimitError
            raise kind(
                "ratio",
                self.limits.ratio,
                f"the members announce {decoded} bytes and take {encoded}: they were not unpacked",
            )
