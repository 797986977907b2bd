"""The two loops of LZ4: decoding one block, and the checksum xxHash-32.

Both are compiled where Cython is (``lz4_block.pxd`` holds the types) and run unchanged where it is not; ADR 0010 says why.

Specification: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md and
https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
"""

from __future__ import annotations

import struct

from openvet.errors import MalformedError

__all__ = ["Xxh32", "decode_block", "xxh32"]

_MASK = 0xFFFFFFFF
_P1, _P2, _P3, _P4, _P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
_STRIPES = struct.Struct("<4I")


def decode_block(data: bytes, history: bytes, most: int) -> bytes:  # noqa: C901 - one loop, no calls: this is the cost
    """The content of one compressed block.

    Args:
        data: the block.
        history: what matches may refer to before the block's own content, 64 KiB at most.
        most: bytes that the block may decode to.

    Raises:
        MalformedError: the block is broken; its offset counts in the block.
    """
    out = bytearray(history)
    base = len(out)
    size = len(data)
    full = base + most
    at = 0
    while at < size:
        token = data[at]
        at += 1
        length = token >> 4
        if length == 15:
            while True:
                if at >= size:
                    raise MalformedError("an LZ4 block ends in a length", offset=at)
                more = data[at]
                at += 1
                length += more
                if more != 255:
                    break
        if at + length > size or len(out) + length > full:
            raise MalformedError("literals of an LZ4 block go beyond its end", offset=at)
        if length:
            out += data[at : at + length]
            at += length
        if at == size:
            break
        if at + 2 > size:
            raise MalformedError("an LZ4 block ends in the offset of a match", offset=at)
        back = data[at] | data[at + 1] << 8
        at += 2
        length = (token & 15) + 4
        if length == 19:
            while True:
                if at >= size:
                    raise MalformedError("an LZ4 block ends in a length", offset=at)
                more = data[at]
                at += 1
                length += more
                if more != 255:
                    break
        written = len(out)
        if back == 0 or back > written or written + length > full:
            raise MalformedError("a match of an LZ4 block lies outside its content", offset=at)
        start = written - back
        if back >= length:
            out += out[start : start + length]
        else:  # the match reaches into what it writes: its first bytes are repeated
            out += (bytes(out[start:written]) * (length // back + 1))[:length]
    return bytes(out[base:])


class Xxh32:
    """xxHash-32 with the seed 0, fed piece by piece."""

    __slots__ = ("_a", "_b", "_c", "_d", "_rest", "_size")

    def __init__(self) -> None:
        self._a, self._b, self._c, self._d = (_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK
        self._rest = b""
        self._size = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._size += len(data)
        if self._rest:
            data = self._rest + data
        whole = len(data) & ~15
        self._rest = data[whole:]
        a, b, c, d = self._a, self._b, self._c, self._d
        for first, second, third, fourth in _STRIPES.iter_unpack(memoryview(data)[:whole]):
            # written out and not called: this is the whole cost of a checksum
            a = (a + first * _P2) & _MASK
            a = ((a << 13 | a >> 19) & _MASK) * _P1 & _MASK
            b = (b + second * _P2) & _MASK
            b = ((b << 13 | b >> 19) & _MASK) * _P1 & _MASK
            c = (c + third * _P2) & _MASK
            c = ((c << 13 | c >> 19) & _MASK) * _P1 & _MASK
            d = (d + fourth * _P2) & _MASK
            d = ((d << 13 | d >> 19) & _MASK) * _P1 & _MASK
        self._a, self._b, self._c, self._d = a, b, c, d

    def digest(self) -> int:
        """The checksum of what was taken so far."""
        if self._size >= 16:
            value = _turn(self._a, 1) + _turn(self._b, 7) + _turn(self._c, 12) + _turn(self._d, 18)
        else:
            value = _P5
        value = (value + self._size) & _MASK
        rest = self._rest
        for at in range(0, len(rest) & ~3, 4):
            value = (value + int.from_bytes(rest[at : at + 4], "little") * _P3) & _MASK
            value = _turn(value, 17) * _P4 & _MASK
        for byte in rest[len(rest) & ~3 :]:
            value = (value + byte * _P5) & _MASK
            value = _turn(value, 11) * _P1 & _MASK
        value = (value ^ value >> 15) * _P2 & _MASK
        value = (value ^ value >> 13) * _P3 & _MASK
        return value ^ value >> 16


def xxh32(data: bytes) -> int:
    """The checksum of these bytes."""
    state = Xxh32()
    state.update(data)
    return state.digest()


def _turn(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & _MASK
