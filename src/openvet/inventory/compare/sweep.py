# cython: boundscheck=False
"""The loops over every number of two tensors: how many differ, whether one is the other rounded, and the sums that norms are made of.

Compiled where Cython is (``sweep.pxd`` holds the types), and then other threads run meanwhile. The source also runs as it is, for whoever
wants to compare both; it is so slow that NumPy does the same wherever nothing was compiled (ADR 0010). All three give the same, to the last bit: sums
are added up in 64 bits, in an order that is written down here and depends on no machine.

Bounds are not checked in the loops, which vectorizes them: every index lies below the length of the first array, which the second and what is written to
are held to before.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from openvet.core import uncompiled as cython

from typing import Any

__all__ = [
    "COMPILED",
    "LANES",
    "STEP",
    "cast_bf16",
    "cast_f16",
    "differ_8",
    "differ_16",
    "differ_32",
    "differ_64",
    "norms",
    "widen",
]

COMPILED = not __file__.endswith((".py", ".pyc"))
#: Numbers that are measured together: the sums of one step are told apart from those of the next.
STEP = 32 * 1024
#: Sums that are kept beside each other: the number at ``i`` of a step goes to the one at ``i % LANES``. A power of two.
LANES = 1024

_STEP = STEP
_LANES = LANES
_CHUNK = 4096
_FEW = 32
_ALL = 0xFFFFFFFF
_INFINITE = 0x7F800000
_SIZE = 0x7FFFFFFF


def differ_8(a: Any, b: Any, mask: int, out: Any) -> None:
    """As :func:`differ_16`, of integers of one byte."""
    _differ(a, b, mask, out)


def differ_32(a: Any, b: Any, mask: int, out: Any) -> None:
    """As :func:`differ_16`, of integers of 4 bytes."""
    _differ(a, b, mask, out)


def differ_64(a: Any, b: Any, mask: int, out: Any) -> None:
    """As :func:`differ_16`, of integers of 8 bytes."""
    _differ(a, b, mask, out)


# one function for all types would have Cython import NumPy, to ask whether an array is one of its
def differ_16(a: Any, b: Any, mask: int, out: Any) -> None:
    """Two arrays of one type, bit by bit.

    Args:
        a, b: unsigned integers of 2 bytes, as many.
        mask: bits that are clear in a zero.
        out: 64-bit integers. ``out[0]`` grows by how many are not the same; ``out[1]`` becomes 1 where one of these is not zero in ``a``,
            ``out[2]`` where one is not zero in ``b``.
    """
    _differ(a, b, mask, out)


def _differ(a: Any, b: Any, mask: int, out: Any) -> None:
    count = a.shape[0]
    if b.shape[0] != count or out.shape[0] < 3:
        raise ValueError("arrays of other lengths")
    changed = 0
    zeros = 0
    held_a = held_b = zeros
    with cython.nogil:
        at = 0
        while at < count:
            end = min(at + _STEP, count)
            held_a = held_b = zeros
            # few enough for the narrow types to count: what is wider is slower
            while at < end:
                last = min(at + 128, end)
                few = zeros
                for i in range(at, last):
                    one = a[i]
                    other = b[i]
                    few += one != other
                    held_a |= one if one != other else 0
                    held_b |= other if one != other else 0
                changed += few
                at = last
            out[1] |= (held_a & mask) != 0
            out[2] |= (held_b & mask) != 0
    out[0] += changed


def cast_bf16(wide: Any, narrow: Any, out: Any) -> None:
    """32-bit floats beside bfloat16.

    Args:
        wide: their bits.
        narrow: as many bits of bfloat16.
        out: 64-bit integers. ``out[0]`` grows by how many are not the same number (what is no number is like every other one);
            the others become 1 where a number is not the other one rounded to the nearest (``out[1]``), cut off (``out[2]``), or, the
            other way, widened (``out[3]``).
    """
    count = wide.shape[0]
    if narrow.shape[0] != count or out.shape[0] < 4:
        raise ValueError("arrays of other lengths")
    changed = 0
    rounds = cuts = widens = 0
    with cython.nogil:
        at = 0
        while at < count:
            end = min(at + _CHUNK, count)
            unlike = 0
            nearest = cut = exact = 0
            most = 0
            for i in range(at, end):
                one = wide[i]
                small = narrow[i]
                other = small << 16
                size = one & _SIZE
                most = max(most, size)
                size = other & _SIZE
                most = max(most, size)
                nearest |= ((one + (0x7FFF + ((one >> 16) & 1))) >> 16) ^ small
                cut |= (one >> 16) ^ small
                exact |= one ^ other
                # two zeros of unlike signs are the same number
                unlike += (one != other) & (((one | other) & _SIZE) != 0)
            if most > _INFINITE:  # once more, one by one
                unlike = 0
                nearest = cut = exact = 0
                for i in range(at, end):
                    one = wide[i]
                    small = narrow[i]
                    other = small << 16
                    if (one & _SIZE) > _INFINITE:
                        if (other & _SIZE) <= _INFINITE:
                            nearest = exact = 1
                            # cut off, what is no number may look like an infinite one
                            cut |= (one >> 16) ^ small
                            unlike += 1
                        elif ((one >> 16) & 0x7FFF) <= 0x7F80:
                            cut = 1
                    else:
                        nearest |= ((one + (0x7FFF + ((one >> 16) & 1))) >> 16) ^ small
                        cut |= (one >> 16) ^ small
                        exact |= one ^ other
                        unlike += (one != other) & (((one | other) & _SIZE) != 0)
            changed += unlike
            rounds |= nearest
            cuts |= cut
            widens |= exact
            at = end
    out[0] += changed
    out[1] |= rounds != 0
    out[2] |= cuts != 0
    out[3] |= widens != 0


def cast_f16(wide: Any, narrow: Any, numbers: Any, least: Any, most: Any, out: Any) -> None:
    """32-bit floats beside 16-bit ones.

    Args:
        wide: their bits.
        narrow: as many bits of 16-bit floats.
        numbers: for all 65,536 of them, the bits of the same number in 32 bits.
        least, most: for the 32,768 without a sign, the bits of the smallest and the largest number of 32 bits that is rounded to it.
        out: as of :func:`cast_bf16`, without ``out[2]``.
    """
    count = wide.shape[0]
    if narrow.shape[0] != count or out.shape[0] < 4:
        raise ValueError("arrays of other lengths")
    if numbers.shape[0] != 65536 or least.shape[0] != 32768 or most.shape[0] != 32768:
        raise ValueError("tables of other lengths")
    changed = 0
    rounds = widens = 0
    with cython.nogil:
        at = 0
        while at < count:
            end = min(at + _FEW, count)
            unlike = nearest = exact = odd = 0
            for i in range(at, end):  # as if all were normal numbers: for them no table is needed
                one = wide[i]
                small = narrow[i]
                size = small & 0x7FFF
                odd |= (size <= 0x400) | (size > 0x7BFF)
                other = ((small & 0x8000) << 16) | (size << 13) + 0x38000000
                away = (one - other + 0x1000) & _ALL
                nearest |= ((away - (small & 1)) & _ALL) > 0x2000 - 2 * (small & 1)
                exact |= one ^ other
                unlike += one != other
            if odd:  # once more, one by one
                unlike = nearest = exact = 0
                for i in range(at, end):
                    one = wide[i]
                    small = narrow[i]
                    other = numbers[small]
                    if (one & _SIZE) > _INFINITE or (other & _SIZE) > _INFINITE:
                        odd = (one & _SIZE) <= _INFINITE or (other & _SIZE) <= _INFINITE
                        nearest |= odd
                        exact |= odd
                        unlike += odd
                    else:
                        nearest |= (one & _SIZE) < least[small & 0x7FFF]
                        nearest |= (one & _SIZE) > most[small & 0x7FFF]
                        nearest |= (one ^ other) >> 31
                        exact |= one ^ other
                        unlike += (one != other) & (((one | other) & _SIZE) != 0)
            changed += unlike
            rounds |= nearest
            widens |= exact
            at = end
    out[0] += changed
    out[1] |= rounds != 0
    out[3] |= widens != 0


def widen(narrow: Any, numbers: Any, wide: Any) -> None:
    """Write to ``wide`` what ``numbers``, a table of all 65,536, says for each of the 16 bits in ``narrow``."""
    count = narrow.shape[0]
    if wide.shape[0] < count or numbers.shape[0] != 65536:
        raise ValueError("arrays of other lengths")
    with cython.nogil:
        for i in range(count):
            wide[i] = numbers[narrow[i]]


def norms(a: Any, b: Any, lanes: Any, out: Any) -> None:
    """The sums of squares of one step, over what is finite on both sides.

    Args:
        a, b: 32-bit floats, as many.
        lanes: four times :data:`LANES` 64-bit floats, for this to write to.
        out: 64-bit floats: the sums of squares of ``a``, of ``b``, of ``b - a``, the largest size of ``b - a``, and how many of ``a`` and of
            ``b`` are not finite.
    """
    count = a.shape[0]
    if b.shape[0] != count or lanes.shape[0] != 4 * _LANES or out.shape[0] != 6:
        raise ValueError("arrays of other lengths")
    with cython.nogil:
        for j in range(4 * _LANES):
            lanes[j] = 0.0
        at = 0
        while at < count:
            width = min(_LANES, count - at)
            for j in range(width):
                one = a[at + j]
                other = b[at + j]
                apart = other - one
                lanes[j] += one * one
                lanes[_LANES + j] += other * other
                lanes[2 * _LANES + j] += apart * apart
                apart = abs(apart)
                lanes[3 * _LANES + j] = max(lanes[3 * _LANES + j], apart)
            at += width
        out[4] = out[5] = 0.0
        total = 0.0
        for j in range(2 * _LANES):
            total += lanes[j]
        if total - total != 0:  # something is not finite: once more, one by one
            for j in range(4 * _LANES):
                lanes[j] = 0.0
            for at in range(count):
                one = a[at]
                other = b[at]
                if one - one != 0 or other - other != 0:
                    out[4] += one - one != 0
                    out[5] += other - other != 0
                    continue
                j = at % _LANES
                apart = other - one
                lanes[j] += one * one
                lanes[_LANES + j] += other * other
                lanes[2 * _LANES + j] += apart * apart
                apart = abs(apart)
                lanes[3 * _LANES + j] = max(lanes[3 * _LANES + j], apart)
        width = _LANES // 2
        while width:
            for j in range(width):
                lanes[j] += lanes[width + j]
                lanes[_LANES + j] += lanes[_LANES + width + j]
                lanes[2 * _LANES + j] += lanes[2 * _LANES + width + j]
                apart = lanes[3 * _LANES + width + j]
                lanes[3 * _LANES + j] = max(lanes[3 * _LANES + j], apart)
            width //= 2
        out[0] = lanes[0]
        out[1] = lanes[_LANES]
        out[2] = lanes[2 * _LANES]
        out[3] = lanes[3 * _LANES]
