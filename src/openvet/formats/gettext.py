"""Compiled translations of gettext (``.mo``): two tables of texts, and the texts.

::

    0x950412de revision[4] count[4] table of originals[4] table of translations[4] size of a hash table[4] its place[4]
    each table: count times length[4] place[4]; each text ends with a zero that is not counted

Specification: https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.formats._extents import account_for_all
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="gettext",
    title="compiled translations (gettext)",
    extensions=(".mo",),
    media_types=("application/x-gettext-translation",),
    can_tell=("that every byte belongs to one of its texts or tables",),
    cannot_tell=("what the texts say",),
)

_MARKS = {b"\xde\x12\x04\x95": "little", b"\x95\x04\x12\xde": "big"}
_MOST = 1_000_000
#: What its bytes begin with.
STARTS = tuple(_MARKS)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data[:4] in _MARKS and head.size >= 28 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold every text to its place.

    Raises:
        MalformedError: a text lies outside of the file, or there are too many.
    """
    start = source.read(0, 28)
    order = _MARKS.get(start[:4])
    if order is None:
        raise MalformedError("does not begin with its mark", offset=0)
    numbers = [int.from_bytes(start[at : at + 4], order) for at in range(4, 28, 4)]  # type: ignore[arg-type]
    _, count, originals, translations, hashes, place = numbers
    if count > _MOST:
        raise MalformedError(f"counts {count} texts", offset=8)
    extents = [(0, 28), (place, 4 * hashes), (originals, 8 * count), (translations, 8 * count)]
    for table in (originals, translations):
        data = source.read(table, 8 * count)
        for at in range(0, len(data), 8):
            length, where = (int.from_bytes(data[at + a : at + a + 4], order) for a in (0, 4))  # type: ignore[arg-type]
            extents.append((where, length + 1))
    facts.note("texts", count)
    account_for_all(source, facts, extents, "the translations")
