"""MP3 sound: an optional ID3v2 tag, frames whose length follows from their header, an optional ID3v1 or APE tag.

Specification: ISO/IEC 11172-3 and 13818-3; tags: https://id3.org/ . Frames are walked; samples are not decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="mp3",
    title="MP3 sound",
    extensions=(".mp3",),
    media_types=("audio/mpeg",),
    can_tell=("that it is a chain of sound frames and tags up to its last byte",),
    cannot_tell=("what it says, or what its frames or tags hide",),
)

_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s, MPEG 1 layer III
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # MPEG 2 and 2.5 layer III
_SAMPLES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
#: What its bytes begin with.
STARTS = (b"ID3", b"\xff")


def probe(head: Head) -> Likeness:
    """STRONG for an ID3v2 tag with a frame behind it, or for two frames in a row."""
    at = _tag_end(head.data)
    if at:
        return Likeness.STRONG if _frame(head.source.upto(at, 4)) else Likeness.NO
    length = _frame(head.data[:4])
    return Likeness.STRONG if length and _frame(head.data[length : length + 4]) else Likeness.NO


def _tag_end(data: bytes) -> int:
    """Where an ID3v2 tag at the beginning ends; 0 where there is none."""
    if len(data) < 10 or data[:3] != b"ID3" or data[3] > 4 or any(byte & 0x80 for byte in data[6:10]):
        return 0
    size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
    return 10 + size + (10 if data[5] & 0x10 else 0)


def _frame(header: bytes) -> int:
    """The length of the layer III frame with this header; 0 where it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate, samples = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or rate in {0, 15} or samples == 3:
        return 0
    bits = (_RATES_1 if version == 3 else _RATES_2)[rate] * 1000
    return (144 if version == 3 else 72) * bits // _SAMPLES[version][samples] + (header[2] >> 1 & 1)


def read(source: Source, facts: Facts) -> None:
    """Walk the frames.

    Raises:
        MalformedError: there is no frame.
    """
    cursor = Cursor(source)
    end = min(_tag_end(cursor.peek(10)), source.size)
    _look_at_tag(source, facts, end)
    cursor.skip(end)
    frames = 0
    while length := _frame(cursor.peek(4)):
        cursor.skip(min(length, cursor.left))  # encoders cut the last frame short
        frames += 1
        if frames % 4096 == 0:
            facts.budget.check_time()
    if not frames:
        raise MalformedError("there is no sound frame", offset=cursor.position)
    facts.note("frames", frames)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, _after_tags(cursor), "the last frame")


def _look_at_tag(source: Source, facts: Facts, end: int) -> None:
    """Frames of the tag: four letters, a length, two flags, the content; comments and objects have words before theirs."""
    at, wide = 10, source.upto(3, 1) != b"\4"
    for _ in range(200):
        start = source.upto(at, 10)
        if at + 10 > end or not start[:4].isalnum():
            return
        size = (
            int.from_bytes(start[4:8], "big")
            if wide
            else sum(byte << shift for byte, shift in zip(start[4:8], (21, 14, 7, 0), strict=True))
        )
        data = source.upto(at + 10, min(size, 64 * 1024, max(end - at - 10, 0)))
        for part in (
            data,
            data[1:],
            data[4:].split(b"\0", 1)[-1],
            data.rpartition(b"\0\0")[2],
            *data.split(b"\0", 4)[1:],
        ):
            look_inside(facts, part, f"the frame {start[:4].decode('latin-1')} of the tag", at)
            if facts.anomalies:
                return
        at += 10 + size


def _after_tags(cursor: Cursor) -> int:
    if cursor.peek(8) == b"APETAGEX":
        head = cursor.peek(32)
        size = int.from_bytes(head[12:16], "little") + 32 if len(head) == 32 else 0
        cursor.skip(min(size, cursor.left))
    if cursor.peek(3) == b"TAG" and cursor.left >= 128:
        cursor.skip(128)
    return cursor.position
