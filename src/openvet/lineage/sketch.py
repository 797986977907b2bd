"""The sketch of one tensor: a few of its rows and columns, norms of some rows, and some values as they are.

A tensor of more than two extents is taken as output x input x the rest. A row runs along the inputs, and a column along the outputs:
features that training does not tell apart, so that a random order of them is as good as any other. Statistics rest on that
(:mod:`openvet.lineage.chance`).

Half of the rows are at places that the extent decides (:mod:`openvet.lineage.places`), and half are those with the largest norms over
the first columns, which are the same rows also where somebody put them into another order. Columns alike.
"""

from __future__ import annotations

from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import UnsupportedError
from openvet.evidence.predicates.fingerprint_v1 import TensorSketch, Vectors, pack
from openvet.inventory.compare.dtypes import WIDTHS, bits, decode_plain
from openvet.inventory.compare.ggml import BLOCKS, decode
from openvet.inventory.compare.numbers import Run, Stored
from openvet.lineage.places import LARGEST, Places

__all__ = ["LENGTH", "PROBE", "SHORTEST", "fold", "is_sketched", "sketch_tensor"]

#: Part of the recipe: values of a vector, and the fewest that say something.
LENGTH: Final = 128
SHORTEST: Final = 32
#: Values that are kept as they are: a square of so many rows and columns.
PROBE: Final = 8
#: Columns that the norms are of by which rows are chosen, and the other way round.
_WIDE: Final = 256
_CUT: Final = 4.0
_STEPS: Final = 127
#: Bytes that are read at once.
_CHUNK: Final = 1024 * 1024
#: A table that is looked up in: its rows have an order of their own, and nobody shuffles them.
_TABLE_ROWS: Final = 4_096
_TABLE: Final = 8
_PLAIN: Final = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I8", "U8"})


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Vectors as floats, one a row, and which ones they are."""

    index: Any
    values: Any


def fold(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Outputs, inputs and the product of the rest."""
    rest = 1
    for each in shape[2:]:
        rest *= each
    return shape[0], shape[1], rest


def is_sketched(stored: Stored) -> str:
    """Why a tensor is not sketched; '' where it is, and ``-`` where it is none of which anybody expects it (a bias, a counter)."""
    if len(stored.shape) < 2 or min(stored.shape) < 1:
        return "-"
    outputs, inputs, rest = fold(stored.shape)
    if max(outputs, inputs) < SHORTEST:
        return "-"
    if stored.run is None:
        return stored.why or "its numbers are not read"
    if stored.dtype not in BLOCKS:
        return "" if stored.dtype in _PLAIN and max(outputs, inputs * rest) <= LARGEST else "-" if stored.dtype in WIDTHS else f"numbers of the type {stored.dtype} are not known"  # fmt: skip
    if max(outputs, inputs * rest) > LARGEST:
        return "it has too many rows or columns"
    if stored.shape[-1] % BLOCKS[stored.dtype][0]:
        return "its rows do not fill whole blocks"
    return ""


def sketch_tensor(np: Any, stored: Stored, places: Places, each: int, heads: int = 0) -> TensorSketch:
    """Read a tensor once and sketch it.

    Args:
        each: how many rows and columns of each choice.
        heads: of how many heads the rows are in llama.cpp's order; they are taken as if they were in the order of others.

    Raises:
        UnsupportedError: its type is not decoded.
        ReadError: the bytes are not there.
    """
    with np.errstate(all="ignore"):
        return _Sketching(np, stored, places, each, heads).all()


