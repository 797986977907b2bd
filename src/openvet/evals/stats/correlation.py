"""A correlation with its error bar: Fisher's z, its standard error by leaving out one cluster after the other.

Sources: R. A. Fisher, Metron 1 (1921) 3; B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 3; blocks
where there are many: J. Shao, D. Tu, The Jackknife and Bootstrap, 1995, section 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from openvet.evals.stats.estimate import Estimate
from openvet.evals.stats.tails import normal_quantile, student_quantile

__all__ = ["correlation", "correlation_difference", "pearson", "ranks"]

#: Parts that are left out one at a time, at most.
_BLOCKS = 200
_ALMOST = 1.0 - 1e-12


def pearson(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's correlation (raises :class:`ValueError` where one of both does not vary)."""
    n = len(x)
    a, b = math.fsum(x) / n, math.fsum(y) / n
    spread = math.fsum((each - a) ** 2 for each in x) * math.fsum((each - b) ** 2 for each in y)
    if not spread > 0.0:
        raise ValueError("there is no correlation with what does not vary")
    across = math.fsum((u - a) * (v - b) for u, v in zip(x, y, strict=True))
    return max(-1.0, min(1.0, across / math.sqrt(spread)))


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    out = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for each in order[at : end + 1]:
            out[each] = (at + end) / 2.0 + 1.0
        at = end + 1
    return out


def correlation(
    x: Sequence[float],
    y: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    by_rank: bool = False,
) -> Estimate:
    """Pearson's correlation, or Spearman's ``by_rank``.

    Raises:
        ValueError: there are fewer than three samples, or one of both does not vary.
    """
    n = len(x)
    if n < 3:
        raise ValueError("a correlation needs at least three samples")

    def value_of(places: Sequence[int]) -> float:
        one, other = [x[at] for at in places], [y[at] for at in places]
        return pearson(ranks(one), ranks(other)) if by_rank else pearson(one, other)

    value = value_of(range(n))
    groups, independent = _groups(n, clusters)
    if independent < 3:
        return Estimate(value, -1.0, 1.0, level, None, n, independent, "none")
    turned = []
    for group in groups:
        left_out = set(group)
        try:
            turned.append(_fisher(value_of([at for at in range(n) if at not in left_out])))
        except ValueError:
            return Estimate(value, -1.0, 1.0, level, None, n, independent, "none")
    count = len(turned)
    middle = math.fsum(turned) / count
    se = math.sqrt((count - 1) / count * math.fsum((each - middle) ** 2 for each in turned))
    half = student_quantile(0.5 + level / 2.0, count - 1) * se
    low, high = math.tanh(_fisher(value) - half), math.tanh(_fisher(value) + half)
    return Estimate(value, low, high, level, se * (1.0 - value * value), n, independent, "jackknife")


def correlation_difference(
    x: Sequence[float],
    other: Sequence[float],
    y: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    by_rank: bool = False,
) -> Estimate:
    """The correlation of ``x`` with ``y`` minus that of ``other`` with ``y``, of the same samples: what both have in common cancels out.

    Raises:
        ValueError: there are fewer than three samples, or something does not vary.
    """
    n = len(x)
    if n < 3:
        raise ValueError("a correlation needs at least three samples")

    def value_of(places: Sequence[int]) -> float:
        sides = [[side[at] for at in places] for side in (x, other, y)]
        first, second, third = map(ranks, sides) if by_rank else sides
        return pearson(first, third) - pearson(second, third)

    value = value_of(range(n))
    groups, independent = _groups(n, clusters)
    if independent < 3:
        return Estimate(value, -2.0, 2.0, level, None, n, independent, "none")
    without = []
    for group in groups:
        left_out = set(group)
        without.append(value_of([at for at in range(n) if at not in left_out]))
    count = len(without)
    middle = math.fsum(without) / count
    se = math.sqrt((count - 1) / count * math.fsum((each - middle) ** 2 for each in without))
    if not se:
        # the same whatever is left out: no proof that it would be so of others (the rule of equal scores in `paired`)
        z = normal_quantile(0.5 + level / 2.0)
        half = 2.0 * z * z / (independent + z * z)
        low, high = max(-2.0, value - half), min(2.0, value + half)
        return Estimate(value, low, high, level, se, n, independent, "no-variation")
    half = student_quantile(0.5 + level / 2.0, count - 1) * se
    return Estimate(value, max(-2.0, value - half), min(2.0, value + half), level, se, n, independent, "jackknife")


def _groups(n: int, clusters: Sequence[Hashable] | None) -> tuple[list[list[int]], int]:
    """What is left out together, and how many independent parts there are."""
    parts: dict[Hashable, list[int]] = {}
    for at in range(n):
        parts.setdefault(at if clusters is None else clusters[at], []).append(at)
    groups = list(parts.values())
    if len(groups) > _BLOCKS:
        return [[at for group in groups[start::_BLOCKS] for at in group] for start in range(_BLOCKS)], len(groups)
    return groups, len(groups)


def _fisher(value: float) -> float:
    return math.atanh(max(-_ALMOST, min(_ALMOST, value)))
