"""CRC-32C, the checksum of TensorFlow's and TensorStore's records (Castagnoli's polynomial, RFC 3720, B.4)."""

from __future__ import annotations

from functools import cache

__all__ = ["crc32c"]


@cache
def _table() -> tuple[int, ...]:
    out = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        out.append(value)
    return tuple(out)


def crc32c(data: bytes) -> int:
    """The checksum, as an unsigned number of 32 bits; some megabytes take a second."""
    table = _table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF
