"""Stata data sets (``.dta``), versions 113 to 115 (Stata 8 to 12) and 117 to 119 (since Stata 13), as pandas writes them.

::

    to 115      version u8, order of the bytes, 1, 0, variables u16, rows u32, label[81], time[18]; types, names[33], order,
                formats, names of labels[33], labels[81], characteristics (kind u8, bytes u32, data; a zero pair ends them), rows, labels
    from 117    <stata_dta><header>...</header><map> 14 places u64 </map>, then one section at each place; the last one is the end

Specification: https://www.stata.com/help.cgi?dta , https://www.stata.com/help.cgi?dta_115
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="stata",
    title="Stata data set",
    extensions=(".dta",),
    media_types=("application/x-stata-dta",),
    can_tell=("how many variables and rows, and that every byte belongs to a section",),
    cannot_tell=("what the values say", "long texts (strL), which may hold anything"),
)

_HEADER = pattern(
    rb"(?s)<stata_dta><header><release>(11[789])</release><byteorder>(LSF|MSF)</byteorder><K>(.{2}|.{4})</K><N>(.{4}|.{8})</N><label>"
)
_SECTIONS = (
    b"<stata_dta>", b"<map>", b"<variable_types>", b"<varnames>", b"<sortlist>", b"<formats>", b"<value_label_names>",
    b"<variable_labels>", b"<characteristics>", b"<data>", b"<strls>", b"<value_labels>", b"</stata_dta>",
)  # fmt: skip
_WIDTHS = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}
_FRONT = 109
_ROUNDS = 1_000_000


def probe(head: Head) -> Likeness:
    """The first tags; before version 117 four bytes and a label that ends."""
    data = head.data
    if data.startswith(b"<stata_dta><header>"):
        return Likeness.STRONG
    old = len(data) > _FRONT and data[0] in {113, 114, 115} and data[1] in {1, 2} and data[2] == 1
    return Likeness.WEAK if old and b"\0" in data[10:91] and b"\0" in data[91:109] else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk section by section.

    Raises:
        MalformedError: a section is not where it has to be.
        LimitError: more labels or characteristics than are followed.
        UnsupportedError: a version that is not known.
    """
    if source.read(0, 1) == b"<":
        _tagged(source, facts)
    else:
        _plain(source, facts)
    facts.coverage = Coverage.INERT if not facts.unknowns else facts.coverage


def _plain(source: Source, facts: Facts) -> None:
    cursor = source.cursor(0)
    head = cursor.read(_FRONT)
    order = "big" if head[1] == 1 else "little"
    variables = int.from_bytes(head[4:6], order)  # type: ignore[arg-type]
    rows = int.from_bytes(head[6:10], order)  # type: ignore[arg-type]
    _say(facts, head[0], variables, rows)
    types = cursor.read(variables)
    if any(each > 244 and each not in _WIDTHS for each in types):
        raise MalformedError("there is a type that no variable has", offset=_FRONT)
    cursor.skip(
        33 * variables + 2 * (variables + 1) + (12 if head[0] == 113 else 49) * variables + (33 + 81) * variables
    )
    for _ in range(_ROUNDS):
        kind, size = cursor.read(1)[0], int.from_bytes(cursor.read(4), order)  # type: ignore[arg-type]
        if not kind and not size:
            break
        cursor.skip(size)
    else:
        raise LimitError("records", _ROUNDS, "more characteristics than are followed", offset=cursor.position)
    cursor.skip(rows * sum(_WIDTHS.get(each, each) for each in types))
    _labels(source, facts, cursor, order)


def _labels(source: Source, facts: Facts, cursor: Cursor, order: str) -> None:
    """Texts for values, up to the end of the file."""
    for _ in range(_ROUNDS):
        head = cursor.peek(36 + 8)
        size = int.from_bytes(head[:4], order)  # type: ignore[arg-type]
        count, texts = (int.from_bytes(head[at : at + 4], order) for at in (36, 40))  # type: ignore[arg-type]
        if len(head) < 44 or size != 8 + 8 * count + texts or b"\0" not in head[4:37]:
            break
        cursor.skip(36 + size)
    else:
        raise LimitError("records", _ROUNDS, "more labels than are followed", offset=cursor.position)
    account_for_rest(source, facts, cursor.position, "the data set")


def _tagged(source: Source, facts: Facts) -> None:
    front = source.upto(0, 1024)
    found = _HEADER.match(front)
    if found is None:
        raise UnsupportedError("is of a version that is not known", offset=0)
    order = "little" if found[2] == b"LSF" else "big"
    _say(facts, int(found[1]), int.from_bytes(found[3], order), int.from_bytes(found[4], order))  # type: ignore[arg-type]
    at = front.find(b"</header><map>")
    raw = source.upto(at + 14, 112) if at >= 0 else b""
    places = [int.from_bytes(raw[place : place + 8], order) for place in range(0, len(raw), 8)]  # type: ignore[arg-type]
    if len(raw) == 112 and not places[7]:
        places[7] = places[6]  # Stata 13 writes no place for the labels of variables
    if len(raw) != 112 or places[0] or places[1] != at + 9 or places != sorted(places):
        raise MalformedError("has no map of its sections", offset=max(at, 0))
    for place, mark in zip(places, _SECTIONS, strict=False):
        if place == places[6] and mark == _SECTIONS[7]:
            continue
        if source.upto(place, len(mark)) != mark:
            raise MalformedError(f"the section {mark.decode()} is not where the map has it", offset=place)
        if place and source.upto(place - 2, 2)[-1:] != b">":
            raise MalformedError("bytes stand between two sections", offset=place)
    if places[11] - places[10] > len(b"<strls></strls>"):
        facts.unknown("unsupported", "holds long texts, which may be anything and were not read", places[10])
    if places[13] != places[12] + len(b"</stata_dta>"):
        raise MalformedError("does not end where its map does", offset=places[12])
    account_for_rest(source, facts, places[13], "the data set")


def _say(facts: Facts, version: int, variables: int, rows: int) -> None:
    facts.note("version", printable(str(version)))
    facts.note("variables", variables)
    facts.note("rows", rows)
