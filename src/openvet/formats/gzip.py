"""gzip: one deflate stream or several, each with a header, a checksum and a size.

::

    1f 8b 08, flags, time[4], extra flags, system [, extra][, file name][, comment][, header checksum]
    deflate data
    CRC-32[4], size modulo 2**32 [4]

Several of them one after the other decode to one content; zeros between and after them are padding.

Specification: RFC 1952, https://www.rfc-editor.org/rfc/rfc1952
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._stream import read_stream, stripped
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="gzip",
    title="gzip stream",
    extensions=(".gz", ".tgz", ".nemo"),
    media_types=("application/gzip", "application/x-gzip"),
    can_tell=(
        "The content, also what comes before a break.",
        "Whether checksum and size fit, and whether data follows the stream.",
    ),
    cannot_tell=("Whether the file name in the header is the true one.",),
)
#: What its bytes begin with.
STARTS = (b"\x1f\x8b\x08",)


def probe(head: Head) -> Likeness:
    """The magic, the only method there is, and no reserved flag."""
    magic = head.data.startswith(b"\x1f\x8b\x08") and len(head.data) >= 10 and not head.data[3] & 0xE0
    return Likeness.STRONG if magic else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode all streams into one member."""
    from openvet.io.archive.compressed import GZIP, gzip_header

    name, _ = gzip_header(source, 0)
    if name is not None:
        facts.note("file_name", name[:1024].decode("latin-1"))
    read_stream(source, facts, GZIP, stripped(facts.name, {".tgz": ".tar", ".gz": ""}))
