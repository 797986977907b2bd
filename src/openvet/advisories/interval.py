"""Stretches of versions, between keys that order them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from openvet.core.dataclass import dataclass

__all__ = ["EVERYTHING", "Interval", "Key", "covers", "holds", "intersect", "meets"]

#: What orders versions: tuples of one shape for each scheme.
Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` up to ``high``.

    Attributes:
        low, high: ``None`` where there is no end.
        after: ``low`` itself is not in it.
        closed: ``high`` itself is in it.
    """

    low: Key | None = None
    high: Key | None = None
    after: bool = False
    closed: bool = False

    @property
    def empty(self) -> bool:
        """Whether no version can lie in it."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.after or not self.closed))


EVERYTHING: Final = Interval()


def holds(intervals: Iterable[Interval], key: Key) -> bool:
    """Whether a version lies in one of ``intervals``."""
    at = (Interval(key, key, closed=True),)
    return bool(intersect(tuple(intervals), at))


def meets(one: Iterable[Interval], other: Iterable[Interval]) -> bool:
    """Whether a version can lie in both. Versions are taken to lie dense: between any two there may be one."""
    return bool(intersect(tuple(one), tuple(other)))


def covers(outer: Iterable[Interval], inner: Iterable[Interval]) -> bool:
    """Whether all of ``inner`` lies in ``outer``."""
    left = [each for each in inner if not each.empty]
    for each in outer:
        left = [part for one in left for part in _without(one, each)]
    return not left


def intersect(one: tuple[Interval, ...], other: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """What lies in both."""
    found = (_both(a, b) for a in one for b in other)
    return tuple(each for each in found if not each.empty)


def _both(a: Interval, b: Interval) -> Interval:
    low, after = a.low, a.after
    if b.low is not None and (low is None or b.low > low or (b.low == low and b.after)):
        low, after = b.low, b.after
    high, closed = a.high, a.closed
    if b.high is not None and (high is None or b.high < high or (b.high == high and not b.closed)):
        high, closed = b.high, b.closed
    return Interval(low, high, after, closed)


def _without(one: Interval, taken: Interval) -> list[Interval]:
    if _both(one, taken).empty:
        return [one]
    out = []
    if taken.low is not None:
        out.append(_both(one, Interval(None, taken.low, closed=taken.after)))
    if taken.high is not None:
        out.append(_both(one, Interval(taken.high, None, after=taken.closed)))
    return [each for each in out if not each.empty]
