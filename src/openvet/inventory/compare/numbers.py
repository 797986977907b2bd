"""Two tensors with the same number of values, read once and side by side: are they equal, and if not, what was done to one of them.

Both are read in blocks, so that memory does not grow with them. What says *every* (equal, cast, quantized, pruned, how many values
changed) looks at every value. Norms of large tensors are measured on every eighth block, and what was measured is counted.

NumPy is needed for everything but equality of bytes, and what the compiled loops of :mod:`openvet.inventory.compare.swept` know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from types import ModuleType
from typing import Any, Final, Protocol

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError, UnsupportedError
from openvet.inventory.compare.dtypes import WIDTHS, bits, decode_plain, is_cast, zero_mask
from openvet.inventory.compare.ggml import BLOCKS, Decoded, decode
from openvet.inventory.compare.measured import MOST, Measured, Sums
from openvet.inventory.compare.sweep import LANES
from openvet.inventory.compare.swept import COMPILED, EVERY, MEASURED, STEP, Sweep, can_sweep

__all__ = ["Measured", "Run", "Stored", "Turn", "compare_numbers", "load_numpy"]

#: Steps that are read at once where compiled loops look at them.
_STEPS: Final = 8
#: Values of the rows of one head, which have to be in memory together.
_HEAD: Final = 16 * 1024 * 1024


class Run(Protocol):
    """The bytes of one tensor from its first to its last: row-major, little-endian."""

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""

    def skip(self, size: int) -> None:
        """Leave out ``size`` bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A tensor and where its numbers are.

    Attributes:
        name: as in its file.
        dtype: a word of safetensors' vocabulary, or ggml's.
        shape: outermost first.
        place: the file or member that holds it.
        ggml: whether its name and layout are llama.cpp's.
        run: begins reading it; ``None`` where its numbers cannot be read, and ``why`` says the reason.
        key: what two tensors share that are the same bytes of the same file; '' where that is not known.
        packed: the word for how the file keeps it, where ``run`` gives other numbers than those in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: str
    ggml: bool = False
    run: Callable[[], Run] | None = None
    why: str = ""
    key: str = ""
    packed: str = ""

    @property
    def elements(self) -> int:
        product = 1
        for extent in self.shape:
            product *= extent
        return product


@dataclass(frozen=True, slots=True)
class Turn:
    """What llama.cpp's converter did to a tensor, and is done to the other one's values before they are compared.

    Attributes:
        heads: rows of each head are put into another order (pairs of a rotation beside each other); 0 means none are.
        plus: is added to each value (gemma's norms are stored less one).
    """

    heads: int = 0
    plus: int = 0


