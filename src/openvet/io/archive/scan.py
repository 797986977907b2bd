"""Looking through stretches of a source in blocks, within the budget's seconds."""

from __future__ import annotations

from openvet.core.limits import Budget
from openvet.io.source import BLOCK, Source

__all__ = ["equal_bytes", "find_bytes", "first_nonzero"]

#: Of two stretches at most this many bytes are compared; longer ones count as different.
_COMPARED = 16 * 1024 * 1024


def first_nonzero(source: Source, start: int, end: int, budget: Budget) -> int:
    """The offset of the first byte that is not zero; ``end`` if there is none."""
    at = start
    for chunk in source.chunks(start, end - start):
        budget.check_time()
        zeros = len(chunk) - len(chunk.lstrip(b"\0"))
        if zeros < len(chunk):
            return at + zeros
        at += len(chunk)
    return end


def find_bytes(source: Source, wanted: bytes, start: int, end: int, budget: Budget) -> int:
    """The next place of ``wanted`` from ``start`` on; ``end`` if there is none."""
    while start < end:
        budget.check_time()
        block = source.upto(start, min(BLOCK, end - start))
        at = block.find(wanted)
        if at >= 0:
            return start + at
        if len(block) < BLOCK:
            return end
        start += len(block) - len(wanted) + 1
    return end


def equal_bytes(source: Source, first: int, second: int, size: int, budget: Budget) -> bool:
    """Whether ``size`` bytes at two places are the same; ``False`` too where they are too many to compare."""
    if first == second:
        return True
    if size > _COMPARED or max(first, second) + size > source.size:
        return False
    budget.check_time()
    pairs = zip(source.chunks(first, size), source.chunks(second, size), strict=True)
    return all(one == other for one, other in pairs)
