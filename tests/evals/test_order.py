"""Quantiles by order statistics: ranks of a textbook, coverage by simulation, and what too few values do not bound."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.evals.stats.order import quantile


def ranks(n: int, probability: float, level: float = 0.95) -> tuple[float | None, float | None]:
    found = quantile([float(each) for each in range(1, n + 1)], probability, level)
    return found.low, found.high


def test_the_ranks_are_those_of_tables() -> None:
    assert ranks(100, 0.5) == (40.0, 61.0)  # Hahn, Meeker, Statistical Intervals, table of the median
    assert ranks(10, 0.5) == (2.0, 9.0)
    assert ranks(5, 0.5) == (None, None)
    assert ranks(6, 0.5) == (1.0, 6.0)


@pytest.mark.parametrize(("n", "probability"), [(57, 0.99), (20, 0.9), (3, 0.99)])
def test_few_values_bound_a_far_quantile_on_one_side_at_most(n: int, probability: float) -> None:
    assert quantile([float(each) for each in range(n)], probability).high is None


def test_enough_values_bound_the_99th_percent() -> None:
    low, high = ranks(1024, 0.99)
    assert low is not None
    assert high is not None
    assert low < 0.99 * 1024 < high <= 1024


@given(st.integers(1, 400), st.sampled_from([0.5, 0.9, 0.99]), st.sampled_from([0.8, 0.95]))
def test_what_lies_between_the_ranks_has_the_probability(n: int, probability: float, level: float) -> None:
    low, high = ranks(n, probability, level)
    terms = [math.comb(n, k) * probability**k * (1 - probability) ** (n - k) for k in range(n + 1)]
    beyond = (1 - level) / 2
    if low is not None:
        assert math.fsum(terms[: int(low)]) <= beyond + 1e-9
        assert math.fsum(terms[: int(low) + 1]) > beyond - 1e-9  # the next rank would be too much
    else:
        assert terms[0] > beyond - 1e-9
    if high is not None:
        assert math.fsum(terms[int(high) :]) <= beyond + 1e-9
    else:
        assert terms[n] > beyond - 1e-9


def test_the_interval_covers() -> None:
    numbers = random.Random(3)
    held = 0
    for _ in range(400):
        found = quantile([numbers.expovariate(1.0) for _ in range(80)], 0.9)
        assert found.low is not None
        held += found.low <= math.log(10) and (found.high is None or math.log(10) <= found.high)
    assert held / 400 > 0.93


def test_the_value_is_the_nearest_rank() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5).value == 2.0
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.9).value == 4.0
    assert quantile([7.0], 0.5).value == 7.0


def test_what_makes_no_sense_is_refused() -> None:
    for values, probability, level in (([], 0.5, 0.95), ([1.0], 1.0, 0.95), ([1.0], 0.5, 0.0)):
        with pytest.raises(ValueError, match="a quantile"):
            quantile(values, probability, level)
