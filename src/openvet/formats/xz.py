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
    # The first byte of LZMA data itself (the 14th) is always zero.
    if len(data) < 18 or data[0] >= 9 * 5 * 5 or data[13] != 0:
        return Likeness.NO
    dictionary = int.from_bytes(data[1:5], "little")
    size = int.from_bytes(data[5:13], "little")
    # The rules of xz itself (lzma_alone_decoder): 2^n or 2^n + 2^(n-1), and less than 256 GiB.
    top = 1 << max(dictionary.bit_length() - 1, 0)
    if dictionary < 4096 or dictionary not in (top, top | top >> 1, 0xFFFF_FFFF):
        return Likeness.NO
    if size != 0xFFFF_FFFF_FFFF_FFFF and not 0 < size < 1 << 38:
        return Likeness.NO
    from openvet.io.archive.compressed import LZMA_ALONE

    return Likeness.WEAK if decodes(head.source, LZMA_ALONE, min(_PLAUSIBLE, size)) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode all streams into one member."""
    from openvet.io.archive.compressed import LZMA_ALONE, XZ

    coding = XZ if source.upto(0, len(_XZ)) == _XZ else LZMA_ALONE
    facts.note("variant", "xz" if coding is XZ else "lzma")
    suffixes = {".txz": ".tar", ".tlz": ".tar", ".xz": "", ".lzma": ""}
    read_stream(source, facts, coding, stripped(facts.name, suffixes))
