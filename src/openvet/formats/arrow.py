"""Arrow tables: streams, files (Feather 2), and the schemas that Parquet files carry.

::

    message   ff ff ff ff, length of the description i32 (before version 0.15 the length alone), FlatBuffer, padding, body
    stream    a schema, then batches, then a message of length 0 (which may be missing)
    file      "ARROW1", 2 zeros, a stream, footer (FlatBuffer: the schema again, and where each batch lies), its length i32, "ARROW1"

Polars writes, where the stream of a file would begin, the schema's description without the eight bytes in front of it. Readers
of files take schema and batches from the footer and never look there; it is held to the same as any other.

A field may be of an extension type. One that was made with PyArrow's ``PyExtensionType`` carries a pickle, which PyArrow before
14.0.1 loads as soon as it reads the schema (CVE-2023-47248).

Specification: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._trailing import account_for_rest, all_zero, say_incomplete
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._flatbuffers import Table, Walk

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="arrow",
    title="Arrow table",
    extensions=(".arrow", ".feather", ".arrows", ".ipc"),
    media_types=("application/vnd.apache.arrow.file", "application/vnd.apache.arrow.stream"),
    can_tell=(
        "every column, and that the batches lie where they should",
        "pickles that the description of a column carries",
    ),
    cannot_tell=("what the values say", "values that a program unpickles by itself"),
)

_MAGIC = b"ARROW1"
_GOES_ON = b"\xff\xff\xff\xff"
_END = _GOES_ON + bytes(4)
#: Writers put the root of a description in front, behind its vtable at most.
_FARTHEST_ROOT = 256
_RULE = "arrow/structure-lies"
_PICKLED = "arrow.py_extension_type"
_COLUMNS = 10_000


def probe(head: Head) -> Likeness:
    """The magic of a file, or a message whose FlatBuffer begins as one."""
    data = head.data
    if data.startswith(_MAGIC + b"\0\0"):
        return Likeness.STRONG
    if data[:4] != _GOES_ON:
        return Likeness.STRONG if _early(head) else Likeness.NO
    length = int.from_bytes(data[4:8], "little")
    if not 16 <= length < 1 << 28 or length + 8 > head.size:
        return Likeness.NO
    root = int.from_bytes(data[8:12], "little")
    if not 4 <= root < min(length, _FARTHEST_ROOT):
        return Likeness.NO
    return Likeness.STRONG if not length % 4 or _is_schema(head, 8, length) else Likeness.NO


def _early(head: Head) -> bool:
    """Whether a schema follows on its length alone, as Arrow wrote it before version 0.15."""
    length, root = int.from_bytes(head.data[:4], "little"), int.from_bytes(head.data[4:8], "little")
    if not 64 <= length < 1 << 20 or length % 4 or length + 4 > head.size or not 4 <= root < _FARTHEST_ROOT:
        return False
    return _is_schema(head, 4, length, fields=1)


def _is_schema(head: Head, at: int, length: int, fields: int = 0) -> bool:
    """Whether a message stands there that describes at least so many columns. Polars pads none of those in Parquet files."""
    from openvet.core.limits import Budget
    from openvet.formats._flatbuffers import Walk, schema

    if length >= 1 << 24:
        return False
    message = Walk(head.source.window(at, length), schema("arrow"), Facts("", "", Budget()))
    header = message.root.table("header")
    return (
        header is not None and header.kind == "Schema" and not message.beyond and header.vector("fields")[1] >= fields
    )


def read(source: Source, facts: Facts) -> None:
    """Walk every message, and the footer of a file.

    Raises:
        MalformedError: a message breaks its own form.
        LimitError: a description is longer than is read.
    """
    reader = _Reader(source, facts)
    if source.upto(0, 8) == _MAGIC + b"\0\0":
        reader.file()
    else:
        account_for_rest(source, facts, reader.stream(0, source.size), "the stream")
    reader.put()


class _Reader:
    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.batches = 0
        self.rows = 0
        self.columns: list[str] = []
        self.extensions: dict[str, None] = {}
        self.begins: set[int] = set()

    def file(self) -> None:
        """A file: its stream up to the footer, and the footer."""
        size = self.source.size
        if size < 20 or self.source.read(size - 6, 6) != _MAGIC:
            self.stream(8, size)
            say_incomplete(self.facts, size + 10, size)
            return
        length = int.from_bytes(self.source.read(size - 10, 4), "little")
        begin = size - 10 - length
        if begin < 8:
            raise MalformedError(f"the footer has {length} bytes", offset=size - 10)
        try:
            footer = self.walk(begin, length, "Footer").root
        except ReadError:
            self.stream(8, begin)
            raise
        columns = self.described(footer, begin)  # before the stream, which may break: readers look at the footer alone
        end = self.stream(self.bare_schema(footer, begin), begin)
        if not all_zero(self.source, end, begin):
            self.facts.unknown("unsupported", f"{begin - end} bytes in front of the footer were not read", end)
        if self.columns and columns and self.columns != columns:
            self.facts.anomaly(_RULE, "the footer describes other columns than the stream", begin, lie="schema")
        self.columns = columns or self.columns
        self.find_blocks(footer, begin)

    def bare_schema(self, footer: Table, end: int) -> int:
        """A schema that stands at the beginning with no length in front of it; gives where the stream begins."""
        from openvet.formats._flatbuffers import Walk, schema

        if int.from_bytes(self.source.upto(8, 4), "little") >= _FARTHEST_ROOT:
            return 8
        first = min((block for block in self.blocks(footer) if block > 8), default=end)
        if first > end:
            return 8
        if first == end and self.source.upto(end - 8, 8) == _END:
            first = end - 8
        try:
            Walk(self.source.window(8, first - 8), schema("arrow"), Facts("", "", self.facts.budget))
        except MalformedError:  # a message of the years before 2019: its length stands first
            return 8
        walk = self.walk(8, first - 8, "Message")
        header = walk.root.table("header")
        if header is None or header.kind != "Schema" or walk.root.number("bodyLength"):
            return 8
        self.schema(header, 8)
        if not all_zero(self.source, 8 + walk.end, first):
            rest = first - 8 - walk.end
            self.facts.unknown("unsupported", f"{rest} bytes behind the first schema were not read", 8 + walk.end)
        return first

    def stream(self, at: int, end: int) -> int:
        """The messages up to ``end``; gives where they stop."""
        while at < end:
            self.facts.budget.check_time()
            begin = at
            word = self.source.read(at, min(4, end - at))
            at += 4
            if word == _GOES_ON:
                word = self.source.read(at, min(4, end - at))
                at += 4
            length = int.from_bytes(word, "little")
            if not length or len(word) < 4:
                return min(at, end)
            if length > end - at:
                raise MalformedError(f"a message of {length} bytes goes beyond the end", offset=begin)
            body = self.message(at, length)
            self.begins.add(begin)
            at += length
            if body < 0 or body > end - at:
                raise MalformedError(f"a body of {body} bytes goes beyond the end", offset=begin)
            at += body
        return at

    def walk(self, at: int, length: int, root: str) -> Walk:
        from openvet.formats._flatbuffers import Walk, schema

        limit = self.facts.limits.header
        if length > limit:
            raise LimitError("header", limit, f"a description of {length} bytes is not read", offset=at)
        return Walk(self.source.window(at, length), schema("arrow"), self.facts, root)

    def message(self, at: int, length: int) -> int:
        """One message; gives the size of its body."""
        root = self.walk(at, length, "Message").root
        body = root.number("bodyLength")
        header = root.table("header")
        if header is None:
            self.facts.unknown("unsupported", f"a message of kind {root.number('header_type')} was not read", at)
        elif header.kind == "Schema":
            self.schema(header, at)
        elif header.kind in {"RecordBatch", "DictionaryBatch"}:
            batch = header if header.kind == "RecordBatch" else header.table("data")
            if batch is not None:
                self.batch(batch, body, at, counts=header is batch)
        return body

    def batch(self, batch: Table, body: int, at: int, *, counts: bool) -> None:
        """A batch: its buffers must lie in its body."""
        self.batches += 1
        self.rows += batch.number("length") if counts else 0
        start, count = batch.vector("buffers")
        data = batch.walk.source.read(start, count * 16) if count else b""
        for offset, size in struct.iter_unpack("<qq", data):
            if offset < 0 or size < 0 or offset + size > body:
                self.facts.anomaly(
                    _RULE, f"a buffer lies at {offset} to {offset + size} of a body of {body}", at, lie="buffer"
                )
                return

    def schema(self, table: Table, at: int) -> None:
        """The columns, and what their descriptions carry. A table that two offsets lead to is looked at once."""
        waiting: list[tuple[Table, str]] = [(each, "") for each in table.items("fields")]
        seen: set[int] = set()
        while waiting:
            field, above = waiting.pop(0) if len(waiting) < 64 else waiting.pop()
            if field.at in seen:
                continue
            seen.add(field.at)
            name = f"{above}{shorten(field.text('name'), 200)}"
            if len(self.columns) < _COLUMNS and name not in self.columns[-256:]:
                self.columns.append(name)
            self.extension(field, name, at)
            waiting.extend((each, f"{shorten(name, 200)}.") for each in field.items("children"))

    def extension(self, field: Table, name: str, at: int) -> None:
        """An extension type of a column; a pickle that belongs to it becomes a member."""
        kind, value = "", None
        for entry in field.items("custom_metadata"):
            if entry.text("key") == "ARROW:extension:name":
                kind = entry.text("value")
            elif entry.text("key") == "ARROW:extension:metadata":
                value = entry
        if kind and len(self.extensions) < _COLUMNS:
            self.extensions[shorten(kind, 200)] = None
        if kind != _PICKLED or value is None:
            return
        start, size = value.vector("value")
        self.facts.anomaly("arrow/pickled-type", f"the type of the column {name} is a pickle", at + start, column=name)
        window = partial(self.source.window, at + start, size)
        self.facts.add_members([Member(f"{shorten(printable(name), 100)}.pkl", size, window, at + start)])

    def described(self, footer: Table, at: int) -> list[str]:
        """The columns of the schema that readers of files take."""
        schema = footer.table("schema")
        if schema is None:
            return []
        self.schema(schema, at)
        columns, self.columns = self.columns, []
        return columns

    def find_blocks(self, footer: Table, at: int) -> None:
        """Where the footer finds batches, messages must begin."""
        for block in self.blocks(footer):
            if block not in self.begins:
                self.facts.anomaly(
                    _RULE, f"the footer finds a batch at {block}, where no message begins", at, lie="block"
                )
                return

    def blocks(self, root: Table) -> Iterator[int]:
        for name in ("dictionaries", "recordBatches"):
            start, count = root.vector(name)
            data = root.walk.source.read(start, count * 24) if count else b""
            yield from (offset for offset, _, _ in struct.iter_unpack("<qqq", data))

    def put(self) -> None:
        self.facts.note("batches", self.batches)
        self.facts.note("rows", self.rows)
        self.facts.note("columns", self.columns[:1000])
        if self.extensions:
            self.facts.note("extension_types", list(self.extensions)[:1000])
