"""What can be said where the weights of both models are at hand: quantization block by block, and the rank of a change.

Quantization needs no statistics. Rounding to the levels of a block moves no value by more than half a step (what else it may do is in
:mod:`openvet.inventory.compare.ggml`); one value farther away, and the tensor was not made of the other by rounding alone.

A low-rank adapter that was merged adds a matrix of its rank to some tensors. What rounding to the type of the file adds is noise of full
rank and of a size that is known; the rank is counted down to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import ReadError
from openvet.evidence.predicates.diff_v1 import ModelChange
from openvet.evidence.predicates.lineage_v1 import WeightTest
from openvet.inventory.compare.dtypes import WIDTHS, bits, decode_plain
from openvet.inventory.compare.ggml import BLOCKS
from openvet.inventory.compare.numbers import Stored
from openvet.inventory.compare.tensors import Heads, Matched, compare_models, match
from openvet.lineage.judge import number
from openvet.lineage.manner import ROUNDING

__all__ = ["Weights", "exact"]

#: Of the changed matrices so many are looked at, spread over all of them; of each so many rows and columns.
_LOOKED: Final = 24
_SIDE: Final = 512
_WIDEST: Final = 64 * 1024
_TAIL: Final = 0.01
#: A change is of low rank up to this share of the rows that were looked at.
_LOW: Final = 0.25
_NAMED: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The tensors of one model that can be read, and what a GGUF file's converter did to them."""

    tensors: Sequence[Stored]
    heads: Heads | None = None


def exact(
    np: Any,
    a: Weights,
    b: Weights,
    derivative: str,
    origin: str,
    spread: Callable[[Callable[[Matched], Any], Sequence[Matched]], Iterable[Any]] = map,
) -> list[WeightTest]:
    """Compare every value of the tensors that belong together.

    Args:
        spread: gives the results of a function for all items, in order.
    """
    matched = match(b.tensors, a.tensors)  # what the second was made of is the first there
    # packed numbers were made by programs that do not round each value to the nearest level
    pairs = [
        each for each in matched if each.a is not None and each.b is not None and not (each.a.packed or each.b.packed)
    ]
    if not pairs:
        return []
    change, _ = compare_models("", "", pairs, a.heads or b.heads or Heads(), np, spread=spread)
    out = []
    names = (derivative, origin)
    quantized = _quantized(change, pairs, names)
    if quantized is not None:
        out.append(quantized)
    else:
        whole = _whole(change, pairs, names)
        if whole is not None:
            out.append(whole)
        rank = _rank(np, change, pairs, names)
        if rank is not None:
            out.append(rank)
    return out


def _quantized(change: ModelChange, pairs: Sequence[Matched], names: tuple[str, str]) -> WeightTest | None:
    """Whether every tensor of blocks in A is what rounding makes of B's."""
    blocks = [
        each
        for each in pairs
        if each.b is not None and each.a is not None and each.b.dtype in BLOCKS and each.a.dtype not in BLOCKS
    ]
    if not blocks:
        return None
    told = {each.name: each for each in change.tensors}
    good, bad, unread, steps, outside = 0, [], 0, 0.0, 0
    values = 0
    for each in blocks:
        found = told.get(each.name)
        if found is None or found.status == "unread":
            unread += 1
        elif found.status == "quantized" and found.original == "a":
            good += 1
            steps = max(steps, float(found.steps or 0))
            values += found.values or 0
        else:
            bad.append(each.name)
            outside += found.outside or 0
    types = sorted({each.b.dtype for each in blocks if each.b is not None})
    figures = {
        "tensors": str(len(blocks)),
        "as rounding puts them": str(good),
        "values outside": str(outside),
        "types": " ".join(types),
    }
    if bad:
        verdict = "not-consistent"
        text = f"{len(bad)} of {len(blocks)} tensors of blocks have values that rounding does not put there ({', '.join(bad[:_NAMED])})"
    elif unread:
        verdict = "cannot-tell" if not good else "consistent"
        text = f"{good} of {len(blocks)} tensors of blocks are what rounding makes of the other's; {unread} are of types that are not decoded"
    else:
        verdict = "consistent"
        text = f"every value of {good} tensors of blocks lies where rounding the other's puts it, block by block"
    statistic = number(steps) if good else None
    return WeightTest(
        *names, "quantized", verdict, "block-by-block", text, values, statistic, "0.5" if good else None, None, figures
    )


