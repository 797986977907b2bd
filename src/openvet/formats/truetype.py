"""TrueType and OpenType fonts: a directory of tables, and the tables; a collection has several directories.

::

    version[4] tables[2] three numbers that follow from that[6]
    tables times: tag[4] checksum[4] place[4] length[4]
    collection: "ttcf" version[4] fonts[4], place of each[4] [, "DSIG" length[4] place[4]]

Specification: https://learn.microsoft.com/en-us/typography/opentype/spec/otff . Glyphs and their instructions are not read.
"""

from __future__ import annotations

from openvet.errors import LimitError, MalformedError
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="truetype",
    title="TrueType or OpenType font",
    extensions=(".ttf", ".otf", ".ttc"),
    media_types=("font/ttf",),
    can_tell=("that every byte belongs to one of its tables",),
    cannot_tell=("what its glyphs look like, or what its tables hide",),
)

_VERSIONS = {b"\0\1\0\0", b"true", b"OTTO", b"typ1"}
_MOST_FONTS = 1000
#: Tables of one font; there are some sixty kinds, and a font has each of them once.
_MOST_TABLES = 99
#: What its bytes begin with.
STARTS = (*sorted(_VERSIONS), b"ttcf")


def probe(head: Head) -> Likeness:
    """A version, a count of tables and the power of two below it, times sixteen; or a collection."""
    data = head.data
    if data[:4] == b"ttcf":
        return Likeness.STRONG if data[4:8] in {b"\0\1\0\0", b"\0\2\0\0"} else Likeness.NO
    tables, reach = (int.from_bytes(data[at : at + 2], "big") for at in (4, 6))
    fits = data[:4] in _VERSIONS and 0 < tables <= _MOST_TABLES and reach == 16 << tables.bit_length() - 1
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold every table to its place.

    Raises:
        MalformedError: a table lies outside of the file.
        LimitError: there are too many fonts, or one of them has too many tables.
    """
    fonts, extents = [0], []
    if source.read(0, 4) == b"ttcf":
        start = source.read(0, 12)
        count = int.from_bytes(start[8:], "big")
        if count > _MOST_FONTS:
            raise LimitError("records", _MOST_FONTS, f"has {count} fonts", offset=8)
        places = source.read(12, 4 * count)
        fonts = [int.from_bytes(places[at : at + 4], "big") for at in range(0, len(places), 4)]
        extents.append((0, 12 + 4 * count))
        if start[4:8] == b"\0\2\0\0":
            signature = source.read(12 + 4 * count, 12)
            extents.append((12 + 4 * count, 12))
            extents.append((int.from_bytes(signature[8:], "big"), int.from_bytes(signature[4:8], "big")))
    for at in fonts:
        start = source.read(at, 12)
        if start[:4] not in _VERSIONS:
            raise MalformedError("a font has a version that does not exist", offset=at)
        count = int.from_bytes(start[4:6], "big")
        if count > _MOST_TABLES:
            raise LimitError("records", _MOST_TABLES, f"has a font of {count} tables", offset=at)
        facts.budget.check_time()
        table = source.read(at + 12, 16 * count)
        extents.append((at, 12 + 16 * count))
        for step in range(0, len(table), 16):
            place, length = (int.from_bytes(table[step + a : step + a + 4], "big") for a in (8, 12))
            extents.append((place, length))
    account_for_all(source, facts, extents, "the font")
