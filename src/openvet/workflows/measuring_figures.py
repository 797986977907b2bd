"""Figures of two models: means, shares and differences with their intervals, and the verdict that follows from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from openvet.evals.log import Scored, number
from openvet.evals.stats.correlation import correlation_difference
from openvet.evals.stats.estimate import Estimate, ratio
from openvet.evals.stats.paired import Paired, mcnemar, paired
from openvet.evals.stats.verdict import judge
from openvet.evidence.predicates.derivation_v1 import Agreement

__all__ = [
    "BLOCK",
    "Held",
    "agreed",
    "bounds_of",
    "correlations",
    "cosine",
    "flipped",
    "greatest",
    "mean",
    "of_difference",
    "p_of",
    "perplexity",
    "verdict_of",
]

#: Tokens that follow on each other are alike: so many of them count as one when intervals are made.
BLOCK: Final = 64
#: What a loss is held against: a name, the comparison (child first), its margin.
Held = tuple[str, Paired, float]


def verdict_of(held: Sequence[Held], loss: float | None, alpha: float = 0.05) -> tuple[str, str]:
    """Whether the child is as good as was asked for: tasks decide where there are any, else perplexity."""
    if loss is None:
        return "not-asked", ""
    if not held:
        return "unresolved", "nothing was measured that a loss could be held against"
    words = []
    for name, found, margin in held:
        said = judge(found, margin, alpha=alpha)
        more = f"; about {said.needed:,} samples would probably resolve it" if said.needed else ""
        words.append((said.word, f"{name}: {said.word}: {said.why}{more}"))
    order = ("better", "not-inferior", "unresolved", "worse", "inferior")
    word, why = max(words, key=lambda each: order.index(each[0]))
    # below zero, yet nobody can say by how much more than the margin: that is as open as before
    known = {"better": "as-good", "not-inferior": "as-good", "inferior": "worse"}
    return known.get(word, "unresolved"), why


def agreed(measure: str, found: Estimate, n: int, of: str) -> Agreement:
    low, high = bounds_of(found)
    return Agreement(measure, number(found.value), low, high, n, of)


def greatest(values: Sequence[float], of: str, n: int | None = None) -> Agreement:
    """The greatest of differences, which has no interval: a greater one may come."""
    return Agreement("max-difference", number(max(values)), None, None, len(values) if n is None else n, of)


def bounds_of(found: Estimate) -> tuple[str | None, str | None]:
    if not (math.isfinite(found.low) and math.isfinite(found.high)) or found.method == "none":
        return None, None
    return number(found.low), number(found.high)


def mean(values: Sequence[float], clusters: Sequence[int] | None = None) -> Estimate:
    """A mean of what is no share, without an interval where nothing varies: equal numbers are no proof that others would be equal."""
    found = ratio(values, None, clusters, share=False)
    return found if found.se else replace(found, low=-math.inf, high=math.inf, method="none")


def perplexity(nll: Sequence[float]) -> Estimate:
    found = mean(nll, [at // BLOCK for at in range(len(nll))])
    low, high = (math.exp(each) if math.isfinite(each) and each < 700 else math.inf for each in (found.low, found.high))
    return Estimate(
        math.exp(min(found.value, 700.0)), low, high, found.level, None, found.n, found.clusters, found.method
    )


def of_difference(values: Sequence[float], clusters: Sequence[int], level: float = 0.95) -> Paired:
    """A mean of differences as a comparison: above zero the child foretells better."""
    # tokens are no samples that are right or wrong, even where all differences are 0 or 1: without shares there are no flips
    found = paired(values, [0.0] * len(values), clusters, level, [1.0] * len(values))
    return replace(found, unpaired_se=None, correlation=None)


def flipped(first: Sequence[Scored], second: Sequence[Scored]) -> Estimate:
    """The share of samples that one of both alone has right; what belongs together counts as that."""
    pairs = _answered(first, second)
    clusters = [a.cluster for a, _ in pairs] if all(a.cluster for a, _ in pairs) else None
    return ratio([float(a.score != b.score) for a, b in pairs], None, clusters, share=True)


def _answered(first: Sequence[Scored], second: Sequence[Scored]) -> list[tuple[Scored, Scored]]:
    others = {each.id: each for each in second if each.score is not None}
    return [(a, others[a.id]) for a in first if a.score is not None and a.id in others]


def p_of(found: Estimate) -> float:
    from openvet.evals.stats.tails import student_cdf

    if not found.se:
        return 1.0 if found.value == 0.0 or found.clusters < 2 else mcnemar(found.clusters, 0)
    return 2.0 * student_cdf(-abs(found.value) / found.se, max(1, found.clusters - 1))


def correlations(first: Sequence[Scored], second: Sequence[Scored], level: float, *, by_rank: bool) -> Estimate:
    """The child's correlation minus the parent's."""
    pairs = _answered(first, second)
    clusters = [a.cluster for a, _ in pairs] if all(a.cluster for a, _ in pairs) else None
    return correlation_difference(
        [b.score or 0.0 for _, b in pairs],
        [a.score or 0.0 for a, _ in pairs],
        [a.target or 0.0 for a, _ in pairs],
        clusters,
        level,
        by_rank=by_rank,
    )


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    length = math.sqrt(math.fsum(x * x for x in a) * math.fsum(x * x for x in b))
    return math.fsum(map(_product, a, b)) / length if length else 0.0


_product: Callable[[float, float], float] = float.__mul__
