"""zlib: one deflate stream with two bytes before it and a checksum behind it, as joblib and ``zlib.compress`` write it.

::

    method and window (x8), check bits and level: both together divisible by 31
    deflate data
    Adler-32[4]

Two bytes are no magic, so the head of the file must decode.

Specification: RFC 1950, https://www.rfc-editor.org/rfc/rfc1950
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._stream import decodes, read_stream, stripped
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="zlib",
    title="zlib stream",
    extensions=(".zlib", ".z", ".gz"),  # joblib 0.10 and 0.11 gave their streams the last
    media_types=("application/zlib",),
    can_tell=(
        "The content, also what comes before a break.",
        "Whether the checksum fits, and whether data follows the stream.",
    ),
    cannot_tell=("The content of streams that need a preset dictionary.",),
)

#: A head must decode to this much, or to its end.
_PLAUSIBLE = 64
#: What its bytes begin with.
STARTS = tuple(bytes([first]) for first in range(256) if first & 0x8F == 8)


def probe(head: Head) -> Likeness:
    """Valid header bytes and a head that decodes; even then it is only likely."""
    data = head.data
    if len(data) < 8 or data[0] & 0x8F != 8 or data[1] & 0x20 or int.from_bytes(data[:2], "big") % 31:
        return Likeness.NO
    from openvet.io.archive.compressed import ZLIB

    return Likeness.WEAK if decodes(head.source, ZLIB, _PLAUSIBLE) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode all streams into one member."""
    from openvet.io.archive.compressed import ZLIB_STREAMS

    read_stream(source, facts, ZLIB_STREAMS, stripped(facts.name, {".zlib": "", ".z": "", ".gz": ""}))
