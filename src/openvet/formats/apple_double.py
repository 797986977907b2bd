"""AppleDouble (``._name``): what macOS puts beside each file of an archive or a foreign disk.

::

    magic 0x00051607, version 0x00020000, 16 bytes filler, count u16, then for each entry: id, place, length (u32, big-endian)
    entry 9: 32 bytes of the Finder, 2 bytes, then "ATTR": extended attributes      entry 2: resources

Specification: RFC 1740, appendix B; ``bsd/vfs/vfs_xattr.c`` of https://github.com/apple-oss-distributions/xnu
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="apple-double",
    title="AppleDouble (attributes of a file on macOS)",
    extensions=(),
    media_types=("multipart/appledouble",),
    can_tell=("that its entries cover it up to its last byte",),
    cannot_tell=("what attributes and resources are for",),
)
_MAGIC = b"\0\5\x16\7\0\2\0\0"
_HEAD, _ENTRY = 26, 12
_FINDER, _RESOURCES = 9, 2
#: The Finder's own bytes, and where the name of each attribute stands.
_FINDER_BYTES, _ATTRIBUTES = 34, 70
_LARGEST = 4 * 1024 * 1024
_LOOKED = 64 * 1024
#: An empty map of resources is as long as this; in a larger one there is something.
_NO_RESOURCES = 286
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) and head.size >= _HEAD else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold the entries to the file, and look into attributes and resources.

    Raises:
        MalformedError: an entry goes beyond the end, or has no room.
    """
    count = int.from_bytes(source.read(24, 2), "big")
    table = source.read(_HEAD, count * _ENTRY)
    extents = [(0, _HEAD + len(table))]
    for at in range(0, len(table), _ENTRY):
        kind, place, size = (int.from_bytes(table[at + step : at + step + 4], "big") for step in (0, 4, 8))
        if place + size > source.size:
            raise MalformedError(f"the entry {kind} goes beyond the end", offset=_HEAD + at)
        extents.append((place, size))
        data = source.read(place, min(size, _LARGEST))
        if kind == _FINDER:
            _attributes(source, facts, place, data)
        elif kind == _RESOURCES and size > _NO_RESOURCES:
            facts.note("resources", size)
            facts.unknown("unsupported", f"{size} bytes of resources were not read", place)
    partial = facts.coverage is not Coverage.READ
    account_for_all(source, facts, extents, "its entries")
    if partial:
        facts.coverage = Coverage.PARTIAL


def _attributes(source: Source, facts: Facts, place: int, data: bytes) -> None:
    """Look into each extended attribute. Its places count from the start of the file."""
    if data[_FINDER_BYTES : _FINDER_BYTES + 4] != b"ATTR" or len(data) < _ATTRIBUTES:
        return
    at = place + _ATTRIBUTES
    count = int.from_bytes(data[_ATTRIBUTES - 2 : _ATTRIBUTES], "big")
    names = []
    for _ in range(count):
        facts.budget.check_time()
        head = source.read(at, 11)
        where, size, named = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big"), head[10]
        name = source.read(at + 11, named).rstrip(b"\0").decode("utf-8", "replace")
        look_inside(facts, source.window(where, size).upto(0, _LOOKED), f"the attribute {printable(name)}", where)
        names.append(printable(name))
        at += (11 + named + 3) & ~3
    facts.note("attributes", names[:1000])
