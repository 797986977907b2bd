"""MessagePack from plain values: enough for cases, and able to lie where told."""

from __future__ import annotations

import struct
from typing import Any

from openvet.core.dataclass import dataclass

__all__ = ["Ext", "flax_array", "forge_msgpack"]


@dataclass(frozen=True, slots=True)
class Ext:
    """An extension: its type and its bytes."""

    type: int
    data: bytes


def forge_msgpack(value: Any) -> bytes:
    """The bytes of a value: ``None``, truth, ints, floats, texts, bytes, lists, dicts and :class:`Ext`."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else b"\xdb" + struct.pack(">I", len(data))) + data
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, Ext):
        return b"\xc9" + struct.pack(">Ib", len(value.data), value.type) + value.data
    if isinstance(value, dict):
        start = bytes([0x80 | len(value)]) if len(value) < 16 else b"\xdf" + struct.pack(">I", len(value))
        return start + b"".join(forge_msgpack(each) for pair in value.items() for each in pair)
    start = bytes([0x90 | len(value)]) if len(value) < 16 else b"\xdd" + struct.pack(">I", len(value))
    return start + b"".join(map(forge_msgpack, value))


def flax_array(shape: list[int], dtype: str, data: bytes, kind: int = 1) -> Ext:
    """An array as Flax writes it."""
    return Ext(kind, forge_msgpack([shape, dtype, data]))
