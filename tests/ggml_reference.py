"""How ggml quantizes, written down once more: ``quantize_row_*_ref`` of ``ggml-quants.c``, block by block, in 32-bit floats.

It is here to hold ``openvet diff`` to what ggml does, and shares nothing with what that decodes.
Source: https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c .
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["QUANTIZERS", "gguf", "safetensors", "to_bf16"]

F = np.float32


def half(value: Any) -> bytes:
    return bytes(np.float16(value).tobytes())


def nearest(values: Any) -> Any:
    """``nearest_int``: to the nearest, ties to even."""
    return np.rint(values).astype(np.int64)


def _packed(places: Any) -> bytes:
    count = len(places) // 2
    return bytes(int(low) | int(high) << 4 for low, high in zip(places[:count], places[count:], strict=True))


def q8_0(x: Any) -> bytes:
    d = F(np.abs(x).max()) / F(127)
    inverse = F(1) / d if d else F(0)
    scaled = x * inverse
    places = np.trunc(scaled + np.copysign(F(0.5), scaled))  # roundf: ties away from zero
    return half(d) + bytes(places.astype(np.int8).tobytes())


def _largest(x: Any) -> Any:
    return x[int(np.argmax(np.abs(x)))]


def q4_0(x: Any) -> bytes:
    d = F(_largest(x)) / F(-8)
    inverse = F(1) / d if d else F(0)
    return half(d) + _packed(np.minimum(15, (x * inverse + F(8.5)).astype(np.int8)))


def q4_1(x: Any) -> bytes:
    least = F(x.min())
    d = (F(x.max()) - least) / F(15)
    inverse = F(1) / d if d else F(0)
    return half(d) + half(least) + _packed(np.minimum(15, ((x - least) * inverse + F(0.5)).astype(np.int8)))


def _fifth(places: Any) -> bytes:
    return struct.pack("<I", sum(1 << at for at, place in enumerate(places) if place & 16)) + _packed(places & 15)


def q5_0(x: Any) -> bytes:
    d = F(_largest(x)) / F(-16)
    inverse = F(1) / d if d else F(0)
    return half(d) + _fifth(np.minimum(31, (x * inverse + F(16.5)).astype(np.int8)))


def q5_1(x: Any) -> bytes:
    least = F(x.min())
    d = (F(x.max()) - least) / F(31)
    inverse = F(1) / d if d else F(0)
    return half(d) + half(least) + _fifth(((x - least) * inverse + F(0.5)).astype(np.uint8))


def _qkx2(most: int, x: Any, weights: Any, first: float, by: float, steps: int) -> tuple[Any, Any]:
    """``make_qkx2_quants``: a scale and a minimum by weighted least squares."""
    least, top = F(min(x.min(), 0)), F(x.max())
    if top == least:
        return F(0), -least
    scale = (top - least) / F(most)
    places = np.clip(nearest((x - least) / scale), 0, most).astype(F)
    best = (weights * (scale * places + least - x) ** 2).sum()
    minimum = least
    for step in range(steps + 1):
        inverse = F(first + by * step + most) / (top - least)
        places = np.clip(nearest(inverse * (x - least)), 0, most).astype(F)
        sum_w, sum_x = weights.sum(), (weights * x).sum()
        sum_l, sum_l2, sum_xl = (weights * places).sum(), (weights * places**2).sum(), (weights * places * x).sum()
        determinant = sum_w * sum_l2 - sum_l * sum_l
        if determinant <= 0:
            continue
        this_scale, this_least = (
            (sum_w * sum_xl - sum_x * sum_l) / determinant,
            (sum_l2 * sum_x - sum_l * sum_xl) / determinant,
        )
        if this_least > 0:
            this_least, this_scale = F(0), sum_xl / sum_l2
        error = (weights * (this_scale * places + this_least - x) ** 2).sum()
        if error < best:
            best, scale, minimum = error, this_scale, this_least
    return F(scale), F(-minimum)


def _k_with_minima(x: Any, most: int, first: float, steps: int) -> tuple[bytes, bytes, Any]:
    """Scales and minima of 6 bits (``quantize_row_q4_K_ref``, ``quantize_row_q5_K_ref``), and the places."""
    groups = x.reshape(8, 32)
    found = []
    for group in groups:
        weights = F(np.sqrt((group**2).sum() / 32)) + np.abs(group)
        found.append(_qkx2(most, group, weights, first, 0.1, steps))
    scales, minima = (np.array(each, F) for each in zip(*found, strict=True))
    top_scale, top_least = F(max(scales.max(), 0)), F(max(minima.max(), 0))
    codes = []
    for values, top in ((scales, top_scale), (minima, top_least)):
        inverse = F(63) / top if top > 0 else F(0)
        codes.append(np.clip(nearest(inverse * values), 0, 63))
    d, of_least = np.float16(top_scale / F(63)), np.float16(top_least / F(63))
    packed = bytearray(12)
    for at in range(8):
        scale, least = int(codes[0][at]), int(codes[1][at])
        if at < 4:
            packed[at], packed[at + 4] = scale, least
        else:
            packed[at + 4] = (scale & 15) | ((least & 15) << 4)
            packed[at - 4] |= (scale >> 4) << 6
            packed[at] |= (least >> 4) << 6
    places = np.zeros((8, 32), np.int64)
    for at in range(8):
        step = F(d) * F(codes[0][at])
        if step:
            places[at] = np.clip(nearest((groups[at] + F(of_least) * F(codes[1][at])) / step), 0, most)
    return d.tobytes() + of_least.tobytes(), bytes(packed), places


def q4_k(x: Any) -> bytes:
    head, scales, places = _k_with_minima(x, 15, -1.0, 20)
    return head + scales + b"".join(_packed(places[at : at + 2].reshape(-1)) for at in range(0, 8, 2))


def q5_k(x: Any) -> bytes:
    head, scales, places = _k_with_minima(x, 31, -0.5, 15)
    high = bytes(sum(int(places[at][element] > 15) << at for at in range(8)) for element in range(32))
    return head + scales + high + b"".join(_packed((places & 15)[at : at + 2].reshape(-1)) for at in range(0, 8, 2))


def _qx(most: int, x: Any) -> Any:
    """``make_qx_quants`` with squares as weights (rmse type 1): a scale for levels around zero."""
    top = F(_largest(x))
    if abs(top) < 1e-15:
        return F(0)
    best_scale, best = F(0), F(0)
    for step in [0, *range(-9, 10)]:
        inverse = -(F(most) + F(0.1) * F(step)) / top
        places = np.clip(nearest(inverse * x), -most, most - 1).astype(F)
        weights = x * x
        sum_lx, sum_l2 = (weights * x * places).sum(), (weights * places * places).sum()
        if sum_l2 > 0 and (step == 0 or sum_lx * sum_lx > best * sum_l2):
            best_scale = F(sum_lx / sum_l2)
            best = best_scale * sum_lx
    return best_scale


def q6_k(x: Any) -> bytes:
    groups = x.reshape(16, 16)
    scales = np.array([_qx(32, group) for group in groups], F)
    top = F(_largest(scales))
    if abs(top) < 1e-15:
        return bytes(210)
    inverse = F(-128) / top
    d = np.float16(F(1) / inverse)
    codes = np.minimum(127, nearest(inverse * scales))
    places = np.full((16, 16), 32)
    for at in range(16):
        step = F(d) * F(codes[at])
        if step:
            places[at] = np.clip(nearest(groups[at] / step), -32, 31) + 32
    low, high = bytearray(), bytearray()
    for part in places.reshape(2, 4, 32):
        low += bytes(int(part[0][at] & 15 | (part[2][at] & 15) << 4) for at in range(32))
        low += bytes(int(part[1][at] & 15 | (part[3][at] & 15) << 4) for at in range(32))
        high += bytes(int(sum((part[which][at] >> 4) << (2 * which) for which in range(4))) for at in range(32))
    return bytes(low) + bytes(high) + bytes(codes.astype(np.int8).tobytes() + d.tobytes())


#: Type -> (number in GGUF, elements of a block, what makes a block)
QUANTIZERS: dict[str, tuple[int, int, Callable[[Any], bytes]]] = {
    "Q4_0": (2, 32, q4_0), "Q4_1": (3, 32, q4_1), "Q5_0": (6, 32, q5_0), "Q5_1": (7, 32, q5_1), "Q8_0": (8, 32, q8_0),
    "Q4_K": (12, 256, q4_k), "Q5_K": (13, 256, q5_k), "Q6_K": (14, 256, q6_k),
}  # fmt: skip
_PLAIN = {"F32": 0, "F16": 1, "BF16": 30}


def quantize(kind: str, values: Any) -> bytes:
    """``values`` in blocks."""
    _, size, block = QUANTIZERS[kind]
    with np.errstate(all="ignore"):
        return b"".join(block(part) for part in np.asarray(values, F).reshape(-1, size))


def to_bf16(values: Any) -> bytes:
    """To the nearest, ties to even."""
    bits = np.asarray(values, F).view(np.uint32).astype(np.uint64)
    return bytes(((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes())


def plain(kind: str, values: Any) -> bytes:
    if kind == "BF16":
        return to_bf16(values)
    made: bytes = np.asarray(values, F).astype({"F32": "<f4", "F16": "<f2", "F64": "<f8"}[kind]).tobytes()
    return made


def safetensors(tensors: Mapping[str, tuple[str, Any]]) -> bytes:
    """A file of (type, array) by name."""
    import json

    header: dict[str, Any] = {}
    data = b""
    for name, (kind, values) in tensors.items():
        packed = plain(kind, values)
        header[name] = {
            "dtype": kind,
            "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + len(packed)],
        }
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(keys: Mapping[str, str | int | Sequence[str]], tensors: Mapping[str, tuple[str, Any]]) -> bytes:
    """A GGUF file of (type, array) by name; keys are texts, numbers and lists of texts."""
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    for key, value in keys.items():
        out += _string(key)
        if isinstance(value, str):
            out += struct.pack("<I", 8) + _string(value)
        elif isinstance(value, int):
            out += struct.pack("<II", 4, value)
        else:
            out += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_string, value))
    data = b""
    for name, (kind, values) in tensors.items():
        number = QUANTIZERS[kind][0] if kind in QUANTIZERS else _PLAIN[kind]
        out += _string(name) + struct.pack("<I", values.ndim)
        out += struct.pack(f"<{values.ndim}Q", *reversed(values.shape)) + struct.pack("<IQ", number, len(data))
        data += quantize(kind, values) if kind in QUANTIZERS else plain(kind, values)
        data += bytes(-len(data) % 32)
    return out + bytes(-len(out) % 32) + data
