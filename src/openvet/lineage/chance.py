"""How likely it is that two models agree by chance.

A model's features (channels of the residual stream, neurons, heads' channels) have no order: training from a random start treats them
all alike, so a model whose features are in any other order was just as likely. Where two models have nothing to do with each other,
the order of one's features is therefore random with respect to the other's. That is the null hypothesis; nothing is supposed about how
weights are distributed.

Let ``a_r`` and ``b_r`` be corresponding vectors of both, each less its mean and of length one, and ``G`` the sum of their outer
products. The statistic is ``S = sum of a_r . b_r``, the trace of ``G``. Over all orders of ``n`` features, the same one for all vectors,

    mean of S = 0,    variance of S = |G|^2 / (n - 1)

with the Frobenius norm (W. Hoeffding, "A combinatorial central limit theorem", 1951). ``z`` is ``S`` by the root of that variance.
A deviation of ``z`` or more has a probability of at most ``1 / (1 + z^2)`` whatever the distribution is (Cantelli); the normal law, to which
it tends, would say far less. The larger number is the one that is told.

Where it has to be found first which vector belongs to which, half of the features choose and the other half are counted: what was
chosen by other numbers is no choice of these.

The idea of asking with random orders of features is that of S. Zhu and others, "Independence Tests for Language Models" (arXiv
2502.12292); the closed form and the halves are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, Final

from openvet.core.dataclass import dataclass

__all__ = ["Agreement", "agree", "product", "unit"]

#: Products of so many numbers are made by one thread (OpenBLAS: 4 x 65,536).
_SMALL: Final = 262_144
_ROWS: Final = 64
_INNER: Final = 128


@dataclass(frozen=True, slots=True)
class Agreement:
    """What pairs of vectors say together.

    Attributes:
        vectors: how many pairs.
        mean: of their correlations.
        z: how many standard deviations their sum lies above what random orders give.
    """

    vectors: int = 0
    mean: float = 0.0
    z: float = 0.0

    @property
    def p(self) -> float:
        """At most how likely that is by chance."""
        return 1.0 / (1.0 + self.z * self.z) if self.z > 0 else 1.0


def unit(np: Any, values: Any) -> Any:
    """Vectors (one a row) less their means and of length one, 32-bit floats; a flat one becomes zeros."""
    out = values.astype(np.float32)
    out -= out.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", out, out))[:, None]
    return np.divide(out, length, out=np.zeros_like(out), where=length > 1e-12)


def agree(np: Any, *groups: Sequence[tuple[Any, Any]]) -> Agreement:
    """The agreement of corresponding rows of all pairs of matrices, which :func:`unit` made.

    Args:
        groups: each a list of pairs. Pairs of a group that have as many columns share one random order, and those of other lengths have
            orders of their own. Rows and columns of one matrix hold the same numbers, and are groups of their own: whatever they have to
            do with each other, the deviation of their sum is at most the sum of their deviations.
    """
    total, deviation, vectors = 0.0, 0.0, 0
    for group in groups:
        by_length: dict[int, list[tuple[Any, Any]]] = {}
        for a, b in group:
            if len(a):
                by_length.setdefault(a.shape[1], []).append((a, b))
        variance = 0.0
        for length, pairs in by_length.items():
            a = np.concatenate([each for each, _ in pairs]) if len(pairs) > 1 else pairs[0][0]
            b = np.concatenate([each for _, each in pairs]) if len(pairs) > 1 else pairs[0][1]
            vectors += len(a)
            total += float(np.einsum("ij,ij->", a, b, dtype=np.float64))
            variance += _square_of_outer(np, a, b) / max(length - 1, 1)
        deviation += sqrt(variance)
    if not vectors or deviation <= 0:
        return Agreement(vectors)
    return Agreement(vectors, total / vectors, total / deviation)


def _square_of_outer(np: Any, a: Any, b: Any) -> float:
    """The squared norm of the sum of outer products, by the smaller of the products that give it."""
    if len(a) > a.shape[1]:
        return float(np.square(product(np, a.T, b.T), dtype=np.float64).sum())
    return max(float((product(np, a, a) * product(np, b, b)).sum(dtype=np.float64)), 0.0)


def product(np: Any, a: Any, b: Any) -> Any:
    """Every row of ``a`` by every row of ``b``.

    It is made of small products. A large one would have BLAS start threads, which on a machine that does something else too wait for
    each other longer than the whole takes.
    """
    rows, inner = a.shape
    if inner > _INNER:  # add up what parts of the rows give
        out = product(np, a[:, :_INNER], b[:, :_INNER])
        for at in range(_INNER, inner, _INNER):
            out += product(np, a[:, at : at + _INNER], b[:, at : at + _INNER])
        return out
    wide = max(_SMALL // (_ROWS * max(inner, 1)), 1)
    out = np.empty((rows, len(b)), np.float32)
    one, other = _blocks(np, a, _ROWS), _blocks(np, b, wide).transpose(0, 2, 1)
    for at, block in enumerate(one):
        made = np.matmul(block, other)  # blocks x rows x wide
        count = min(_ROWS, rows - at * _ROWS)
        out[at * _ROWS : at * _ROWS + count] = made.transpose(1, 0, 2).reshape(_ROWS, -1)[:count, : len(b)]
    return out


def _blocks(np: Any, values: Any, size: int) -> Any:
    """Rows in blocks of ``size``, the last one filled up with zeros."""
    count = -(-len(values) // size)
    out = np.zeros((count * size, values.shape[1]), np.float32)
    out[: len(values)] = values
    return out.reshape(count, size, values.shape[1])
