"""The plain types of numbers: their bits, what these say, and how a number is rounded to them.

Source: safetensors' ``Dtype``; IEEE 754 for 16, 32 and 64 bits; bfloat16 is the upper half of 32 bits; OCP 8-bit Floating Point (OFP8)
for E4M3 (no infinity, NaN is 0x7f) and E5M2.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

__all__ = ["WIDTHS", "bits", "decode_plain", "encode", "is_cast", "zero_mask"]

#: Type -> bytes of one number.
WIDTHS: Final = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip
_AS_THEY_ARE: Final = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "<i1", "U8": "<u1", "BOOL": "<u1", "I16": "<i2", "U16": "<u2",
                       "I32": "<i4", "U32": "<u4", "I64": "<i8", "U64": "<u8"}  # fmt: skip
_WHOLE: Final = frozenset({"I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64"})


def bits(np: Any, dtype: str, data: Any) -> Any:
    """The numbers as unsigned integers of their width."""
    return np.frombuffer(data, f"<u{WIDTHS[dtype]}")


def zero_mask(dtype: str) -> int:
    """Bits that are clear in a zero: all but a float's sign."""
    everything: int = (1 << (8 * WIDTHS[dtype])) - 1
    return everything >> 1 if dtype.startswith(("F", "BF")) else everything


def decode_plain(np: Any, dtype: str, data: Any) -> Any:
    """The numbers as 32-bit floats, or as 64-bit ones where 32 bits would lose some.

    Args:
        data: bytes, or what :func:`bits` made of them.
    """
    raw = data if hasattr(data, "dtype") else bits(np, dtype, data)
    if dtype == "BF16":
        return (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype.startswith("F8"):
        return _table(dtype)[raw]
    values = raw.view(_AS_THEY_ARE[dtype])
    return values.astype(np.float64 if WIDTHS[dtype] > 2 and dtype != "F32" else np.float32, copy=False)


def encode(np: Any, dtype: str, values: Any, how: str = "nearest") -> Any:
    """The bits of ``values`` rounded to ``dtype``, to the nearest and ties to even, or ``truncated``; ``None`` where one has no place there."""
    if dtype == "BF16":
        wide = values.astype(np.float32, copy=False).view(np.uint32)
        if how == "truncated":
            return (wide >> np.uint32(16)).astype(np.uint16)
        rounded = ((wide + (np.uint32(0x7FFF) + ((wide >> np.uint32(16)) & np.uint32(1)))) >> np.uint32(16)).astype(
            np.uint16
        )
        return np.where(np.isnan(values), np.uint16(0x7FC0), rounded)
    if dtype.startswith("F8"):
        return _encode_8(np, dtype, values)
    if dtype == "BOOL":
        return (values != 0).astype(np.uint8)
    if dtype in _WHOLE:
        limits = np.iinfo(_AS_THEY_ARE[dtype])
        # the upper limits of 64 bits are no floats: what rounds up to them does not fit
        if not bool(np.all((values >= limits.min) & (values <= limits.max))) or bool(
            np.any(values != np.trunc(values))
        ):
            return None
        if WIDTHS[dtype] == 8 and bool(np.any(np.abs(values) > 2.0**53)):
            return None
    made = values.astype(_AS_THEY_ARE[dtype])
    return made.view(f"<u{WIDTHS[dtype]}")


def is_cast(np: Any, dtype: str, values: Any, target: Any, how: str = "nearest") -> bool:
    """Whether every one of ``values``, rounded to ``dtype``, has the bits of ``target``; what is no number may be spelt in any way."""
    if dtype == "BF16" and how == "nearest" and values.dtype == np.float32 and _near_bf16(np, values, target):
        return True
    made = encode(np, dtype, values, how)
    if made is None:
        return False
    differ = made != target
    if not differ.any():
        return True
    left, right = decode_plain(np, dtype, made[differ]), decode_plain(np, dtype, target[differ])
    return bool(((left != left) & (right != right)).all())


def _near_bf16(np: Any, values: Any, target: Any) -> bool:
    """Whether it is certain at a glance: every value lies nearer to its target than halfway to the next one, and is a number."""
    if np.isnan(values.max(initial=0.0)):
        return False
    away = target.astype(np.uint32)
    away <<= np.uint32(16)
    away -= values.view(np.uint32)
    away += np.uint32(0x8000)
    return bool(away.max(initial=1) < 0x10000 and away.min(initial=1) > 0)


@cache
def _table(dtype: str) -> Any:
    """All 256 numbers of an 8-bit float, by their bits."""
    import numpy as np

    digits, bias = (3, 7) if dtype == "F8_E4M3" else (2, 15)
    out = []
    for code in range(256):
        exponent, fraction = (code & 0x7F) >> digits, code & ((1 << digits) - 1)
        if exponent:
            number = (1 + fraction / (1 << digits)) * 2.0 ** (exponent - bias)
        else:
            number = fraction / (1 << digits) * 2.0 ** (1 - bias)
        if dtype == "F8_E4M3" and code & 0x7F == 0x7F:
            number = float("nan")
        elif dtype == "F8_E5M2" and exponent == 31:
            number = float("nan") if fraction else float("inf")
        out.append(-number if code & 0x80 else number)
    return np.array(out, np.float32)


def _encode_8(np: Any, dtype: str, values: Any) -> Any:
    table = _table(dtype)[:128].astype(np.float64)
    finite = table[np.isfinite(table)]
    middles = (finite[1:] + finite[:-1]) / 2
    size = np.abs(values).astype(np.float64)
    low, high = np.searchsorted(middles, size, "left"), np.searchsorted(middles, size, "right")
    code = np.where(low % 2 == 0, low, high)  # both are the same but for ties, where one of them is even
    beyond = size > finite[-1] + (finite[-1] - finite[-2]) / 2
    code = np.where(beyond, 0x7F if dtype == "F8_E4M3" else 0x7C, code)
    code = np.where(np.isnan(values), 0x7F, code)
    return (code | np.where(np.signbit(values), 0x80, 0)).astype(np.uint8)
