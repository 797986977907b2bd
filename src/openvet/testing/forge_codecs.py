"""Streams of LZ4 and Zstandard, built without a compressor: blocks are stored, repeated or given as they are."""

from __future__ import annotations

from openvet.io.archive.lz4_block import xxh32

__all__ = ["lz4_frame", "lz4_legacy", "lz4_literals", "skippable", "zstd_frame"]


def lz4_literals(data: bytes) -> bytes:
    """A compressed block of nothing but literals."""
    length = len(data)
    if length < 15:
        return bytes([length << 4]) + data
    more, last = divmod(length - 15, 255)
    return b"\xf0" + b"\xff" * more + bytes([last]) + data


def lz4_frame(
    content: bytes,
    *,
    blocks: list[bytes] | None = None,
    linked: bool = True,
    checksums: bool = False,
    size: int | None = None,
    wrong: bool = False,
    end: bool = True,
    flags: int = 0,
) -> bytes:
    """One frame. ``blocks`` are compressed blocks to use instead of the content; ``wrong`` breaks the checksums."""
    word = 0x40 | (0 if linked else 0x20) | (0x14 if checksums else 0) | (0x08 if size is not None else 0) | flags
    head = bytes([word, 0x70]) + (size.to_bytes(8, "little") if size is not None else b"")
    out = bytearray(b"\x04\x22\x4d\x18" + head + bytes([xxh32(head) >> 8 & 0xFF]))
    for block in [lz4_literals(content)] if blocks is None else blocks:
        out += len(block).to_bytes(4, "little") + block
        if checksums:
            out += (xxh32(block) ^ wrong).to_bytes(4, "little")
    if end:
        out += bytes(4)
        if checksums:
            out += (xxh32(content) ^ wrong).to_bytes(4, "little")
    return bytes(out)


def lz4_legacy(content: bytes) -> bytes:
    """One frame of the old kind."""
    block = lz4_literals(content)
    return b"\x02\x21\x4c\x18" + len(block).to_bytes(4, "little") + block


def zstd_frame(content: bytes, *, dictionary: int = 0, window: int = 0x58, last: bool = True) -> bytes:
    """One frame of stored blocks; ``window`` is the byte that says how large it is (0x58 for 2 MiB)."""
    out = bytearray(b"\x28\xb5\x2f\xfd" + bytes([1 if dictionary else 0, window]))
    if dictionary:
        out.append(dictionary)
    parts = [content[at : at + 100_000] for at in range(0, len(content), 100_000)] or [b""]
    for number, part in enumerate(parts):
        ends = last and number == len(parts) - 1
        out += (len(part) << 3 | ends).to_bytes(3, "little") + part
    return bytes(out)


def skippable(content: bytes, kind: int = 3) -> bytes:
    """A frame that decoders skip."""
    return bytes([0x50 | kind]) + b"\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content
