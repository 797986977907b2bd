"""Avro tables: a schema as JSON, and rows in blocks.

::

    "Obj" 01, metadata, mark[16], blocks
    metadata    maps of text to bytes (``avro.schema``, ``avro.codec``, what the writer noted), as Avro writes them
    block       rows (zigzag varint), bytes (zigzag varint), data, mark

A schema may name the Java class that a text becomes. Avro for Java made objects of any class of which it was told before 1.11.4
(CVE-2024-47561); readers in other languages pass over it.

Specification: https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._carried import hand_on
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import say_incomplete
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="avro",
    title="Avro table",
    extensions=(".avro",),
    media_types=("application/vnd.apache.avro",),
    can_tell=(
        "the schema, and the classes of Java that it names",
        "that the blocks cover the file without anything left over",
    ),
    cannot_tell=("what the values say", "values that a program unpickles by itself"),
)

_MAGIC = b"Obj\1"
_MARK = 16
_NOTES = 10_000
_SHOWN = 200
_CLASSES = ("java-class", "java-element-class", "java-key-class")
#: What Avro's own reflection writes for texts, numbers and collections: classes that hold what they are given.
_PLAIN = frozenset(
    {
        "java.lang.Boolean", "java.lang.Byte", "java.lang.CharSequence", "java.lang.Character", "java.lang.Double", "java.lang.Float",
        "java.lang.Integer", "java.lang.Long", "java.lang.Short", "java.lang.String", "java.math.BigDecimal", "java.math.BigInteger",
        "java.util.ArrayList", "java.util.Collection", "java.util.HashMap", "java.util.HashSet", "java.util.LinkedHashMap",
        "java.util.LinkedHashSet", "java.util.LinkedList", "java.util.List", "java.util.Map", "java.util.Set", "java.util.SortedMap",
        "java.util.TreeMap", "java.util.TreeSet",
    }
)  # fmt: skip
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    """The magic."""
    return Likeness.STRONG if head.data.startswith(_MAGIC) and head.size >= len(_MAGIC) + 1 + _MARK else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Decode the metadata and walk the blocks.

    Raises:
        MalformedError: a number is none, or a block does not end with the mark.
        LimitError: the metadata are longer than is read.
    """
    cursor = source.cursor(len(_MAGIC))
    for key, at, size in _metadata(cursor, facts):
        value = source.window(at, size)
        if key == "avro.schema":
            facts.add_members([Member("avro.schema.json", size, partial(source.window, at, size), at)])
            _classes(value, facts, at)
            continue
        text = value.read(0, size)
        if not hand_on(value, facts, f"note-{shorten(printable(key), _SHOWN)}", at, text=True):
            look_inside(facts, text, f"the note {shorten(printable(key), _SHOWN)}", at)
        noted = facts.metadata.setdefault("metadata", {})
        if len(noted) < 1000:
            noted[shorten(printable(key), _SHOWN)] = shorten(printable(text.decode("utf-8", "surrogateescape")), _SHOWN)
    mark = cursor.read(_MARK)
    rows = blocks = 0
    at = cursor.position
    try:
        while at < source.size:
            facts.budget.check_time()
            cursor = source.cursor(at)
            count, size = _number(cursor), _number(cursor)
            if count < 0 or size < 0:
                raise MalformedError(f"a block of {count} rows in {size} bytes", offset=at)
            end = cursor.position + size + _MARK
            if end > source.size:
                say_incomplete(facts, end, source.size)
                return
            if source.read(end - _MARK, _MARK) != mark:
                raise MalformedError("a block does not end with the file's mark", offset=end - _MARK)
            rows += count
            blocks += 1
            at = end
    finally:
        facts.note("rows", rows)
        facts.note("blocks", blocks)


def _number(cursor: Cursor) -> int:
    """A zigzag varint of 64 bits."""
    begin = cursor.position
    value = shift = 0
    while shift < 70:
        byte = cursor.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value >> 1 ^ -(value & 1)
        shift += 7
    raise MalformedError("a number has more than ten bytes", offset=begin)


def _metadata(cursor: Cursor, facts: Facts) -> Iterator[tuple[str, int, int]]:
    """Each entry: its key, and where the bytes of its value lie. Of two with one key readers take the last, so all are told."""
    limit = facts.limits.header
    begin = cursor.position
    entries = 0
    while count := _number(cursor):
        if count < 0:  # then the length of these entries in bytes follows, for those who skip them
            _number(cursor)
        for _ in range(abs(count)):
            entries += 1
            if entries > _NOTES:
                raise LimitError("records", _NOTES, "more entries of metadata than are read", offset=begin)
            size = _number(cursor)
            if not 0 <= size <= limit:
                raise LimitError("header", limit, f"a key of {size} bytes is not read", offset=cursor.position)
            key = cursor.read(size).decode("utf-8", "surrogateescape")
            size = _number(cursor)
            if not 0 <= size <= limit:
                raise LimitError("header", limit, f"a value of {size} bytes is not read", offset=cursor.position)
            at = cursor.position
            cursor.skip(size)
            yield key, at, size


def _classes(text: Source, facts: Facts, at: int) -> None:
    """The classes of Java that the schema names."""
    from openvet.formats._json_stream import JsonStream

    waiting: list[Any] = [JsonStream(text, 0, facts.limits, facts.budget.check_time).value()]
    told: set[str] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        if not isinstance(value, dict):
            continue
        waiting.extend(value.values())
        for key in _CLASSES:
            name = value.get(key)
            if isinstance(name, str) and name not in _PLAIN and name not in told and len(told) < 1000:
                told.add(name)
                shown = shorten(printable(name), _SHOWN)
                facts.anomaly("avro/java-class", f"a text becomes an object of the Java class {shown}", at, name=shown)
