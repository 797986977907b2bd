"""JPEG 2000 images: boxes around a codestream (``.jp2``), or the codestream alone (``.j2k``).

::

    boxes: size u32, kind[4] (size 1: u64 follows; size 0: to the end); the first is "jP  ", and "jp2c" holds the codestream
    codestream: FF4F, FF51 and other segments with their lengths, then parts: FF90, 10, tile u16, bytes of the part u32 ...; FFD9

Specification: ISO/IEC 15444-1, annexes A and I (ITU-T T.800). Boxes and parts are walked; pixels are not decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="jpeg2000",
    title="JPEG 2000 image",
    extensions=(".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf"),
    media_types=("image/jp2",),
    can_tell=("that it is an image up to its last byte",),
    cannot_tell=("what it shows, or what its pixels or metadata hide",),
)
_BOXED = b"\0\0\0\x0cjP  \r\n\x87\n"
_STREAM = b"\xff\x4f\xff\x51"
_PART, _END = b"\xff\x90", b"\xff\xd9"
_MEDIA = (b"jp2c",)
#: What its bytes begin with.
STARTS = (_BOXED, _STREAM)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(STARTS) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk boxes and the parts of the codestream.

    Raises:
        MalformedError: a box or part goes beyond what holds it, or there is no codestream.
    """
    end = _codestream(source, 0, source.size, facts) if source.upto(0, 4) == _STREAM else _boxes(source, facts)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, end, "the image")


def _boxes(source: Source, facts: Facts) -> int:
    at, found = 0, False
    while at + 8 <= source.size:
        facts.budget.check_time()
        start = source.upto(at, 16)
        size, kind, head = int.from_bytes(start[:4], "big"), start[4:8], 8
        if not kind.strip(b" ").isalnum():
            break
        if size == 1:
            size, head = int.from_bytes(start[8:16], "big"), 16
        elif size == 0:
            size = source.size - at
        if size < head or at + size > source.size:
            raise MalformedError(f"the box {printable(kind.decode('latin-1'))} goes beyond the end", offset=at)
        if kind in _MEDIA:
            found = True
            stop = _codestream(source, at + head, at + size, facts)
            if stop < at + size:
                return stop
        else:
            look_inside(facts, source.upto(at + head, min(size - head, 4096)), "a box", at)
        at += size
    if not found:
        raise MalformedError("holds no codestream", offset=at)
    return at


def _codestream(source: Source, at: int, end: int, facts: Facts) -> int:
    """Walk it; gives where it ends."""
    if source.read(at, 4) != _STREAM:
        raise MalformedError("its codestream does not begin as one", offset=at)
    at += 2
    while at + 2 <= end:
        facts.budget.check_time()
        start = source.upto(at, 10)
        if start[:2] == _END:
            return at + 2
        if start[0] != 0xFF:
            break
        if start[:2] == _PART:
            size = int.from_bytes(start[6:10], "big") or end - at - 2  # the last part may leave its length open
            if size < 14:
                raise MalformedError("a part is shorter than its header", offset=at)
        else:
            size = 2 + int.from_bytes(start[2:4], "big")
        if at + size > end:
            raise MalformedError("a part of the codestream goes beyond the end", offset=at)
        at += size
    raise MalformedError("its codestream does not end", offset=at)
