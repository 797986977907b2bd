"""FlatBuffers: one bounded walk over a buffer, led by a table of its schema.

::

    root offset[4], identifier[4], ...
    table    offset back to its vtable[4, signed], fields inline
    vtable   size of itself[2], size of the table[2], for each field its offset in the table or 0 [2]
    vector   count[4], items; a string is one of bytes with a zero behind it
    offsets  are unsigned, count from where they stand, and so only lead forward

Specification: https://flatbuffers.dev/internals/ ; the rules are those of ``flatbuffers::Verifier``.

The whole buffer is verified before anything is taken from it. Tables and vectors are visited once however many offsets
lead to them, so that the walk is linear in the size of the file. A reader that takes the items of vectors of tables of vectors
would meet a shared one again and again: what is handed out is bounded by a multiple of what the buffer has.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

from openvet.core.tables import read_table
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Head
from openvet.io.source import Source

__all__ = ["Schema", "Table", "Walk", "has_identifier", "schema"]

_SCALARS = {
    "u8": "B",
    "i8": "b",
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
    "f32": "f",
    "f64": "d",
}
_WIDTHS = {name: struct.calcsize(code) for name, code in _SCALARS.items()}
_PAGE = 64 * 1024
_PAGES = 64
#: Tables of one buffer that are followed.
_MOST = 4_000_000
_TEXT = 4096
#: How many times over the tables and the bytes of a buffer are handed out. Builders share vtables and texts, hardly ever tables.
_SHARED = 8
_HANDED_OUT = 100_000
_TEXTS = 32 * 1024 * 1024


class Schema:
    """The tables of one format: for each the names and types of its fields, in order."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.root: str = data["root"]
        self.tables = {name: tuple(_field(each) for each in fields) for name, fields in data["tables"].items()}
        self.structs: dict[str, int] = data.get("structs", {})
        self.unions: dict[str, list[str]] = data.get("unions", {})
        self.enums: dict[str, list[str]] = data.get("enums", {})


def _field(text: str) -> tuple[str, str]:
    name, _, kind = text.partition(": ")
    return name, kind or "-"


@cache
def schema(name: str) -> Schema:
    """The schema in ``data/flatbuffers``."""
    return Schema(read_table(f"flatbuffers/{name}"))


def has_identifier(head: Head, *identifiers: bytes) -> bool:
    """Whether the identifier stands in its place, and the root lies inside."""
    data = head.data
    return len(data) >= 12 and data[4:8] in identifiers and 4 <= int.from_bytes(data[:4], "little") <= head.size - 4


