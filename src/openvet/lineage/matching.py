"""Which vectors of two models belong together: those of one name and place, and those that look like each other wherever they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.inventory.compare.names import pair
from openvet.lineage.chance import Agreement, agree, product, unit
from openvet.lineage.sides import Matrix, Side

__all__ = ["Aligned", "Searched", "align", "norms_agree", "search"]

#: A tensor agrees by itself from here on: its mean correlation and its z.
TENSOR_MEAN: Final = 0.2
TENSOR_Z: Final = 6.0
#: A vector is taken for another one's when half of their features correlate as much, and neither is nearer to a third.
_LIKE: Final = 0.5
#: Vectors of one shape that are held against each other at most.
_MOST: Final = 8_192
#: Kinds of tensors whose rows have no order of their own.
_FREE_ROWS: Final = frozenset({"mlp"})


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """What tensors of one name say.

    Attributes:
        whole: all of them together.
        tensors: name in A -> (its counterpart, what it says), for those that can be compared.
        renamed: whether names had to be turned for that.
        unlike: names in A with a counterpart of another shape.
        alone: names in A without a counterpart.
    """

    whole: Agreement
    tensors: Mapping[str, tuple[Matrix, Matrix, Agreement]]
    renamed: bool
    unlike: tuple[str, ...]
    alone: tuple[str, ...]

    def agreeing(self) -> tuple[str, ...]:
        """Names in A of the tensors that agree, each by itself."""
        return tuple(
            name for name, (_, _, each) in self.tensors.items() if each.mean >= TENSOR_MEAN and each.z >= TENSOR_Z
        )


def align(np: Any, a: Side, b: Side) -> Aligned:
    """Compare tensors that have one name, at the places that both took."""
    of_a, of_b = a.named(), b.named()
    names = pair(list(of_a), list(of_b), ggml_a=a.ggml, ggml_b=b.ggml)
    tensors: dict[str, tuple[Matrix, Matrix, Agreement]] = {}
    unlike: list[str] = []
    everything: tuple[list[Any], list[Any]] = ([], [])
    for name, other in names.items():
        one, two = of_a[name], of_b[other]
        pairs = _common(np, one, two)
        if not any(pairs):
            unlike.append(name)
            continue
        for held, fresh in zip(everything, pairs, strict=True):
            held.extend(fresh)
        tensors[name] = (one, two, agree(np, *pairs))
    alone = tuple(name for name in of_a if name not in names)
    return Aligned(agree(np, *everything), tensors, any(x != y for x, y in names.items()), tuple(unlike), alone)


def _common(np: Any, one: Matrix, two: Matrix) -> tuple[list[Any], list[Any]]:
    """Rows of both that run along as many inputs, and columns along as many outputs: those of the same numbers."""
    out: tuple[list[Any], list[Any]] = ([], [])
    for held, (name, along) in zip(out, (("rows", 1), ("columns", 0)), strict=True):
        a, b = one.sets.get(name), two.sets.get(name)
        if a is None or b is None or one.extents[along] != two.extents[along] or one.extents[2] != two.extents[2]:
            continue
        _, left, right = np.intersect1d(a.index, b.index, assume_unique=True, return_indices=True)
        if len(left):
            held.append((a.units[left], b.units[right]))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What was found by looking everywhere.

    Attributes:
        found: over vectors that look like each other by one half of their features: what the other half says.
        tensors: name in A -> (name in B where most of its vectors were found, how many, how many were looked for).
        moved: name in A -> how many of its vectors were found at another place, of those tensors where most of them were.
    """

    found: Agreement
    tensors: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Stack:
    """All vectors of one shape and choice of one side."""

    names: list[str]
    which: Any
    index: Any
    units: Any


def search(np: Any, a: Side, b: Side, only: Sequence[str] | None = None) -> Searched:
    """Look for every vector of A among those of B that run along as many features in tensors of the same shape.

    Args:
        only: names in A that are looked for; ``None`` for all.
    """
    wanted = None if only is None else frozenset(only)
    stacks = [_stacks(np, side, wanted if side is a else None) for side in (a, b)]
    pairs: dict[str, list[Any]] = {"rows": [], "columns": []}
    votes: dict[str, Counter[str]] = {}
    looked: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    for key, one in stacks[0].items():
        looked.update(one.names[each] for each in one.which.tolist())
        two = stacks[1].get(key)
        if two is None:
            continue
        halves = [[unit(np, each.units[:, at::2]) for at in (0, 1)] for each in (one, two)]
        like = product(np, halves[0][0], halves[1][0])
        best, back = like.argmax(axis=1), like.argmax(axis=0)
        rows = np.arange(len(best))
        taken = rows[(like[rows, best] >= _LIKE) & (back[best] == rows)]
        if not len(taken):
            continue
        partners = best[taken]
        pairs[key[0]].append((halves[0][1][taken], halves[1][1][partners]))
        other = one.index[taken] != two.index[partners]
        moved.update(one.names[each] for each in one.which[taken[other]].tolist())
        for left, right in zip(one.which[taken].tolist(), two.which[partners].tolist(), strict=True):
            votes.setdefault(one.names[left], Counter())[two.names[right]] += 1
    tensors = {}
    for name in sorted(votes):
        other, count = min(votes[name].items(), key=lambda item: (-item[1], item[0]))
        tensors[name] = (other, count, looked[name])
    turned = {name: moved[name] for name, (_, count, _) in tensors.items() if 2 * moved[name] > count}
    return Searched(agree(np, *pairs.values()), tensors, turned)


def _stacks(np: Any, side: Side, wanted: frozenset[str] | None) -> dict[tuple[str, tuple[int, int, int]], _Stack]:
    grouped: dict[tuple[str, tuple[int, int, int]], list[tuple[str, Any, Any]]] = {}
    for matrix in side.matrices:
        if wanted is None or matrix.name in wanted:
            for name, each in matrix.sets.items():
                grouped.setdefault((name, matrix.extents), []).append((matrix.name, each.index, each.units))
    out = {}
    for key, group in grouped.items():
        names = [name for name, _, _ in group]
        which = np.repeat(np.arange(len(group)), [len(index) for _, index, _ in group])[:_MOST]
        index = np.concatenate([index for _, index, _ in group])[:_MOST]
        out[key] = _Stack(names, which, index, np.concatenate([units for _, _, units in group])[:_MOST])
    return out


def norms_agree(np: Any, aligned: Aligned) -> Agreement:
    """Whether the norms of rows go together, where rows have no order of their own.

    A norm stays what it is when the features that a row runs along are put into another order or turned by a rotation.
    """
    from openvet.inventory.compare.names import kind_of

    pairs = []
    for name, (one, two, _) in aligned.tensors.items():
        if (
            kind_of(name) in _FREE_ROWS
            and one.norms is not None
            and two.norms is not None
            and one.extents == two.extents
        ):
            left, right = (unit(np, each[None, :]) for each in (one.norms, two.norms))
            if left.any() and right.any():
                pairs.append((left, right))
    return agree(np, pairs)
