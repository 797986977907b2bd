"""xz, and the older .lzma form of the same compression.

::

    xz:    fd 37 7a 58 5a 00, flags[2], checksum[4], blocks, index, footer ending in "YZ"
    .lzma: properties (lc + 9 * lp + 45 * pb), dictionary size[4], decoded size[8] or all ones, LZMA data

xz streams may follow one another with zeros between them. A .lzma stream has no magic, so its head must decode.

Specification: https://tukaani.org/xz/xz-file-format.txt and https://www.7-zip.org/sdk.html (lzma.txt)
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._stream import decodes, read_stream, stripped
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="xz",
    title="xz or LZMA stream",
    extensions=(".xz", ".txz", ".lzma", ".tlz"),
    media_types=("application/x-xz", "application/x-lzma"),
    can_tell=("The content, also what comes before a break.", "Whether data follows the stream."),
    cannot_tell=(
        "The content of streams whose dictionary is larger than 80 MiB.",
        "What the last 8 KiB before a break hold, where the break is far into the stream.",
    ),
)

_XZ = b"\xfd7zXZ\0"
#: A .lzma head must decode to this much, or to its end.
_PLAUSIBLE = 64


def probe(head: Head) -> Likeness:
    """The magic of xz; for .lzma plausible fields and a head that decodes, and even then it is only likely."""
    data = head.data
    if data.startswith(_XZ):
        return Likeness.STRONG
    from openvet.io.archive.compressed import LZMA_ALONE, plausible_alone

    if not plausible_alone(data[:18]):
        return Likeness.NO
    size = int.from_bytes(data[5:13], "little")
    return Likeness.WEAK if decodes(head.source, LZMA_ALONE, min(_PLAUSIBLE, size)) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode all streams into one member."""
    from openvet.io.archive.compressed import LZMA_STREAMS

    facts.note("variant", "xz" if source.upto(0, len(_XZ)) == _XZ else "lzma")
    suffixes = {".txz": ".tar", ".tlz": ".tar", ".xz": "", ".lzma": ""}
    read_stream(source, facts, LZMA_STREAMS, stripped(facts.name, suffixes))
