r"""Old documents of Office (``.xls``, ``.doc``, ``.ppt``) and what macros of new ones are kept in: a small file system of streams.

::

    "Workbook" or "Book"    records: kind u16, bytes u16, data      85 a sheet (its kind in byte 5: 1 a sheet of macros), 2F encryption
    "WordDocument" "PowerPoint Document"     "VBA", "_VBA_PROJECT": macros     "\1Ole10Native": a file that was put in

The layout of the file system stands in ``_ole_sectors``. What Office runs is told by :mod:`office/active-content`; texts are not read.

Specifications: [MS-CFB], [MS-XLS] 2.4.28, [MS-OVBA], [MS-OLEDS] at https://learn.microsoft.com/en-us/openspecs/
"""

from __future__ import annotations

from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._carried import hand_on
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import BytesSource, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ole",
    title="OLE document (old Office)",
    extensions=(".doc", ".xls", ".ppt", ".dot", ".xlt", ".pps"),
    media_types=("application/vnd.ms-excel", "application/msword", "application/vnd.ms-powerpoint"),
    can_tell=("its streams", "whether it has macros, sheets of macros, or files that were put in"),
    cannot_tell=(
        "what macros do, and what texts and tables say",
        "fields of texts that ask other programs",
        "what free sectors hold, other than programs and pickles",
    ),
)
_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOKS = {"workbook", "book"}
_DOCUMENTS = {*_WORKBOOKS, "worddocument", "powerpoint document", "vba", "_vba_project"}
_MACROS = {"vba", "_vba_project", "_vba_project_cur", "macros"}
_PUT_IN = {"\x01ole10native", "package"}
_SEALED = {"encryptedpackage"}
_SHEET, _FILEPASS, _DDE = 0x85, 0x2F, 0x1AE
_SHOWN = 1000
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) and head.size >= 1024 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Look at every stream.

    Raises:
        MalformedError: a sector lies outside of the file, or a chain goes in a circle.
        LimitError: more, or larger, than is held.
    """
    from openvet.formats._ole_sectors import Compound

    compound = Compound(source, facts)
    names = {each.name.lower() for each in compound.entries}
    facts.note("streams", sorted(printable(each.name)[:100] for each in compound.entries)[:_SHOWN])
    if _MACROS & names:
        facts.anomaly("office/active-content", "has macros", 0, kind="macros")
    for entry in compound.entries:
        facts.budget.check_time()
        if entry.kind != 2:
            continue
        name = entry.name.lower()
        data = compound.stream(entry)
        if name in _PUT_IN:
            facts.anomaly(
                "office/active-content", "holds a file that was put in, which opens by a click", 0, kind="embedded"
            )
        if name in _WORKBOOKS:
            _workbook(data, facts)
        if name in _SEALED:
            facts.unknown("encrypted", "is encrypted, and was not read")
        hand_on(BytesSource(data), facts, f"stream-{printable(entry.name)[:100]}", 0)
    if not _DOCUMENTS & names:
        facts.unknown("unsupported", "is an OLE file of a kind that is not known")
    account_for_rest(source, facts, compound.end, "the last sector")


def _workbook(data: bytes, facts: Facts) -> None:
    """Sheets of macros, encryption, and links that ask another program."""
    at = 0
    while at + 4 <= len(data):
        kind, size = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        body = data[at + 4 : at + 4 + size]
        if len(body) < size:
            raise MalformedError("a record of the workbook goes beyond its stream", offset=0)
        if kind == _SHEET and size > 5 and body[5] in {1, 6}:
            facts.anomaly("office/active-content", "has a sheet of macros", 0, kind="macros")
        elif kind == _FILEPASS:
            facts.unknown("encrypted", "is encrypted, and was not read")
            return
        elif kind == _DDE and size > 8 and b"\x03" in body[4:] and body[:2] == b"\0\0":
            facts.anomaly("office/active-content", "asks another program for values", 0, kind="dde")
        if not kind and not size:
            break  # the rest of the last sector
        at += 4 + size
