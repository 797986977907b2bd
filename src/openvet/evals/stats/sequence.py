"""A confidence sequence: an interval that may be looked at after every sample, and stopped at whenever it says enough.

A fixed-n interval that is looked at again and again misses the truth far more often than its level says. This one holds at all times at
once: a gambler bets on every sample against each possible mean; against the true one no betting strategy multiplies its capital
by 1/alpha, ever, with more than the probability alpha (Ville's inequality). Means that would have lost that much are ruled out.

Source: I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024) 1: the hedged capital
process (theorem 3) with predictable plug-in bets (equation 26), theta = 1/2, c = 1/2. It needs scores from 0 to 1 that are independent, or in an
order drawn at random; not that they are alike in any other way.
"""

from __future__ import annotations

import math

__all__ = ["ConfidenceSequence"]

_C = 0.5
#: An edge is known to the 2**30th part of the interval before.
_HALVINGS = 30


class ConfidenceSequence:
    """Scores as they come, and what may be said after each.

    Args:
        alpha: the probability, over all times together, that the interval misses the mean.

    Attributes:
        low, high: the narrowest interval that was asked for so far: every one holds, so their intersection does.
    """

    __slots__ = ("_alpha", "_bets", "_mean", "_scores", "_sum", "_variance", "high", "low")

    def __init__(self, alpha: float = 0.05) -> None:
        self._alpha = alpha
        self._scores: list[float] = []
        self._bets: list[float] = []
        self._sum, self._variance, self._mean = 0.5, 0.25, 0.5
        self.low, self.high = 0.0, 1.0

    @property
    def n(self) -> int:
        """Scores so far."""
        return len(self._scores)

    def add(self, score: float) -> None:
        """Take the next score (raises :class:`ValueError` where it is not from 0 to 1)."""
        if not 0.0 <= score <= 1.0:
            raise ValueError("a confidence sequence needs scores from 0 to 1")
        t = len(self._scores) + 1
        spread = self._variance / t  # of the scores before this one: a bet may not know what it is about
        self._bets.append(math.sqrt(2.0 * math.log(2.0 / self._alpha) / (spread * t * math.log(t + 1.0))))
        self._scores.append(score)
        self._sum += score
        self._mean = self._sum / (t + 1)
        self._variance += (score - self._mean) ** 2

    def _won(self, mean: float, side: int) -> float:
        """By the half that bets on a higher mean (``side`` 1), or on a lower one (-1)."""
        room = mean if side > 0 else 1.0 - mean
        most = _C / room if room > 0.0 else math.inf
        log1p = math.log1p
        total = 0.0
        for score, bet in zip(self._scores, self._bets, strict=True):
            total += log1p(side * min(most, bet) * (score - mean))
        return total

    def look(self) -> tuple[float, float]:
        """The interval now. It costs time in proportion to the scores so far."""
        limit = math.log(2.0 / self._alpha)
        # the capital of the bets that the mean is higher falls with the mean, that of the others rises: one edge each
        if self.low < self.high:
            self.low = self._edge(self.low, self.high, 1, limit)
            self.high = self._edge(self.high, self.low, -1, limit)
        return self.low, self.high

    def _edge(self, out: float, inside: float, side: int, limit: float) -> float:
        """Between ``out``, which is perhaps ruled out, and ``inside``: the outermost mean that is not."""
        if self._won(out, side) < limit:
            return out
        for _ in range(_HALVINGS):
            middle = (out + inside) / 2.0
            if self._won(middle, side) < limit:
                inside = middle
            else:
                out = middle
        return out
