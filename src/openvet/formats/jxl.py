"""JPEG XL images in boxes: the signature, the kind, and boxes with the codestream and metadata.

::

    00 00 00 0C "JXL " 0D 0A 87 0A, then boxes: size u32, kind[4] (size 1: u64 follows; size 0: to the end), data

A codestream without boxes (FF 0A) does not say where it ends, so that such a file is recognised and not read.
Specification: ISO/IEC 18181-2. Boxes are walked; pixels are not decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="jxl",
    title="JPEG XL image",
    extensions=(".jxl",),
    media_types=("image/jxl",),
    can_tell=("that it is a chain of boxes up to its last byte",),
    cannot_tell=("what it shows, or what its pixels or metadata hide",),
)
_MARK = b"\0\0\0\x0cJXL \r\n\x87\n"
_KNOWN = frozenset(
    {b"JXL ", b"ftyp", b"jxll", b"jxli", b"jxlc", b"jxlp", b"jbrd", b"Exif", b"xml ", b"jumb", b"brob", b"jhgm"}
)
_PIXELS = (b"jxlc", b"jxlp")
#: What its bytes begin with.
STARTS = (_MARK,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MARK) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the boxes.

    Raises:
        MalformedError: a box goes beyond the end, or none holds the codestream.
    """
    at, found = 0, False
    while (start := source.upto(at, 16))[4:8] in _KNOWN:
        facts.budget.check_time()
        size, kind, head = int.from_bytes(start[:4], "big"), start[4:8], 8
        if size == 1:
            size, head = int.from_bytes(start[8:16], "big"), 16
        elif size == 0:
            size = source.size - at
        if size < head or at + size > source.size:
            raise MalformedError("a box goes beyond the end", offset=at)
        if kind in _PIXELS:
            found = True
        else:
            look_inside(facts, source.upto(at + head, min(size - head, 4096)), "a box", at)
        at += size
    if not found:
        raise MalformedError("holds no codestream", offset=at)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the last box")
