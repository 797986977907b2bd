"""Looking through stretches of a source in blocks, within the budget's seconds."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.limits import Budget
from openvet.io.source import Source

__all__ = ["equal_bytes", "first_nonzero", "places"]

#: Bytes that are looked through at once. Small, since a search that finds something at once has read them in vain.
_SCANNED = 64 * 1024
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


def places(source: Source, wanted: bytes, start: int, end: int, budget: Budget) -> Iterator[int]:
    """Every place of ``wanted`` that lies inside ``start`` to ``end``, in order.

    One pass over the bytes, whoever fills them with what is looked for.
    """
    while end - start >= len(wanted):
        budget.check_time()
        block = source.upto(start, min(_SCANNED, end - start))
        at = block.find(wanted)
        while at >= 0:
            yield start + at
            at = block.find(wanted, at + 1)
        start += len(block) - len(wanted) + 1


def equal_bytes(source: Source, first: int, second: int, size: int, budget: Budget) -> bool:
    """Whether ``size`` bytes at two places are the same; ``False`` too where they are too many to compare."""
    if first == second:
        return True
    if size > _COMPARED or max(first, second) + size > source.size:
        return False
    budget.check_time()
    pairs = zip(source.chunks(first, size), source.chunks(second, size), strict=True)
    return all(one == other for one, other in pairs)
