"""AIFF sound: chunks of four letters, a 32-bit length and an even number of bytes, inside one chunk ``FORM``.

Specification: Apple, "Audio Interchange File Format AIFF-C" (1991). Chunks are walked; samples are not decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="aiff",
    title="AIFF sound",
    extensions=(".aif", ".aiff", ".aifc"),
    media_types=("audio/aiff",),
    can_tell=("that it is sound up to its last byte",),
    cannot_tell=("what it says, or what its samples hide",),
)
#: What its bytes begin with.
STARTS = (b"FORM",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data[:4] == b"FORM" and head.data[8:12] in {b"AIFF", b"AIFC"} else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks.

    Raises:
        MalformedError: a chunk goes beyond the one around it.
    """
    end = 8 + int.from_bytes(source.read(4, 4), "big")
    if end > source.size:
        raise MalformedError(f"says that it is {end} bytes long, and {source.size} are there", offset=4)
    at = 12
    while at + 8 <= end:
        facts.budget.check_time()
        start = source.read(at, 8)
        length = int.from_bytes(start[4:], "big")
        if at + 8 + length > end:
            raise MalformedError(f"the chunk {printable(start[:4].decode('latin-1'))} goes beyond the end", offset=at)
        at += 8 + length + (length & 1)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, min(at, source.size), "the sound")
