"""LZ4: frames of compressed blocks, as joblib, lz4.frame and the command line write them.

::

    frame:     04 22 4d 18, flags, block size[, content size[8]][, dictionary[4]], header checksum
               blocks: size[4] (highest bit: stored), data[, checksum[4]]; a size of 0 ends them; [content checksum[4]]
    legacy:    02 21 4c 18, blocks: size[4], data; they end with the file or with the next magic
    skippable: 50..5f 2a 4d 18, size[4], data that no decoder looks at

Frames of all kinds may follow one another. A block may refer to 64 KiB of what stands before it.

Specification: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._stream import account_for_skipped, read_stream, stripped
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="lz4",
    title="LZ4 stream",
    extensions=(".lz4", ".tlz4"),
    media_types=("application/x-lz4",),
    can_tell=(
        "The content, also the whole blocks that come before a break.",
        "Whether checksums and sizes fit, and what hides in skipped frames or behind the stream.",
    ),
    cannot_tell=("The content of frames that need a dictionary.", "Bare blocks without a frame, which have no mark."),
)


def probe(head: Head) -> Likeness:
    """The magic and a plausible descriptor, also behind skippable frames."""
    data = head.data
    if data[1:4] not in (b"\x22\x4d\x18", b"\x21\x4c\x18", b"\x2a\x4d\x18"):
        return Likeness.NO
    from openvet.io.archive.frames import behind_skippable
    from openvet.io.archive.lz4 import plausible

    return Likeness.STRONG if plausible(head.source.upto(behind_skippable(head.source), 16)) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode all frames into one member."""
    from openvet.io.archive.lz4 import Lz4Coding

    how = Lz4Coding(facts.budget)
    read_stream(source, facts, how.coding, stripped(facts.name, {".tlz4": ".tar", ".lz4": ""}))
    if how.legacy:
        facts.note("variant", "legacy")
    account_for_skipped(source, facts, list(how.skipped))
