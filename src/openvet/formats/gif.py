"""GIF images: a screen, blocks of sub-blocks, a trailer.

Specification: https://www.w3.org/Graphics/GIF/spec-gif89a.txt . Blocks are walked; pixels are not decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="gif",
    title="GIF image",
    extensions=(".gif",),
    media_types=("image/gif",),
    can_tell=("that it is an image up to its last byte",),
    cannot_tell=("what it shows, or what its pixels or comments hide",),
)
#: What its bytes begin with.
STARTS = (b"GIF87a", b"GIF89a")


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith((b"GIF87a", b"GIF89a")) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the blocks.

    Raises:
        MalformedError: a block goes beyond the end, or is of no known kind.
    """
    cursor = Cursor(source)
    screen = cursor.read(13)
    facts.note("width", int.from_bytes(screen[6:8], "little"))
    facts.note("height", int.from_bytes(screen[8:10], "little"))
    _skip_colours(cursor, screen[10])
    while True:
        at = cursor.position
        kind = cursor.read(1)[0]
        if kind == 0x3B:
            break
        if kind == 0x21:
            cursor.skip(1)
        elif kind == 0x2C:
            _skip_colours(cursor, cursor.read(9)[8])
            cursor.skip(1)
        else:
            raise MalformedError(f"there is no block of the kind 0x{kind:02x}", offset=at)
        first = True
        while length := cursor.read(1)[0]:
            if first and kind == 0x21:
                look_inside(facts, cursor.peek(length), "a comment or an extension", cursor.position)
            first = False
            cursor.skip(length)
        facts.budget.check_time()
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, cursor.position, "the image")


def _skip_colours(cursor: Cursor, flags: int) -> None:
    if flags & 0x80:
        cursor.skip(3 << ((flags & 7) + 1))
