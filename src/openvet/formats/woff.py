"""Web fonts (WOFF, WOFF2): a header with the length of the file, a directory, compressed tables, metadata, private data.

Specification: https://www.w3.org/TR/WOFF/ , https://www.w3.org/TR/WOFF2/ . Nothing is decompressed.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest, say_incomplete
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="woff",
    title="web font",
    extensions=(".woff", ".woff2"),
    media_types=("font/woff2",),
    can_tell=("that it is a font up to its last byte", "whether it carries private data"),
    cannot_tell=("what its glyphs look like, or what its tables hide",),
)
#: What its bytes begin with.
STARTS = (b"wOFF", b"wOF2")


def probe(head: Head) -> Likeness:
    """The mark, a version of fonts, and two bytes that are always zero."""
    known = head.data[4:8] in {b"\0\1\0\0", b"OTTO", b"true", b"ttcf"} and head.data[14:16] == b"\0\0"
    return Likeness.STRONG if head.data[:4] in {b"wOFF", b"wOF2"} and known else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold the parts to the file.

    Raises:
        MalformedError: a part lies outside of the file.
    """
    new = source.read(0, 4) == b"wOF2"
    start = source.read(0, 48 if new else 44)
    length, tables = int.from_bytes(start[8:12], "big"), int.from_bytes(start[12:14], "big")
    if length > source.size:
        say_incomplete(facts, length, source.size)
        return
    rest = start[28:48] if new else start[24:44]
    metadata, private = ((int.from_bytes(rest[a : a + 4], "big"), int.from_bytes(rest[b : b + 4], "big"))
                         for a, b in ((0, 4), (12, 16)))  # fmt: skip
    if private[1]:
        facts.unknown("unsupported", f"{private[1]} bytes of private data were not read", private[0])
    if new:  # the directory's length follows from what it says; the tables are one stream behind it
        if not facts.unknowns:
            facts.coverage = Coverage.INERT
        account_for_rest(source, facts, length, "the font")
        return
    table = source.read(44, 20 * tables)
    extents = [(0, 44 + 20 * tables), metadata, private]
    extents += [(int.from_bytes(table[at + 4 : at + 8], "big"), int.from_bytes(table[at + 8 : at + 12], "big"))
                for at in range(0, len(table), 20)]  # fmt: skip
    told = facts.coverage if facts.unknowns else None
    account_for_all(source, facts, extents, "the font")
    facts.coverage = told or facts.coverage
