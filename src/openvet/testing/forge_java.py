"""Serialized Java objects built from structure, without Java."""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["array_of", "described", "java_object", "java_stream", "text_of"]


def text_of(text: str) -> bytes:
    """A string."""
    data = text.encode()
    return b"t" + struct.pack(">H", len(data)) + data


def described(
    name: str | bytes, fields: Sequence[tuple[str, str]] = (), *, flags: int = 2, parent: bytes = b"p"
) -> bytes:
    """A class: ``fields`` are names and types as Java writes them (``I``, ``Ljava/lang/Object;``)."""
    data = name.encode() if isinstance(name, str) else name
    out = b"r" + struct.pack(">H", len(data)) + data + bytes(8) + bytes([flags]) + struct.pack(">H", len(fields))
    for field, kind in fields:
        out += kind[:1].encode() + struct.pack(">H", len(field)) + field.encode()
        out += text_of(kind) if kind[0] in "[L" else b""
    return out + b"x" + parent


def java_object(
    name: str | bytes,
    values: bytes = b"",
    fields: Sequence[tuple[str, str]] = (),
    *,
    flags: int = 2,
    parent: bytes = b"p",
) -> bytes:
    """An object of a class with the bytes of its fields behind it."""
    return b"s" + described(name, fields, flags=flags, parent=parent) + values


def array_of(kind: str, *items: bytes) -> bytes:
    """An array; ``kind`` is its class as Java names it (``[Ljava.lang.Object;``)."""
    return b"u" + described(kind) + struct.pack(">I", len(items)) + b"".join(items)


def java_stream(*contents: bytes) -> bytes:
    """A whole stream."""
    return b"\xac\xed\x00\x05" + b"".join(contents)
