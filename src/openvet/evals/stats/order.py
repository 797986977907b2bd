"""Quantiles of what was measured, with the interval that order statistics give: no form of the distribution is taken for granted.

The number of values below the true quantile is binomial, so that the value at rank ``low`` lies below it and that at rank ``high`` above it with the
probability of the binomial distribution between the two. Few values bound a far quantile on one side alone, or not at all.

Source: H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed., section 7.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from openvet.core.dataclass import dataclass
from openvet.evals.stats.tails import beta_cdf

__all__ = ["Quantile", "quantile"]


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of ``n`` values; ``low`` and ``high`` are ``None`` where so few values give no bound on that side."""

    probability: float
    value: float
    low: float | None
    high: float | None
    level: float
    n: int


def quantile(values: Sequence[float], probability: float, level: float = 0.95) -> Quantile:
    """The value that a share of ``probability`` does not exceed (nearest rank), and its interval.

    Raises:
        ValueError: there is no value, or ``probability`` or ``level`` is not between 0 and 1.
    """
    if not values:
        raise ValueError("a quantile needs at least one value")
    if not 0.0 < probability < 1.0 or not 0.0 < level < 1.0:
        raise ValueError("a quantile and its level lie between 0 and 1")
    ordered = sorted(values)
    n = len(ordered)
    beyond = (1.0 - level) / 2.0
    low = _rank(n, probability, beyond)  # P(fewer than `low` values lie below) <= beyond
    high = n + 1 - _rank(n, 1.0 - probability, beyond)
    at = max(1, math.ceil(probability * n - 1e-9))
    return Quantile(
        probability,
        ordered[at - 1],
        ordered[low - 1] if low >= 1 else None,
        ordered[high - 1] if high <= n else None,
        level,
        n,
    )


def _rank(n: int, probability: float, beyond: float) -> int:
    """The highest rank r with P(B <= r - 1) <= beyond, B binomial; 0 where there is none."""
    least, most = 0, n  # P(B <= r - 1) grows with r
    while least < most:
        middle = (least + most + 1) // 2
        if _binomial_cdf(middle - 1, n, probability) <= beyond:
            least = middle
        else:
            most = middle - 1
    return least


def _binomial_cdf(most: int, n: int, probability: float) -> float:
    if most < 0:
        return 0.0
    if most >= n:
        return 1.0
    return beta_cdf(1.0 - probability, n - most, most + 1.0)
