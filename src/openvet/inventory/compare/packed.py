"""Matrices that are kept as several tensors of whole numbers, or turned over, as one tensor of floats each, row by row.

::

    GPTQ                 X.qweight I32 [in*bits/32, out], X.qzeros I32 [groups, out*bits/32], X.scales [groups, out], X.g_idx [in]
                         w = (q - (z + 1)) * s; words hold inputs, the first in the lowest bits; of three bits, 32 numbers lie in three words
    AWQ                  X.qweight I32 [in, out*4/32], X.qzeros I32 [groups, out*4/32], X.scales [groups, out]
                         w = (q - z) * s; words hold outputs in the order 0 2 4 6 1 3 5 7
    compressed-tensors   X.weight_packed I32 [out, in*bits/32], X.weight_scale [out, groups], X.weight_shape I64 [2]
                         w = (q - half) * s
    CTranslate2          X/weight I8 [out, in], X/weight_scale F32 [out], or I16 with one scale; w = q / s
    ONNX                 onnx::MatMul_N [in, out]: what PyTorch's exporter makes of a linear layer's weights

A word of whole numbers is little-endian. Not taken apart, and told (:func:`strange`): Marlin's order, which tiles and permutes numbers for one
kind of processor (X.B, X.s), and bitsandbytes' numbers of four bits in blocks over the whole tensor (X.weight U8, X.weight.absmax), whose shape
only a pickled or packed state names. What was quantized so is no rounding of the original's values to the nearest level: GPTQ moves later
columns to make up for earlier ones, and AWQ scales columns before it rounds.

Sources: AutoGPTQ's ``qlinear_cuda_old.py`` and AutoAWQ's ``packing_utils.py`` (https://github.com/AutoGPTQ/AutoGPTQ,
https://github.com/casper-hansen/AutoAWQ); compressed-tensors' ``pack_quantized.py`` (https://github.com/vllm-project/compressed-tensors);
CTranslate2's ``specs/model_spec.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.inventory.compare.dtypes import WIDTHS, bits, decode_plain
from openvet.inventory.compare.numbers import Stored
from openvet.inventory.compare.runs import Blocks

__all__ = ["BITS", "strange", "unpacked"]

#: The word that a sketch has for what was packed -> bits of a number.
BITS: Final = {"GPTQ2": 2, "GPTQ3": 3, "GPTQ4": 4, "GPTQ8": 8, "AWQ4": 4, "PACKED4": 4, "PACKED8": 8}
#: A packed tensor is held in memory while it is unpacked.
_MOST: Final = 512 * 1024 * 1024
#: Outputs that are made floats of at once.
_OUTPUTS: Final = 256
_AWQ: Final = (0, 2, 4, 6, 1, 3, 5, 7)
_TURNED: Final = pattern(r"onnx::MatMul_\d+")
_FLOATS: Final = frozenset({"F16", "BF16", "F32"})


def unpacked(np: Any, tensors: Sequence[Stored], kind: str = "") -> list[Stored]:
    """``tensors`` with one of floats in the place of each group that is known; groups that make no sense stay as they are.

    Args:
        np: NumPy.
        kind: the file's format.
    """
    named = {each.name: each for each in tensors}
    out: list[Stored] = []
    used: set[str] = set()
    for each in tensors:
        made = None
        if each.name.endswith(".qweight"):
            made = _of_words(np, each, named)
        elif each.name.endswith(".weight_packed"):
            made = _of_rows(np, each, named)
        elif kind == "ctranslate2" and each.name.endswith("/weight") and each.dtype in {"I8", "I16"}:
            made = _of_bytes(np, each, named)
        elif kind == "onnx" and _TURNED.fullmatch(each.name) is not None:
            made = _turned(np, each)
        if made is None:
            why = strange(each, named)
            out.append(replace(each, run=None, why=why) if why else each)
        else:
            stored, parts = made
            out.append(stored)
            used.update(parts)
    return [each for each in out if each.name not in used]


def strange(stored: Stored, named: Mapping[str, Stored]) -> str:
    """Why numbers that are packed in a known way are not taken apart; '' where they are nothing of the kind."""
    name, words = stored.name, stored.dtype in {"I32", "U32", "I16"}
    if words and (name.endswith(".B") and name[:-1] + "s" in named):
        return "its numbers are tiled and permuted in Marlin's order, which is not taken apart: ask the model that it was made from"
    if words and name.endswith(".weight_packed") and name.removesuffix("weight_packed") + "scale_packed" in named:
        return "its numbers are sparse and in Marlin's order (marlin-24), which is not taken apart: ask the model that it was made from"
    if stored.dtype == "U8" and f"{name}.absmax" in named:
        return "its numbers are in bitsandbytes' blocks of four bits, which are not taken apart: ask the model that it was made from"
    if words and name.endswith(".qweight"):
        return "its numbers are packed in words in a way that is not known"
    return ""


def _array(np: Any, stored: Stored) -> Any:
    """A whole tensor as it is kept: bits of whole numbers, or floats."""
    run = stored.run() if stored.run is not None else None
    if run is None:
        raise MalformedError(stored.why or "its numbers are not read")
    data = run.take(stored.elements * WIDTHS[stored.dtype])
    if stored.dtype in _FLOATS:
        return decode_plain(np, stored.dtype, data).reshape(stored.shape)
    return bits(np, stored.dtype, data).reshape(stored.shape)


def _able(*parts: Stored | None, dims: int = 2) -> bool:
    return all(
        each is not None and each.run is not None and len(each.shape) == dims and min(each.shape) > 0
        and each.elements * WIDTHS.get(each.dtype, 8) <= _MOST
        for each in parts
    )  # fmt: skip


def _floats(
    stored: Stored, name: str, shape: tuple[int, int], word: str, rows: Callable[[], Iterator[bytes]]
) -> Stored:
    return replace(stored, name=name, dtype="F32", shape=shape, run=lambda: Blocks(rows()), why="", key="", packed=word)


# --- GPTQ and AWQ ---


def _of_words(np: Any, qweight: Stored, named: Mapping[str, Stored]) -> tuple[Stored, list[str]] | None:
    stem = qweight.name.removesuffix("qweight")
    zeros, scales, order = (named.get(stem + each) for each in ("qzeros", "scales", "g_idx"))
    if zeros is None or scales is None or not _able(qweight, zeros, scales):
        return None
    if qweight.dtype not in {"I32", "U32"} or zeros.dtype not in {"I32", "U32"} or scales.dtype not in _FLOATS:
        return None
    groups, outputs = scales.shape
    width = zeros.shape[1] * 32 // outputs
    if zeros.shape != (groups, outputs * width // 32) or outputs * width % 32 or width not in {2, 3, 4, 8}:
        return None
    if width == 3 and (outputs % 32 or qweight.shape[0] % 3):
        return None
    if qweight.shape[1] == outputs:
        inputs, word = qweight.shape[0] * 32 // width, f"GPTQ{width}"
    elif width == 4 and qweight.shape[1] == zeros.shape[1]:
        inputs, word = qweight.shape[0], "AWQ4"
    else:
        return None
    if inputs % groups and order is None:
        return None
    if order is not None and (order.shape != (inputs,) or order.dtype not in {"I32", "I64"} or order.run is None):
        return None

    def rows() -> Iterator[bytes]:
        group_of = (
            np.arange(inputs) // max(inputs // groups, 1) if order is None else _array(np, order).astype(np.int64)
        )
        if not ((group_of >= 0) & (group_of < groups)).all():
            raise MalformedError("inputs belong to groups that there are not")
        words, zero_words, scale = _array(np, qweight), _array(np, zeros), _array(np, scales)
        zero = _apart(np, zero_words, width, 1, _AWQ if word == "AWQ4" else None).astype(np.float32)
        if word != "AWQ4":
            zero += 1
        per = 32 // width
        for start in range(0, outputs, _OUTPUTS):
            end = min(start + _OUTPUTS, outputs)
            if word == "AWQ4":
                numbers = _apart(np, words[:, start // per : -(-end // per)], width, 1, _AWQ)[:, : end - start]
            else:
                numbers = _apart(np, words[:, start:end], width, 0, None)
            values = (numbers.astype(np.float32) - zero[group_of, start:end]) * scale[group_of, start:end]
            yield np.ascontiguousarray(values.T, "<f4").tobytes()

    made = _floats(qweight, f"{stem}weight", (outputs, inputs), word, rows)
    return made, [f"{stem}{each}" for each in ("qweight", "qzeros", "scales", "g_idx")]


def _apart(np: Any, words: Any, width: int, axis: int, order: Sequence[int] | None) -> Any:
    """The numbers that words of 32 bits hold, beside each other along ``axis``."""
    if width == 3:
        return _over_words(np, words, axis)
    count = 32 // width
    shifts = np.arange(count, dtype=np.uint32) * np.uint32(width)
    if order is not None:
        shifts = shifts[np.argsort(np.array(order))]
    mask = np.uint32((1 << width) - 1)
    numbers = (
        np.expand_dims(words, axis + 1) >> (shifts.reshape(1, -1) if axis == 1 else shifts.reshape(1, -1, 1))
    ) & mask
    shape = list(words.shape)
    shape[axis] *= count
    return numbers.reshape(shape)


def _over_words(np: Any, words: Any, axis: int) -> Any:
    """Numbers of three bits: 32 of them in three words, one after the other, so that two lie over two words."""
    parts = np.moveaxis(words, axis, -1)
    parts = parts.reshape(*parts.shape[:-1], -1, 3)
    out = np.empty((*parts.shape[:-1], 32), np.uint32)
    for at in range(32):
        word, shift = divmod(3 * at, 32)
        number = parts[..., word] >> np.uint32(shift)
        if shift > 29:
            number = number | (parts[..., word + 1] << np.uint32(32 - shift))
        out[..., at] = number & np.uint32(7)
    return np.moveaxis(out.reshape(*out.shape[:-2], -1), -1, axis)


# --- compressed-tensors ---


def _of_rows(np: Any, packed: Stored, named: Mapping[str, Stored]) -> tuple[Stored, list[str]] | None:
    stem = packed.name.removesuffix("weight_packed")
    scales, extents = (named.get(stem + each) for each in ("weight_scale", "weight_shape"))
    if scales is None or extents is None or not _able(packed, scales) or extents.run is None:
        return None
    if (
        packed.dtype not in {"I32", "U32"}
        or scales.dtype not in _FLOATS
        or extents.shape != (2,)
        or extents.dtype != "I64"
    ):
        return None
    outputs, inputs = (int(each) for each in _array(np, extents).astype(np.int64))
    groups = scales.shape[1]
    if outputs != packed.shape[0] or scales.shape[0] != outputs or not 0 < inputs <= packed.shape[1] * 16:
        return None
    width = packed.shape[1] * 32 // inputs
    if width not in {4, 8} or packed.shape[1] != -(-inputs * width // 32) or inputs % groups:
        return None

    def rows() -> Iterator[bytes]:
        words, scale = _array(np, packed), np.repeat(_array(np, scales), inputs // groups, axis=1)
        for start in range(0, outputs, _OUTPUTS):
            numbers = _apart(np, words[start : start + _OUTPUTS], width, 1, None)[:, :inputs].astype(np.float32)
            yield np.ascontiguousarray(
                (numbers - (1 << (width - 1))) * scale[start : start + _OUTPUTS], "<f4"
            ).tobytes()

    made = _floats(packed, f"{stem}weight", (outputs, inputs), f"PACKED{width}", rows)
    return made, [
        f"{stem}{each}"
        for each in ("weight_packed", "weight_scale", "weight_shape", "weight_zero_point", "weight_g_idx")
    ]


# --- CTranslate2 and ONNX ---


def _of_bytes(np: Any, weight: Stored, named: Mapping[str, Stored]) -> tuple[Stored, list[str]] | None:
    scales = named.get(f"{weight.name}_scale")
    if (
        scales is None
        or scales.run is None
        or scales.dtype != "F32"
        or not _able(weight)
        or (scales.shape != weight.shape[:1] and not (weight.dtype == "I16" and scales.elements == 1))
    ):
        return None
    outputs, inputs = weight.shape
    signed = {"I8": np.int8, "I16": np.int16}[weight.dtype]

    def rows() -> Iterator[bytes]:
        numbers, scale = _array(np, weight).view(signed), np.broadcast_to(_array(np, scales).reshape(-1), (outputs,))
        with np.errstate(all="ignore"):
            for start in range(0, outputs, _OUTPUTS):
                part = numbers[start : start + _OUTPUTS].astype(np.float32) / scale[start : start + _OUTPUTS, None]
                yield np.ascontiguousarray(part, "<f4").tobytes()

    return _floats(weight, weight.name, (outputs, inputs), weight.dtype, rows), [f"{weight.name}_scale"]


def _turned(np: Any, stored: Stored) -> tuple[Stored, list[str]] | None:
    if stored.dtype not in _FLOATS or not _able(stored):
        return None
    inputs, outputs = stored.shape

    def rows() -> Iterator[bytes]:
        values = _array(np, stored)
        for start in range(0, outputs, _OUTPUTS):
            yield np.ascontiguousarray(values[:, start : start + _OUTPUTS].T, "<f4").tobytes()

    made = _floats(stored, stored.name, (outputs, inputs), stored.dtype if stored.dtype != "F32" else "", rows)
    return made, []
