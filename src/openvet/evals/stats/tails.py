"""Quantiles and tails of a few distributions, to about 12 digits: normal, Student's t, binomial, hypergeometric.

Sources: NIST Digital Library of Mathematical Functions 8.17 (incomplete beta function, continued fraction 8.17.22); Wichura's AS 241 for
the normal quantile, as :class:`statistics.NormalDist` has it.
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = [
    "beta_cdf", "binomial_half_tail", "hypergeometric_at_most", "normal_cdf", "normal_quantile", "student_cdf", "student_quantile",
]  # fmt: skip

_TINY = 1e-300


def normal_quantile(probability: float) -> float:
    """The value below which a standard normal variable lies with ``probability`` (raises :class:`ValueError` outside 0 to 1)."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)


def normal_cdf(value: float) -> float:
    """The probability that a standard normal variable is at most ``value``."""
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) for ``a, b > 0`` and ``x`` from 0 to 1."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """DLMF 8.17.22 by Lentz's method."""
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 + step * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + step / c
            c = c if abs(c) > _TINY else _TINY
            value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return value


def student_cdf(value: float, df: float) -> float:
    """The probability that Student's t with ``df`` degrees of freedom is at most ``value``."""
    tail = 0.5 * beta_cdf(df / (df + value * value), df / 2.0, 0.5)
    return 1.0 - tail if value > 0 else tail


@lru_cache(maxsize=256)
def student_quantile(probability: float, df: float) -> float:
    """The value below which Student's t lies with ``probability``.

    Raises:
        ValueError: ``probability`` is not between 0 and 1, or ``df`` is not above 0.
    """
    if not 0.0 < probability < 1.0 or not df > 0.0:
        raise ValueError("a quantile needs a probability between 0 and 1 and at least some degrees of freedom")
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -student_quantile(1.0 - probability, df)
    low, high = 0.0, 1.0
    while student_cdf(high, df) < probability:
        low, high = high, high * 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if student_cdf(middle, df) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def binomial_half_tail(most: int, trials: int) -> float:
    """The probability of at most ``most`` heads in ``trials`` tosses of a fair coin, exact up to the rounding of the result."""
    if most < 0:
        return 0.0
    if trials <= 2000:
        return sum(math.comb(trials, each) for each in range(min(most, trials) + 1)) / (1 << trials)
    top = min(most, trials)
    last = math.lgamma(trials + 1) - math.lgamma(top + 1) - math.lgamma(trials - top + 1) - trials * math.log(2.0)
    term = total = 1.0  # relative to the last term, which is the largest below the middle
    for each in range(top, 0, -1):
        term *= each / (trials - each + 1)
        total += term
        if term < total * 1e-17:
            break
    return min(1.0, math.exp(last) * total)


def hypergeometric_at_most(found: int, drawn: int, marked: int, size: int) -> float:
    """The probability of at most ``found`` marked ones among ``drawn``, drawn without putting back from ``size`` of which ``marked`` are marked."""
    least, most = max(0, drawn - (size - marked)), min(drawn, marked)
    if found < least:
        return 0.0
    if found >= most:
        return 1.0

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    whole = log_choose(size, drawn)
    return min(
        1.0,
        math.fsum(
            math.exp(log_choose(marked, each) + log_choose(size - marked, drawn - each) - whole)
            for each in range(least, found + 1)
        ),
    )
