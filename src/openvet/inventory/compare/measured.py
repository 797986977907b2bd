"""What comparing two tensors found."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from openvet.core.dataclass import dataclass

__all__ = ["MOST", "Measured", "Sums"]

#: No sum of squares is told as more, so that all that is told are numbers.
MOST = 1e300
#: Of one step of numbers: the sums of squares of A, of B and of their difference, the largest difference, and how many of either are not finite.
Sums = tuple[float, float, float, float, int, int]


@dataclass(slots=True)
class Measured:
    """What comparing two tensors found.

    Attributes:
        status: ``equal cast quantized pruned changed``.
        original: ``a`` or ``b``: which one the other was made of by a cast, quantization or pruning; '' where that is not known.
        values: how many there are on each side.
        changed: how many are not the same number (of the same type: not the same bits); -1 where that was not counted: of a cast, and
            without NumPy.
        how: a few words more: ``truncated`` for a cast that does not round.
        measured: values that the norms are of; all, or every eighth step.
        norm_a, norm_b, difference: Euclidean norms of both and of their difference, over what is finite on both sides.
        largest: the largest difference that was measured.
        not_finite: values of each side that are infinite or no number, of those that were measured.
        steps: of a quantization, the largest error in steps of its block; ``None`` elsewhere.
        outside: of a quantization, values that are farther away than rounding puts them.
    """

    values: int
    status: str = "equal"
    original: str = ""
    changed: int = 0
    how: str = ""
    measured: int = 0
    norm_a: float = 0.0
    norm_b: float = 0.0
    difference: float = 0.0
    largest: float = 0.0
    not_finite: tuple[int, int] = (0, 0)
    steps: float | None = None
    outside: int = 0

    @property
    def relative(self) -> float | None:
        """The difference, measured by A; ``None`` where A is zero or nothing was measured."""
        return self.difference / self.norm_a if self.norm_a > 0 else None

    def sum_up(self, steps: Iterable[tuple[int, int, Sums]]) -> None:
        """Fill in the norms.

        Args:
            steps: of each step that was measured its number, how many values it has, and its sums; in any order.
        """
        squares = [0.0, 0.0, 0.0]
        for _, count, sums in sorted(steps):  # a sum depends on the order, and threads come in any
            self.measured += count
            squares = [min(held + each, MOST) for held, each in zip(squares, sums, strict=False)]
            self.largest = max(self.largest, min(sums[3], MOST))
            self.not_finite = (self.not_finite[0] + sums[4], self.not_finite[1] + sums[5])
        self.norm_a, self.norm_b, self.difference = map(sqrt, squares)
