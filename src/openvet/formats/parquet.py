"""Parquet tables: columns in pages, and a footer that says where they lie.

::

    "PAR1", pages of columns, indexes and filters, footer (FileMetaData, Thrift compact), its length u32, "PAR1"
    filter    BloomFilterHeader (Thrift compact: its size in bytes, algorithm, hash, compression), its bits

Arrow's writers before version 16 put behind the pages of a column what the footer says of it once more, and Polars still does. No
reader looks there. A copy that is the footer's, byte for byte, hides nothing; anything else between the pages is unread.

A column chunk may name another file. The footer may carry the schema of Arrow (``ARROW:schema``, base64), which PyArrow reads:
it is handed on and examined as a table of its own.

Specification: https://github.com/apache/parquet-format
"""

from __future__ import annotations

import binascii
from typing import Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._thrift import RAW, Compact
from openvet.formats._trailing import all_zero, say_incomplete
from openvet.io.source import BytesSource, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="parquet",
    title="Parquet table",
    extensions=(".parquet", ".geoparquet"),
    media_types=("application/vnd.apache.parquet",),
    can_tell=(
        "every column, and that its pages cover the file without anything left over",
        "columns that lie in other files",
        "what Arrow's schema in the footer carries",
    ),
    cannot_tell=("what the values say", "values that a program unpickles by itself", "encrypted footers"),
)

