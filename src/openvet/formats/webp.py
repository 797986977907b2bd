"""WebP images: a RIFF file of the kind ``WEBP``.

Specification: https://developers.google.com/speed/webp/docs/riff_container . Chunks are walked; pixels are not decoded.
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._riff import walk_riff
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="webp",
    title="WebP image",
    extensions=(".webp",),
    media_types=("image/webp",),
    can_tell=("that it is an image up to its last byte",),
    cannot_tell=("what it shows, or what its pixels or metadata hide",),
)
#: What its bytes begin with.
STARTS = (b"RIFF",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data[:4] == b"RIFF" and head.data[8:12] == b"WEBP" else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks (raises like :func:`walk_riff`)."""
    walk_riff(source, facts, (b"VP8 ", b"VP8L", b"VP8X"), "the image")
