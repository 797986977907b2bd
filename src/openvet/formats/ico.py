"""Windows icons and cursors: a directory of images, each one a PNG file or the inside of a BMP file.

::

    0[2] 1 or 2[2] count[2]
    count times: width height colours 0 planes[2] bits[2] size[4] place[4]
    images

Specification: https://learn.microsoft.com/en-us/previous-versions/ms997538(v=msdn.10)
"""

from __future__ import annotations

from functools import partial

from openvet.errors import MalformedError
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ico",
    title="Windows icon",
    extensions=(".ico", ".cur"),
    media_types=("image/vnd.microsoft.icon",),
    can_tell=("that every byte belongs to one of its images",),
    cannot_tell=("what they show, or what their pixels hide",),
)
#: What its bytes begin with.
STARTS = (b"\0\0\1\0", b"\0\0\2\0")


def probe(head: Head) -> Likeness:
    """A small count of images, the first of which lies inside the file behind the directory."""
    data = head.data
    count = int.from_bytes(data[4:6], "little")
    if data[:4] not in {b"\0\0\1\0", b"\0\0\2\0"} or not 0 < count < 256 or len(data) < 22:
        return Likeness.NO
    size, place = (int.from_bytes(data[at : at + 4], "little") for at in (14, 18))
    fits = data[9] == 0 and place >= 6 + 16 * count and size > 0 and place + size <= head.size
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold every image to its place; those that are PNG are members.

    Raises:
        MalformedError: an image lies outside or over others, or is of neither kind.
    """
    count = int.from_bytes(source.read(4, 2), "little")
    table = source.read(6, 16 * count)
    extents = [(0, 6 + 16 * count)]
    taken = 0
    for index in range(count):
        size, place = (int.from_bytes(table[16 * index + at : 16 * index + at + 4], "little") for at in (8, 12))
        if (place, size) in extents:  # two sizes may share a picture
            continue
        taken += size
        # each is read as a file of its own: what lies in another one would be read again and again
        if taken > source.size:
            raise MalformedError("its images lie over each other", offset=6 + 16 * index)
        start = source.read(place, 8)
        if start == b"\x89PNG\r\n\x1a\n":
            window = source.window(place, size)
            facts.add_members([Member(f"image-{index}.png", size, partial(_same, window), place)])
        elif int.from_bytes(start[:4], "little") != 40:
            raise MalformedError("an image is neither PNG nor BMP", offset=place)
        extents.append((place, size))
    facts.note("images", count)
    account_for_all(source, facts, extents, "the icon")


def _same(window: Source) -> Source:
    return window