_MAGIC = b"PAR1"
_RULE = "parquet/structure-lies"
_LONGEST_COPY = 1 << 20
_LONGEST_HEADER = 256
_PLACE_OF_CHUNK = 0x26
_META = {RAW: None, 1: None, 3: None, 7: None, 9: None, 10: None, 11: None, 14: None, 15: None}
_CHUNK = {RAW: None, 1: None, 3: _META, 4: None, 5: None, 6: None, 7: None}
_FOOTER = {2: {1: None, 4: None}, 3: None, 4: {1: _CHUNK}, 5: {1: None, 2: None}, 6: None}
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    """The magic at both ends; at the beginning alone, under the name of a table, it was cut off."""
    if head.size < 12 or not head.data.startswith(_MAGIC):
        return Likeness.NO
    if head.tail[-4:] == _MAGIC:
        return Likeness.STRONG
    return Likeness.STRONG if head.suffix in FORMAT.extensions else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode the footer and account for every byte in front of it.

    Raises:
        MalformedError: the footer breaks its own form.
        LimitError: it is longer than is read.
    """
    size = source.size
    if source.read(size - 4, 4) != _MAGIC:
        say_incomplete(facts, size + 8, size)
        return
    length = int.from_bytes(source.read(size - 8, 4), "little")
    begin = size - 8 - length
    if begin < 4:
        raise MalformedError(f"the footer has {length} bytes", offset=size - 8)
    if length > facts.limits.header:
        raise LimitError("header", facts.limits.header, f"a footer of {length} bytes is not read", offset=begin)
    footer = Compact(source.read(begin, length), facts, begin)
    meta = footer.structure(_FOOTER)
    if footer.at != length:
        facts.unknown("unsupported", f"{length - footer.at} bytes behind the footer were not read", begin + footer.at)
    schema = [_text(each.get(4)) for each in _dicts(meta.get(2))]
    facts.note("rows", meta.get(3, 0) if isinstance(meta.get(3), int) else 0)
    facts.note("columns", [shorten(name, 200) for name in schema[1:1000]])
    if isinstance(meta.get(6), bytes):
        facts.note("created_by", shorten(_text(meta[6]), 200))
    for entry in _dicts(meta.get(5)):
        if entry.get(1) == b"ARROW:schema" and isinstance(entry.get(2), bytes):
            _arrow_schema(facts, entry[2], begin)
    _pages(source, facts, meta, begin)


def _dicts(value: Any) -> list[dict[int, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return printable(value.decode("utf-8", "surrogateescape")) if isinstance(value, bytes) else ""


def _pages(source: Source, facts: Facts, meta: dict[int, Any], end: int) -> None:
    """Where the pages, indexes and filters of every column lie; what lies between them is a copy of the footer, or not read."""
    ranges: list[tuple[int, int]] = []
    files: dict[str, None] = {}
    copies: set[bytes] = set()
    for group in _dicts(meta.get(4)):
        for chunk in _dicts(group.get(1)):
            if isinstance(chunk.get(1), bytes) and chunk[1]:
                _elsewhere(facts, _text(chunk[1]), end, files)
                continue
            column = chunk.get(3)
            if not isinstance(column, dict):
                facts.unknown("unsupported", "the description of a column is encrypted or missing", end)
                continue
            copies.update((chunk[RAW], column[RAW]))
            starts = [at for at in (column.get(9), column.get(11), column.get(10)) if isinstance(at, int) and at > 0]
            if starts:
                ranges.append((min(starts), _number(column.get(7))))
            ranges.append(_filter(source, facts, _number(column.get(14)), _number(column.get(15)), end))
            ranges.append((_number(chunk.get(4)), _number(chunk.get(5))))
            ranges.append((_number(chunk.get(6)), _number(chunk.get(7))))
    at = 4
    for begin, length in sorted(ranges):
        if not length:
            continue
        if begin < 4 or begin + length > end:
            facts.anomaly(_RULE, f"pages lie at {begin} to {begin + length}, in front of the footer at {end}", end)
            continue
        if begin > at and not _is_copy(source, at, begin, copies):
            facts.unknown("unsupported", f"{begin - at} bytes between the pages were not read", at)
        at = max(at, begin + length)
    if at < end and not _is_copy(source, at, end, copies):
        facts.unknown("unsupported", f"{end - at} bytes in front of the footer were not read", at)


def _is_copy(source: Source, begin: int, end: int, copies: set[bytes]) -> bool:
    """Whether nothing stands there but zeros, or what the footer says of a column.

    The description of a chunk (``26``, its place as a varint, ``1c``, the description of its column, ``00``) was often written
    before the places of its indexes were known, which stand in the footer alone.
    """
    if end - begin <= _LONGEST_COPY:
        data = source.read(begin, end - begin)
        if data in copies:
            return True
        if data[0] == _PLACE_OF_CHUNK:
            column = next((at for at in range(1, min(11, len(data))) if data[at] < 0x80), 0) + 1
            if data[column : column + 1] == b"\x1c" and data[-1] == 0 and data[column + 1 : -1] in copies:
                return True
    return all_zero(source, begin, end)


def _filter(source: Source, facts: Facts, begin: int, length: int, end: int) -> tuple[int, int]:
    """Where a Bloom filter lies. Where the footer does not tell its size, as before version 2.10 of the format, its header does."""
    if begin and not length and begin < end:
        header = Compact(source.upto(begin, _LONGEST_HEADER), facts, begin)
        try:
            length = _number(header.structure({1: None}).get(1)) + header.at
        except MalformedError:
            facts.unknown("unsupported", "a filter does not tell its size", begin)
    return begin, length


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _elsewhere(facts: Facts, name: str, at: int, files: dict[str, None]) -> None:
    """A column in another file, which is put into ``files``."""
    from openvet.formats._tf_program import is_outside

    shown = shorten(name, 300)
    if is_outside(name):
        facts.anomaly(
            "parquet/outside-path", f"takes a column from {shown}, which is not in its own folder", at, path=shown
        )
    elif shown not in files and len(files) < 1000:
        files[shown] = None
        facts.metadata.setdefault("files", []).append(shown)


def _arrow_schema(facts: Facts, value: bytes, at: int) -> None:
    try:
        data = binascii.a2b_base64(value)
    except binascii.Error:
        facts.unknown("malformed", "the schema of Arrow is no base64", at)
        return
    facts.add_members([Member("ARROW-schema.arrow", len(data), lambda: BytesSource(data), at)])
