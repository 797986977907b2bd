"""Ogg streams (Vorbis, Opus, FLAC, Theora): pages, each with the lengths of its segments.

Specification: https://www.rfc-editor.org/rfc/rfc3533 . Pages are walked; nothing is decoded.
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ogg",
    title="Ogg sound or video",
    extensions=(".ogg", ".oga", ".ogv", ".opus", ".spx"),
    media_types=("application/ogg", "audio/ogg", "video/ogg"),
    can_tell=("that it is a chain of media pages up to its last byte",),
    cannot_tell=("what it says or shows, or what its packets hide",),
)
#: What its bytes begin with.
STARTS = (b"OggS\0",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(b"OggS\0") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the pages.

    Raises:
        MalformedError: there is no page, or a page goes beyond the end, or has a version that no specification describes.
    """
    cursor = Cursor(source)
    while cursor.peek(4) == b"OggS":
        at = cursor.position
        page = cursor.read(27)
        if page[4]:
            raise MalformedError(f"a page has the version {page[4]}", offset=at)
        cursor.skip(sum(cursor.read(page[26])))
        facts.budget.check_time()
    if not cursor.position:
        raise MalformedError("there is no page", offset=0)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, cursor.position, "the last page")
