"""bzip2: one stream or several, each of compressed blocks with checksums.

::

    "BZh", block size "1" to "9"
    31 41 59 26 53 59, block checksum[4], block          once per block, not aligned to bytes after the first
    17 72 45 38 50 90, stream checksum[4]

Specification: there is no official one; https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._stream import read_stream, stripped
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="bzip2",
    title="bzip2 stream",
    extensions=(".bz2", ".tbz2", ".tbz"),
    media_types=("application/x-bzip2",),
    can_tell=("The content, also what comes before a break.", "Whether data follows the stream."),
    cannot_tell=("What the last block before a break holds, where its checksum is wrong.",),
)

_BLOCK = b"\x31\x41\x59\x26\x53\x59"
_STREAM_END = b"\x17\x72\x45\x38\x50\x90"
#: What its bytes begin with.
STARTS = (b"BZh",)


def probe(head: Head) -> Likeness:
    """The magic, the block size, and the magic of the first block or of the end of an empty stream."""
    data = head.data
    magic = data[:3] == b"BZh" and data[3:4] in tuple(b"%d" % level for level in range(1, 10))
    return Likeness.STRONG if magic and data[4:10] in (_BLOCK, _STREAM_END) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode all streams into one member."""
    from openvet.io.archive.compressed import BZIP2

    suffixes = {".tbz2": ".tar", ".tbz": ".tar", ".bz2": ""}
    read_stream(source, facts, BZIP2, stripped(facts.name, suffixes))
