"""Who dominates whom: only where intervals resolve it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.evals.stats.pareto import DOMINATED, FRONT, OPEN, Point, by_intervals, stand


def exact(value: float) -> Point:
    return Point(value, value, value)


def around(value: float, half: float) -> Point:
    return Point(value, value - half, value + half)


MORE_LESS = (True, False)


def test_better_on_every_axis_dominates() -> None:
    found = stand([[around(0.9, 0.01), exact(1.0)], [around(0.5, 0.01), exact(2.0)]], MORE_LESS)
    assert [(each.word, each.by) for each in found] == [(FRONT, ()), (DOMINATED, (0,))]


def test_the_same_on_one_axis_and_better_on_the_other_dominates() -> None:
    found = stand([[exact(1.0), around(1.0, 0.1)], [exact(1.0), around(2.0, 0.1)]], MORE_LESS)
    assert [each.word for each in found] == [FRONT, DOMINATED]


def test_intervals_that_touch_resolve_nothing() -> None:
    found = stand([[around(0.9, 0.3), exact(1.0)], [around(0.7, 0.3), exact(2.0)]], MORE_LESS)
    assert [(each.word, each.by) for each in found] == [(FRONT, ()), (OPEN, (0,))]


def test_a_trade_is_on_the_front() -> None:
    found = stand([[around(0.9, 0.01), exact(2.0)], [around(0.5, 0.01), exact(1.0)]], MORE_LESS)
    assert [each.word for each in found] == [FRONT, FRONT]


def test_what_is_better_known_than_by_intervals_counts() -> None:
    points = [[around(0.9, 0.3), exact(1.0)], [around(0.7, 0.3), exact(2.0)]]

    def paired(one: int, other: int, axis: int) -> int | None:
        a, b = points[one][axis], points[other][axis]
        return (1 if one == 0 else -1) if axis == 0 else by_intervals(a, b, more=False)

    assert [each.word for each in stand(points, MORE_LESS, paired)] == [FRONT, DOMINATED]


def test_what_is_not_known_is_dominated_by_nobody() -> None:
    found = stand([[around(0.9, 0.01), exact(1.0)], [around(0.5, 0.01), None]], MORE_LESS)
    assert [each.word for each in found] == [FRONT, FRONT]


def test_an_end_without_a_bound_resolves_nothing_on_its_side() -> None:
    assert by_intervals(Point(1.0, 0.9, math.inf), exact(0.5), more=True) == 1
    assert by_intervals(Point(1.0, -math.inf, 1.1), exact(0.5), more=True) is None


@pytest.mark.parametrize("more", [True, False])
def test_the_other_way_round(more: bool) -> None:
    assert by_intervals(exact(1.0), exact(2.0), more=more) == (-1 if more else 1)
    assert by_intervals(exact(2.0), exact(1.0), more=more) == (1 if more else -1)
    assert by_intervals(exact(2.0), exact(2.0), more=more) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=6))
def test_somebody_is_always_left(rows: list[tuple[int, int, int]]) -> None:
    found = stand([[around(value, half), exact(cost)] for value, half, cost in rows], MORE_LESS)
    assert any(each.word != DOMINATED for each in found)
    # whoever is dominated is dominated by somebody who is not: the relation has no circle
    for each in found:
        if each.word == DOMINATED:
            assert each.by
