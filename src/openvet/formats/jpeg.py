"""JPEG images: segments with a marker and a length, scans of entropy-coded bytes, up to ``EOI``.

Specification: https://www.w3.org/Graphics/JPEG/itu-t81.pdf (annex B). Segments are walked; pixels are not decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import BLOCK, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="jpeg",
    title="JPEG image",
    extensions=(".jpg", ".jpeg", ".jfif"),
    media_types=("image/jpeg",),
    can_tell=("that it is an image up to its last byte",),
    cannot_tell=("what it shows, or what its pixels or comments hide",),
)

_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
#: What its bytes begin with.
STARTS = (b"\xff\xd8\xff",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(b"\xff\xd8\xff") and len(head.data) > 3 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the segments.

    Raises:
        MalformedError: a segment goes beyond the end, or something stands between segments.
    """
    at = 2
    while True:
        facts.budget.check_time()
        start = source.upto(at, 9)
        if len(start) < 2 or start[0] != 0xFF:
            raise MalformedError("a segment's marker is missing", offset=at)
        marker = start[1]
        if marker == 0xFF:  # fill bytes, of which the last one begins the marker
            run = source.upto(at, 64 * 1024)
            at += len(run) - len(run.lstrip(b"\xff")) - 1
            continue
        at += 2
        if marker == 0xD9:
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        length = int.from_bytes(source.read(at, 2), "big")
        if length < 2 or at + length > source.size:
            raise MalformedError(f"the segment 0x{marker:02x} goes beyond the end", offset=at)
        if marker in _FRAMES and len(start) == 9:
            facts.note("height", int.from_bytes(start[5:7], "big"))
            facts.note("width", int.from_bytes(start[7:9], "big"))
        if marker == 0xFE or 0xE0 <= marker <= 0xEF:
            data = source.read(at + 2, length - 2)
            look_inside(facts, data, f"the segment 0x{marker:02x}", at)
            if data.startswith(b"Exif\0\0"):
                look_inside(facts, data[6:], f"the segment 0x{marker:02x}", at)
        at += length
        if marker == 0xDA:
            at = _scan_end(source, facts, at)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the image")


def _scan_end(source: Source, facts: Facts, at: int) -> int:
    """Where the next marker stands that is neither a stuffed zero nor a restart."""
    while at < source.size:
        facts.budget.check_time()
        block = source.upto(at, BLOCK)
        found = -1
        while True:
            found = block.find(b"\xff", found + 1)
            if found < 0 or found + 1 == len(block):
                break
            after = block[found + 1]
            if after and not 0xD0 <= after <= 0xD7 and after != 0xFF:
                return at + found
        if found >= 0 and at + found + 1 >= source.size:
            break
        at += len(block) if found < 0 else found
    raise MalformedError("the image data does not end", offset=source.size)
