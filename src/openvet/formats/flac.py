"""FLAC sound: blocks of metadata, then frames up to the end of the file.

::

    "fLaC"
    last? and type[1] length[3] content     metadata: the first one is STREAMINFO (34 bytes)
    frames: 14 bits of ones ..., a CRC-8 of the frame's header, ..., a CRC-16 of the frame

A frame does not say how long it is. That the file ends with one is seen from its end: the last frame is the one whose header
and whose whole have the right checksums.

Specification: https://www.rfc-editor.org/rfc/rfc9639 . Samples are not decoded.
"""

from __future__ import annotations

from functools import cache

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import say_trailing
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="flac",
    title="FLAC sound",
    extensions=(".flac",),
    media_types=("audio/flac",),
    can_tell=("that it begins with metadata and ends with a whole frame of sound",),
    cannot_tell=("what it says, or what its frames or metadata hide",),
)

#: The longest last frame that is looked for.
_LONGEST = 512 * 1024
_MOST_TRIED = 64
#: What its bytes begin with.
STARTS = (b"fLaC",)


def probe(head: Head) -> Likeness:
    """The mark and a STREAMINFO of its size."""
    fits = head.data[:4] == b"fLaC" and head.data[4:5] in {b"\0", b"\x80"} and head.data[5:8] == b"\0\0\x22"
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the metadata, then look for the last frame.

    Raises:
        MalformedError: metadata goes beyond the end, or no frame follows it.
    """
    at = 4
    while True:
        facts.budget.check_time()
        start = source.read(at, 4)
        size = int.from_bytes(start[1:], "big")
        if start[0] & 0x7F:
            look_inside(facts, source.upto(at + 4, min(size, 4096)), "a block of metadata", at)
        at += 4 + size
        if at > source.size:
            raise MalformedError("metadata goes beyond the end", offset=at)
        if start[0] & 0x80:
            break
    if _header(source.upto(at, 16)) == 0:
        if at == source.size:
            facts.coverage = Coverage.INERT
            return
        raise MalformedError("no frame of sound follows the metadata", offset=at)
    end = source.size - (128 if source.upto(source.size - 128, 3) == b"TAG" else 0)
    sound = _last_frame_end(source, facts, at, end)
    facts.coverage = Coverage.INERT
    if sound < end:
        say_trailing(source, facts, sound, "the last whole frame of sound")


def _last_frame_end(source: Source, facts: Facts, start: int, end: int) -> int:
    """Where the last frame ends: at ``end``, or where its checksum first fits; ``start`` where there is none."""
    begin = max(start, end - _LONGEST)
    data = source.read(begin, end - begin)
    at = len(data)
    for _ in range(_MOST_TRIED):
        facts.budget.check_time()
        at = max(data.rfind(b"\xff\xf8", 0, at), data.rfind(b"\xff\xf9", 0, at))
        if at < 0:
            return start
        length = _header(data[at : at + 16])
        if length:
            whole, fits = _crc_fits(data[at:], length)
            if whole or fits:
                return end if whole else begin + at + fits
    return start


def _crc_fits(data: bytes, least: int) -> tuple[bool, int]:
    """Whether the checksum fits all of ``data``, and the first length above ``least`` for which it fits, else 0."""
    table = _table(0x8005, 16)
    crc = first = 0
    for index, byte in enumerate(data, 1):
        crc = (crc << 8 ^ table[crc >> 8 ^ byte]) & 0xFFFF
        if not crc and not first and index > least + 2:
            first = index
    return crc == 0, first


def _header(data: bytes) -> int:
    """The length of the frame header at the beginning of ``data``; 0 where there is none."""
    if len(data) < 6 or data[:2] not in {b"\xff\xf8", b"\xff\xf9"}:
        return 0
    block, rate = data[2] >> 4, data[2] & 15
    if block == 0 or rate == 15 or data[3] & 1:
        return 0
    ones = 8 - (data[4] ^ 0xFF).bit_length()
    if ones == 1 or ones > 7:
        return 0
    length = 4 + max(ones, 1) + {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0) + 1
    return length if len(data) >= length and _crc(data[:length], 0x07, 8) == 0 else 0


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    """The checksum with its own value at the end: 0 where it fits."""
    table, crc = _table(polynomial, bits), 0
    for byte in data:
        crc = (crc << 8 ^ table[crc >> bits - 8 ^ byte]) & ((1 << bits) - 1)
    return crc


@cache
def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << bits - 1, (1 << bits) - 1
    table = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        table.append(value)
    return tuple(table)
