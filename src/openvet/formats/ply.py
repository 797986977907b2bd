r"""PLY meshes with binary values: a header of words that says which elements follow and what each consists of.

::

    "ply\n" "format binary_little_endian 1.0\n" { "comment ...\n" | "element NAME count\n" | "property TYPE NAME\n"
    | "property list TYPE TYPE NAME\n" } "end_header\n" the elements, one after the other

Those with values as text are text. Specification: G. Turk, "The PLY Polygon File Format" (1994), https://paulbourke.net/dataformats/ply/
"""

from __future__ import annotations

from typing import Literal

from openvet.core.coverage import Coverage
from openvet.core.dataclass import dataclass
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ply",
    title="PLY mesh",
    extensions=(".ply",),
    media_types=(),
    can_tell=("its elements, up to the last byte",),
    cannot_tell=("what it shows, or what its numbers hide",),
)
_STARTED = (b"ply\nformat binary_", b"ply\r\nformat binary_")
_HEADER = 64 * 1024
_WIDTHS = {
    "char": 1, "uchar": 1, "int8": 1, "uint8": 1, "short": 2, "ushort": 2, "int16": 2, "uint16": 2, "int": 4, "uint": 4, "int32": 4,
    "uint32": 4, "float": 4, "float32": 4, "double": 8, "float64": 8,
}  # fmt: skip
_COUNTS = {"char", "uchar", "int8", "uint8", "short", "ushort", "int16", "uint16", "int", "uint", "int32", "uint32"}
#: Elements with lists are stepped over one by one, and no more of them than this.
_MOST = 20_000_000
#: What its bytes begin with.
STARTS = (b"ply",)


@dataclass(slots=True)
class _Element:
    """``parts``: bytes of a value, or (bytes of the length, bytes of a value) of a list."""

    count: int
    parts: list[int | tuple[int, int]]


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_STARTED) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Step over every element.

    Raises:
        MalformedError: the header has a line that is none of its kinds, or an element goes beyond the end.
        LimitError: more elements with lists than are followed.
    """
    begin, order, elements = _header(source.upto(0, _HEADER))
    cursor = source.cursor(begin)
    facts.note("elements", [each.count for each in elements])
    for element in elements:
        facts.budget.check_time()
        if all(isinstance(each, int) for each in element.parts):
            cursor.skip(element.count * sum(each for each in element.parts if isinstance(each, int)))
            continue
        if element.count > _MOST:
            raise LimitError("records", _MOST, "more elements with lists than are followed", offset=begin)
        _lists(cursor, element, order, facts)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, cursor.position, "the last element")


def _lists(cursor: Cursor, element: _Element, order: Literal["little", "big"], facts: Facts) -> None:
    for number in range(element.count):
        if not number % 65536:
            facts.budget.check_time()
        for part in element.parts:
            if isinstance(part, int):
                cursor.skip(part)
            else:
                cursor.skip(int.from_bytes(cursor.read(part[0]), order) * part[1])


def _header(data: bytes) -> tuple[int, Literal["little", "big"], list[_Element]]:
    end = data.find(b"end_header")
    after = data.find(b"\n", end)
    if end < 0 or after < 0 or not data[:end].isascii():
        raise MalformedError("has no end of its header", offset=0)
    order: Literal["little", "big"] = "little"
    elements: list[_Element] = []
    for line in data[:end].decode("ascii").splitlines()[1:]:
        words = line.split()
        match words:
            case ["format", "binary_little_endian", _]:
                order = "little"
            case ["format", "binary_big_endian", _]:
                order = "big"
            case ["element", _, count] if count.isdigit() and len(count) < 16:
                elements.append(_Element(int(count), []))
            case ["property", "list", length, kind, _] if length in _COUNTS and kind in _WIDTHS and elements:
                elements[-1].parts.append((_WIDTHS[length], _WIDTHS[kind]))
            case ["property", kind, _] if kind in _WIDTHS and elements:
                elements[-1].parts.append(_WIDTHS[kind])
            case [] | ["comment" | "obj_info", *_]:
                pass
            case _:
                raise MalformedError("its header has a line that is none of its kinds", offset=0)
    return after + 1, order, elements
