"""What an SQLite data base has written and not yet put in place: its log (``-wal``) and the index of it (``-shm``).

::

    log: 377F0682 or 377F0683, version u32 (3007000), bytes of a page u32, number u32, salts u32 u32, sums u32 u32
    frame: page u32, pages u32, salts u32 u32, sums u32 u32, the page
    index: version u32 (3007000 in the machine's order), 44 bytes more, the same 48 bytes again, places of locks; tables of 32 KiB

The pages of the log are looked at one by one: what a record holds on its page, and where it flows over, no more than that. The index holds
numbers of pages only.

Specification: https://www.sqlite.org/fileformat2.html#walformat , https://www.sqlite.org/walformat.html
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._sqlite_pages import Pages
from openvet.formats._trailing import account_for_rest
from openvet.formats.sqlite import carried
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="sqlite-wal",
    title="log of an SQLite data base",
    extensions=(".db-wal", ".sqlite-wal", ".db-shm", ".sqlite-shm"),
    media_types=(),
    can_tell=(
        "that it is a chain of pages up to its last byte",
        "pickles, programs and archives among the values that fit on a page",
    ),
    cannot_tell=("what the values say", "whether its sums are right"),
)
_LOGS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_VERSION = 3007000
_HEAD, _FRAME, _INDEX = 32, 24, 32768
_TREES = frozenset((2, 5, 10, 13))


def probe(head: Head) -> Likeness:
    """The mark and version of a log, or the doubled head of an index."""
    data = head.data
    if data.startswith(_LOGS) and int.from_bytes(data[4:8], "big") == _VERSION and head.size >= _HEAD:
        return Likeness.STRONG
    return Likeness.STRONG if _is_index(data, head.size) else Likeness.NO


def _is_index(data: bytes, size: int) -> bool:
    version = _VERSION.to_bytes(4, "little"), _VERSION.to_bytes(4, "big")
    return data[:4] in version and data[:48] == data[48:96] and size % _INDEX == 0


def read(source: Source, facts: Facts) -> None:
    """Walk the frames, or account for the index.

    Raises:
        MalformedError: it is neither, or has pages of a size that none has.
    """
    head = source.upto(0, 136)
    if not head.startswith(_LOGS):
        if not _is_index(head, source.size):
            raise MalformedError("is neither a log nor its index", offset=0)
        facts.note("kind", "index")
        facts.coverage = Coverage.INERT
        return
    size = int.from_bytes(head[8:12], "big")
    if size < 512 or size & (size - 1) or size > 65536:
        raise MalformedError(f"has pages of {size} bytes", offset=8)
    pages = Pages(source, facts, size, size, size)
    at, frames = _HEAD, 0
    while at + _FRAME + size <= source.size:
        facts.budget.check_time()
        number = int.from_bytes(source.read(at, 4), "big")
        data = source.read(at + _FRAME, size)
        if data[100 if number == 1 else 0] in _TREES:
            try:
                for _, record in pages.cells(number, data, overflow=False):
                    carried(record, facts, at)
            except MalformedError:  # a page that records overflow to may begin as one of a tree does
                facts.note("other_pages", True)
        at += _FRAME + size
        frames += 1
    facts.note("frames", frames)
    account_for_rest(source, facts, at, "the last frame")
