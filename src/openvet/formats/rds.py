r"""R data: ``.rds`` (one object) and ``.RData`` (a list of named objects), in all three spellings of R's serialization.

::

    ["RDX2\n" | "RDX3\n" | "RDA.." | "RDB.."]           only .RData
    "X\n" big-endian | "B\n" little-endian | "A\n" lines of text
    version (2 or 3), R that wrote it, oldest R that reads it [, encoding]
    items: flags[4] = type | object 0x100 | attributes 0x200 | tag 0x400 | levels << 12, then what the type has

Most files are wrapped in gzip, bzip2 or xz, which those readers take off. Every item is walked to the last. Numbers are
skipped; what R may run (promises, functions, bytecode, active bindings, calls) is recorded with the functions that it names.

Specification: "R Internals", section 1.8, https://cran.r-project.org/doc/manuals/r-release/R-ints.html ; ``serialize.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._r_stream import Binary, Lines

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="rds",
    title="R data",
    extensions=(".rds", ".rda", ".rdata"),
    media_types=("application/x-r-data",),
    can_tell=(
        "Every object, with its classes and the names that loading it defines.",
        "Promises, functions, bytecode, active bindings and calls, and the functions that they name.",
    ),
    cannot_tell=(
        "What a method of an installed package does with the object.",
        "Functions whose names are computed while they run.",
    ),
)

_BINARY = pattern(rb"(?:RD[XAB][23]\n)?(?:X\n\0\0\0[\x02\x03]|B\n[\x02\x03]\0\0\0)")
_TEXT = pattern(rb"(?:RD[XAB][23]\n)?A\n[23]\n\d{5,7}\n\d{5,7}\n")
#: What its bytes begin with.
STARTS = (b"RD", b"X\n", b"B\n", b"A\n")


def probe(head: Head) -> Likeness:
    """The mark of the spelling and a version that exists."""
    return Likeness.STRONG if _BINARY.match(head.data) or _TEXT.match(head.data) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every item."""
    from openvet.errors import MalformedError
    from openvet.formats._r_items import Walk
    from openvet.formats._r_stream import Binary, Lines
    from openvet.formats._trailing import account_for_rest

    cursor = source.cursor()
    named = cursor.peek(3)[:2] == b"RD"
    if named:
        cursor.skip(5)
    spelling = cursor.read(2)
    stream: Binary | Lines
    if spelling == b"A\n":
        stream = Lines(cursor, facts.budget)
    elif spelling in {b"X\n", b"B\n"}:
        stream = Binary(cursor, little=spelling == b"B\n")
    else:
        raise MalformedError("says no known spelling", offset=cursor.position - 2)
    version, writer, _ = stream.integer(), stream.integer(), stream.integer()
    if version not in {2, 3}:
        raise MalformedError(f"has version {version}, which does not exist", offset=cursor.position)
    facts.note("version", version)
    facts.note("written_by", f"R {writer >> 16 & 0xFF}.{writer >> 8 & 0xFF}.{writer & 0xFF}")
    if version == 3:
        size = stream.integer()
        if not 0 <= size <= 64:
            raise MalformedError(f"the name of the encoding has {size} bytes", offset=cursor.position)
        facts.note("encoding", stream.string(size, 64).decode("latin-1"))
    walk = Walk(stream, facts)
    try:
        walk.run("top" if named else "value")
    finally:
        walk.put()  # also what came before a break
    account_for_rest(source, facts, cursor.position, "the R object")
