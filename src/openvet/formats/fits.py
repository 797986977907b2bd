"""FITS: tables and images of astronomy, in blocks of 2880 bytes.

::

    header: cards of 80 characters ("NAXIS1  =  100 / comment") up to END, filled up with spaces to a block
    data: |BITPIX| / 8 * GCOUNT * (PCOUNT + NAXIS1 * NAXIS2 * ...) bytes, filled up to a block       the next header ...

Specification: FITS Standard 4.0, https://fits.gsfc.nasa.gov/fits_standard.html
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest, say_incomplete
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="fits",
    title="FITS data",
    extensions=(".fits", ".fts"),
    media_types=("application/fits", "image/fits"),
    can_tell=("that it is a chain of headers and data up to its last byte",),
    cannot_tell=("what the numbers mean, or what they hide",),
)
_BLOCK, _CARD = 2880, 80
_MARK = b"SIMPLE  ="
_VALUE = pattern(rb"(BITPIX|NAXIS\d{0,3}|PCOUNT|GCOUNT) *= +([+-]?\d{1,15}) *(?:/.*)?")
_GROUPS = pattern(rb"GROUPS  = +T *(?:/.*)?")
_TEXT = pattern(rb"[\x20-\x7e]*")
_MOST_BLOCKS = 100_000
#: What its bytes begin with.
STARTS = (_MARK,)


def probe(head: Head) -> Likeness:
    """The first card of a file that follows the standard, or says that it does not."""
    first = head.data[:_CARD]
    fits = first.startswith(_MARK) and first[9:30].strip() in {b"T", b"F"} and head.size >= _BLOCK
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk header by header.

    Raises:
        MalformedError: a header holds what is no card, or does not end.
        LimitError: a header is longer than is read.
    """
    at, count = 0, 0
    while source.upto(at, 9) == _MARK or (count and source.upto(at, 9) == b"XTENSION="):
        facts.budget.check_time()
        end, size = _header(source, at)
        after = end + size + -size % _BLOCK
        count += 1
        if end + size > source.size:
            say_incomplete(facts, end + size, source.size)
            return
        at = min(after, source.size)
    if not count:
        raise MalformedError("has no header", offset=0)
    facts.note("units", count)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the last unit")


def _header(source: Source, at: int) -> tuple[int, int]:
    """Where a header ends, and how many bytes of data follow it."""
    values: dict[bytes, int] = {}
    grouped = False
    for block in range(_MOST_BLOCKS):
        cards = source.read(at + block * _BLOCK, _BLOCK)
        for start in range(0, _BLOCK, _CARD):
            card = cards[start : start + _CARD]
            if not _TEXT.fullmatch(card):
                raise MalformedError("a header holds what is no text", offset=at + block * _BLOCK + start)
            if card.rstrip() == b"END":
                return at + (block + 1) * _BLOCK, _data(values, grouped=grouped)
            if found := _VALUE.fullmatch(card):
                values.setdefault(found[1].rstrip(), int(found[2]))
            grouped = grouped or _GROUPS.fullmatch(card) is not None
    raise LimitError("header", _MOST_BLOCKS * _BLOCK, "a header is too long", offset=at)


def _data(values: dict[bytes, int], *, grouped: bool) -> int:
    axes = values.get(b"NAXIS", 0)
    if not 0 <= axes <= 999 or not axes:
        return 0
    extents = [values.get(b"NAXIS%d" % (number + 1), 0) for number in range(axes)]
    if grouped and extents[0] == 0:
        extents = extents[1:]
    product = 1
    for extent in extents:
        product *= extent
    size = abs(values.get(b"BITPIX", 8)) // 8 * values.get(b"GCOUNT", 1) * (values.get(b"PCOUNT", 0) + product)
    if size < 0:
        raise MalformedError("its data have less than no bytes", offset=0)
    return size
