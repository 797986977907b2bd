"""The MP4 family (MP4, MOV, M4A, HEIF, AVIF): boxes with a length and a type, one after the other.

::

    size[4] type[4]           big-endian; size 1: a size of 8 bytes follows; size 0: up to the end of the file
    content                   the first box is "ftyp"

Specification: ISO/IEC 14496-12. The outermost boxes are walked, which all must be known; nothing is decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest, say_incomplete
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="mp4",
    title="MP4 family (video, sound, HEIF and AVIF images)",
    extensions=(".mp4", ".m4a", ".m4v", ".mov", ".heic", ".heif", ".avif", ".3gp"),
    media_types=("video/mp4",),
    can_tell=("that it is a chain of media boxes up to its last byte",),
    cannot_tell=("what it shows or says, or what its samples hide",),
)

_KNOWN = frozenset({
    b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"meta", b"moof", b"mfra", b"sidx", b"ssix",
    b"pdin", b"prft", b"emsg", b"udta", b"idat", b"pnot", b"mpvd", b"jumb", b"grpl", b"meco",
})  # fmt: skip
#: Boxes that players pass over, and where their content begins.
_SKIPPED = {b"free": 8, b"skip": 8, b"wide": 8, b"uuid": 24}
#: What its bytes begin with.
STARTS = (b"\0\0",)


def probe(head: Head) -> Likeness:
    """A first box of the type ``ftyp`` that lies in the file and has a brand."""
    data = head.data
    size = int.from_bytes(data[:4], "big")
    return Likeness.STRONG if data[4:8] == b"ftyp" and 16 <= size <= min(head.size, 4096) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the boxes.

    Raises:
        MalformedError: a box is shorter than its own header.
    """
    at = 0
    while at + 8 <= source.size:
        facts.budget.check_time()
        start = source.upto(at, 16)
        size, kind = int.from_bytes(start[:4], "big"), start[4:8]
        if kind not in _KNOWN:
            break
        if size == 1:
            size = int.from_bytes(start[8:16], "big")
        elif size == 0:
            size = source.size - at
        if size < 8:
            raise MalformedError(f"the box {printable(kind.decode('latin-1'))} is shorter than its header", offset=at)
        if at + size > source.size:
            say_incomplete(facts, at + size, source.size)
            return
        if kind in _SKIPPED:
            look_inside(
                facts,
                source.upto(at + _SKIPPED[kind], max(min(size - _SKIPPED[kind], 4096), 0)),
                f"the box {kind.decode('ascii')}",
                at,
            )
        at += size
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the last box")
