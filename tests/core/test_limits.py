from dataclasses import FrozenInstanceError

import pytest

from openvet.core.limits import Budget, Limits, parse_amount
from openvet.errors import LimitError, UsageError


def test_limits_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Limits().depth = 3  # type: ignore[misc]


@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_below_one_is_refused(value: int) -> None:
    with pytest.raises(UsageError, match="limit members"):
        Limits(members=value)


def test_each_limit_is_named_in_its_error() -> None:
    budget = Budget(Limits(depth=2, members=2, decoded_bytes=10))
    with pytest.raises(LimitError, match=r"limit depth = 2") as depth:
        budget.check_depth(3)
    assert depth.value.limit == "depth"
    budget.add_members(2)
    with pytest.raises(LimitError, match=r"limit members = 2"):
        budget.add_members()
    with pytest.raises(LimitError, match=r"limit decoded_bytes = 10"):
        budget.add_decoded(11, 11, 11)


def test_the_ratio_counts_only_above_its_floor() -> None:
    budget = Budget(Limits(ratio=10, ratio_floor=1000))
    budget.add_decoded(1000, 1000, 1)
    with pytest.raises(LimitError, match="ratio = 10"):
        budget.add_decoded(1, 1001, 100)
    Budget(Limits(ratio=10, ratio_floor=1000)).add_decoded(1, 1001, 101)


def test_seconds_are_a_guard_for_one_file() -> None:
    now = 0.0
    budget = Budget(Limits(seconds=5), clock=lambda: now)
    now = 4.0
    budget.check_time()
    budget.start_file()
    now = 8.0
    budget.check_time()
    assert not budget.timed_out
    now = 9.5
    with pytest.raises(LimitError, match="limit seconds = 5"):
        budget.check_time()
    assert budget.timed_out


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("5000", 5000), ("64M", 64 << 20), ("1.5G", 3 << 29), ("2GiB", 2 << 30), ("600MB", 600_000_000), ("1.5gb", 1_500_000_000), ("1t", 1 << 40)],
)  # fmt: skip
def test_amounts(text: str, bytes_: int) -> None:
    assert parse_amount(text, whole=True) == bytes_


@pytest.mark.parametrize("text", ["", "0", "-1", "B", "MB", "iB", "2iB", "5b", "1.5", "1e3", "9" * 30, "1MM", "٣"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="600MB"):
        parse_amount(text, whole=True)
