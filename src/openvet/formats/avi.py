"""AVI video: RIFF files of the kinds ``AVI `` and, behind the first one, ``AVIX``.

Specification: https://learn.microsoft.com/en-us/windows/win32/directshow/avi-riff-file-reference and OpenDML 1.02. Chunks are
walked; frames are not decoded.
"""

from __future__ import annotations

from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._riff import walk_riff
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="avi",
    title="AVI video",
    extensions=(".avi",),
    media_types=("video/x-msvideo",),
    can_tell=("that it is a chain of media chunks up to its last byte",),
    cannot_tell=("what it shows or says, or what its frames hide",),
)
#: What its bytes begin with.
STARTS = (b"RIFF",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data[:4] == b"RIFF" and head.data[8:12] == b"AVI " else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks of each part (raises like :func:`walk_riff`)."""
    at = 0
    while True:
        start = source.read(at, 12)
        if at and (start[:4] != b"RIFF" or start[8:] != b"AVIX"):
            raise MalformedError(f"has a part {printable(start[8:].decode('latin-1'))}", offset=at)
        length = 8 + int.from_bytes(start[4:8], "little")
        after = at + length + (length & 1)
        if source.upto(after, 4) != b"RIFF":
            walk_riff(source.window(at, source.size - at), facts, (b"LIST",), "the video")
            return
        walk_riff(source.window(at, after - at), facts, (b"LIST",), "the video")
        at = after
