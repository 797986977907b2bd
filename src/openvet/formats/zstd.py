"""Zstandard: frames of blocks, as ``zstd`` writes them, mostly around a tar.

::

    frame:     28 b5 2f fd, descriptor[, window], [dictionary][, content size], blocks[, checksum[4]]
    skippable: 50..5f 2a 4d 18, size[4], data that no decoder looks at

Frames of both kinds may follow one another.

Specification: RFC 8878, https://www.rfc-editor.org/rfc/rfc8878
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._stream import account_for_skipped, read_stream, stripped
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="zstd",
    title="Zstandard stream",
    extensions=(".zst", ".zstd", ".tzst"),
    media_types=("application/zstd",),
    can_tell=(
        "The content, also what comes before a break.",
        "What hides in skipped frames or behind the stream.",
    ),
    cannot_tell=(
        "The content of frames that need a dictionary, or a window of more than 128 MiB.",
        "Anything, where neither Python 3.14 nor the module backports.zstd is there.",
    ),
)


def probe(head: Head) -> Likeness:
    """The magic and no reserved bit, also behind skippable frames."""
    data = head.data
    if data[1:4] not in (b"\xb5\x2f\xfd", b"\x2a\x4d\x18"):
        return Likeness.NO
    from openvet.io.archive.frames import behind_skippable
    from openvet.io.archive.zstd import plausible

    return Likeness.STRONG if plausible(head.source.upto(behind_skippable(head.source), 16)) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode all frames into one member."""
    from openvet.io.archive.zstd import ZstdCoding

    how = ZstdCoding(facts.budget)
    suffixes = {".tzst": ".tar", ".zst": "", ".zstd": ""}
    read_stream(source, facts, how.coding, stripped(facts.name, suffixes))
    account_for_skipped(source, facts, list(how.skipped))
