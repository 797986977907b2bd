"""FlatBuffers built from plain values by a schema, so that every offset can lie."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from openvet.formats._flatbuffers import _SCALARS, _WIDTHS, Schema, schema

__all__ = ["forge_buffer"]


def forge_buffer(
    name: str,
    root: Mapping[str, Any],
    identifier: bytes,
    *,
    extended: bool = False,
    kind: str = "",
    shared: bool = False,
) -> bytes:
    """The buffer of one table. A field is left out where ``root`` does not name it; a union is (type, value).

    Args:
        name: of the schema.
        root: fields of the root table; vectors are lists, or bytes for vectors of bytes.
        identifier: four bytes.
        extended: leave room for ExecuTorch's extended header.
        kind: of the root table, where it is not the schema's own.
        shared: write an item that stands several times in one vector (the same object) once, with an offset to it for each.
    """
    of = schema(name)
    out = bytearray(bytes(4) + identifier + bytes(32 if extended else 0))
    writer = _Writer(of, out, shared=shared)
    at = writer.table(kind or of.root, root)
    out[:4] = struct.pack("<I", at)
    return bytes(out)


class _Writer:
    def __init__(self, of: Schema, out: bytearray, *, shared: bool) -> None:
        self.of = of
        self.shared = shared
        self.out = out

    def _align(self, to: int = 8) -> None:
        self.out += bytes(-len(self.out) % to)

    def table(self, kind: str, values: Mapping[str, Any]) -> int:
        """Write a vtable, the table behind it, and then what its offsets lead to."""
        fields = self.of.tables[kind]
        flat: dict[str, Any] = {}
        for name, value in values.items():
            type_ = dict(fields)[name]
            if type_.startswith("union "):
                flat[f"{name}_type"] = self.of.unions[type_[6:]].index(value[0])
                flat[name] = value
            else:
                flat[name] = value
        count = max((index for index, (name, _) in enumerate(fields) if name in flat), default=-1) + 1
        slots = [0] * count
        inline = 8  # the offset to the vtable, and room so that wide fields are aligned
        for index, (name, type_) in enumerate(fields[:count]):
            if name in flat:
                width = _WIDTHS.get(type_, 4)
                inline += -inline % width
                slots[index] = inline
                inline += width
        self._align()
        vtable = len(self.out)
        self.out += struct.pack(f"<HH{count}H", 4 + 2 * count, inline, *slots)
        self._align()
        at = len(self.out)
        self.out += bytes(inline)
        struct.pack_into("<i", self.out, at, at - vtable)
        for index, (name, type_) in enumerate(fields[:count]):
            if name in flat:
                self._field(at + slots[index], type_, flat[name])
        return at

    def _field(self, place: int, type_: str, value: Any) -> None:
        if type_ in _WIDTHS:
            struct.pack_into("<" + _SCALARS[type_], self.out, place, value)
            return
        if type_.startswith("union "):
            target = self.table(value[0], value[1])
        elif type_ == "string":
            target = self._string(value)
        elif type_.startswith("["):
            target = self._vector(type_[1:-1], value)
        else:
            target = self.table(type_, value)
        struct.pack_into("<I", self.out, place, target - place)

    def _string(self, value: str) -> int:
        self._align(4)
        at = len(self.out)
        data = value.encode()
        self.out += struct.pack("<I", len(data)) + data + b"\0"
        return at

    def _vector(self, item: str, values: Sequence[Any]) -> int:
        self._align(8)
        self.out += bytes(4)
        at = len(self.out)
        self.out += struct.pack("<I", len(values))
        if item in self.of.structs:  # given as bytes, with their number by their size
            struct.pack_into("<I", self.out, at, len(values) // self.of.structs[item])
            self.out += bytes(values)
            return at
        if item in _WIDTHS:
            self.out += bytes(values) if item == "u8" else struct.pack(f"<{len(values)}{_SCALARS[item]}", *values)
            return at
        start = len(self.out)
        self.out += bytes(4 * len(values))
        made: dict[int, int] = {}
        for index, value in enumerate(values):
            place = start + 4 * index
            target = made.get(id(value), 0)
            if not target or not self.shared:
                target = made[id(value)] = self._string(value) if item == "string" else self.table(item, value)
            struct.pack_into("<I", self.out, place, target - place)
        return at
