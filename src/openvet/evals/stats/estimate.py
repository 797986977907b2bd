"""A mean, or a ratio of sums, with its error bar; samples of one cluster are not taken for independent.

A mean over samples that come in clusters (questions about one passage, one problem in ten languages) has the variance of the sums of the
clusters' residuals, with the factor G/(G-1) for G clusters (CR1): where every sample is a cluster of its own, that is the usual standard
error s/sqrt(n). A word error rate is a ratio of sums, whose residuals are those of the linearised ratio. Intervals use Student's t with
G - 1 degrees of freedom; for shares of unclustered samples they are Wilson's.

Sources: E. Miller, "Adding Error Bars to Evals", arXiv 2411.00640, section 2; E. B. Wilson, JASA 22 (1927) 209; W. G. Cochran, Sampling
Techniques, 3rd ed., section 6.3 (ratios); A. C. Cameron, D. L. Miller, JHR 50 (2015) 317, section II (CR1, t with G - 1).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from openvet.core.dataclass import dataclass
from openvet.evals.stats.tails import normal_quantile, student_quantile

__all__ = ["Estimate", "ratio", "sums_by_cluster", "wilson"]

#: Clusters below which a person is told that the interval rests on little.
FEW = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the interval around it.

    Attributes:
        value: what was estimated.
        low, high: the interval that holds what the value would be over all samples of this kind, at ``level``.
        level: such as 0.95.
        se: the standard error; ``None`` where the interval is not made from one.
        n, clusters: samples, and what is independent among them.
        method: ``wilson``, ``t``, ``t-clustered``, ``wilson-clusters``, ``jackknife`` or ``none``: one sample has no error bar.
    """

    value: float
    low: float
    high: float
    level: float
    se: float | None
    n: int
    clusters: int
    method: str


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share.

    Raises:
        ValueError: there is no trial, or more successes than trials.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError("a share needs at least one trial, and no more successes than trials")
    z = normal_quantile(0.5 + level / 2.0)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return max(0.0, low), min(1.0, high)


def sums_by_cluster(values: Sequence[float], clusters: Sequence[Hashable] | None) -> list[float]:
    """The sum of each cluster, in order of first appearance; the values themselves where there are no clusters."""
    if clusters is None:
        return list(values)
    parts: dict[Hashable, list[float]] = {}
    for each, cluster in zip(values, clusters, strict=True):
        parts.setdefault(cluster, []).append(each)
    return [math.fsum(each) for each in parts.values()]


def ratio(
    values: Sequence[float],
    weights: Sequence[float] | None = None,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    share: bool | None = None,
) -> Estimate:
    """Sum of ``values`` over sum of ``weights``; without weights the mean.

    Args:
        share: whether the values are yes and no, whose mean lies from 0 to 1; ``None`` takes them for that where they are all 0 or 1.

    Raises:
        ValueError: there is no sample, the weights are not above zero together, or the lists have different lengths.
    """
    n = len(values)
    if not n:
        raise ValueError("a mean needs at least one sample")
    total = float(n) if weights is None else math.fsum(weights)
    if not total > 0.0:
        raise ValueError("the weights of a ratio have to be above zero together")
    value = math.fsum(values) / total
    size = [1.0] * n if weights is None else list(weights)
    residuals = [each - value * weight for each, weight in zip(values, size, strict=True)]
    sums = sums_by_cluster(residuals, clusters)
    independent = len(sums)
    share = share is not False and weights is None and all(each in (0.0, 1.0) for each in values)
    if share and independent == n:
        low, high = wilson(math.fsum(values), n, level)
        se = math.sqrt(math.fsum(each * each for each in sums) / (n - 1) / n) if n > 1 else None
        return Estimate(value, low, high, level, se, n, n, "wilson")
    if independent < 2:
        # one cluster says nothing about others
        low, high = (0.0, 1.0) if share else (-math.inf, math.inf)
        return Estimate(value, low, high, level, None, n, independent, "none")
    variance = independent / (independent - 1) * math.fsum(each * each for each in sums)
    se = math.sqrt(variance) / total
    if share and se == 0.0:
        low, high = wilson(value * independent, independent, level)
        return Estimate(value, low, high, level, se, n, independent, "wilson-clusters")
    half = student_quantile(0.5 + level / 2.0, independent - 1) * se
    low, high = (max(0.0, value - half), min(1.0, value + half)) if share else (value - half, value + half)
    return Estimate(value, low, high, level, se, n, independent, "t" if independent == n else "t-clustered")