class Walk:
    """A verified buffer. ``end`` is where the last thing that was reached ends; ``beyond`` counts unknown fields."""

    def __init__(self, source: Source, of: Schema, facts: Facts, root_type: str = "") -> None:
        self.source = source
        self.schema = of
        self.facts = facts
        self.end = 8
        self.beyond = 0
        self._seen: dict[int, str] = {}
        self._vectors: dict[int, str] = {}
        self._vtables: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._pages: dict[int, bytes] = {}
        self._stack: list[tuple[int, str]] = []
        self._texts: dict[int, str] = {}
        self._text_bytes = 0
        self._handed_out = 0
        root = self.u32(0)
        self._push(root, root_type or of.root)
        count = 0
        while self._stack:
            count += 1
            if count % 4096 == 0:
                facts.budget.check_time()
            if count > _MOST:
                raise LimitError("tables", _MOST, "the buffer has more tables")
            self._verify(*self._stack.pop())
        self.root = Table(self, root, root_type or of.root)
        if self.beyond:
            facts.unknown("unsupported", f"{self.beyond} fields are newer than the schema that is known")

    # -- bytes --

    def bytes_at(self, offset: int, size: int) -> bytes:
        """Some bytes; small ones come from a page that is kept."""
        page, at = divmod(offset, _PAGE)
        if size > 4096 or at + size > _PAGE or offset < 0:
            return self.source.read(offset, size)
        held = self._pages.get(page)
        if held is None:
            if len(self._pages) >= _PAGES:
                self._pages.clear()
            held = self._pages[page] = self.source.upto(page * _PAGE, _PAGE)
        data = held[at : at + size]
        return data if len(data) == size else self.source.read(offset, size)

    def u32(self, offset: int) -> int:
        return int.from_bytes(self.bytes_at(offset, 4), "little")

    def follow(self, offset: int) -> int:
        """Where the offset at ``offset`` leads."""
        target = offset + self.u32(offset)
        if target == offset or target + 4 > self.source.size:
            raise MalformedError("an offset leads out of the buffer", offset=offset)
        return target

    def slots(self, at: int) -> tuple[int, tuple[int, ...]]:
        """The size of the table at ``at``, and for each of its fields its offset in it, or 0."""
        vtable = at - int.from_bytes(self.bytes_at(at, 4), "little", signed=True)
        known = self._vtables.get(vtable)
        if known is None:
            if vtable < 0:
                raise MalformedError("a vtable lies in front of the buffer", offset=at)
            size, inline = struct.unpack("<HH", self.bytes_at(vtable, 4))
            if size < 4 or size % 2 or inline < 4:
                raise MalformedError("the sizes in a vtable are none", offset=vtable)
            self._reach(vtable + size)
            known = inline, struct.unpack(f"<{size // 2 - 2}H", self.bytes_at(vtable + 4, size - 4))
            self._vtables[vtable] = known
        if at + known[0] > self.source.size:
            raise MalformedError("a table goes beyond the end", offset=at)
        return known

    # -- handing out --

    def hand_out(self) -> None:
        """Count a table that a reader takes out of a vector.

        Raises:
            LimitError: it took the same ones many times over.
        """
        self._handed_out += 1
        if self._handed_out % 4096 == 0:
            self.facts.budget.check_time()
        most = _SHARED * len(self._seen) + _HANDED_OUT
        if self._handed_out > most:
            raise LimitError("tables", most, "the vectors of the buffer share their tables")

    def text_at(self, at: int) -> str:
        """The text at ``at``, printable and not longer than 4096 bytes; one that many share is one.

        Raises:
            LimitError: texts that lie over each other have many times the buffer's size.
        """
        known = self._texts.get(at)
        if known is None:
            data = self.bytes_at(at + 4, min(self.u32(at), _TEXT))
            self._text_bytes += len(data)
            most = self.source.size + _TEXTS
            if self._text_bytes > most:
                raise LimitError("text", most, "the texts of the buffer lie over each other")
            known = self._texts[at] = printable(data.decode("utf-8", "surrogateescape"))
        return known

    # -- verifying --

    def _reach(self, end: int) -> None:
        if end > self.source.size:
            raise MalformedError("something goes beyond the end of the buffer", offset=min(end, self.source.size))
        self.end = max(self.end, end)

    def lie(self, message: str, offset: int) -> None:
        self.facts.anomaly("flatbuffer/structure-lies", message, offset)

    def _push(self, at: int, kind: str) -> None:
        seen = self._seen.get(at)
        if seen is None:
            self._seen[at] = kind
            self._stack.append((at, kind))
        elif seen != kind:
            self.lie(f"the table at {at} is used as {seen} and as {kind}", at)

    def _verify(self, at: int, kind: str) -> None:
        inline, slots = self.slots(at)
        self._reach(at + inline)
        fields = self.schema.tables[kind]
        used: dict[int, int] = {}
        types: dict[str, int] = {}
        for index, slot in enumerate(slots):
            if not slot:
                continue
            if index >= len(fields) or fields[index][1] == "-":
                self.beyond += 1
                continue
            name, type_ = fields[index]
            width = _WIDTHS.get(type_) or self.schema.structs.get(type_) or 4
            if slot < 4 or slot + width > inline:
                raise MalformedError(f"the field {name} of a {kind} lies outside its table", offset=at)
            if slot in used:
                self.lie(f"two fields of the {kind} at {at} share their bytes", at)
            used[slot] = width
            if type_ in _WIDTHS:
                types[name] = self.bytes_at(at + slot, 1)[0]
            elif type_ not in self.schema.structs:
                self._verify_offset(at + slot, type_, types.get(f"{name}_type", 0))

    def _verify_offset(self, at: int, type_: str, chosen: int) -> None:
        if type_.startswith("union "):
            names = self.schema.unions[type_[6:]]
            if not 0 < chosen < len(names):
                self.beyond += 1  # a kind of a newer schema, or a value without its type
            elif names[chosen] in self.schema.tables:
                self._push(self.follow(at), names[chosen])
            return
        target = self.follow(at)
        if type_ == "string":
            self._string(target)
        elif type_.startswith("["):
            self._vector(target, type_[1:-1])
        else:
            self._push(target, type_)

    def _string(self, at: int) -> None:
        end = at + 4 + self.u32(at)
        self._reach(end + 1)
        if self.bytes_at(end, 1) != b"\0":
            self.lie(f"the text at {at} has no end mark", at)

    def _vector(self, at: int, item: str) -> None:
        seen = self._vectors.setdefault(at, "")
        if seen:
            if seen != item:
                self.lie(f"the vector at {at} is used as one of {seen} and of {item}", at)
            return
        self._vectors[at] = item
        count = self.u32(at)
        width = _WIDTHS.get(item) or self.schema.structs.get(item) or 4
        self._reach(at + 4 + count * width)
        if item in _WIDTHS or item in self.schema.structs:
            return
        for place in range(at + 4, at + 4 + count * 4, 4):
            target = self.follow(place)
            if item == "string":
                self._string(target)
            else:
                self._push(target, item)
        if count > 4096:
            self.facts.budget.check_time()


