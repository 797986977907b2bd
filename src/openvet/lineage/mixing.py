"""Whether a model was merged out of several that it is consistent with, by values that all sketches keep as they are.

Recipes of merging leave different traces in the numbers:

* linear, SLERP, task arithmetic: every value is one combination of the origins' values at its place.
* TIES, DARE and their like: a change is left out, or scaled, value by value. What is left is zero, or lies on one of a few lines: the
  change of one origin times a number, or a sum of some of these.
* passthrough: every matrix is one of an origin's, whole, and perhaps of another layer.

What was tuned after the merge, or merged by a recipe that mixes otherwise, has none of these traces: that stays with the verdict that it
is consistent with each of them.

Sources: TIES, https://arxiv.org/abs/2306.01708; DARE, https://arxiv.org/abs/2311.03099; task arithmetic, https://arxiv.org/abs/2212.04089; their
implementations in mergekit, https://github.com/arcee-ai/mergekit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import exp, lgamma, log
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.lineage_v1 import WeightTest
from openvet.lineage.judge import Judged, number
from openvet.lineage.manner import ROUNDING
from openvet.lineage.sides import Matrix, Side

__all__ = ["Origin", "combination", "stacked", "value_by_value"]

#: What is left of a change after it was explained.
_EXPLAINED: Final = 0.9
#: A share of an origin that is told from none.
_SHARE: Final = 0.02
#: Origins that are taken together at most: the lines double with each.
_MOST: Final = 5
#: How far a value may lie from its line, by the line, beside what rounding does to it.
_NEAR: Final = 0.01
#: So many values have to be changed, and so large a share of them has to lie on one line for its number to be known.
_FEWEST: Final = 200
_LINE: Final = 0.04
#: Rounding may be so large by the changes, in the middle, and no larger: else every line is near.
_ROUNDED: Final = 0.05
#: Matrices that only one origin has, for it to count as one that layers were taken of.
_OWN: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """One of the models that the merged one is consistent with: what was judged, and its matrices."""

    judged: Judged
    side: Side

    @property
    def name(self) -> str:
        return self.judged.test.origin

    @property
    def shown(self) -> str:
        return self.name.partition(":")[2] or self.name


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """Values at the same places: of the merged one, of each origin, and how far rounding may have moved their differences."""

    own: Any
    others: tuple[Any, ...]
    room: Any


def _together(np: Any, origins: Sequence[Origin]) -> _Values | None:
    """Values of the matrices that agree with those of every origin at one place."""
    held = [
        {name: each.judged.aligned.tensors[name][:2] for name in each.judged.aligned.agreeing()} for each in origins
    ]
    own: list[Any] = []
    others: list[list[Any]] = [[] for _ in origins]
    room: list[Any] = []
    for name in sorted(set.intersection(*(set(each) for each in held))):
        mine = held[0][name][0]
        theirs = [each[name][1] for each in held]
        if any(len(each.probe) != len(mine.probe) for each in theirs):
            continue
        good = np.isfinite(mine.probe)
        for each in theirs:
            good = good & np.isfinite(each.probe)
        own.append(mine.probe[good])
        for kept, each in zip(others, theirs, strict=True):
            kept.append(each.probe[good])
        room.append(sum(np.abs(each.probe[good]) * ROUNDING.get(each.dtype, 2.0**-24) for each in (mine, *theirs)))
    if not own:
        return None
    return _Values(np.concatenate(own), tuple(np.concatenate(each) for each in others), np.concatenate(room))


def combination(np: Any, origins: Sequence[Origin]) -> WeightTest | None:
    """Whether every value is one combination of those of three origins or more, whose shares add up to one.

    Which of them is the base cannot be told: with any of them as the base, the same numbers come out.

    Of a change that has nothing to do with the origins, a share of x or more lies among k directions with a probability that the
    incomplete beta function gives; ``k`` is rounded up to an even number, where it is a short sum.
    """
    if not 3 <= len(origins) <= _MOST + 1:
        return None
    values = _together(np, origins)
    if values is None or len(values.own) < _FEWEST:
        return None
    base = values.others[0]
    change = values.own - base
    ways = np.stack([each - base for each in values.others[1:]], axis=1)
    total = float(change @ change)
    if total == 0 or not np.isfinite(ways).all():
        return None
    shares, _, rank, _ = np.linalg.lstsq(ways, change, rcond=1e-9)
    if rank < ways.shape[1]:
        return None
    rest = change - ways @ shares
    explained = 1.0 - float(rest @ rest) / total
    weights = [1.0 - float(shares.sum()), *(float(each) for each in shares)]
    if explained < _EXPLAINED or sum(abs(each) >= _SHARE for each in weights) < 3:
        return None
    told = ", ".join(f"{weight:.2f} of {each.shown}" for weight, each in zip(weights, origins, strict=True))
    text = f"{_percent(explained)} of what differs is one combination of the origins: {told}"
    figures = {
        "with": " ".join(each.name for each in origins[1:]),
        "weight": " ".join(f"{each:.4f}" for each in weights),
    }
    first = origins[0].judged.test
    return WeightTest(
        first.derivative, first.origin, "merge", "consistent", "linear-combination", text, len(values.own), number(explained),
        number(_EXPLAINED), number(_tail(explained, len(values.own), ways.shape[1])), figures,
    )  # fmt: skip


def _tail(share: float, count: int, ways: int) -> float:
    """At most the probability that a change of no direction has ``share`` of its square among ``ways`` directions out of ``count``."""
    half, a = (ways + 1) // 2, (count - ways) / 2
    left = max(1.0 - share, 1e-300)
    logs = [
        a * log(left) + j * log(max(share, 1e-300)) + lgamma(a + j) - lgamma(a) - lgamma(j + 1) for j in range(half)
    ]
    top = max(logs)
    return min(max(exp(max(-600.0, top)) * sum(exp(each - top) for each in logs), 1e-260), 1.0)


def value_by_value(np: Any, base: Origin, tunes: Sequence[Origin]) -> WeightTest | None:
    """Whether every value is the base's, or the base's with the scaled changes of some of the ``tunes``, as TIES and DARE leave them.

    The number of each line is where most of the ratios of changes lie. How many values lie near a line by chance is measured: with the
    changes of the tunes moved on by one place. The probability is Hoeffding's bound.
    """
    if not 2 <= len(tunes) <= _MOST:
        return None
    values = _together(np, (base, *tunes))
    if values is None:
        return None
    change = values.own - values.others[0]
    ways = [each - values.others[0] for each in values.others[1:]]
    moved = np.abs(change) > values.room
    left = float(1.0 - moved.mean())
    changed = change[moved]
    if len(changed) < _FEWEST or float(np.median(values.room[moved] / np.abs(changed))) > _ROUNDED:
        return None
    ways = [each[moved] for each in ways]
    room = values.room[moved]
    scales = [_scale(np, changed, each) for each in ways]
    if any(each is None for each in scales):
        return None
    scaled = [way * scale for way, scale in zip(ways, scales, strict=True)]
    near = _near(np, changed, scaled, room)
    share = float(near.mean())
    by_chance = float(_near(np, changed, [np.roll(each, 1) for each in scaled], room).mean())
    if share < _EXPLAINED:
        return None
    p = exp(max(-600.0, -2.0 * len(changed) * max(share - by_chance, 0.0) ** 2))
    text = (
        f"{_percent(share)} of the values that differ from {base.shown} differ by the scaled change of one of "
        f"{', '.join(each.shown for each in tunes)}, or by a sum of these; {_percent(left)} are the base's: merged value by value, as TIES and DARE do it"
    )
    figures = {
        "base": base.name,
        "with": " ".join(each.name for each in tunes[1:]),
        "scale": " ".join(f"{each:.4f}" for each in scales),
        "by chance": number(by_chance),
        "left as they were": number(left),
    }
    first = tunes[0].judged.test
    return WeightTest(
        first.derivative, first.origin, "merge", "consistent", "value-by-value", text, len(changed), number(share),
        number(_EXPLAINED), number(max(p, 1e-260)), figures,
    )  # fmt: skip


def _scale(np: Any, changed: Any, way: Any) -> float | None:
    """By what the changes of one origin were multiplied: the number around which most ratios lie; ``None`` where there is none."""
    with np.errstate(all="ignore"):
        ratios = changed / way
    ratios = np.sort(np.abs(ratios[np.isfinite(ratios) & (ratios > 1e-3) & (ratios < 1e3)]))
    if len(ratios) < _FEWEST // 4:
        return None
    ends = np.searchsorted(ratios, ratios * (1.0 + _NEAR), side="right")
    counts = ends - np.arange(len(ratios))
    at = int(np.argmax(counts))
    if counts[at] < _LINE * len(changed):
        return None
    return float(np.median(ratios[at : ends[at]]))


def _near(np: Any, changed: Any, scaled: Sequence[Any], room: Any) -> Any:
    """Which changes lie on the line of one origin, of a sum of some, or of their mean (TIES divides by how many agree)."""
    out = np.zeros(len(changed), bool)
    for count in range(1, len(scaled) + 1):
        for chosen in combinations(scaled, count):
            line = np.sum(chosen, axis=0)
            for each in (line, line / count) if count > 1 else (line,):
                out |= np.abs(changed - each) <= _NEAR * np.abs(each) + room
    return out


def stacked(np: Any, origins: Sequence[Origin]) -> WeightTest | None:
    """Whether every matrix is one of some origin's, of whatever layer, and several origins have some that no other has (passthrough)."""
    if not 2 <= len(origins) <= _MOST + 1:
        return None
    found: dict[str, set[int]] = {}
    looked = 0
    names: dict[str, None] = {}
    for at, origin in enumerate(origins):
        for name, mine, theirs in _counterparts(origin):
            names[name] = None
            if _equal(np, mine, theirs):
                found.setdefault(name, set()).add(at)
    looked = len(names)
    if not looked or len(found) < _EXPLAINED * looked:
        return None
    own = [sum(held == {at} for held in found.values()) for at in range(len(origins))]
    taken = [at for at, count in enumerate(own) if count >= _OWN]
    if len(taken) < 2:
        return None
    told = ", ".join(f"{own[at]} only {origins[at].shown}'s" for at in taken)
    text = f"{len(found)} of {looked} matrices are those of one of the origins, value by value as far as they were taken: {told}"
    first, *rest = (origins[at] for at in taken)
    figures = {"with": " ".join(each.name for each in rest), "matrices": " ".join(str(own[at]) for at in taken)}
    test = first.judged.test
    return WeightTest(
        test.derivative, test.origin, "merge", "consistent", "matrix-by-matrix", text, looked, number(len(found) / looked),
        number(_EXPLAINED), None, figures,
    )  # fmt: skip


def _counterparts(origin: Origin) -> list[tuple[str, Matrix, Matrix]]:
    """Each matrix with what it is in the origin: at its own place, or where it was found."""
    judged, named = origin.judged, origin.side.named()
    aligned = {name: judged.aligned.tensors[name] for name in judged.aligned.agreeing()}
    out = [(name, mine, theirs) for name, (mine, theirs, _) in aligned.items()]
    if judged.searched is not None:
        mine = {each.name: each for each in judged.own}
        out += [
            (name, mine[name], named[place])
            for name, (place, _, _) in judged.searched.tensors.items()
            if name not in aligned and name in mine and place in named
        ]
    return out


def _equal(np: Any, one: Matrix, other: Matrix) -> bool:
    if one.shape != other.shape or len(one.probe) != len(other.probe) or not (one.whole and other.whole):
        return False
    unit = max(ROUNDING.get(one.dtype, 0.0), ROUNDING.get(other.dtype, 0.0))
    return bool((np.abs(one.probe - other.probe) <= np.maximum(np.abs(one.probe), np.abs(other.probe)) * unit).all())


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"
