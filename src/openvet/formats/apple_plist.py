"""Binary property lists of Apple: objects, a table of their places, a trailer.

::

    "bplist00", objects, places of the objects, trailer[32]: 0[5] sort[1] bytes of a place[1] bytes of a number of an object[1]
    count of objects[8] number of the first[8] place of the table[8]

Specification: https://opensource.apple.com/source/CF/CF-550/CFBinaryPList.c (comment at the top)
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="apple-plist",
    title="binary property list",
    extensions=(".plist",),
    media_types=("application/x-plist",),
    can_tell=("that it is a list of values up to its last byte",),
    cannot_tell=("what a program makes of its values",),
)

_MOST = 4 * 1024 * 1024
#: What its bytes begin with.
STARTS = (b"bplist0",)


def probe(head: Head) -> Likeness:
    """The mark, and a trailer that begins with zeros."""
    fits = head.data.startswith(b"bplist0") and head.size >= 41 and head.tail[-32:-27] == bytes(5)
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold the table of places to the file.

    Raises:
        MalformedError: the trailer does not fit, or an object lies outside.
    """
    end = source.size - 32
    trailer = source.read(end, 32)
    width, count = trailer[6], int.from_bytes(trailer[8:16], "big")
    top, table = (int.from_bytes(trailer[at : at + 8], "big") for at in (16, 24))
    if trailer[:5] != bytes(5) or not 1 <= width <= 8 or top >= count or table + width * count != end or table < 9:
        raise MalformedError("the trailer does not fit the file", offset=max(end, 0))
    if width * count > _MOST:
        raise MalformedError("has too many objects", offset=table)
    places = source.read(table, width * count)
    last = max(int.from_bytes(places[at : at + width], "big") for at in range(0, len(places), width))
    if not 8 <= last < table:
        raise MalformedError("an object lies outside", offset=table)
    facts.note("objects", count)
    facts.coverage = Coverage.INERT