class _Sketching:
    """One tensor under way."""

    def __init__(self, np: Any, stored: Stored, places: Places, each: int, heads: int) -> None:
        self.np, self.stored, self.places, self.each = np, stored, places, each
        self.outputs, self.inputs, self.rest = fold(stored.shape)
        self.width = self.inputs * self.rest
        self.line = self._nbytes(self.width)
        self.sampled = places.first(self.outputs, min(LENGTH, self.outputs))
        #: row of the file of each row, where they differ
        self.moved = _turned(np, self.outputs, heads)
        table = self.outputs > _TABLE_ROWS and self.outputs > _TABLE * self.width
        self.energy = None if table else np.zeros(self.outputs, np.float32)

    def all(self) -> TensorSketch:
        np, stored = self.np, self.stored
        some = self._read()
        finite = np.isfinite(some)
        lost = int(some.size - np.count_nonzero(finite))
        rows = columns = norms = None
        if self.inputs >= SHORTEST:
            rows = self._packed(self._rows(some))
            if lost == 0 and len(self.sampled) >= SHORTEST:
                squares = np.square(some, dtype=np.float64).sum(axis=1)
                norms = pack(np.log2(np.maximum(np.sqrt(squares), 1e-30)).astype("<f4").tobytes())
        if self.outputs >= SHORTEST:
            columns = self._packed(self._columns(some))
        square = some[:PROBE][:, self.places.first(self.width, min(PROBE, self.width))]
        zeros = float(np.count_nonzero(some == 0)) / some.size
        return TensorSketch(
            stored.name, stored.packed or stored.dtype, stored.shape, stored.ggml, f"{zeros:.4f}".rstrip("0").rstrip(".") or "0", lost,
            pack(np.ascontiguousarray(square, "<f4").tobytes()), rows, columns, norms,
        )  # fmt: skip

    # --- reading ---

    def _nbytes(self, values: int) -> int:
        if self.stored.dtype in BLOCKS:
            elements, size = BLOCKS[self.stored.dtype]
            return values // elements * size
        return values * WIDTHS[self.stored.dtype]

    def _read(self) -> Any:
        """The sampled rows whole, in their order; on the way the norms of all rows over the first columns."""
        np = self.np
        wanted = self.sampled if self.moved is None else self.moved[self.sampled]
        order = np.argsort(wanted, kind="stable")
        run: Run = self.stored.run()  # type: ignore[misc] # looked at by the caller
        out = np.empty((len(wanted), self.width), np.float32)
        if self.energy is None:
            self._some(run, wanted[order], order, out)
            return out
        step = max(_CHUNK // max(self.line, 1), 1)
        ahead = wanted[order]
        for start in range(0, self.outputs, step):
            count = min(step, self.outputs - start)
            lines = np.frombuffer(run.take(count * self.line), np.uint8).reshape(count, self.line)
            self.energy[start : start + count] = self._energy_of(lines)
            low, high = np.searchsorted(ahead, start), np.searchsorted(ahead, start + count)
            if low < high:
                out[order[low:high]] = self._decoded(np.ascontiguousarray(lines[ahead[low:high] - start]), self.width)
        return out

    def _some(self, run: Run, rows: Any, targets: Any, out: Any) -> None:
        """Only ``rows`` of the file, which are in order."""
        np, at = self.np, 0
        step = max(_CHUNK // max(self.line, 1), 1)
        for start in range(0, len(rows), step):
            lines = []
            for row in rows[start : start + step].tolist():
                run.skip((row - at) * self.line)
                lines.append(run.take(self.line))
                at = row + 1
            out[targets[start : start + step]] = self._decoded(np.frombuffer(b"".join(lines), np.uint8), self.width)

    def _energy_of(self, lines: Any) -> Any:
        np, dtype = self.np, self.stored.dtype
        if dtype in BLOCKS:
            elements, size = BLOCKS[dtype]
            blocks = max(min(self.width, _WIDE) // elements, 1)
            first = self._decoded(np.ascontiguousarray(lines[:, : blocks * size]), blocks * elements)
        else:
            first = decode_plain(np, dtype, bits(np, dtype, lines).reshape(len(lines), -1)[:, :_WIDE])
        return np.einsum("ij,ij->i", first, first)

    def _decoded(self, data: Any, width: int) -> Any:
        np, dtype = self.np, self.stored.dtype
        if dtype in BLOCKS:
            found = decode(np, dtype, data)
            if found is None:
                raise UnsupportedError(f"blocks of the type {dtype} are not decoded")
            return found.values.reshape(-1, width)
        return decode_plain(np, dtype, bits(np, dtype, data)).astype(np.float32, copy=False).reshape(-1, width)

    # --- choosing ---

    def _rows(self, some: Any) -> _Chosen:
        np = self.np
        along = self.places.first(self.inputs, min(LENGTH, self.inputs))
        first = self.sampled[: self.each]
        index, whole = first, some[: len(first)]
        if self.energy is not None:
            energy = self.energy if self.moved is None else self.energy[self.moved]
            largest = _largest(np, energy, first, self.each)
            if len(largest):
                files = largest if self.moved is None else self.moved[largest]
                order = np.argsort(files, kind="stable")
                more = np.empty((len(files), self.width), np.float32)
                self._some(self.stored.run(), files[order], order, more)  # type: ignore[misc]
                index, whole = np.concatenate((first, largest)), np.concatenate((whole, more))
        # of a kernel one position, which the row decides
        at = along[None, :] * self.rest + (index % self.rest)[:, None]
        return _Chosen(index, np.take_along_axis(whole, at, axis=1))

    def _columns(self, some: Any) -> _Chosen:
        np = self.np
        first = self.places.first(self.width, min(self.each, self.width))
        energy = np.einsum("ij,ij->j", some, some)
        index = np.concatenate((first, _largest(np, energy, first, self.each)))
        return _Chosen(index, np.ascontiguousarray(some[:, index].T))

    def _packed(self, chosen: _Chosen) -> Vectors | None:
        """What is finite and not flat, in bytes."""
        np = self.np
        values = chosen.values.astype(np.float64)
        mean = values.mean(axis=1)
        values -= mean[:, None]
        scale = np.sqrt(np.square(values).mean(axis=1))
        good = np.isfinite(scale) & (scale > np.abs(mean) * 1e-6) & (scale > 1e-30) & (scale < 1e30)
        if not good.any():
            return None
        values, mean, scale = values[good], mean[good], scale[good]
        steps = np.rint(np.clip(values / scale[:, None], -_CUT, _CUT) * (_STEPS / _CUT)).astype(np.int8)
        return Vectors(
            pack(chosen.index[good].astype("<u4").tobytes()),
            pack(mean.astype("<f4").tobytes()),
            pack(scale.astype("<f4").tobytes()),
            pack(steps.tobytes()),
        )


def _largest(np: Any, energy: Any, without: Any, count: int) -> Any:
    """The indices of the ``count`` largest, the largest first, and of equal ones the first; none of ``without``."""
    held = np.where(np.isfinite(energy), energy, -1.0)
    held[without] = -1.0
    count = min(count, len(held))
    if count < len(held):
        edge = np.partition(held, len(held) - count)[len(held) - count]
        chosen = np.flatnonzero(held >= max(edge, 0.0))
    else:
        chosen = np.flatnonzero(held >= 0)
    return chosen[np.lexsort((chosen, -held[chosen]))][:count]


def _turned(np: Any, rows: int, heads: int) -> Any:
    """Where llama.cpp puts each row: the two halves of each head by turns."""
    if not heads or rows % heads or rows // heads % 2:
        return None
    size = rows // heads
    within = np.arange(size)
    place = within % (size // 2) * 2 + within // (size // 2)
    return (np.arange(heads)[:, None] * size + place[None, :]).reshape(-1)
