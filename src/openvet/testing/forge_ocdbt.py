"""Data bases of OCDBT and shards of Zarr, as TensorStore writes them and as it would not, built from structure."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from openvet.formats._crc32c import crc32c

__all__ = ["data_file", "manifest", "node", "shard"]

#: The name of the data file in the cases: Orbax draws 32 digits.
DATA = "d/" + "0123456789abcdef" * 2


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _numbers(*values: int) -> bytes:
    return b"".join(map(_number, values))


def _files(*paths: str) -> bytes:
    data = [path.encode() for path in paths]
    return _numbers(len(data), *[0] * max(len(data) - 1, 0), *map(len, data), *[0] * len(data)) + b"".join(data)


def _framed(magic: int, body: bytes) -> bytes:
    data = struct.pack(">I", magic) + struct.pack("<Q", 18 + len(body)) + b"\0\0" + body
    return data + struct.pack("<I", crc32c(data))


def node(inline: Sequence[tuple[str, bytes]], far: Sequence[tuple[str, int, int]] = (), path: str = DATA) -> bytes:
    """A leaf of the tree: keys with values of their own, and keys with the offset and size of theirs in ``path``."""
    keys = [*(key.encode() for key, _ in inline), *(key.encode() for key, *_ in far)]
    body = b"\0" + _files(path) + _number(len(keys))
    body += _numbers(*[0] * max(len(keys) - 1, 0), *map(len, keys)) + b"".join(keys)
    body += _numbers(*(len(value) for _, value in inline), *(size for *_, size in far))
    body += _numbers(*[0] * len(inline), *[1] * len(far), *[0] * len(far), *(offset for _, offset, _ in far))
    return _framed(0x0CDB20DE, body + b"".join(value for _, value in inline))


def data_file(inline: Sequence[tuple[str, bytes]], values: Sequence[tuple[str, bytes]], gap: bytes = b"") -> bytes:
    """Values, then ``gap``, then the node that leads to them."""
    front, far = b"", []
    for key, value in values:
        far.append((key, len(front), len(value)))
        front += value
    return front + gap + node(inline, far)


def manifest(offset: int, size: int, path: str = DATA, behind: bytes = b"") -> bytes:
    """One version, whose root stands at ``offset`` of ``path``."""
    body = bytes(16) + _numbers(0, 100, 1 << 20) + b"\x04\0" + _files(path)
    body += _numbers(1, 1) + b"\0" + _numbers(0, offset, size, 1, size, 0) + bytes(8) + b"\0"
    return _framed(0x0CDB3A2A, body + behind)


def shard(*parts: bytes) -> bytes:
    """Parts, and the index that leads to them; one part is missing, as where an array is filled with zeros."""
    index, at = b"", 0
    for part in parts:
        index += struct.pack("<QQ", at, len(part))
        at += len(part)
    index += b"\xff" * 16
    return b"".join(parts) + index + struct.pack("<I", crc32c(index))
