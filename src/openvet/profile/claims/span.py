"""A quantity with two bands: what the stated inputs give, and what is possible where something is not stated."""

from __future__ import annotations

from fractions import Fraction

from openvet.core.dataclass import dataclass

__all__ = ["Span", "point", "spread"]


@dataclass(frozen=True, slots=True)
class Span:
    """A quantity above zero; ``least <= low <= high <= most``.

    Attributes:
        value: the one number, or ``None`` where an input is a band and no point.
        low, high: what the stated inputs give.
        least, most: what is possible, with everything that is not stated at its extremes.
    """

    value: Fraction | None
    low: Fraction
    high: Fraction
    least: Fraction
    most: Fraction

    def __mul__(self, other: Span) -> Span:
        value = None if self.value is None or other.value is None else self.value * other.value
        return Span(
            value, self.low * other.low, self.high * other.high, self.least * other.least, self.most * other.most
        )

    def __truediv__(self, other: Span) -> Span:
        value = None if self.value is None or other.value is None else self.value / other.value
        return Span(
            value, self.low / other.high, self.high / other.low, self.least / other.most, self.most / other.least
        )

    def up_to(self, high: Span, most: Span) -> Span:
        """The same value and lower ends, with the upper ends of others."""
        return Span(self.value, self.low, max(self.high, high.high), self.least, max(self.most, high.most, most.most))

    def plus(self, other: Span) -> Span:
        """The sum."""
        value = None if self.value is None or other.value is None else self.value + other.value
        return Span(
            value, self.low + other.low, self.high + other.high, self.least + other.least, self.most + other.most
        )

    def less(self, other: Span) -> Span:
        """The difference, which has to stay above zero."""
        value = None if self.value is None or other.value is None else self.value - other.value
        return Span(
            value, self.low - other.high, self.high - other.low, self.least - other.most, self.most - other.least
        )

    def widened(self, stated: Fraction, possible: Fraction) -> Span:
        """With so much more room, as shares of the ends, for what a formula leaves out and figures are rounded by."""
        return Span(
            self.value,
            self.low * (1 - stated),
            self.high * (1 + stated),
            self.least * (1 - possible),
            self.most * (1 + possible),
        )


def point(value: Fraction | int) -> Span:
    """A number that is known."""
    exact = Fraction(value)
    return Span(exact, exact, exact, exact, exact)


def spread(low: Fraction, high: Fraction, least: Fraction | None = None, most: Fraction | None = None) -> Span:
    """A band without a point."""
    return Span(None, low, high, low if least is None else least, high if most is None else most)
