"""Exact numbers as text."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.core.quantity import DIGITS, LARGEST, SMALLEST, brief, exact, number_text

FRACTIONS = st.builds(
    lambda whole, power: Fraction(whole) * Fraction(10) ** power, st.integers(1, 10**25), st.integers(-25, 30)
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"), ("70272", "70272"), ("3.8694e23", "3.8694e23"), ("0.385", "0.385"), ("0.00001", "0.00001"), ("1e-6", "1e-6"),
        ("999999999999999", "999999999999999"), ("1e15", "1e15"), ("-2.5", "-2.5"), ("226.75", "226.75"), ("1/3", "0.33333333333333333"),
        ("99999999999999999.9", "1e17"),
    ],
)  # fmt: skip
def test_number_text(value: str, text: str) -> None:
    assert number_text(Fraction(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"), ("5576000", "5,576,000"), ("3.8694e23", "3.869e23"), ("24.69", "24.69"), ("0.35", "0.35"), ("1/3", "0.3333"),
        ("1e-9", "1e-9"), ("123456.7", "123,500"), ("0.99996", "1.000"), ("-0.5", "-0.5"), ("1e12", "1e12"), ("9142.518", "9,143"),
    ],
)  # fmt: skip
def test_brief(value: str, text: str) -> None:
    assert brief(Fraction(value)) == text


@given(FRACTIONS)
def test_text_says_the_number_to_its_digits(value: Fraction) -> None:
    assert abs(Fraction(number_text(value)) - value) <= value / 10 ** (DIGITS - 1) / 2
    assert abs(Fraction(brief(value).replace(",", "")) - value) <= value / 1000 / 2


@given(st.integers(1, 10**DIGITS - 1), st.integers(-20, 20))
def test_what_has_few_digits_is_exact(whole: int, power: int) -> None:
    value = Fraction(whole) * Fraction(10) ** power
    assert Fraction(number_text(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, None, "7", [], 10**61, -(10**61), 1e-31, 1 << 300])
def test_what_is_no_quantity(value: object) -> None:
    assert exact(value) is None


def test_floats_count_as_they_were_written() -> None:
    assert exact(0.385) == Fraction(385, 1000)
    assert exact(LARGEST) == LARGEST
    assert exact(SMALLEST) == SMALLEST
    assert exact(0) == 0
