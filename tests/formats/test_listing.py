"""What an archive announces is judged before it is unpacked."""

from __future__ import annotations

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import BombError, LimitError
from openvet.formats._format import Facts
from openvet.formats._listing import judge_declared

GiB = 1 << 30
BOMB = "archive/decompression-bomb"


def judged(sizes: list[tuple[int, int]], size: int) -> list[str]:
    facts = Facts("model.zip", "model.zip", Budget())
    judge_declared(facts, sizes, size)
    return [each.rule for each in facts.anomalies]


@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        ([(64 << 20, 65_000)] * 100, 6_500_000),  # each one is ordinary by itself
        ([(64 << 20, 292_000)] * 100, 29_200_000),  # the fastest level of deflate
        ([(64 << 20, 65_000)] * 100 + [(2 * GiB, 2 * GiB)], 2 * GiB + 6_500_000),  # a filling that does not compress
        ([(64 << 20, 60 << 20)] * 1000, 60 << 20),  # the same bytes again and again
    ],
)
def test_a_bomb_is_announced(sizes: list[tuple[int, int]], size: int) -> None:
    assert judged(sizes, size) == [BOMB]


@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        ([], 0),
        ([(64 << 20, 65_000)] * 60, 3_900_000),  # four gigabytes of zeros
        ([(64 << 20, 64 << 20)] * 1000, 64 * GiB),  # a large checkpoint
        ([(8 * GiB, GiB // 10)] * 2, GiB // 5),  # eighty to one, as tables have it
    ],
)
def test_ordinary_archives_announce_none(sizes: list[tuple[int, int]], size: int) -> None:
    assert judged(sizes, size) == []


def test_behind_an_announced_bomb_nothing_dense_is_decoded() -> None:
    budget = Budget()
    with pytest.raises(BombError):
        budget.add_declared(6 * GiB, 6_000_000)
    with pytest.raises(BombError):
        budget.add_decoded(1 << 20, 1 << 20, 1024)
    budget.add_decoded(1 << 20, 1 << 20, 1 << 19)


def test_dense_streams_count_together() -> None:
    budget = Budget()
    for _ in range(5):
        budget.add_decoded(GiB, GiB, GiB // 229)
    with pytest.raises(BombError):
        budget.add_decoded(GiB, GiB, GiB // 229)


def test_a_smaller_limit_of_a_team_is_no_bomb() -> None:
    with pytest.raises(LimitError) as caught:
        Budget(Limits(ratio_floor=1 << 20)).add_declared(5 << 20, 1024)
    assert not isinstance(caught.value, BombError)
