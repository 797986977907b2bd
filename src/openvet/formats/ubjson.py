"""Universal Binary JSON, as XGBoost writes its models.

::

    one value; its first byte says what it is: Z null, N nothing, T F truth, i U I l L ints, d D floats, C a character,
    S text (length, bytes), H a long number (length, digits), [ array, { object (keys without their S)
    behind [ and {: "$" the type of all items, "#" how many there are; with a count nothing marks the end

Specification: https://ubjson.org/ ; XGBoost writes lengths as L and all numbers big-endian.
"""

from __future__ import annotations

import struct
from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import BytesSource, Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ubjson",
    title="Universal Binary JSON (XGBoost)",
    extensions=(".ubj", ".ubjson", ".model", ".bst", ".xgb"),
    media_types=("application/ubjson",),
    can_tell=("every key and value to the last byte", "for XGBoost, that the trees hold together"),
    cannot_tell=("what the trees decide", "documents that do not begin with a key"),
)

_INTS = {b"i": "b", b"U": "B", b"I": "h", b"l": "i", b"L": "q"}
_NUMBERS = {**_INTS, b"d": "f", b"D": "d"}
_MARKS = frozenset(b"ZNTFiUIlLdDCSH[{")
_KEPT = 2_000_000
_MOST = 4_000_000
_TEXT = 64 * 1024
_SHORTEST_LIST = 16
#: Stands in a list for numbers that were let go, as in long JSON.
_DROPPED = "…"
#: What its bytes begin with.
STARTS = (b"{",)


