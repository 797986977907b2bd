"""Two tensors in one sweep by compiled loops: their bytes come in runs, in any order and from several threads at once.

What is found is what :mod:`openvet.inventory.compare.numbers` finds with NumPy, to the last bit. Types that the loops do not know are compared
bit by bit, and left to NumPy where they differ.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from openvet.inventory.compare import sweep
from openvet.inventory.compare.dtypes import WIDTHS, zero_mask
from openvet.inventory.compare.ggml import BLOCKS
from openvet.inventory.compare.measured import Measured, Sums

__all__ = ["COMPILED", "EVERY", "MEASURED", "STEP", "Sweep", "can_sweep"]

COMPILED: Final = sweep.COMPILED
#: Values that are measured together: a multiple of every block of ggml, and few enough for what is computed to stay in the cache.
STEP: Final = sweep.STEP
#: Of a tensor with more values than so many steps, one step of so many is measured.
EVERY: Final = 8

#: By the width of a number: how its bits are seen, and what compares them.
_LOOPS: Final[dict[int, tuple[Any, Callable[[Any, Any, int, Any], None]]]] = {
    1: ("B", sweep.differ_8), 2: ("H", sweep.differ_16), 4: ("I", sweep.differ_32), 8: ("Q", sweep.differ_64),
}  # fmt: skip
#: Of other types the loops only tell whether they are the same.
MEASURED: Final = frozenset({"BF16", "F16", "F32"})
_NARROW: Final = frozenset({"BF16", "F16"})


def can_sweep(a: str, b: str) -> bool:
    """Whether there are loops for these two types of numbers."""
    return (a == b and (a in WIDTHS or a in BLOCKS)) or (a == "F32" and b in _NARROW) or (b == "F32" and a in _NARROW)


class Sweep:
    """Two tensors with as many values, on the way.

    Args:
        a, b: their types, for which :func:`can_sweep` holds.
        values: how many each of them has.
        step: values that are measured together.
        every_norm: also measure what is the same before anything differs. Without it that is left out, which costs nothing where all is the
            same, and another look at everything where it is not.
    """

    __slots__ = ("_counts", "_every", "_left_out", "_measuring", "_seen", "_steps", "_swap", "a", "b", "step", "values")

    def __init__(self, a: str, b: str, values: int, step: int = STEP, *, every_norm: bool = False) -> None:
        self.a, self.b = a, b
        self.values = values
        self.step = step
        self._every = EVERY if values > EVERY * step else 1
        self._measuring = every_norm
        self._left_out = False
        self._swap = a != b and b == "F32"
        # threads only ever append
        self._counts: list[tuple[int, ...]] = []
        self._steps: list[tuple[int, int, Sums]] = []
        self._seen: list[int] = []

    def feed(self, first: int, count: int, left: memoryview, right: memoryview) -> None:
        """Look at ``count`` values from the one at ``first`` on, a multiple of a step; each is looked at once.

        Args:
            left, right: the bytes of both, aligned to their widths.
        """
        counts = array("q", (0, 0, 0, 0))
        if self.a == self.b:
            code, differ = _LOOPS[WIDTHS.get(self.a, 1)]
            mask = zero_mask(self.a) if self.a in WIDTHS else 0
            differ(left.cast(code), right.cast(code), mask, counts)
        else:
            wide, narrow = (right, left) if self._swap else (left, right)
            if "BF16" in {self.a, self.b}:
                sweep.cast_bf16(wide.cast("I"), narrow.cast("H"), counts)
            else:
                sweep.cast_f16(wide.cast("I"), narrow.cast("H"), *_f16(), counts)
        self._counts.append(tuple(counts))
        self._seen.append(count)
        if self.a not in MEASURED:
            return
        if not self._measuring:
            if self.a == self.b and not counts[0]:
                self._left_out = True
                return
            self._measuring = True
        step, every = self.step, self._every
        for number in range(first // step, (first + count + step - 1) // step):
            if number % every == 0:
                at = number * step - first
                end = min(at + step, count)
                self._steps.append((number, end - at, self._measure(left, right, at, end)))

    def _measure(self, left: memoryview, right: memoryview, at: int, end: int) -> Sums:
        scratch = _SCRATCH
        if not hasattr(scratch, "lanes"):
            scratch.lanes, scratch.out = array("d", bytes(8 * 4 * sweep.LANES)), array("d", bytes(8 * 6))
            scratch.wide = [memoryview(array("f", bytes(4 * STEP))) for _ in "ab"]
        sides = []
        for dtype, data, room in ((self.a, left, scratch.wide[0]), (self.b, right, scratch.wide[1])):
            width = WIDTHS[dtype]
            part = data[at * width : end * width]
            if dtype == "F32":
                sides.append(part.cast("f"))
                continue
            if end - at > len(room):
                room = memoryview(array("f", bytes(4 * (end - at))))
            sweep.widen(part.cast("H"), _numbers(dtype), room)
            sides.append(room[: end - at])
        sweep.norms(sides[0], sides[1], scratch.lanes, scratch.out)
        one, other, difference, largest, lost_a, lost_b = scratch.out
        return one, other, difference, largest, int(lost_a), int(lost_b)

    @property
    def hopeful(self) -> bool:
        """Whether looking at more values can still tell something."""
        if self._left_out and self._measuring:
            return False
        return self.a != self.b or self.a in MEASURED or not (self._counts and self._counts[-1][0])

    def judged(self) -> Measured | None:
        """What was found; ``None`` where not every value was seen or measured, or where numbers differ that have to be compared with NumPy."""
        if sum(self._seen) != self.values:
            return None
        sums = [sum(column) for column in zip(*self._counts, strict=True)] or [0, 0, 0, 0]
        out = Measured(self.values)
        if self.a == self.b:
            if not sums[0]:
                return out
            if self.a not in MEASURED or self._left_out:
                return None
            out.changed = sums[0]
            # A is what B was made of where all that differs is zero in B
            made = [side for side, left in (("a", sums[2]), ("b", sums[1])) if not left]
            out.status, out.original = ("pruned", made[0]) if len(made) == 1 else ("changed", "")
        else:
            wide, narrow = ("b", "a") if self._swap else ("a", "b")
            cuts = "BF16" in {self.a, self.b} and not sums[2]
            if not sums[1] or cuts:
                out.status, out.original, out.changed = "cast", wide, -1 if self.values else 0
                out.how = "truncated" if sums[1] else ""
            elif not sums[3]:
                out.status, out.original, out.changed = "cast", narrow, -1
            else:
                out.status, out.changed = "changed", sums[0]
        out.sum_up(self._steps)
        return out


_SCRATCH = threading.local()


@cache
def _numbers(dtype: str) -> Any:
    """All numbers of 16 bits, as 32-bit floats."""
    if dtype == "BF16":
        data = bytearray(4 * 65536)
        data[2::4] = bytes(range(256)) * 256
        data[3::4] = b"".join(bytes([high]) * 256 for high in range(256))
        return memoryview(data).cast("f")
    from struct import unpack

    return memoryview(array("f", unpack("<65536e", array("H", range(65536)).tobytes())))


@cache
def _f16() -> tuple[Any, Any, Any]:
    """Of 16-bit floats: their bits in 32 bits, and the bits of the least and the most that is rounded to each without a sign."""
    numbers = _numbers("F16").cast("B").cast("I")
    # the middle between neighbours has one bit more, and so is a number of 32 bits: 65520 behind the largest one
    small = array("f", [(2 * each - 1) * 2.0**-25 for each in range(1, 0x401)])
    middles = [*memoryview(small).cast("B").cast("I"), *((each << 13) + 0x37FFF000 for each in range(0x401, 0x7C01))]
    none = [0x7F800001] * (0x7FFF - 0x7C00)
    # a tie goes to the even one
    least = array("I", [0, *(each + number % 2 for number, each in enumerate(middles, 1)), *none])
    most = array("I", [*(each - number % 2 for number, each in enumerate(middles)), 0x7F800000, *none])
    return numbers, memoryview(least), memoryview(most)
