"""Which of several candidates none is better than, where what is known of each is an interval.

A candidate is dominated only where the intervals resolve it: another one is better on at least one axis, and on every other axis better, or the same to the
last digit. Where only the middles say so it is open. What is not known on an axis resolves nothing.

Source: J. E. Fieldsend, R. M. Everson, "Multi-objective optimisation in the presence of uncertainty", CEC 2005 (dominance with error bars).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["DOMINATED", "FRONT", "OPEN", "Point", "Standing", "by_intervals", "stand"]

#: None is known to be better, nor do the middles say so; the middles say so and the intervals do not; another one is better.
FRONT, OPEN, DOMINATED = "front", "open", "dominated"
_BETTER: Final = 1


@dataclass(frozen=True, slots=True)
class Point:
    """What is known of a candidate on one axis; ``low == high`` where it is exact, and ends are infinite where nothing bounds it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a candidate stands, and which others (by their places) that is because of."""

    word: str
    by: tuple[int, ...] = ()


def by_intervals(one: Point, other: Point, *, more: bool) -> int | None:
    """1 where ``one`` is better, -1 where it is worse, 0 where both are exact and the same, ``None`` where the intervals do not say.

    Two intervals that do not touch are a cautious test: at 95 % each, the difference is resolved at more than 99 %.
    """
    if one.low == one.high == other.low == other.high:
        return 0
    if one.low > other.high:
        return 1 if more else -1
    if one.high < other.low:
        return -1 if more else 1
    return None


def stand(
    points: Sequence[Sequence[Point | None]],
    more: Sequence[bool],
    compare: Callable[[int, int, int], int | None] | None = None,
) -> list[Standing]:
    """Where each candidate stands.

    Args:
        points: of each candidate, on each axis; ``None`` where nothing is known.
        more: of each axis, whether more is better.
        compare: of two candidates and an axis, as :func:`by_intervals`, where something better is known, such as a test on the same samples.
    """

    def resolved(one: int, other: int, axis: int) -> int | None:
        a, b = points[one][axis], points[other][axis]
        if a is None or b is None:
            return None
        return compare(one, other, axis) if compare is not None else by_intervals(a, b, more=more[axis])

    def middles(one: int, other: int) -> bool:
        """Whether ``one`` is better by the middles, on all that is known of both."""
        signs = []
        for axis, wanted in enumerate(more):
            a, b = points[one][axis], points[other][axis]
            if a is None or b is None:
                return False
            signs.append(
                (a.value > b.value) - (a.value < b.value) if wanted else (a.value < b.value) - (a.value > b.value)
            )
        return min(signs, default=-1) >= 0 and max(signs, default=0) > 0

    out = []
    for each in range(len(points)):
        others = [other for other in range(len(points)) if other != each]
        by = tuple(other for other in others if _dominates([resolved(other, each, axis) for axis in range(len(more))]))
        if by:
            out.append(Standing(DOMINATED, by))
            continue
        maybe = tuple(other for other in others if middles(other, each))
        out.append(Standing(OPEN, maybe) if maybe else Standing(FRONT))
    return out


def _dominates(found: Sequence[int | None]) -> bool:
    return bool(found) and all(each is not None and each >= 0 for each in found) and _BETTER in found
