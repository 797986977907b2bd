"""The blocks of ggml's quantized types as numbers, and how far a number may lie from what it was rounded to.

Each block is a short run of levels: a number is stored as the place of the nearest one. What is decoded is what ggml decodes
(``dequantize_row_*`` of ``ggml-quants.c``, https://github.com/ggml-org/ggml), in the same order of operations in 32 bits. How far the
original may lie away follows from how ggml rounds (``quantize_row_*_ref``):

* between the ends of a block no further than half a step: with another number another level would have been nearer;
* at an end a block may be cut: of Q4_0 and Q5_0 by up to one step (the largest number decides the scale, and its opposite has no level),
  of the K types by what their search for a scale, and the 6 bits in which that is stored, leave outside;
* the scales of the older types are rounded to 16 bits after the places were chosen: half a unit of these for each step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.formats._ggml import GGML_TYPES

__all__ = ["BLOCKS", "Decoded", "decode"]

#: Type -> (elements, bytes) of a block.
BLOCKS: Final = {name: (elements, size) for name, elements, size in GGML_TYPES.values() if elements > 1}
#: Of the K types' search for a scale: how many steps it may leave outside of a block's ends.
_CUT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Room:
    """How far an original may lie away from what it was rounded to, beside half a step; no less than 0.

    Attributes:
        below, above: beyond the ends.
        slack: what rounding of the scales adds anywhere.
    """

    below: Any
    above: Any
    slack: Any


@dataclass(frozen=True, slots=True)
class Decoded:
    """Numbers of some blocks, one row a block; everything but ``values`` and ``places`` may be broadcast over a row.

    Attributes:
        values: 32-bit floats.
        step: from one level to the next one; negative where the levels run downwards.
        places: which level each number is.
        least, most: the places of the ends.
        room: gives how far an original may lie away beside half a step; who wants the numbers alone does not pay for it.
    """

    values: Any
    step: Any
    places: Any
    least: int
    most: int
    room: Callable[[], Room]


def decode(np: Any, dtype: str, data: Any) -> Decoded | None:
    """The numbers in ``data``, bytes of whole blocks; ``None`` for a type whose blocks are not decoded here.

    Args:
        np: NumPy.
    """
    reader = _READERS.get(dtype)
    if reader is None:
        return None
    blocks = np.frombuffer(data, np.uint8).reshape(-1, BLOCKS[dtype][1])
    with np.errstate(all="ignore"):  # a scale may be anything that 16 bits can say
        return reader(np, blocks)


def _half(np: Any, blocks: Any, start: int) -> Any:
    """16-bit floats at ``start`` of each block, as 32-bit ones in a column."""
    return np.ascontiguousarray(blocks[:, start : start + 2]).view("<f2").astype(np.float32)


def _unit(np: Any, scale: Any) -> Any:
    """Half of the distance to the next 16-bit float."""
    return np.spacing(np.abs(scale).astype(np.float16)).astype(np.float32) / 2


def _nibbles(np: Any, packed: Any) -> Any:
    """Low halves of all bytes of a row, then the high ones."""
    rows, half = packed.shape
    out = np.empty((rows, 2 * half), np.uint8)
    np.bitwise_and(packed, 15, out=out[:, :half])
    np.right_shift(packed, 4, out=out[:, half:])
    return out


def _fifth(np: Any, blocks: Any, start: int) -> Any:
    bits = np.unpackbits(np.ascontiguousarray(blocks[:, start : start + 4]), axis=1, bitorder="little")
    return _nibbles(np, blocks[:, start + 4 :]) | (bits << 4)


def _centred(np: Any, scale: Any, places: Any, middle: int, most: int, cut: float) -> Decoded:
    """Levels around zero: ``(place - middle) * scale``."""
    numbers = places.astype(np.float32)
    numbers -= np.float32(middle)

    def room() -> Room:
        return Room(0.0, np.abs(scale) * np.float32(cut), np.abs(numbers) * _unit(np, scale))

    return Decoded(numbers * scale, scale, places, 0, most, room)


def _from_least(np: Any, scale: Any, least: Any, places: Any, most: int) -> Decoded:
    """Levels from a least number upwards: ``place * scale + least``."""
    values = places.astype(np.float32)
    values *= scale
    values += least

    def room() -> Room:
        return Room(0.0, 0.0, places * _unit(np, scale) + _unit(np, least))

    return Decoded(values, scale, places, 0, most, room)


def _q4_0(np: Any, blocks: Any) -> Decoded:
    return _centred(np, _half(np, blocks, 0), _nibbles(np, blocks[:, 2:]), 8, 15, 0.5)


def _q4_1(np: Any, blocks: Any) -> Decoded:
    return _from_least(np, _half(np, blocks, 0), _half(np, blocks, 2), _nibbles(np, blocks[:, 4:]), 15)


def _q5_0(np: Any, blocks: Any) -> Decoded:
    return _centred(np, _half(np, blocks, 0), _fifth(np, blocks, 2), 16, 31, 0.5)


def _q5_1(np: Any, blocks: Any) -> Decoded:
    return _from_least(np, _half(np, blocks, 0), _half(np, blocks, 2), _fifth(np, blocks, 4), 31)


def _q8_0(np: Any, blocks: Any) -> Decoded:
    places = np.ascontiguousarray(blocks[:, 2:]).view(np.int8).astype(np.int16) + 128
    return _centred(np, _half(np, blocks, 0), places, 128, 255, 0.0)


def _scales_of_8(np: Any, packed: Any) -> tuple[Any, Any]:
    """Eight scales and eight minima of 6 bits each in 12 bytes (``get_scale_min_k4``)."""
    low, middle, high = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate((low & 63, (high & 15) | ((low >> 6) << 4)), axis=1)
    minima = np.concatenate((middle & 63, (high >> 4) | ((middle >> 6) << 4)), axis=1)
    return scales.astype(np.float32), minima.astype(np.float32)


def _grouped(
    np: Any, scales: tuple[Any, Any], minima: tuple[Any, Any] | None, places: Any, middle: int, most: int
) -> Decoded:
    """Groups of a block with scales, and perhaps minima, of their own.

    Args:
        scales, minima: one number a group, and what one unit of them is worth (a column).
        places: groups x elements.
        middle: the place of zero, before the minimum is taken off.
    """
    step = scales[0][:, :, None]
    values = places.astype(np.float32)
    if middle:
        values -= np.float32(middle)
    values *= step
    if minima is not None:
        values -= minima[0][:, :, None]
    rows = places.shape[0]

    def room() -> Room:
        outside = np.abs(step) * np.float32(_CUT)
        outside = outside + (np.abs(scales[1]) * np.float32(max(middle, most - middle)))[:, :, None]
        if minima is not None:
            outside = outside + np.abs(minima[1])[:, :, None]
        outside = np.broadcast_to(outside, values.shape).reshape(rows, -1)
        return Room(outside, outside, 0.0)

    wide = np.broadcast_to(step, values.shape).reshape(rows, -1)
    return Decoded(values.reshape(rows, -1), wide, places.reshape(rows, -1), 0, most, room)


def _q2_k(np: Any, blocks: Any) -> Decoded:
    unit, of_least = _half(np, blocks, 80), _half(np, blocks, 82)
    scales = (blocks[:, :16] & 15).astype(np.float32) * unit
    least = (blocks[:, :16] >> 4).astype(np.float32) * of_least
    packed = blocks[:, 16:80].reshape(-1, 2, 1, 32)
    places = (packed >> np.array([0, 2, 4, 6], np.uint8).reshape(1, 1, 4, 1)) & 3
    return _grouped(np, (scales, unit), (least, of_least), places.reshape(-1, 16, 16), 0, 3)


def _q3_k(np: Any, blocks: Any) -> Decoded:
    unit = _half(np, blocks, 108)
    packed = blocks[:, 96:108]
    low = np.concatenate((packed[:, :8] & 15, packed[:, :8] >> 4), axis=1)
    high = (packed[:, None, 8:12] >> np.array([0, 2, 4, 6], np.uint8).reshape(1, 4, 1)) & 3
    scales = ((low | (high.reshape(-1, 16) << 4)).astype(np.float32) - np.float32(32)) * unit
    twos = (blocks[:, 32:96].reshape(-1, 2, 1, 32) >> np.array([0, 2, 4, 6], np.uint8).reshape(1, 1, 4, 1)) & 3
    top = (blocks[:, None, :32] >> np.arange(8, dtype=np.uint8).reshape(1, 8, 1)) & 1
    places = (twos.reshape(-1, 8, 32) | (top << 2)).reshape(-1, 16, 16)
    return _grouped(np, (scales, unit), None, places, 4, 7)


def _q4_k(np: Any, blocks: Any) -> Decoded:
    unit, of_least = _half(np, blocks, 0), _half(np, blocks, 2)
    scales, minima = _scales_of_8(np, blocks[:, 4:16])
    packed = blocks[:, 16:144].reshape(-1, 4, 1, 32)
    places = (packed >> np.array([0, 4], np.uint8).reshape(1, 1, 2, 1)) & 15
    return _grouped(np, (scales * unit, unit), (minima * of_least, of_least), places.reshape(-1, 8, 32), 0, 15)


def _q5_k(np: Any, blocks: Any) -> Decoded:
    unit, of_least = _half(np, blocks, 0), _half(np, blocks, 2)
    scales, minima = _scales_of_8(np, blocks[:, 4:16])
    packed = blocks[:, 48:176].reshape(-1, 4, 1, 32)
    low = ((packed >> np.array([0, 4], np.uint8).reshape(1, 1, 2, 1)) & 15).reshape(-1, 8, 32)
    high = (blocks[:, None, 16:48] >> np.arange(8, dtype=np.uint8).reshape(1, 8, 1)) & 1
    return _grouped(np, (scales * unit, unit), (minima * of_least, of_least), low | (high << 4), 0, 31)


def _q6_k(np: Any, blocks: Any) -> Decoded:
    unit = _half(np, blocks, 208)
    scales = np.ascontiguousarray(blocks[:, 192:208]).view(np.int8).astype(np.float32) * unit
    low = blocks[:, :128].reshape(-1, 2, 1, 64) >> np.array([0, 4], np.uint8).reshape(1, 1, 2, 1) & 15
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32) >> np.array([0, 2, 4, 6], np.uint8).reshape(1, 1, 4, 1) & 3
    places = low.reshape(-1, 2, 4, 32) | (high << 4)
    return _grouped(np, (scales, unit), None, places.reshape(-1, 16, 16), 32, 63)


_READERS: Final[dict[str, Callable[[Any, Any], Decoded]]] = {
    "Q4_0": _q4_0, "Q4_1": _q4_1, "Q5_0": _q5_0, "Q5_1": _q5_1, "Q8_0": _q8_0,
    "Q2_K": _q2_k, "Q3_K": _q3_k, "Q4_K": _q4_k, "Q5_K": _q5_k, "Q6_K": _q6_k,
}  # fmt: skip
