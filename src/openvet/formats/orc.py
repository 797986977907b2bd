"""ORC tables: columns in stripes, and three descriptions at the end that say where they lie.

::

    "ORC", stripes (indexes, columns, footer), metadata, stripe statistics, footer, postscript, its length u8

Metadata and footer are Protocol buffers in compressed chunks (``_orc_chunks.py``), the postscript is one that is not compressed and
ends with the magic. Nothing in a table runs; what a writer notes in the footer (pairs of a name and any bytes) is looked at for programs.

Specification: https://orc.apache.org/specification/ORCv1/
"""

from __future__ import annotations

from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.errors import MalformedError
from openvet.formats._carried import hand_on
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._orc_chunks import CODECS, unpacked
from openvet.formats._protobuf import Walker, schema
from openvet.formats._trailing import all_zero, say_incomplete
from openvet.io.source import BytesSource, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="orc",
    title="ORC table",
    extensions=(".orc",),
    media_types=("application/vnd.apache.orc",),
    can_tell=(
        "every column, and that its stripes cover the file without anything left over",
        "what the writer noted in the footer",
    ),
    cannot_tell=(
        "what the values say",
        "values that a program unpickles by itself",
        "footers in LZO or Brotli, and encrypted columns",
    ),
)

_MAGIC = b"ORC"
_RULE = "orc/structure-lies"
_COLUMNS = 1000
_NOTES = 1000
_SHOWN = 200
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    """The magic at the beginning, and at the end of the postscript; at the beginning alone, under the name of a table, it was cut off."""
    if head.size < 16 or not head.data.startswith(_MAGIC):
        return Likeness.NO
    if head.tail[-4:-1] == _MAGIC:
        return Likeness.STRONG
    return Likeness.STRONG if head.suffix in FORMAT.extensions else Likeness.NO


@dataclass(slots=True)
class _Footer:
    rows: int = 0
    stripes: list[tuple[int, int]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


def read(source: Source, facts: Facts) -> None:
    """Decode what stands at the end and account for every byte in front of it.

    Raises:
        MalformedError: a description breaks its own form.
        LimitError: it is longer than is read.
        UnsupportedError: it is compressed by a codec that is not unpacked.
    """
    size = source.size
    if source.read(size - 4, 3) != _MAGIC:
        say_incomplete(facts, size + 8, size)
        return
    length = source.read(size - 1, 1)[0]
    end = size - 1 - length
    if end < len(_MAGIC):
        raise MalformedError(f"the postscript has {length} bytes", offset=size - 1)
    walker = Walker(source, facts, schema("orc"))
    post = {each.name: each.value for each in walker.message("PostScript", end, size - 1)}
    walker.report(_RULE, "a postscript")
    kind = post.get("compression", 0)
    codec = CODECS[kind] if kind < len(CODECS) else f"number {kind}"
    block = post.get("compressionBlockSize", 0) or 256 * 1024
    facts.note("compression", codec)
    begin = end - post.get("footerLength", 0)
    parts = [(begin, end)]
    for name in ("metadataLength", "stripeStatisticsLength"):
        parts.insert(0, (parts[0][0] - post.get(name, 0), parts[0][0]))
    if parts[0][0] < len(_MAGIC):
        raise MalformedError("footer and metadata are longer than the file", offset=end)
    footer = _footer(BytesSource(unpacked(source, begin, end - begin, codec, block, facts)), facts)
    facts.note("rows", footer.rows)
    facts.note("columns", footer.columns)
    facts.note("metadata", footer.notes)
    _stripes(source, facts, footer, parts[0][0])
    for start, stop in parts[:-1]:
        if start < stop:
            inner = Walker(
                BytesSource(unpacked(source, start, stop - start, codec, block, facts)), facts, schema("orc")
            )
            inner.sweep("Metadata", 0, inner.source.size)
            inner.report(_RULE, "the metadata")


def _footer(data: Source, facts: Facts) -> _Footer:
    walker = Walker(data, facts, schema("orc"))
    out = _Footer()
    for each in walker.message("Footer", 0, data.size):
        if each.name == "numberOfRows":
            out.rows = each.value
        elif each.name == "stripes":
            got = {part.name: part.value for part in walker.message("StripeInformation", each.at, each.end)}
            lengths = got.get("indexLength", 0) + got.get("dataLength", 0) + got.get("footerLength", 0)
            out.stripes.append((got.get("offset", 0), lengths))
        elif each.name == "types":
            for part in walker.message("Type", each.at, each.end):
                if part.name == "fieldNames" and len(out.columns) < _COLUMNS:
                    out.columns.append(shorten(printable(walker.text(part)), _SHOWN))
                elif part.name == "attributes":
                    _note(walker, facts, out, part.spec.type, part.at, part.end)
        elif each.name == "metadata":
            _note(walker, facts, out, each.spec.type, each.at, each.end)
        elif each.spec.type:
            walker.sweep(each.spec.type, each.at, each.end)
    walker.report(_RULE, "a footer")
    return out


def _note(walker: Walker, facts: Facts, out: _Footer, kind: str, at: int, end: int) -> None:
    """A pair that a writer put down: shown, and looked at for what runs."""
    parts = {part.name: part for part in walker.message(kind, at, end)}
    name, value = (parts.get(each) for each in (("name" if kind == "UserMetadataItem" else "key"), "value"))
    shown = shorten(printable(walker.text(name)), _SHOWN) if name else ""
    if value is not None:
        data = walker.bytes(value.at, value.size)
        if not hand_on(BytesSource(data), facts, f"note-{shown}", 0, text=True):
            look_inside(facts, data, f"the footer's note {shown}")
        if len(out.notes) < _NOTES:
            out.notes[shown] = shorten(printable(walker.text(value)), _SHOWN)


def _stripes(source: Source, facts: Facts, footer: _Footer, end: int) -> None:
    """Where the stripes lie; between them stands nothing but padding."""
    at = len(_MAGIC)
    for begin, length in sorted(footer.stripes):
        if begin < at or begin + length > end:
            message = f"a stripe lies at {begin} to {begin + length}, between {at} and the metadata at {end}"
            facts.anomaly(_RULE, message, min(begin, end), lie="stripe")
            continue
        if begin > at and not all_zero(source, at, begin):
            facts.unknown("unsupported", f"{begin - at} bytes between the stripes were not read", at)
        at = begin + length
    if at < end and not all_zero(source, at, end):
        facts.unknown("unsupported", f"{end - at} bytes behind the stripes were not read", at)
