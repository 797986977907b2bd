"""SQLite data bases: tables and indexes in pages of one size.

::

    "SQLite format 3", 0, bytes of a page u16 (1: 65536), versions u8 u8, bytes kept at the end of each page u8, ... pages u32 (at 28),
    first free page u32 (at 32), free pages u32, ... largest root u32 (at 52: pages are mapped), encoding u32 (at 56)
    page 1 holds the table of what there is: type, name, table, root, SQL

Every record is walked. A value that is a pickle, a program or an archive becomes a member: ``sqlitedict`` and ``diskcache`` unpickle such
values. Triggers and views run when somebody asks the tables; what they may do is SQL, in this data base.

Specification: https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import MalformedError
from openvet.formats._carried import hand_on
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._sqlite_pages import Pages, values
from openvet.formats._trailing import account_for_rest, all_zero
from openvet.io.source import BytesSource, Source

__all__ = ["FORMAT", "STARTS", "carried", "probe", "read"]

FORMAT = Format(
    id="sqlite",
    title="SQLite data base",
    extensions=(".sqlite", ".sqlite3", ".db", ".db3", ".gpkg", ".mbtiles"),
    media_types=("application/vnd.sqlite3",),
    can_tell=(
        "tables, indexes, views and triggers",
        "pickles, programs and archives among the values",
        "that every page belongs to one of them",
    ),
    cannot_tell=("what the values say", "what deleted rows left on free pages and in unused room"),
)
_MAGIC = b"SQLite format 3\0"
_SHOWN = 1000
#: As much of one record is looked at.
_MOST = 16 * 1024 * 1024
_TEXT, _BLOB = 13, 12
_LEAST = 8
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) and head.size >= 512 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every tree.

    Raises:
        MalformedError: a page, cell or record breaks its form.
    """
    head = source.read(0, 100)
    size = int.from_bytes(head[16:18], "big")
    size = 65536 if size == 1 else size
    usable = size - head[20]
    if size < 512 or size & (size - 1) or usable < 480:
        raise MalformedError(f"has pages of {size} bytes, of which {usable} are used", offset=16)
    if source.size < size:
        raise MalformedError("ends in its first page", offset=source.size)
    pages = Pages(source, facts, size, usable, _MOST)
    if int.from_bytes(head[52:56], "big"):
        pages.maps()
    encoding = {2: "utf-16-le", 3: "utf-16-be"}.get(int.from_bytes(head[56:60], "big"), "utf-8")
    roots: list[int] = []
    told: dict[str, list[str]] = {}
    for at, record in pages.records(1):
        kind, name, root = _schema(record, encoding)
        roots += [root] if root else []
        told.setdefault(kind, []).append(name)
        carried(record, facts, at)
    for kind, names in sorted(told.items()):
        facts.note("indexes" if kind == "index" else f"{kind}s", names[:_SHOWN])
    for root in roots:
        for at, record in pages.records(root):
            carried(record, facts, at)
    pages.free(int.from_bytes(head[32:36], "big"))
    _unreached(source, facts, pages)
    account_for_rest(source, facts, pages.count * size, "the last page")


#: How a text begins that is digits from there on, or a pickle of the oldest protocol.
_WRITTEN = pattern(
    rb"[A-Za-z0-9+/_-]{24}|[A-Za-z0-9!#$%&()*+;<=>?@^_`{|}~-]{24}|data:[\w/.;=+-]{0,80},|[c(][A-Za-z_(][^\n]{0,60}\n"
)


def _schema(record: bytes, encoding: str) -> tuple[str, str, int]:
    """The kind, the name and the first page of a thing that the data base holds."""
    found = list(values(record))
    if len(found) < 5:
        raise MalformedError("a thing in the data base has fewer than five values", offset=0)
    kind, name = (printable(found[index][1].decode(encoding, "replace"))[:200] for index in (0, 1))
    return (
        shorten(kind, 40),
        name,
        int.from_bytes(found[3][1], "big", signed=True) if found[3][0] in range(1, 7) else found[3][0] == 9,
    )


def carried(record: bytes, facts: Facts, at: int) -> None:
    """Hand on what a record holds beside texts and numbers."""
    for index, (kind, data) in enumerate(values(record)):
        if kind >= _BLOB and len(data) >= _LEAST:
            told = hand_on(BytesSource(data), facts, f"value-{at}-{index}", at, text=bool(kind & 1))
            if not told and kind & 1 and _WRITTEN.match(data):
                EncodedPickles(facts, f"value-{at}-{index}-").look(data)


def _unreached(source: Source, facts: Facts, pages: Pages) -> None:
    """Pages that belong to nothing: one of zeros, and the one that is kept for locks, are no news."""
    lock = (1 << 30) // pages.size + 1
    missing = [
        number
        for number in range(1, pages.count + 1)
        if number not in pages.seen
        and number != lock
        and not all_zero(source, (number - 1) * pages.size, number * pages.size)
    ]
    if missing:
        at = (missing[0] - 1) * pages.size
        facts.anomaly(
            "file/trailing-data",
            f"{len(missing)} pages belong to no table of the data base",
            at,
            end=at,
            size=source.size,
        )
        facts.unknown("unsupported", f"{len(missing)} pages that belong to no table were not read", at)