def load_numpy() -> ModuleType | None:
    """NumPy, or ``None`` where it is not installed."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def compare_numbers(
    a: Stored, b: Stored, np: Any, turn: Turn | None = None, step: int = STEP, *, swept: bool = COMPILED
) -> Measured:
    """Read two tensors with as many values, and say what one is to the other.

    Args:
        np: NumPy, or a function that loads it where it is needed; without it tensors of one type are compared bit by bit, and no norm is measured.
        turn: what has to be done to the one that is not llama.cpp's.
        swept: whether the compiled loops are used for what they know.

    Raises:
        UnsupportedError: its type is not decoded, or NumPy is needed.
        ReadError: the bytes are not there.
    """
    if a.run is None or b.run is None:
        raise UnsupportedError(a.why or b.why or "its numbers are not read")
    for each in (a, b):
        if each.dtype not in BLOCKS and each.dtype not in WIDTHS:
            raise UnsupportedError(f"numbers of the type {each.dtype} are not known")
        if each.dtype in BLOCKS and (each.shape[-1] if each.shape else 1) % BLOCKS[each.dtype][0]:
            raise MalformedError("its rows do not fill whole blocks")
    if swept and can_sweep(a.dtype, b.dtype) and turn in {None, Turn()}:
        found = _swept(a, b, step)
        if found is None and a.dtype in MEASURED:
            found = _swept(a, b, step, every_norm=True)
        if found is not None:
            return found
    np = np() if callable(np) else np
    if np is None:
        return _without_numpy(a, b, turn, step)
    comparing = _Comparing(np, a, b, turn or Turn(), step)
    with np.errstate(all="ignore"):
        return comparing.all()


def _bytes_of(dtype: str, values: int) -> int:
    if dtype in BLOCKS:
        elements, size = BLOCKS[dtype]
        return values // elements * size
    return values * WIDTHS[dtype]


def _swept(a: Stored, b: Stored, step: int, *, every_norm: bool = False) -> Measured | None:
    """What the compiled loops find; ``None`` where they cannot tell."""
    sweep = Sweep(a.dtype, b.dtype, a.elements, step, every_norm=every_norm)
    one, other = a.run(), b.run()  # type: ignore[misc] # looked at by the caller
    for at in range(0, sweep.values, _STEPS * step):
        count = min(_STEPS * step, sweep.values - at)
        left, right = one.take(_bytes_of(a.dtype, count)), other.take(_bytes_of(b.dtype, count))
        sweep.feed(at, count, memoryview(left), memoryview(right))
        if not sweep.hopeful:
            break
    return sweep.judged()


def _without_numpy(a: Stored, b: Stored, turn: Turn | None, step: int) -> Measured:
    if a.dtype != b.dtype or (turn is not None and turn != Turn()):
        raise UnsupportedError("NumPy is needed for it: pip install 'openvet[numbers]'")
    total = a.elements
    one, other = a.run(), b.run()  # type: ignore[misc] # looked at by the caller
    for at in range(0, total, step):
        size = _bytes_of(a.dtype, min(step, total - at))
        if one.take(size) != other.take(size):
            return Measured(total, "changed", changed=-1)
    return Measured(total)


@dataclass(slots=True)
class _Comparing:
    """Two tensors under way."""

    np: Any
    a: Stored
    b: Stored
    turn: Turn
    step: int
    out: Measured = field(init=False)
    #: roundings by which one may be made of the other; whether one is the other with zeros; a quantization
    casts: dict[str, list[str]] = field(init=False)
    pruned: dict[str, bool] = field(init=False)
    sums: list[tuple[int, int, Sums]] = field(default_factory=list)
    quantized: str = ""

    def __post_init__(self) -> None:
        self.out = Measured(self.a.elements)
        self.casts = {"a": _roundings(self.b.dtype), "b": _roundings(self.a.dtype)}  # by the original
        self.pruned = {"a": True, "b": True}
        if (self.a.dtype in BLOCKS) != (self.b.dtype in BLOCKS):
            self.quantized = "a" if self.b.dtype in BLOCKS else "b"
            self.out.steps = 0.0
        if self.turn.heads:
            rows, columns = self.a.shape[0], self.a.elements // max(self.a.shape[0], 1)
            head = rows // self.turn.heads
            if len(self.a.shape) > 2 or head % 2 or rows % self.turn.heads or not head or head * columns > _HEAD:
                raise UnsupportedError("the rows of its heads cannot be put into llama.cpp's order")
            unit = head * columns
            self.step = max(self.step // unit, 1) * unit

    def all(self) -> Measured:
        """Read both to their ends. Casts are not counted; where one turns out to be none behind the first step, all begins again."""
        found = self._pass()
        if found is None:
            self.casts = {"a": [], "b": []}
            self.pruned = {"a": True, "b": True}
            self.sums = []
            self.out = Measured(self.a.elements, steps=self.out.steps)
            found = self._pass()
        if found is None:
            raise AssertionError("without casts nothing is left open")
        return found

    def _pass(self) -> Measured | None:
        same = self.a.dtype == self.b.dtype and self.turn == Turn()
        total, step = self.out.values, self.step
        every = EVERY if total > EVERY * step else 1
        one, other = self.a.run(), self.b.run()  # type: ignore[misc] # looked at by the caller
        same_so_far = 0
        for number, at in enumerate(range(0, total, step)):
            count = min(step, total - at)
            left, right = one.take(_bytes_of(self.a.dtype, count)), other.take(_bytes_of(self.b.dtype, count))
            if same and left == right:
                if not self.out.changed:
                    same_so_far = at + count
                elif number % every == 0:
                    self._measure_equal(number, left)
            elif same:
                self._same_type(number, left, right, measure=number % every == 0)
            else:
                hoped = bool(self.casts["a"] or self.casts["b"])
                self._other_type(number, left, right, measure=number % every == 0)
                if number and hoped and not self.casts["a"] and not self.casts["b"]:
                    return None
        if same and self.out.changed and same_so_far:
            self._measure_start(same_so_far, every)
        return self._judged(same=same)

    def _measure_start(self, end: int, every: int) -> None:
        """What was the same up to the first difference counts for the norms, and is read for them only now."""
        again = self.a.run()  # type: ignore[misc] # looked at by the caller
        for number, at in enumerate(range(0, end, self.step)):
            size = _bytes_of(self.a.dtype, min(self.step, end - at))
            if number % every:
                again.skip(size)
            else:
                self._measure_equal(number, again.take(size))

    def _judged(self, *, same: bool) -> Measured:
        out = self.out
        out.sum_up(self.sums)
        if same:
            if out.changed:
                made = [side for side in ("a", "b") if self.pruned[side]]
                out.status, out.original = ("pruned", made[0]) if len(made) == 1 else ("changed", "")
            return out
        made = [side for side in ("a", "b") if self.casts[side]]
        if self.a.dtype == self.b.dtype and not out.changed:
            out.status = "equal"  # once its rows are in the same order
        elif made and self.a.dtype != self.b.dtype:
            wide = _wider(self.a.dtype, self.b.dtype)
            out.status, out.original = "cast", wide if wide in made else made[0]
            out.how = "" if self.casts[out.original][0] == "nearest" else self.casts[out.original][0]
        elif self.quantized and not out.outside:
            out.status, out.original = "quantized", self.quantized
        else:
            out.status = "changed"
        return out

    # --- one step ---

    def _same_type(self, number: int, left: bytes, right: bytes, *, measure: bool) -> None:
        np, dtype = self.np, self.a.dtype
        if dtype in BLOCKS:
            values = self._values(left, self.a), self._values(right, self.b)
            self.out.changed += int(np.count_nonzero(values[0].view(np.uint32) != values[1].view(np.uint32))) or 1
            self.pruned = {"a": False, "b": False}
        else:
            one, other = bits(np, dtype, left), bits(np, dtype, right)
            differ = one != other
            self.out.changed += int(np.count_nonzero(differ))
            mask = zero_mask(dtype)
            for side, made in (("a", other), ("b", one)):
                if self.pruned[side] and bool(np.any(differ & ((made & mask) != 0))):
                    self.pruned[side] = False
            if not measure:
                return
            values = decode_plain(np, dtype, left), decode_plain(np, dtype, right)
        if measure:
            self._measure(number, *values)

    def _other_type(self, number: int, left: bytes, right: bytes, *, measure: bool) -> None:
        np = self.np
        raw = [self._raw(left, self.a), self._raw(right, self.b)]
        plus = self.turn.plus
        for side, source, target, made in (("a", 0, 1, self.b.dtype), ("b", 1, 0, self.a.dtype)):
            from_bits, to_bits = raw[source], raw[target]
            stored = (self.a, self.b)[source]
            if not self.casts[side]:
                continue
            if to_bits is None or (plus and not (self.a, self.b)[target].ggml):
                self.casts[side] = []  # a sum has no bits in the file that a cast could have made
                continue
            values = self._plus(decode_plain(np, stored.dtype, from_bits), stored) if from_bits is not None else None
            if values is None:
                values = self._values(left if source == 0 else right, stored)
            self.casts[side] = [how for how in self.casts[side] if is_cast(np, made, values, to_bits, how)]
        hoped = bool(self.casts["a"] or self.casts["b"])
        if hoped and self.a.dtype != self.b.dtype:
            self.out.changed = -1
            if not measure:
                return
        elif self.out.changed < 0:
            self.out.changed = 0  # the first step, or a pass that is given up
        decoded: Decoded | None = None
        values_of = []
        for side, stored, data, as_bits in (("a", self.a, left, raw[0]), ("b", self.b, right, raw[1])):
            if as_bits is None:
                found = self._decoded(data, stored.dtype)
                decoded = found if self.quantized and self.quantized != side else decoded
                values_of.append(found.values.reshape(-1))
            else:
                values_of.append(self._plus(decode_plain(np, stored.dtype, as_bits), stored))
        one, other = values_of
        if self.out.changed >= 0:
            if self.a.dtype == self.b.dtype and raw[0] is not None and raw[1] is not None and not plus:
                self.out.changed += int(np.count_nonzero(raw[0] != raw[1]))
            else:
                neither = (one != one) & (other != other)  # what is no number is not itself
                self.out.changed += int(np.count_nonzero((one != other) & ~neither))
            if decoded is not None:
                self._check_levels(one if self.quantized == "a" else other, decoded)
        if measure:
            self._measure(number, one, other)

    def _raw(self, data: bytes, stored: Stored) -> Any:
        """The bits of plain numbers, in the order that they are compared in; ``None`` for blocks."""
        if stored.dtype in BLOCKS:
            return None
        found = bits(self.np, stored.dtype, data)
        return self._turned(found, stored) if self.turn.heads and not stored.ggml else found

    def _plus(self, values: Any, stored: Stored) -> Any:
        return values + values.dtype.type(self.turn.plus) if self.turn.plus and not stored.ggml else values

    def _decoded(self, data: bytes, dtype: str) -> Decoded:
        found = decode(self.np, dtype, data)
        if found is None:
            raise UnsupportedError(f"blocks of the type {dtype} are not decoded")
        return found

    def _values(self, data: bytes, stored: Stored) -> Any:
        if stored.dtype in BLOCKS:
            return self._decoded(data, stored.dtype).values.reshape(-1)
        return decode_plain(self.np, stored.dtype, data)

    def _turned(self, values: Any, stored: Stored) -> Any:
        """Rows of whole heads in llama.cpp's order: the two halves of each head by turns."""
        rows = stored.shape[0] // self.turn.heads
        columns = stored.elements // stored.shape[0]
        return values.reshape(-1, 2, rows // 2, columns).swapaxes(1, 2).reshape(-1)

    def _check_levels(self, original: Any, decoded: Decoded) -> None:
        """Whether rounding puts each value where it is."""
        np = self.np
        original = original.reshape(decoded.values.shape)
        error = original - decoded.values
        step = np.abs(decoded.step)
        size = np.abs(original)
        # what comes of dividing in 32 bits, and of a file in 16 bits on the way (a converter writes F16 first)
        may = decoded.room()
        room = step * 0.50001 + may.slack + (size + np.abs(decoded.values)) * 2.0**-21
        dtype = self.a.dtype if self.quantized == "a" else self.b.dtype
        if dtype != "F16":
            room = room + (size * 2.0**-11 if dtype != "BF16" else 0.0) + 2.0**-25
        far = np.abs(error)
        good = far <= room
        if not good.all():
            upwards = (error > 0) == (decoded.step > 0)
            flat = step == 0
            top = (flat | ((decoded.places == decoded.most) & upwards)) & (far <= room + may.above)
            bottom = (flat | ((decoded.places == decoded.least) & ~upwards)) & (far <= room + may.below)
            self.out.outside += int(np.count_nonzero(~(good | top | bottom)))
        ratio = far / step
        most = float(np.max(np.where(np.isfinite(ratio), ratio, 0), initial=0.0))
        self.out.steps = max(self.out.steps or 0.0, most)

    # --- norms ---

    def _measure_equal(self, number: int, data: bytes) -> None:
        values = self._values(data, self.a)
        self._measure(number, values, values)

    def _measure(self, number: int, one: Any, other: Any) -> None:
        np, same = self.np, one is other
        count = int(one.size)
        one = one.astype(np.float64)
        other = one if same else other.astype(np.float64)
        finite = np.isfinite(one) & np.isfinite(other)
        lost = (0, 0)
        if not finite.all():
            lost = (int(np.count_nonzero(~np.isfinite(one))), int(np.count_nonzero(~np.isfinite(other))))
            one = np.where(finite, one, 0.0)
            other = np.where(finite, other, 0.0)
        apart = other - one
        sums = [_square(np, each) for each in ((one,) if same else (one, other, apart))]
        if same:
            sums = [sums[0], sums[0], 0.0]
        largest = 0.0 if same else float(np.max(np.abs(apart), initial=0.0))
        self.sums.append((number, count, (sums[0], sums[1], sums[2], largest, *lost)))


def _square(np: Any, values: Any) -> float:
    """The sum of the squares, added up in lanes beside each other and these in pairs: as :func:`openvet.inventory.compare.sweep.norms` does."""
    squares = np.zeros((values.size + LANES - 1) // LANES * LANES)
    np.multiply(values, values, out=squares[: values.size])
    lanes = squares.reshape(-1, LANES).sum(axis=0)
    while lanes.size > 1:
        half = lanes.size // 2
        lanes = lanes[:half] + lanes[half:]
    return min(MOST, float(lanes[0]))


def _roundings(target: str) -> list[str]:
    if target in BLOCKS:
        return []
    return ["nearest", "truncated"] if target == "BF16" else ["nearest"]


def _wider(a: str, b: str) -> str:
    """The side that can tell more numbers apart."""
    return "a" if WIDTHS.get(a, 0) > WIDTHS.get(b, 0) else "b" if WIDTHS.get(b, 0) > WIDTHS.get(a, 0) else ""
