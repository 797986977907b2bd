"""The index of a shard of Zarr 3: where the parts of an array lie that one file or value holds together.

::

    parts, each packed by itself      index: for each part its offset and its bytes (u64 each, all ones where there is none), CRC-32C u32

Specification: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html
"""

from __future__ import annotations

import struct

from openvet.formats._crc32c import crc32c
from openvet.io.source import Source

__all__ = ["shard_parts"]

_ENTRY, _CHECKSUM = 16, 4
_NONE = (1 << 64) - 1
_MOST = 65_536
_BLOCK = 4096


def shard_parts(source: Source) -> list[tuple[int, int]] | None:
    """(offset, size) of each part, where an index behind them accounts for every byte and its checksum is right."""
    end = source.size - _CHECKSUM
    parts: list[tuple[int, int]] = []
    held = 0
    at = end
    for _ in range(_MOST):
        if at < _ENTRY:
            return None
        if (end - at) % _BLOCK == 0:
            begin = max(at - _BLOCK, at % _ENTRY)
            block, start = source.read(begin, at - begin), begin
        at -= _ENTRY
        offset, size = struct.unpack_from("<QQ", block, at - start)
        if (offset, size) != (_NONE, _NONE):
            if not size or offset + size > at:
                return None
            parts.append((offset, size))
            held += size
            if held > at:
                return None
        if parts and held == at:
            told = crc32c(source.read(at, end - at)) == int.from_bytes(source.read(end, _CHECKSUM), "little")
            return _side_by_side(parts, at) if told else None
    return None


def _side_by_side(parts: list[tuple[int, int]], end: int) -> list[tuple[int, int]] | None:
    at = 0
    for offset, size in sorted(parts):
        if offset != at:
            return None
        at += size
    return sorted(parts) if at == end else None
