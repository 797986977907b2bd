"""TIFF images: directories of tagged values, which say where the strips or tiles of pixels lie.

::

    "II" or "MM" 42[2] place of the first directory[4]
    directory: count[2], count times: tag[2] type[2] values[4] value or its place[4], place of the next directory[4]

Specification: Adobe, TIFF 6.0 (1992). Pixels are not decoded.
"""

from __future__ import annotations

from openvet.errors import LimitError, MalformedError
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="tiff",
    title="TIFF image",
    extensions=(".tif", ".tiff"),
    media_types=("image/tiff",),
    can_tell=("that every byte belongs to its directories, values or pixels",),
    cannot_tell=("what it shows, or what its pixels or values hide", "images above 4 GiB (BigTIFF)"),
)

_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)  # bytes of a value of each type
#: Types of values that are bytes or text.
_BYTES = {1, 2, 6, 7}
#: Tags of places, and of the lengths that belong to them.
_PLACES = {273: 279, 324: 325, 513: 514, 288: 289}
_DIRECTORIES = (330, 34665, 34853, 40965)
_MOST_DIRECTORIES = 10_000
_MOST_PARTS = 1_000_000
#: What its bytes begin with.
STARTS = (b"II*\0", b"MM\0*")


def probe(head: Head) -> Likeness:
    """The mark, and a directory inside the file."""
    data = head.data
    if data[:4] not in {b"II*\0", b"MM\0*"} or len(data) < 8:
        return Likeness.NO
    place = int.from_bytes(data[4:8], "little" if data[:1] == b"I" else "big")
    return Likeness.STRONG if 8 <= place < head.size else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the directories.

    Raises:
        MalformedError: a part lies outside of the file, or directories go in a circle.
        LimitError: there are too many.
    """
    start = source.read(0, 8)
    order = "little" if start[:1] == b"I" else "big"
    extents: list[tuple[int, int]] = [(0, 8)]
    waiting = [int.from_bytes(start[4:8], order)]  # type: ignore[arg-type]
    seen: set[int] = set()
    while waiting:
        facts.budget.check_time()
        at = waiting.pop()
        if at in seen:
            raise MalformedError("its directories go in a circle", offset=at)
        seen.add(at)
        if len(seen) > _MOST_DIRECTORIES:
            raise LimitError("records", _MOST_DIRECTORIES, "has too many directories", offset=at)
        waiting.extend(_directory(source, facts, at, order, extents))
    facts.note("directories", len(seen))
    account_for_all(source, facts, extents, "the image")


def _directory(source: Source, facts: Facts, at: int, order: str, extents: list[tuple[int, int]]) -> list[int]:
    """Adds the extents of one directory; gives the places of those that it leads to."""

    def number(data: bytes) -> int:
        return int.from_bytes(data, order)  # type: ignore[arg-type]

    count = number(source.read(at, 2))
    table = source.read(at + 2, 12 * count + 4)
    extents.append((at, 6 + 12 * count))
    values: dict[int, list[int]] = {}
    for start in range(0, 12 * count, 12):
        tag, kind, many = (number(table[start + a : start + b]) for a, b in ((0, 2), (2, 4), (4, 8)))
        width = _SIZES[kind] if kind < len(_SIZES) else 1
        place = at + 2 + start + 8
        if width * many > 4:
            place = number(table[start + 8 : start + 12])
            extents.append((place, width * many))
            if tag not in _PLACES and kind in _BYTES:
                look_inside(facts, source.upto(place, min(many, 4096)), f"the value of the tag {tag}", place)
        if tag in _PLACES or tag in _PLACES.values() or tag in _DIRECTORIES:
            if many > _MOST_PARTS or len(extents) > _MOST_PARTS:
                raise LimitError("records", _MOST_PARTS, "has too many parts", offset=place)
            data = source.read(place, width * many)
            values[tag] = [number(data[step : step + width]) for step in range(0, len(data), max(width, 1))]
    for places, lengths in _PLACES.items():
        extents.extend(zip(values.get(places, ()), values.get(lengths, ()), strict=False))
    following = number(table[12 * count :])
    return [*(each for tag in _DIRECTORIES for each in values.get(tag, ())), *([following] if following else [])]