def _whole(change: ModelChange, pairs: Sequence[Matched], names: tuple[str, str]) -> WeightTest | None:
    """Whether every value is the same, or rounded, or set to zero."""
    counts = change.counts()
    several = {name: counts[name] for name in ("cast", "pruned") if name in counts}
    if counts.keys() - {"equal", "cast", "pruned"} or len(several) > 1 or change.left_off:
        return None
    claim = next(iter(several), "identical")
    told = [each for each in change.tensors if each.status == claim]
    if any(each.original == "b" for each in told):
        text, verdict = f"the other one was made of this one: {claim}", "not-consistent"
    else:
        verdict = "consistent"
        said = {"identical": "the same", "cast": "the other's, rounded", "pruned": "the other's, or zero"}[claim]
        text = f"every value of all {len(pairs)} tensors is {said}"
    values = sum(each.b.elements for each in pairs if each.b is not None)
    return WeightTest(*names, claim, verdict, "every-value", text, values)


# --- rank ---


def _rank(np: Any, change: ModelChange, pairs: Sequence[Matched], names: tuple[str, str]) -> WeightTest | None:
    """Of what rank the changes of matrices are."""
    changed = {each.name for each in change.tensors if each.status == "changed"}
    by_name = {each.name: each for each in pairs}
    able = [
        by_name[name]
        for name in sorted(changed)
        if name in by_name and _is_plain_matrix(by_name[name].a) and _is_plain_matrix(by_name[name].b)
    ]
    if not able:
        return None
    step = max(len(able) / _LOOKED, 1.0)
    looked = [able[int(at * step)] for at in range(min(len(able), _LOOKED))]
    ranks: dict[str, tuple[int, int]] = {}
    for each in looked:
        try:
            found = _rank_of(np, each.a, each.b)  # type: ignore[arg-type] # both are there
        except ReadError:
            continue
        if found is not None:
            ranks[each.name] = found
    if not ranks:
        return None
    low = [name for name, (rank, side) in ranks.items() if rank <= _LOW * side]
    largest = max(rank for rank, _ in ranks.values())
    matrices = sum(1 for each in pairs if each.b is not None and len(each.b.shape) == 2)
    figures = {
        "rank": str(largest),
        "changed matrices": str(len(able)),
        "matrices": str(matrices),
        "looked at": str(len(ranks)),
        "which": " ".join(_kinds(able)),
    }
    if len(low) == len(ranks):
        verdict = "consistent"
        text = f"the change of every matrix that was looked at has a rank of {largest} or less: a low-rank adapter that was merged"
    elif not low:
        verdict = "not-consistent"
        text = f"changes have ranks up to {largest} of {max(side for _, side in ranks.values())}: trained as a whole, and not by a low-rank adapter"
    else:
        verdict = "cannot-tell"
        text = f"the changes of {len(low)} of {len(ranks)} matrices have a low rank"
    limit = number(_LOW * min(side for _, side in ranks.values()))
    return WeightTest(
        *names, "low-rank", verdict, "rank-of-difference", text, len(ranks), str(largest), limit, None, figures
    )


def _kinds(able: Sequence[Matched]) -> list[str]:
    """The changed matrices by the last words of their names, a few of them."""
    found: dict[str, None] = {}
    for each in able:
        words = [word for word in each.name.split(".") if not word.isdigit() and word != "weight"]
        found[words[-1] if words else each.name] = None
    return list(found)[:8]


def _is_plain_matrix(stored: Stored | None) -> bool:
    return (
        stored is not None and stored.run is not None and len(stored.shape) == 2 and min(stored.shape) >= 16
        and stored.dtype in ROUNDING and stored.shape[1] <= _WIDEST
    )  # fmt: skip


def _rank_of(np: Any, one: Stored, other: Stored) -> tuple[int, int] | None:
    """The rank of the change in a corner of a matrix, and the corner's smaller side; ``None`` where nothing but rounding is there."""
    a, b = (_corner(np, each) for each in (one, other))
    with np.errstate(all="ignore"):
        difference = a - b
        if not np.isfinite(difference).all():
            return None
        noise = sum(
            float(np.square(values).sum()) * ROUNDING[stored.dtype] ** 2 / 3
            for values, stored in ((a, one), (b, other))
        )
        total = float(np.square(difference).sum())
        if total <= 4 * noise or total == 0:
            return None
        if difference.shape[0] > difference.shape[1]:
            difference = difference.T
        energy = np.sort(np.clip(np.linalg.eigvalsh(difference @ difference.T), 0, None))[::-1]
    tail = total - np.cumsum(energy)
    rank = int(np.argmax(tail <= max(_TAIL * total, 2 * noise))) + 1
    return rank, len(energy)


def _corner(np: Any, stored: Stored) -> Any:
    """The first rows, and of them columns at equal distances."""
    rows, columns = stored.shape
    count = min(rows, _SIDE)
    run = stored.run()  # type: ignore[misc] # looked at by the caller
    data = run.take(count * columns * WIDTHS[stored.dtype])
    values = decode_plain(np, stored.dtype, bits(np, stored.dtype, data)).reshape(count, columns)
    step = max(columns // _SIDE, 1)
    return values[:, : step * _SIDE : step].astype(np.float64)
