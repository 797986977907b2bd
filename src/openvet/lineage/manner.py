"""In what way one model was made of another, once it is clear that it was: by values that both sketches keep as they are.

Each claim is a test of its own. What needs both models' weights (:mod:`openvet.lineage.exact`) is left open here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.lineage_v1 import WeightTest
from openvet.inventory.compare.dtypes import WIDTHS
from openvet.inventory.compare.ggml import BLOCKS
from openvet.inventory.compare.packed import BITS
from openvet.lineage.judge import Judged, number, pairs_of
from openvet.lineage.sides import Matrix, Side

__all__ = ["ROUNDING", "manner", "mixture"]

#: How far a value may lie from what it was rounded to, by the narrower type, in units of the value (to the nearest; BF16 may be cut off).
ROUNDING: Final = {
    "F64": 2.0**-53,
    "F32": 2.0**-24,
    "F16": 2.0**-11,
    "BF16": 2.0**-8,
    "F8_E4M3": 2.0**-4,
    "F8_E5M2": 2.0**-3,
}
#: Below what a 16-bit float can tell apart.
_SMALLEST: Final = 2.0**-24
#: Zeros that one has and the other has not.
_PRUNED: Final = 0.05
#: Rounding moves values by up to half a step, evenly: by 0.58 of that in the mean of squares. Zeros come of what is smaller than that.
_LEVELS: Final = 0.3
#: What is left of a change after it was explained by two origins.
_EXPLAINED: Final = 0.9
#: A matrix with fewer vectors than that may go unfound although it is there.
_ENOUGH: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Probes:
    """Values of tensors that agree: those of A and of B, how far rounding may have moved each, and how large those of its tensor are."""

    a: Any
    b: Any
    room: Any
    scale: Any
    relative: Any
    types: tuple[tuple[str, str], ...]


def manner(np: Any, judged: Judged, a: Side, b: Side) -> list[WeightTest]:
    """What else can be said of a pair that is consistent."""
    if judged.test.verdict != "consistent":
        return []
    return list(_Manner(np, judged, a, b).all())


class _Manner:
    def __init__(self, np: Any, judged: Judged, a: Side, b: Side) -> None:
        self.np, self.judged, self.a, self.b = np, judged, a, b
        # where matrices had to be looked for, values at one place are not each other's
        aligned = judged.test.test == "vector-correlation"
        self.probes = _probes(np, pairs_of(judged)) if aligned else None

    def all(self) -> Iterator[WeightTest]:
        yield from self._places()
        if self.probes is not None:
            yield from self._values(self.probes)

    def _test(self, claim: str, verdict: str, test: str, text: str, samples: int = 0, **more: Any) -> WeightTest:
        return WeightTest(
            self.judged.test.derivative, self.judged.test.origin, claim, verdict, test, text, samples, **more
        )

    # --- where things are ---

    def _places(self) -> Iterator[WeightTest]:
        judged, searched = self.judged, self.judged.searched
        found = set(judged.found)
        missing = [each.name for each in self.a.matrices if each.name not in found and _vectors(each) >= _ENOUGH]
        if missing:
            text = f"{len(missing)} of {len(self.a.matrices)} matrices are not the other's ({', '.join(missing[:3])})"
            yield self._test(
                "parts",
                "consistent",
                judged.test.test,
                text,
                len(self.a.matrices),
                figures={"matrices": str(len(missing))},
            )
        if searched is None or not searched.tensors:
            return
        names = {name: two.name for name, (_, two, _) in judged.aligned.tensors.items()}
        seen = [name for name in judged.found if name in searched.tensors]
        other = [name for name in seen if names.get(name, searched.tensors[name][0]) != searched.tensors[name][0]]
        if other:
            text = f"{len(other)} matrices are at the place of others ({other[0]} is {searched.tensors[other[0]][0]})"
            yield self._test(
                "parts", "consistent", "matched-vectors", text, len(other), figures={"moved": str(len(other))}
            )
        elsewhere = [name for name in seen if name not in names]
        if elsewhere:
            text = f"{len(elsewhere)} matrices have other names ({elsewhere[0]} is {searched.tensors[elsewhere[0]][0]})"
            yield self._test("renamed", "consistent", "matched-vectors", text, len(elsewhere))
        turned = [name for name in seen if searched.moved.get(name, 0) >= _ENOUGH]
        if turned:
            count = sum(searched.moved[name] for name in turned)
            text = f"{count} rows and columns of {len(turned)} matrices are in another order ({', '.join(turned[:3])})"
            yield self._test("permuted", "consistent", "matched-vectors", text, count)

    # --- what became of values ---

    def _values(self, probes: _Probes) -> Iterator[WeightTest]:
        np = self.np
        count = int(probes.a.size)
        difference = np.abs(probes.a - probes.b)
        equal, rounded = difference == 0, difference <= probes.room
        everything = len(self.judged.aligned.agreeing()) == len(self.a.matrices)
        types = probes.types
        if equal.all() and everything and all(x == y for x, y in types):
            yield self._test("identical", "consistent", "values", "every value that was taken is the same", count)
            return
        plain = not any(each in BLOCKS for pair in types for each in pair)
        if plain and rounded.all() and any(x != y for x, y in types):
            shown = ", ".join(sorted({f"{y} to {x}" for x, y in types if x != y})[:3])
            yield self._test(
                "cast", "consistent", "values", f"every value that was taken is the other's, rounded ({shown})", count
            )
            return
        change = float(np.median(probes.relative)) if len(probes.relative) else 0.0
        largest = float(probes.relative.max(initial=0.0))
        lost = (probes.a == 0) & (probes.b != 0)
        if lost.mean() >= _PRUNED:
            yield self._pruned(probes, lost, rounded | lost)
        bounds = [_bound(x) for x, y in types if _is_narrower(x, y)]
        if bounds:
            within = change <= max(bounds)
            verdict = "consistent" if within and 2 * len(bounds) >= len(types) else "not-consistent"
            text = f"its values lie {_percent(change)} of their size from the other's, and {', '.join(sorted({x for x, _ in types}))} may be {_percent(max(bounds))} away"
            yield self._test(
                "quantized", verdict, "values", text, count, statistic=number(change), threshold=number(max(bounds))
            )
            if within:
                return
        if not rounded.all() and not (lost.any() and (rounded | lost).all()):
            text = f"values differ by {_percent(change)} of their size in the middle, by {_percent(largest)} at most: trained further, merged, or changed in another way"
            untouched = int(np.count_nonzero(probes.relative == 0))
            yield self._test("finetune", "consistent", "values", text, count, statistic=number(change), figures={"largest": number(largest), "matrices without a change": str(untouched)})  # fmt: skip

    def _pruned(self, probes: _Probes, lost: Any, explained: Any) -> WeightTest:
        """Zeros: set by pruning, or left by rounding to few levels, which moves all other values about as far."""
        np, share, count = self.np, float(lost.mean()), int(probes.a.size)
        error, size = np.abs(probes.a - probes.b) / probes.scale, np.abs(probes.b) / probes.scale
        kept = error[~lost]
        moved = float(np.sqrt(np.square(kept).mean())) if kept.size else 0.0
        if moved >= _LEVELS * float(np.quantile(size[lost], 0.95)):
            text = f"{_percent(share)} of the values that were taken are zero, and all others are moved about as far: rounded to few levels, perhaps, and made numbers again"
            return self._test("quantized", "cannot-tell", "values", text, count, statistic=number(moved))
        text = f"{_percent(share)} of the values that were taken are zero, and are not in the other"
        text += "; all others are the same" if explained.all() else "; others differ too"
        return self._test(
            "pruned", "consistent", "values", text, count, statistic=number(share), threshold=number(_PRUNED)
        )


def _vectors(matrix: Matrix) -> int:
    return sum(len(each.index) for each in matrix.sets.values())


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"


def _probes(np: Any, pairs: Sequence[tuple[Matrix, Matrix]]) -> _Probes | None:
    left, right, room, scale, relative, types = [], [], [], [], [], []
    for one, two in pairs:
        if one.shape != two.shape or len(one.probe) != len(two.probe):
            continue
        good = np.isfinite(one.probe) & np.isfinite(two.probe)
        a, b = one.probe[good], two.probe[good]
        size = float(np.sqrt(np.square(b).sum()))
        if not len(a) or size == 0:
            continue
        left.append(a)
        right.append(b)
        unit = max(ROUNDING.get(one.dtype, 0.0), ROUNDING.get(two.dtype, 0.0))
        room.append(np.maximum(np.abs(a), np.abs(b)) * unit + (_SMALLEST if "F16" in (one.dtype, two.dtype) else 0.0))
        scale.append(np.full(len(a), size / len(a) ** 0.5))
        relative.append(float(np.sqrt(np.square(a - b).sum())) / size)
        types.append((one.dtype, two.dtype))
    if not left:
        return None
    together = [np.concatenate(each) for each in (left, right, room, scale)]
    return _Probes(together[0], together[1], together[2], together[3], np.array(relative), tuple(types))


def _is_narrower(one: str, other: str) -> bool:
    """Whether ``one`` keeps blocks, packed numbers or bytes of what ``other`` keeps as numbers."""
    return _bits(one) < _bits(other) and (one in BLOCKS or one in BITS or one in {"I8", "U8"})


def _bits(dtype: str) -> float:
    if dtype in BLOCKS:
        elements, size = BLOCKS[dtype]
        return 8 * size / elements
    return float(BITS[dtype]) if dtype in BITS else 8.0 * WIDTHS.get(dtype, 4)


def _bound(dtype: str) -> float:
    """Relative error that rounding weights to so many bits makes at most: blocks span about eight standard deviations at most."""
    return float(min(1.5 * 8 / 12**0.5 / 2.0 ** (_bits(dtype) - 0.5), 1.0))


def mixture(np: Any, first: Judged, second: Judged) -> WeightTest | None:
    """Whether what was judged is a mixture of two models that it is consistent with: between them, tensor by tensor.

    The change from the first to A is explained by the change from the first to the second. Of a change that has nothing to do with
    it, a share of x or more is explained in n values with a probability of at most (1 - x)^((n - 1) / 2) (a cap of the sphere).
    """
    one, two = ({each.name: (each, other) for each, other in pairs_of(judged)} for judged in (first, second))
    explained, total, shares, count = 0.0, 0.0, [], 0
    for name in sorted(one.keys() & two.keys()):
        own, left, right = one[name][0].probe, one[name][1].probe, two[name][1].probe
        if not len(own) == len(left) == len(right) or not all(np.isfinite(each).all() for each in (own, left, right)):
            continue
        change, way = own - left, right - left
        length, square = float(way @ way), float(change @ change)
        if length == 0 or square == 0:
            continue
        part = float(change @ way) / length
        explained += part * part * length
        total += square
        shares.append(part)
        count += len(own)
    if not shares:
        return None
    share = explained / total
    middle = float(np.median(shares))
    between = share >= _EXPLAINED and 0.02 < middle < 0.98
    text = f"{_percent(max(share, 0.0))} of what differs from {first.test.origin.partition(':')[2]} lies on the way to {second.test.origin.partition(':')[2]}, {middle:.2f} of it in the middle"
    p = exp(max(-600.0, (count - 1) / 2 * log(max(1.0 - share, 1e-300))))
    verdict = "consistent" if between else "not-consistent" if share < 0.5 else "cannot-tell"
    return WeightTest(
        first.test.derivative, first.test.origin, "merge", verdict, "linear-combination", text, count, number(share),
        number(_EXPLAINED), number(max(p, 1e-260)), {"with": second.test.origin, "weight": f"{middle:.4f}"},
    )  # fmt: skip