class Table:
    """One table of a verified buffer. A field that is not there is 0, "" or empty, as for every reader."""

    __slots__ = ("_fields", "_slots", "at", "kind", "walk")

    def __init__(self, walk: Walk, at: int, kind: str) -> None:
        self.walk = walk
        self.at = at
        self.kind = kind
        self._slots = walk.slots(at)[1]
        self._fields = walk.schema.tables[kind]

    def _place(self, name: str) -> tuple[int, str]:
        for index, (each, type_) in enumerate(self._fields):
            if each == name:
                slot = self._slots[index] if index < len(self._slots) else 0
                return (self.at + slot if slot else 0), type_
        raise KeyError(name)

    def has(self, name: str) -> bool:
        return bool(self._place(name)[0])

    def number(self, name: str, default: int = 0) -> int:
        at, type_ = self._place(name)
        if not at:
            return default
        return int(struct.unpack("<" + _SCALARS[type_], self.walk.bytes_at(at, _WIDTHS[type_]))[0])

    def text(self, name: str) -> str:
        """A text, printable and not longer than 4096 bytes."""
        at, _ = self._place(name)
        return self.walk.text_at(self.walk.follow(at)) if at else ""

    def texts(self, name: str) -> Iterator[str]:
        start, count = self.vector(name)
        for index in range(count):
            self.walk.hand_out()
            yield self.walk.text_at(self.walk.follow(start + index * 4))

    def vector(self, name: str) -> tuple[int, int]:
        """Where the items of a vector begin, and how many they are."""
        at, _ = self._place(name)
        if not at:
            return 0, 0
        target = self.walk.follow(at)
        return target + 4, self.walk.u32(target)

    def numbers(self, name: str, most: int) -> tuple[int, ...]:
        """The first items of a vector of numbers."""
        start, count = self.vector(name)
        code = _SCALARS[self._place(name)[1][1:-1]]
        count = min(count, most)
        data = self.walk.bytes_at(start, count * struct.calcsize(code)) if count else b""
        return struct.unpack(f"<{count}{code}", data)

    def items(self, name: str) -> Iterator[Table]:
        start, count = self.vector(name)
        kind = self._place(name)[1][1:-1]
        for index in range(count):
            self.walk.hand_out()
            yield Table(self.walk, self.walk.follow(start + index * 4), kind)

    def table(self, name: str) -> Table | None:
        """A table, also the one that a union holds."""
        at, type_ = self._place(name)
        if not at:
            return None
        if type_.startswith("union "):
            names = self.walk.schema.unions[type_[6:]]
            chosen = self.number(f"{name}_type")
            if not 0 < chosen < len(names) or names[chosen] not in self.walk.schema.tables:
                return None
            type_ = names[chosen]
        return Table(self.walk, self.walk.follow(at), type_)

    def source(self, name: str) -> Source | None:
        """The bytes of a vector of bytes."""
        start, count = self.vector(name)
        return self.walk.source.window(start, count) if count else None
