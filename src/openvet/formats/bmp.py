"""BMP images: a file header, an image header, perhaps colours, then rows of pixels.

::

    "BM" size[4] 0[4] place of the pixels[4]
    size of the image header[4] width[4] height[4] planes[2] bits[2] compression[4] bytes of pixels[4] ...
    rows, each padded to four bytes

Specification: https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-storage . Pixels are not decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest, say_incomplete
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="bmp",
    title="BMP image",
    extensions=(".bmp",),
    media_types=("image/bmp",),
    can_tell=("that it is an image up to its last byte",),
    cannot_tell=("what it shows, or what its pixels hide",),
)

_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
#: What its bytes begin with.
STARTS = (b"BM",)


def probe(head: Head) -> Likeness:
    """BM, zeros, and a size of the image header that exists."""
    data = head.data
    header = int.from_bytes(data[14:18], "little")
    return Likeness.STRONG if data[:2] == b"BM" and data[6:10] == bytes(4) and header in _HEADERS else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Compute where the pixels end.

    Raises:
        MalformedError: the pixels begin inside the headers.
    """
    start = source.read(0, 26)
    place, header = (int.from_bytes(start[at : at + 4], "little") for at in (10, 14))
    if header == 12:
        width, height, bits, packed = *(int.from_bytes(start[at : at + 2], "little") for at in (18, 20, 24)), 0
    else:
        more = source.read(18, 20)
        width = int.from_bytes(more[:4], "little", signed=True)
        height = abs(int.from_bytes(more[4:8], "little", signed=True))
        bits = int.from_bytes(more[10:12], "little")
        packed = int.from_bytes(more[16:20], "little") if more[12] in {1, 2, 4, 5} else 0
    colours = 1 << bits if bits <= 8 else 256
    if place < 14 + header or place > 14 + header + 16 + 4 * colours or width <= 0:
        raise MalformedError("the pixels are not where an image has them", offset=10)
    facts.note("width", width)
    facts.note("height", height)
    end = place + (packed or (width * bits + 31) // 32 * 4 * height)
    if header in {108, 124}:  # a colour profile may stand behind the pixels
        profile = source.read(14 + header - 16, 16) if header == 124 else bytes(16)
        offset, size = (int.from_bytes(profile[at : at + 4], "little") for at in (4, 8))
        end = max(end, 14 + offset + size) if size else end
    if end > source.size:
        say_incomplete(facts, end, source.size)
        return
    look_inside(facts, source.read(14 + header, place - 14 - header), "the table of colours", 14 + header)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, end, "the pixels")
