"""Protocol buffers built from structure, by the names of ``data/protobuf/*.toml``.

A message is a mapping of field name to value, in the order in which the fields are to stand; a list writes the field once
for each item, also where the message has it once only. Bytes stand for a message that is built already.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from openvet.formats._protobuf import schema

__all__ = ["field", "message", "varint"]


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, wire: int, value: bytes) -> bytes:
    """One field as it is; a length is written for wire type 2."""
    return varint(number << 3 | wire) + (varint(len(value)) if wire == 2 else b"") + value


def message(protocol: str, kind: str, fields: Mapping[str, Any]) -> bytes:
    """A message of this type."""
    by_name = {spec.name: (number, spec) for number, spec in schema(protocol)[kind].items()}
    out = []
    for name, given in fields.items():
        number, spec = by_name[name]
        for value in given if isinstance(given, list) else [given]:
            if spec.wire == 0:
                data = varint(int(value))
            elif spec.wire == 5:
                data = struct.pack("<f", value) if isinstance(value, float) else struct.pack("<I", value)
            elif spec.wire == 1:
                data = struct.pack("<d", value) if isinstance(value, float) else struct.pack("<Q", value)
            elif spec.type and isinstance(value, Mapping):
                data = message(protocol, spec.type, value)
            else:
                data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
            out.append(field(number, spec.wire, data))
    return b"".join(out)
