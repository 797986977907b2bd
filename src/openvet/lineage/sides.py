"""A fingerprint taken apart: its numbers as arrays, each checked against the shape of its tensor, since anybody may have written it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import MalformedError, UnsupportedError
from openvet.evidence.predicates.fingerprint_v1 import RECIPE, FingerprintV1, TensorSketch, Vectors, unpack
from openvet.lineage.chance import unit
from openvet.lineage.fingerprint import TENSORS, VECTORS
from openvet.lineage.places import LARGEST
from openvet.lineage.sketch import LENGTH, PROBE, SHORTEST, fold

__all__ = ["Matrix", "Set", "Side", "open_side"]

#: Vectors of one choice of one tensor at most; what we write has far fewer.
_MOST: Final = 4_096
#: The same of all tensors together, and about the characters of one index in base64.
_ALL: Final = 4 * VECTORS
_INDEX: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """Rows or columns: which ones, in order, and each less its mean and of length one."""

    index: Any
    units: Any


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """One tensor of a side.

    Attributes:
        name, dtype, shape, ggml: as in the sketch.
        extents: outputs, inputs and the rest.
        sets: ``rows`` and ``columns``, as far as they are there.
        norms: of the sampled rows, or ``None``.
        probe: values as they are.
        zeros: share.
        whole: whether every number that was looked at is finite.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    ggml: bool
    extents: tuple[int, int, int]
    sets: dict[str, Set]
    norms: Any
    probe: Any
    zeros: float
    whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the models that are compared: its matrices in order of their names."""

    matrices: tuple[Matrix, ...]

    def named(self) -> dict[str, Matrix]:
        return {each.name: each for each in self.matrices}

    @property
    def ggml(self) -> bool:
        return any(each.ggml for each in self.matrices)


def open_side(np: Any, fingerprint: FingerprintV1) -> Side:
    """Take a fingerprint apart.

    Raises:
        UnsupportedError: it was made by another recipe.
        MalformedError: its numbers do not fit its shapes, or are none.
    """
    if fingerprint.recipe != RECIPE:
        raise UnsupportedError(
            f"the fingerprint was made by another recipe ({printable(fingerprint.recipe)[:60]}), and cannot be compared"
        )
    if len(fingerprint.tensors) > TENSORS:
        raise MalformedError(f"the fingerprint has more than {TENSORS} tensors")
    vectors = sum(
        len(each.index) for one in fingerprint.tensors for each in (one.rows, one.columns) if each is not None
    )
    if vectors > _ALL * _INDEX:
        raise MalformedError(f"the fingerprint has more than {_ALL} rows and columns")
    names = {each.name for each in fingerprint.tensors}
    if len(names) < len(fingerprint.tensors):
        raise MalformedError("the fingerprint has two tensors of one name")
    return Side(tuple(_matrix(np, each) for each in fingerprint.tensors))


def _matrix(np: Any, sketch: TensorSketch) -> Matrix:
    outputs, inputs, rest = fold(sketch.shape)
    if max(outputs, inputs * rest) > LARGEST:
        raise _malformed(sketch, "is larger than what is sketched")
    sets = {}
    for name, vectors, length, extent in (
        ("rows", sketch.rows, inputs, outputs),
        ("columns", sketch.columns, outputs, inputs * rest),
    ):
        if vectors is not None:
            if length < SHORTEST:
                raise _malformed(sketch, f"has {name} that are too short")
            sets[name] = _set(np, sketch, vectors, min(length, LENGTH), extent)
    norms = None
    if sketch.norms is not None:
        norms = _floats(np, sketch, sketch.norms, min(LENGTH, outputs))
        if not np.isfinite(norms).all():
            raise _malformed(sketch, "has norms that are no numbers")
    probe = _floats(np, sketch, sketch.probe, min(PROBE, outputs) * min(PROBE, inputs * rest))
    whole = sketch.not_finite == 0 and bool(np.isfinite(probe).all())
    with np.errstate(invalid="ignore"):  # numbers that signal where they are none become ones that do not
        wide = probe.astype(np.float64)
    return Matrix(
        sketch.name, sketch.dtype, sketch.shape, sketch.ggml, (outputs, inputs, rest), sets, norms,
        wide, float(sketch.zeros), whole,
    )  # fmt: skip


def _set(np: Any, sketch: TensorSketch, vectors: Vectors, length: int, extent: int) -> Set:
    index = np.frombuffer(_bytes(sketch, vectors.index, 4), "<u4").astype(np.int64)
    count = len(index)
    if not 0 < count <= _MOST or int(index.max()) >= extent or len(np.unique(index)) < count:
        raise _malformed(sketch, "has rows or columns that the tensor does not have, or one twice")
    for each in (vectors.mean, vectors.scale):
        numbers = _floats(np, sketch, each, count)
        if not np.isfinite(numbers).all():
            raise _malformed(sketch, "has scales that are no numbers")
    values = np.frombuffer(_bytes(sketch, vectors.values, 1), np.int8)
    if len(values) != count * length:
        raise _malformed(sketch, "has values that do not fit its shape")
    order = np.argsort(index)
    return Set(index[order], unit(np, values.reshape(count, length)[order]))


def _floats(np: Any, sketch: TensorSketch, text: str, count: int) -> Any:
    data = _bytes(sketch, text, 4)
    if len(data) != 4 * count:
        raise _malformed(sketch, "has numbers that do not fit its shape")
    return np.frombuffer(data, "<f4")


def _bytes(sketch: TensorSketch, text: str, size: int) -> bytes:
    data = unpack(text)
    if len(data) % size:
        raise _malformed(sketch, "has half a number")
    return data


def _malformed(sketch: TensorSketch, what: str) -> MalformedError:
    return MalformedError(f"the fingerprint's tensor {printable(sketch.name)[:100]} {what}")


def all_sets(matrix: Matrix) -> Iterator[tuple[str, Set]]:
    """Rows and columns, as far as they are there."""
    yield from matrix.sets.items()
