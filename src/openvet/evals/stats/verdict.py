"""What a comparison allows to say: better, worse, not inferior by a margin, inferior by it, or that so many samples cannot resolve it.

A difference that was not found is not a difference that is not there: without a margin the only other answer is that nothing is resolved.
Non-inferiority is judged as trials are: the whole two-sided interval lies above minus the margin (ICH E9, section 3.3.2; FDA, Non-Inferiority
Clinical Trials, 2016).
"""

from __future__ import annotations

from typing import Final

from openvet.core.dataclass import dataclass
from openvet.evals.stats.paired import Paired
from openvet.evals.stats.power import Spread, needed
from openvet.evals.stats.tails import student_cdf

__all__ = ["VERDICTS", "Verdict", "judge", "p_not_inferior"]

#: Best first; ``unresolved`` says nothing.
VERDICTS: Final = ("better", "not-inferior", "unresolved", "worse", "inferior")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of :data:`VERDICTS`; why, for a person; and for ``unresolved`` the samples that would probably resolve it, where that can be said."""

    word: str
    why: str
    needed: int | None = None


def p_not_inferior(found: Paired, margin: float) -> float:
    """One-sided: how likely so high a difference, or a higher one, would be if the first were worse by just ``margin``.

    Doubled, so that it is held against the same level as two-sided ones: half of that is what a two-sided interval leaves to each side.
    """
    difference = found.difference
    if not difference.se:
        return 0.0 if difference.low > -margin else 1.0
    df = max(1, difference.clusters - 1)
    return min(1.0, 2.0 * (1.0 - student_cdf((difference.value + margin) / difference.se, df)))


def judge(
    found: Paired, margin: float | None, *, p: float | None = None, p_margin: float | None = None, alpha: float = 0.05
) -> Verdict:
    """What may be said of the first model against the second.

    Args:
        margin: how much worse is still as good; ``None`` where nobody said.
        p: of the difference, adjusted where several tasks were compared; ``None`` takes the one of ``found``.
        p_margin: of :func:`p_not_inferior`, adjusted likewise; ``None`` leaves it to the interval.
    """
    difference, tested = found.difference, found.p if p is None else p
    clear = tested <= alpha
    if clear and difference.low > 0.0:
        return Verdict("better", "the whole interval lies above zero")
    if margin is not None:
        if clear and difference.high < -margin:
            return Verdict("inferior", "the whole interval lies below minus the margin")
        if difference.low > -margin and (p_margin is None or p_margin <= alpha):
            also = ", and below zero: it is worse, by less than the margin" if clear and difference.high < 0.0 else ""
            return Verdict("not-inferior", f"the whole interval lies above minus the margin{also}")
    if clear and difference.high < 0.0:
        return Verdict("worse", "the whole interval lies below zero")
    return _unresolved(found, margin, alpha)


def _unresolved(found: Paired, margin: float | None, alpha: float) -> Verdict:
    difference = found.difference
    why = f"cannot be resolved with {difference.n} samples: "
    why += (
        "the interval holds zero"
        if difference.low <= 0.0 <= difference.high
        else "the test does not agree with the interval"
    )
    gap = difference.value
    if margin is not None:
        why += " and minus the margin" if difference.low <= -margin <= difference.high else ""
        gap = difference.value + margin
    # as many as would resolve what was seen, if it is true, at the spread that was seen
    more = None
    if gap and difference.se and found.sd:
        effect = difference.se**2 * difference.n / found.sd**2
        more = needed(gap, Spread(found.sd**2 * effect), alpha)
        more = more if more > difference.n else None
    return Verdict("unresolved", why, more)
