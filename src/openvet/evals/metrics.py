"""What the scores of a run say together, with error bars; and two runs of one task, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence

from openvet.core.dataclass import dataclass
from openvet.evals.log import Scored
from openvet.evals.stats.correlation import correlation
from openvet.evals.stats.estimate import Estimate, ratio
from openvet.evals.stats.paired import Paired, paired

__all__ = ["MetricError", "Pairing", "estimate", "pair_up"]


class MetricError(ValueError):
    """There is nothing to make a metric of; the text says why."""


def _clusters(samples: Sequence[Scored]) -> list[str] | None:
    return [each.cluster for each in samples] if any(each.cluster for each in samples) else None


def estimate(samples: Sequence[Scored], metric: str, level: float = 0.95, *, by_rank: bool = True) -> Estimate:
    """The metric over the samples that were answered.

    Args:
        metric: ``mean``, ``ratio`` or ``correlation``.

    Raises:
        MetricError: there is none of these samples.
    """
    answered = [each for each in samples if each.score is not None]
    scores = [each.score for each in answered if each.score is not None]
    clusters = _clusters(answered)
    try:
        if metric == "correlation":
            targets = [each.target for each in answered if each.target is not None]
            return correlation(scores, targets, clusters, level, by_rank=by_rank)
        return ratio(scores, [each.weight for each in answered] if metric == "ratio" else None, clusters, level)
    except (ValueError, OverflowError) as error:
        raise MetricError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two runs of one task.

    Attributes:
        found: the comparison over the samples that both answered; a positive difference is in favour of the first.
        first, second: each metric over those samples.
        left_out: samples that one of both did not answer, or that are in one of both alone.
    """

    found: Paired
    first: Estimate
    second: Estimate
    left_out: int


def pair_up(
    first: Sequence[Scored], second: Sequence[Scored], metric: str, level: float = 0.95, *, higher: bool = True
) -> Pairing:
    """Compare two runs by the ids of their samples.

    Raises:
        MetricError: no sample is in both, one is there twice, a sample's weight differs, or the metric is a correlation, which has no sample's own difference.
    """
    if metric == "correlation":
        raise MetricError("a correlation is over all samples together; two of them are compared by their intervals")
    if len({each.id for each in first}) != len(first) or len({each.id for each in second}) != len(second):
        raise MetricError("a sample is there twice")
    others = {each.id: each for each in second if each.score is not None}
    pairs = [(each, others[each.id]) for each in first if each.score is not None and each.id in others]
    if not pairs:
        raise MetricError("the two runs have no answered sample in common")
    if any(a.weight != b.weight for a, b in pairs):
        raise MetricError("the two runs weigh the same sample differently, so that they are not of the same task")
    everything = {each.id for each in first} | {each.id for each in second}
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    sign = 1.0 if higher else -1.0
    weights = [each.weight for each in one] if metric == "ratio" else None
    scores = [sign * (a.score or 0.0) + 0.0 for a in one], [sign * (b.score or 0.0) + 0.0 for b in other]
    try:
        found = paired(*scores, _clusters(one), level, weights)
    except (ValueError, OverflowError) as error:
        raise MetricError(str(error)) from None
    return Pairing(found, estimate(one, metric, level), estimate(other, metric, level), len(everything) - len(pairs))
