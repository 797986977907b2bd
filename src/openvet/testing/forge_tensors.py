"""Tensor files built from structure: valid ones, and ones with exactly the lie that a test wants.

Every function gives bytes. What is passed in is written as it is, so that a wrong number is a wrong number in the file.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "GGUF_TYPES",
    "GgufArray",
    "GgufTensor",
    "gguf",
    "gguf_value",
    "npy",
    "safetensors",
    "safetensors_raw",
    "sentencepiece",
]

_BITS = {"F64": 64, "I64": 64, "F32": 32, "I32": 32, "F16": 16, "BF16": 16, "U8": 8, "I8": 8, "BOOL": 8, "F4": 4}


def safetensors_raw(header: bytes | str, data: bytes = b"", length: int | None = None) -> bytes:
    """A file with this header, as it stands, and a true length unless another one is given."""
    raw = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def safetensors(
    tensors: Mapping[str, tuple[str, Sequence[int]]], metadata: Mapping[str, Any] | None = None, *, pad: bool = True
) -> bytes:
    """A valid file of zeros: name -> (dtype, shape), in the given order."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    at = 0
    for name, (dtype, shape) in tensors.items():
        elements = 1
        for extent in shape:
            elements *= extent
        size = elements * _BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return safetensors_raw(text + b" " * (-len(text) % 8 if pad else 0), bytes(at))


GGUF_TYPES = {
    "u8": 0, "i8": 1, "u16": 2, "i16": 3, "u32": 4, "i32": 5, "f32": 6, "bool": 7, "string": 8, "array": 9,
    "u64": 10, "i64": 11, "f64": 12,
}  # fmt: skip
_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}


class GgufArray(list[Any]):
    """An array value: the word of its items' type, and the items; ``count`` may lie."""

    def __init__(self, kind: str, items: Iterable[Any], count: int | None = None) -> None:
        super().__init__(items)
        self.kind = kind
        self.stated = len(self) if count is None else count


class GgufTensor:
    """One tensor info; ``offset`` is placed behind the tensor before it unless it is given."""

    def __init__(
        self, name: str, dims: Sequence[int], kind: int = 0, *, size: int = 0, offset: int | None = None
    ) -> None:
        self.name = name
        self.dims = tuple(dims)
        self.kind = kind
        self.size = size
        self.offset = offset


def _text(value: str | bytes, order: str, wide: str) -> bytes:
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return struct.pack(order + wide, len(raw)) + raw


def gguf_value(kind: str, value: Any, order: str = "<", wide: str = "Q") -> bytes:
    """One value with its type in front, as a key has it."""
    return struct.pack(order + "I", GGUF_TYPES[kind]) + _payload(kind, value, order, wide)


def _payload(kind: str, value: Any, order: str, wide: str) -> bytes:
    if kind == "string":
        return _text(value, order, wide)
    if kind == "array":
        start = struct.pack(order + "I" + wide, GGUF_TYPES[value.kind], value.stated)
        return start + b"".join(_payload(value.kind, each, order, wide) for each in value)
    return struct.pack(order + _CODES[GGUF_TYPES[kind]], value)


def gguf(
    keys: Sequence[tuple[str, str, Any]] = (),
    tensors: Sequence[GgufTensor] = (),
    *,
    version: int = 3,
    order: str = "<",
    alignment: int = 32,
    n_tensors: int | None = None,
    n_keys: int | None = None,
    data: bytes | None = None,
) -> bytes:
    """A file with these keys (name, type word, value) and tensors; zeros for data unless given."""
    wide = "I" if version == 1 else "Q"
    counts = (len(tensors) if n_tensors is None else n_tensors, len(keys) if n_keys is None else n_keys)
    parts = [b"GGUF", struct.pack(order + "I" + 2 * wide, version, *counts)]
    for name, kind, value in keys:
        parts += [_text(name, order, wide), gguf_value(kind, value, order, wide)]
    at = 0
    for tensor in tensors:
        offset = at if tensor.offset is None else tensor.offset
        parts.append(_text(tensor.name, order, wide))
        parts.append(
            struct.pack(f"{order}I{len(tensor.dims)}{wide}IQ", len(tensor.dims), *tensor.dims, tensor.kind, offset)
        )
        at = offset + tensor.size + -(offset + tensor.size) % alignment
    head = b"".join(parts)
    if not tensors and data is None:
        return head
    return head + bytes(-len(head) % alignment) + (bytes(at) if data is None else data)


def npy(header: str | bytes, data: bytes = b"", *, version: int = 1, length: int | None = None) -> bytes:
    """A file with this header literal, padded as NumPy pads it."""
    raw = header.encode("utf-8" if version == 3 else "latin-1") if isinstance(header, str) else header
    width = 2 if version == 1 else 4
    raw += b" " * (-(len(raw) + 9 + width) % 64) + b"\n"
    size = len(raw) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + size.to_bytes(width, "little") + raw + data


def sentencepiece(pieces: Sequence[str], settings: bytes = b"") -> bytes:
    """A tokenizer model with these pieces and one block of trainer settings."""
    out = b""
    for index, piece in enumerate(pieces):
        raw = piece.encode()
        body = b"\x0a" + bytes([len(raw)]) + raw + b"\x15" + struct.pack("<f", -float(index))
        if index < 3:
            body += b"\x18\x03"
        out += b"\x0a" + bytes([len(body)]) + body
    return out + b"\x12" + bytes([len(settings)]) + settings
