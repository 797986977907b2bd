"""Two models on the same samples: the difference with its error bar, the flips both ways, and the exact test of them.

Samples that are hard for one model are hard for another, so the difference of the scores, sample by sample, varies much less than the two
means do. For shares of unclustered samples the interval is Tango's score interval, which does not collapse to nothing where no sample
flips; else it is the interval of the mean of differences (:mod:`openvet.evals.stats.estimate`).

Sources: E. Miller, arXiv 2411.00640, section 4.2; Q. McNemar, Psychometrika 12 (1947) 153, exact as a sign test of the flips;
T. Tango, Statistics in Medicine 17 (1998) 891; J. Yang, "Accuracy is not all you need", arXiv 2407.09141 (flips).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from openvet.core.dataclass import dataclass
from openvet.evals.stats.estimate import Estimate, ratio
from openvet.evals.stats.tails import binomial_half_tail, normal_quantile, student_cdf

__all__ = ["Flips", "Paired", "mcnemar", "paired", "tango"]


@dataclass(frozen=True, slots=True)
class Flips:
    """Samples by who is right: both, the first alone, the second alone, neither; and McNemar's exact two-sided p."""

    both: int
    first: int
    second: int
    neither: int
    p: float


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean of the first minus that of the second.

    Attributes:
        difference: with its interval, ``method`` being ``tango`` for shares of unclustered samples.
        p: two-sided, that there is no difference: McNemar's exact one for shares of unclustered samples, else that of Student's t.
        flips: for shares, else ``None``.
        unpaired_se: the standard error that the difference would have if the samples were not the same.
        sd: the standard deviation of the differences of single samples, which says how many are needed.
        correlation: of the two models' scores; ``None`` where one of them does not vary.
    """

    difference: Estimate
    p: float
    flips: Flips | None
    unpaired_se: float | None
    sd: float
    correlation: float | None


def mcnemar(first: int, second: int) -> float:
    """The exact two-sided p-value of so many flips each way: a fair coin tossed once for each flip."""
    return min(1.0, 2.0 * binomial_half_tail(min(first, second), first + second))


def tango(first: int, second: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Tango's score interval for the difference of two paired shares.

    Args:
        first: samples that the first alone has right.
        second: samples that the second alone has right.
        n: all samples.

    Raises:
        ValueError: there is no sample, or there are more flips than samples.
    """
    if n <= 0 or first < 0 or second < 0 or first + second > n:
        raise ValueError("flips are samples: there are not more of them, and at least one sample")
    z = normal_quantile(0.5 + level / 2.0)

    def statistic(delta: float) -> float:
        # the share that the second alone has right, most likely under this difference (Tango 1998, equation 5)
        b = -first - second + (2 * n - first + second) * delta
        c = -second * delta * (1 - delta)
        q = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = n * (2 * q + delta * (1 - delta))
        gap = first - second - n * delta
        return 0.0 if gap == 0.0 else math.copysign(math.inf, gap) if variance <= 0.0 else gap / math.sqrt(variance)

    def edge(inside: float, outside: float) -> float:
        for _ in range(100):
            middle = (inside + outside) / 2.0
            if abs(statistic(middle)) <= z:
                inside = middle
            else:
                outside = middle
        return (inside + outside) / 2.0

    observed = (first - second) / n
    return (-1.0 if first - second == -n else edge(observed, -1.0)), (
        1.0 if first - second == n else edge(observed, 1.0)
    )


def paired(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    weights: Sequence[float] | None = None,
) -> Paired:
    """Compare two models' scores of the same samples in the same order.

    Args:
        weights: of both, where their metric is a ratio of sums.

    Raises:
        ValueError: there is no sample, or the lists have different lengths.
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    found = ratio(differences, weights, clusters, level)
    n, independent = found.n, found.clusters
    shares = weights is None and all(each in (0.0, 1.0) for each in (*first, *second))
    flips = _flips(first, second) if shares else None
    sd = _spread(differences, weights, found.value)
    if flips is not None and independent == n:
        low, high = tango(flips.first, flips.second, n, level)
        difference = Estimate(found.value, low, high, level, found.se, n, n, "tango")
        p = flips.p
    else:
        difference, p = _of_means(found, differences)
    return Paired(difference, p, flips, _unpaired(first, second, clusters, weights), sd, _correlation(first, second))


def _of_means(found: Estimate, differences: Sequence[float]) -> tuple[Estimate, float]:
    """The interval and the p of a mean of differences. Equal scores everywhere are no proof that all others would be equal as well."""
    if found.se:
        return found, 2.0 * student_cdf(-abs(found.value) / found.se, found.clusters - 1)
    span = max(1.0, *map(abs, differences))
    if found.clusters < 2:
        return Estimate(found.value, -span, span, found.level, None, found.n, found.clusters, "none"), 1.0
    z = normal_quantile(0.5 + found.level / 2.0)
    half = span * z * z / (found.clusters + z * z)
    low, high = max(-span, found.value - half), min(span, found.value + half)
    p = 1.0 if found.value == 0.0 else mcnemar(found.clusters, 0)
    return Estimate(found.value, low, high, found.level, found.se, found.n, found.clusters, "no-variation"), p


def _flips(first: Sequence[float], second: Sequence[float]) -> Flips:
    both = sum(a == b == 1.0 for a, b in zip(first, second, strict=True))
    neither = sum(a == b == 0.0 for a, b in zip(first, second, strict=True))
    only = sum(a > b for a, b in zip(first, second, strict=True))
    other = len(first) - both - neither - only
    return Flips(both, only, other, neither, mcnemar(only, other))


def _spread(differences: Sequence[float], weights: Sequence[float] | None, value: float) -> float:
    """The standard deviation of single samples' differences; of a ratio of those of the linearised ratio."""
    n = len(differences)
    if n < 2:
        return 0.0
    mean = 1.0 if weights is None else math.fsum(weights) / n
    size = [1.0] * n if weights is None else weights
    residuals = ((each - value * weight) ** 2 for each, weight in zip(differences, size, strict=True))
    return math.sqrt(math.fsum(residuals) / (n - 1)) / mean


def _unpaired(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[Hashable] | None,
    weights: Sequence[float] | None,
) -> float | None:
    one, other = ratio(first, weights, clusters).se, ratio(second, weights, clusters).se
    return None if one is None or other is None else math.hypot(one, other)


def _correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    n = len(first)
    a, b = math.fsum(first) / n, math.fsum(second) / n
    across = math.fsum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    spread = math.fsum((x - a) ** 2 for x in first) * math.fsum((y - b) ** 2 for y in second)
    return across / math.sqrt(spread) if spread > 0.0 else None
