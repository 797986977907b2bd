"""Matroska and WebM: elements with an id and a size of variable length (EBML).

::

    EBML header, then segments; a segment holds its index, tracks, clusters of frames, tags, attachments
    id[1-4] size[1-8]         the leading zeros of the first byte say how long each is; a size of ones: until what may not
                              stand in it

Specification: https://www.rfc-editor.org/rfc/rfc8794 , https://www.rfc-editor.org/rfc/rfc9559
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest, say_incomplete
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="matroska",
    title="Matroska or WebM video",
    extensions=(".mkv", ".webm", ".mka"),
    media_types=("video/x-matroska",),
    can_tell=("that it is a chain of media elements up to its last byte", "whether files are attached"),
    cannot_tell=("what it shows or says, or what its frames hide",),
)

_EBML, _SEGMENT, _CLUSTER, _ATTACHMENTS, _VOID, _CRC = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1941A469, 0xEC, 0xBF
_IN_SEGMENT = frozenset({0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, _ATTACHMENTS, 0x1043A770, 0x1254C367,
                         _VOID, _CRC})  # fmt: skip
_IN_CLUSTER = frozenset({0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0x5854, 0xAF, _VOID, _CRC})
#: What may stand outside, in a segment, in a cluster; an element that no cluster may have ends it.
_ALLOWED = (frozenset({_EBML, _SEGMENT, _VOID, _CRC}), _IN_SEGMENT, _IN_SEGMENT | _IN_CLUSTER)
#: What its bytes begin with.
STARTS = (b"\x1a\x45\xdf\xa3",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(b"\x1a\x45\xdf\xa3") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the elements, into those only whose size is not known or that may hold attachments.

    Raises:
        MalformedError: an id or a size is none.
    """
    at, end, inside = 0, source.size, 0  # inside a segment or cluster whose elements are walked
    while at < end:
        facts.budget.check_time()
        kind, size, content = _element(source, at)
        if kind not in _ALLOWED[inside] and not (inside and kind in {_EBML, _SEGMENT}):
            break
        if kind == _ATTACHMENTS:
            facts.unknown("unsupported", "files are attached to it, which were not read", at)
        if kind == _SEGMENT:
            if size is not None and content + size > source.size:
                say_incomplete(facts, content + size, source.size)
                return
            inside, at = 1, content
        elif size is None:
            if kind != _CLUSTER:
                raise MalformedError("an element has no size and is none that may have none", offset=at)
            inside, at = 2, content
        else:
            if content + size > source.size:
                say_incomplete(facts, content + size, source.size)
                return
            if kind == _VOID:
                look_inside(facts, source.upto(content, min(size, 4096)), "an element that players pass over", at)
            inside = 0 if kind == _EBML else inside
            at = content + size
    if not facts.unknowns:
        facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the last element")


def _element(source: Source, at: int) -> tuple[int, int | None, int]:
    """Id, size (``None`` where it is not known) and the place of the content."""
    data = source.upto(at, 12)
    width = 9 - data[0].bit_length()
    if width > 4 or len(data) <= width:
        return 0, 0, at
    first = data[width]
    wide = 9 - first.bit_length()
    if wide > 8 or len(data) < width + wide:
        return 0, 0, at
    value = int.from_bytes(data[width : width + wide], "big") & ((1 << 7 * wide) - 1)
    size = None if value == (1 << 7 * wide) - 1 else value
    return int.from_bytes(data[:width], "big"), size, at + width + wide