def probe(head: Head) -> Likeness:
    """An object with a short printable key, and a value behind it."""
    data = head.data
    if data[:1] != b"{":
        return Likeness.NO
    at = 1
    if data[1:2] == b"#":
        at = 2 + 1 + struct.calcsize(_INTS.get(data[2:3], "b"))
    code = _INTS.get(data[at : at + 1])
    if code is None:
        return Likeness.NO
    width = struct.calcsize(code)
    length = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    key = data[at + 1 + width : at + 1 + width + length] if length <= 256 else b""
    mark = data[at + 1 + width + length : at + 2 + width + length]
    plausible = len(key) == length > 0 and key.isascii() and key.decode("ascii").isprintable()
    return Likeness.STRONG if plausible and mark and mark[0] in _MARKS else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Read the value to its end; numbers beyond two million are stepped over.

    Raises:
        MalformedError: a length leads out of the file, or a byte begins no value.
        LimitError: more values or nesting than is followed.
    """
    reading = _Reading(source, facts)
    facts.document = reading.run()
    if isinstance(facts.document, dict):
        facts.note("keys", [printable(key)[:200] for key in list(facts.document)[:100]])
    account_for_rest(source, facts, reading.cursor.position, "the document")


@dataclass(slots=True)
class _Frame:
    """An array or an object that is being read; ``left`` where its count is known, ``type`` where all are of one."""

    items: Any
    left: int | None
    type: bytes
    key: str = ""
    keys: set[str] = field(default_factory=set)


class _Reading:
    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.cursor = Cursor(source)
        self.stack: list[_Frame] = []
        self.count = 0
        self.kept = 0
        self.result: Any = None
        self.encoded = EncodedPickles(facts)

    def run(self) -> Any:
        self.value(b"")
        while self.stack:
            self.count += 1
            if self.count > _MOST:
                raise LimitError("values", _MOST, "the document holds more values", offset=self.cursor.position)
            if self.count % 4096 == 0:
                self.facts.budget.check_time()
            frame = self.stack[-1]
            end = b"]" if isinstance(frame.items, list) else b"}"
            if frame.left == 0 or (frame.left is None and self.cursor.peek(1) == end):
                if frame.left is None:
                    self.cursor.skip(1)
                self.stack.pop()
                self.joined(frame.items)
                continue
            if frame.left is not None:
                frame.left -= 1
            if isinstance(frame.items, dict):
                self.key(frame)
            self.value(frame.type)
        return self.result

    def key(self, frame: _Frame) -> None:
        at = self.cursor.position
        frame.key = self.text()
        if frame.key in frame.keys:
            self.facts.anomaly("boosting/structure-lies", f"the key {printable(frame.key)[:200]} stands twice", at)
        frame.keys.add(frame.key)

    def length(self) -> int:
        at = self.cursor.position
        code = _INTS.get(self.cursor.read(1))
        if code is None:
            raise MalformedError("a length is no number", offset=at)
        value = int(struct.unpack(">" + code, self.cursor.read(struct.calcsize(code)))[0])
        if value < 0:
            raise MalformedError(f"a length is {value}", offset=at)
        return value

    def text(self) -> str:
        size = self.length()
        if size > self.cursor.left:
            raise MalformedError(f"a text says that it is {size} bytes long", offset=self.cursor.position)
        data = self.cursor.peek(min(size, _TEXT)) if size else b""
        self.encoded.field(
            self.source.window(self.cursor.position, size), f"text-{self.cursor.position}", self.cursor.position
        )
        self.cursor.skip(size)
        return data.decode("utf-8", "replace")

    def put(self, value: Any) -> None:
        if not self.stack:
            self.result = value
            return
        frame = self.stack[-1]
        if isinstance(frame.items, list):
            frame.items.append(value)
        else:
            frame.items[frame.key] = value

    def value(self, mark: bytes) -> None:
        start = self.cursor.position
        mark = mark or self.cursor.read(1)
        if mark in _NUMBERS:
            code = _NUMBERS[mark]
            self.put(struct.unpack(">" + code, self.cursor.read(struct.calcsize(code)))[0])
        elif mark in (b"T", b"F"):
            self.put(mark == b"T")
        elif mark in (b"S", b"H"):
            self.put(self.text())
        elif mark == b"C":
            self.put(self.cursor.read(1).decode("latin-1"))
        elif mark in (b"[", b"{"):
            self.open(mark)
        elif mark == b"Z":
            self.put(None)
        elif mark != b"N":
            raise MalformedError("a byte begins no value", offset=start)

    def open(self, mark: bytes) -> None:
        type_, left = b"", None
        if self.cursor.peek(1) == b"$":
            self.cursor.skip(1)
            type_ = self.cursor.read(1)
            if self.cursor.peek(1) != b"#":
                raise MalformedError("a list of one type has no count", offset=self.cursor.position)
        if self.cursor.peek(1) == b"#":
            self.cursor.skip(1)
            left = self.length()
            width = struct.calcsize(_NUMBERS[type_]) if type_ in _NUMBERS else 1
            if (
                left * (width if mark == b"[" and type_ not in (b"Z", b"T", b"F", b"N") else 2)
                > max(self.cursor.left, 0) * 2
            ):
                raise MalformedError(f"a list says that it holds {left} items", offset=self.cursor.position)
        if len(self.stack) >= self.facts.limits.nesting:
            raise LimitError(
                "nesting", self.facts.limits.nesting, "values nested too deeply", offset=self.cursor.position
            )
        if mark == b"[" and type_ in _NUMBERS and left is not None:
            self.numbers(_NUMBERS[type_], left)
            return
        items: Any = [] if mark == b"[" else {}
        self.put(items)
        self.stack.append(_Frame(items, left, type_))

    def joined(self, items: Any) -> None:
        """A list in which every byte or character stands for itself."""
        if not isinstance(items, list) or len(items) < _SHORTEST_LIST:
            return
        if isinstance(items[0], str) and all(isinstance(each, str) and len(each) == 1 for each in items):
            data = "".join(items).encode("latin-1", "replace")
        elif all(type(each) is int and -128 <= each < 256 for each in items):
            data = bytes(each & 255 for each in items)
        else:
            return
        self.encoded.field(BytesSource(data), f"list-{self.cursor.position}", self.cursor.position)

    def numbers(self, code: str, count: int) -> None:
        """A list of numbers of one type, all at once."""
        size = count * struct.calcsize(code)
        start = self.cursor.position
        if size > self.cursor.left:
            raise MalformedError(f"a list says that it holds {count} numbers", offset=start)
        if code in "bB":
            self.encoded.field(self.source.window(start, size), f"bytes-{start}", start)
        self.kept += count
        if self.kept > _KEPT:
            self.cursor.skip(size)
            self.put([_DROPPED])
        else:
            items = list(struct.unpack(f">{count}{code}", self.cursor.read(size)))
            self.put(items)
            if code not in "bB":
                self.joined(items)
