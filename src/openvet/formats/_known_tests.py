"""Structures by which kinds without a fixed magic are recognised; ``data/kinds.toml`` names them.

Each test looks at the first bytes and follows at most some dozens of lengths. It may raise ReadError for a structure that
breaks off; the caller takes that for a no.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.formats._format import Head

__all__: list[str] = []

_FIELDS = 64


def _fields(head: Head, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Field number, wire type, start and length of each of the first fields; stops quietly at what is none."""
    for _ in range(_FIELDS):
        if at >= end:
            return
        tag, at = _varint(head, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            return
        if wire == 0:
            value, after = _varint(head, at)
            yield number, wire, value, 0
            at = after
        elif wire == 2:
            length, at = _varint(head, at)
            yield number, wire, at, length
            at += length
        elif wire in {1, 5}:
            length = 8 if wire == 1 else 4
            yield number, wire, at, length
            at += length
        else:
            return


def _varint(head: Head, at: int) -> tuple[int, int]:
    value = 0
    data = head.source.read(at, min(10, max(head.size - at, 1)))
    for index, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    return 0, at


def pe(head: Head) -> bool:
    """A DOS stub whose last field leads to the PE, NE or LE header; or a plain DOS program with plausible fields."""
    data = head.data
    if data[:2] != b"MZ" or len(data) < 28:
        return False
    start = int.from_bytes(data[60:64], "little")
    if head.source.upto(start, 2) in {b"PE", b"NE", b"LE"}:
        return True
    last, pages, paragraphs = (int.from_bytes(data[at : at + 2], "little") for at in (2, 4, 8))
    return last < 512 and 0 < pages * 512 <= head.size + 512 and paragraphs * 16 < head.size


def fat_mach_o(head: Head) -> bool:
    """The same magic as a Java class, followed by a small count of processors."""
    data = head.data
    return data[:3] == b"\xca\xfe\xba" and data[3:4] in {b"\xbe", b"\xbf"} and 0 < int.from_bytes(data[4:8], "big") < 30


def java_class(head: Head) -> bool:
    """0xCAFEBABE, then a minor version and a major one of at least 45."""
    return head.data[:4] == b"\xca\xfe\xba\xbe" and int.from_bytes(head.data[6:8], "big") >= 45


def lmdb(head: Head) -> bool:
    """The magic number behind the header of the first page."""
    return head.data[16:20] in {b"\xde\xc0\xef\xbe", b"\xbe\xef\xc0\xde"}
