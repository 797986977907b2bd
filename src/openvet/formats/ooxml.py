"""Documents of Office (``.docx``, ``.xlsx``, ``.pptx``): a zip with a list of its parts, and relations between them.

::

    [Content_Types].xml     _rels/.rels and other .rels: <Relationship Type="..." Target="..." TargetMode="External"/>
    word/vbaProject.bin: macros (an OLE file)      xl/macrosheets/: sheets of macros      word/document.xml: text and fields

Every part becomes a member, as of any zip. What Office opens or runs by itself is told by :mod:`office/active-content`: relations to
templates, pictures or objects elsewhere, sheets of macros, and fields that ask another program. A hyperlink waits for a click.

Specification: ECMA-376, part 2 (https://ecma-international.org/publications-and-standards/standards/ecma-376/)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import ReadError
from openvet.formats import zip as zip_format
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._listing import put_listing
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.zip import ZipEntry

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="ooxml",
    title="Office document",
    extensions=(".docx", ".xlsx", ".pptx", ".docm", ".xlsm", ".pptm", ".dotx", ".xltx", ".potx", ".ppsx"),
    media_types=("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    can_tell=(
        "everything that a zip reader tells",
        "relations to other machines, sheets of macros, and fields that ask other programs",
    ),
    cannot_tell=("what macros do", "what texts and tables say"),
    refines=("zip",),
)
_PARTS = b"[Content_Types].xml"
_LOOKED = 16 * 1024 * 1024
_RELATION = pattern(rb"<(?:\w{1,20}:)?Relationship\b[^<>]{0,8000}>")
_ELSEWHERE = pattern(rb"TargetMode\s{0,9}=\s{0,9}[\"']External[\"']")
_FIELD = pattern(rb"(Type|Target)\s{0,9}=\s{0,9}[\"']([^\"'<>]{0,4000})[\"']")
#: Texts of fields, which may be spread over many runs, and links of tables to other programs.
_RUNS = pattern(
    rb"<(?:\w{1,20}:)?instrText\b[^<>]{0,400}>([^<]{0,8000})<|\binstr\s{0,9}=\s{0,9}[\"']([^\"'<>]{0,8000})[\"']"
)
_ASKS = pattern(rb"\bDDE(?:AUTO)?\b", re.IGNORECASE)  # in any spelling, as Word reads it
_LINKS = pattern(rb"<(?:\w{1,20}:)?ddeLink\b")
#: Relations that wait for a click.
_WAITING = ("/hyperlink",)


def probe(head: Head) -> Likeness:
    """A zip that lists its parts as these documents do."""
    if not head.data.startswith(b"PK\x03\x04") or (_PARTS not in head.data and _PARTS not in head.tail):
        return Likeness.NO
    return zip_format.probe(head)


def read(source: Source, facts: Facts) -> None:
    """List the zip, look at relations and fields, and hand all members on."""
    from openvet.io.archive.zip import read_zip

    listing = read_zip(source, facts.budget)
    put_listing(source, facts, listing)
    for entry in listing.entries:
        name = entry.name.lower()
        if "/macrosheets/" in name and name.endswith((".xml", ".bin")):
            facts.anomaly("office/active-content", "has a sheet of macros", entry.header_offset, kind="macros")
        elif name.endswith(".rels") or (name.startswith(("word/", "xl/externallinks/")) and name.endswith(".xml")):
            _look(source, facts, entry)
    facts.add_members(zip_format.zip_members(source, listing, facts))


def _look(source: Source, facts: Facts, entry: ZipEntry) -> None:
    from openvet.io.archive.zip import open_zip_entry

    try:
        with open_zip_entry(source, entry, facts.budget) as member:
            data = member.upto(0, _LOOKED)
    except ReadError:  # told when the member is opened
        return
    if entry.name.lower().endswith(".rels"):
        _relations(data, facts, entry)
    elif _LINKS.search(data) or _ASKS.search(b"".join(found[1] or found[2] or b"" for found in _RUNS.finditer(data))):
        facts.anomaly("office/active-content", "asks another program for values", entry.header_offset, kind="dde")


def _relations(data: bytes, facts: Facts, entry: ZipEntry) -> None:
    for relation in _RELATION.finditer(data):
        if not _ELSEWHERE.search(relation[0]):
            continue
        fields = {each[1]: each[2].decode("utf-8", "replace") for each in _FIELD.finditer(relation[0])}
        kind, target = fields.get(b"Type", ""), fields.get(b"Target", "")
        if not kind.endswith(_WAITING):
            shown = shorten(printable(target), 200)
            what = shorten(printable(kind.rsplit("/", 1)[-1]), 40)
            facts.anomaly(
                "office/active-content",
                f"takes its {what} from {shown} when it is opened",
                entry.header_offset,
                kind="external",
            )
