"""Animated cursors of Windows: a RIFF file of the kind ``ACON``.

Specification: https://www.daubnet.com/en/file-format-ani . Chunks are walked; pixels are not decoded. Windows read a header chunk of
any length into 36 bytes (CVE-2007-0038), so one of another length is refused.
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._riff import walk_riff
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ani",
    title="animated cursor",
    extensions=(".ani",),
    media_types=("application/x-navi-animation",),
    can_tell=("that it is a chain of chunks up to its last byte",),
    cannot_tell=("what it shows, or what its pixels hide",),
)
_HEADER = b"anih\x24\0\0\0"
#: What its bytes begin with.
STARTS = (b"RIFF",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data[:4] == b"RIFF" and head.data[8:12] == b"ACON" else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks (raises like :func:`walk_riff`).

    Raises:
        MalformedError: a header is not 36 bytes long.
    """
    at = 12
    while len(start := source.upto(at, 8)) == 8:
        facts.budget.check_time()
        if start[:4] == b"anih" and start != _HEADER:
            raise MalformedError("has a header that is not 36 bytes long", offset=at)
        length = int.from_bytes(start[4:], "little")
        at += 8 + length + (length & 1)
    walk_riff(source, facts, (b"anih",), "the cursor")
