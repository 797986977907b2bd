"""PNG images: a signature and chunks, each with a length, a type and a CRC, up to ``IEND``.

Specification: https://www.w3.org/TR/png-3/ . Chunks are walked and their CRCs computed; pixels are not decoded.
"""

from __future__ import annotations

import zlib

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="png",
    title="PNG image",
    extensions=(".png", ".apng"),
    media_types=("image/png",),
    can_tell=("that it is an image up to its last byte",),
    cannot_tell=("what it shows, or what its pixels or text chunks hide",),
)

#: Chunks of pixels and colours; all others hold words or what only some programs know.
_PICTURE = frozenset({b"IDAT", b"PLTE", b"tRNS", b"IEND", b"fdAT", b"iCCP"})
_LOOKED_AT = 64 * 1024

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: What its bytes begin with.
STARTS = (_SIGNATURE,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_SIGNATURE) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks.

    Raises:
        MalformedError: a chunk goes beyond the end, has a wrong CRC, or the first is not ``IHDR``.
    """
    at = len(_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        facts.budget.check_time()
        start = source.read(at, 8)
        length = int.from_bytes(start[:4], "big")
        first, kind = not kind, start[4:]
        if first:
            if kind != b"IHDR" or length != 13:
                raise MalformedError("does not begin with an image header", offset=at)
            size = source.read(at + 8, 8)
            facts.note("width", int.from_bytes(size[:4], "big"))
            facts.note("height", int.from_bytes(size[4:], "big"))
        elif kind not in _PICTURE:
            _look(source, facts, kind, at + 8, length)
        if source.size < at + 12 + length:
            raise MalformedError(f"the chunk {printable(kind.decode('latin-1'))} goes beyond the end", offset=at)
        crc = 0
        for block in source.chunks(at + 4, length + 4):
            crc = zlib.crc32(block, crc)
        if crc != int.from_bytes(source.read(at + 8 + length, 4), "big"):
            raise MalformedError(f"the chunk {printable(kind.decode('latin-1'))} has a wrong CRC", offset=at)
        at += 12 + length
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the image")


def _look(source: Source, facts: Facts, kind: bytes, at: int, length: int) -> None:
    """Look at what a chunk holds; in chunks of text a keyword stands before it, and it may be compressed."""
    if at + length > source.size:
        return
    data = source.read(at, min(length, _LOOKED_AT))
    where = f"the chunk {printable(kind.decode('latin-1'))}"
    look_inside(facts, data, where, at)
    if kind in {b"tEXt", b"zTXt", b"iTXt"}:
        parts = data.split(b"\0", 1)[-1]
        if kind == b"zTXt":
            try:
                parts = zlib.decompressobj().decompress(parts[1:], _LOOKED_AT)
            except zlib.error:
                return
        elif kind == b"iTXt":
            parts = parts[2:].split(b"\0", 2)[-1]
        look_inside(facts, parts, where, at)
