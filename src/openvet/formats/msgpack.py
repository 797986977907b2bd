"""MessagePack: weights of Flax and JAX, and whatever else is serialized this way.

::

    one value; its first byte says what it is:
    00-7f ints, 80-8f maps, 90-9f arrays, a0-bf texts, c0 nil, c2 c3 truth, c4-c6 bytes, c7-c9 d4-d8 extensions,
    ca cb floats, cc-cf d0-d3 ints, d9-db texts, dc dd arrays, de df maps, e0-ff negative ints

Specification: https://github.com/msgpack/msgpack/blob/master/spec.md ; the extensions of Flax stand in
``flax/serialization.py``: 1 an array (shape, name of the dtype, bytes), 2 a complex number, 3 a scalar of NumPy.

There is no magic number: what is a map with names as keys, and holds together, is taken for MessagePack.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._trailing import account_for_rest
from openvet.io.source import BytesSource, Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="msgpack",
    title="MessagePack (Flax and others)",
    extensions=(".msgpack", ".mpk"),
    media_types=("application/vnd.msgpack",),
    can_tell=(
        "every value to the last byte, and every array of Flax with its dtype, shape and place",
        "extensions that Flax does not have, pickles in bytes, and arrays whose bytes do not fit their shape",
    ),
    cannot_tell=("what an application makes of extensions of its own", "values without a map of names around them"),
)

_MOST = 4_000_000
_TEXT = 1024
#: NumPy has arrays of 64 dimensions at most.
_MOST_EXTENTS = 64
#: Without a map of names as much has to fit to its last byte.
_SHORTEST_OTHER = 16
#: width of the length for each first byte that has one, and what follows: texts, bytes, arrays, maps
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_ARRAYS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_DTYPES = {
    "float32": ("F32", 4), "float16": ("F16", 2), "bfloat16": ("BF16", 2), "float64": ("F64", 8), "int8": ("I8", 1),
    "int16": ("I16", 2), "int32": ("I32", 4), "int64": ("I64", 8), "uint8": ("U8", 1), "uint16": ("U16", 2),
    "uint32": ("U32", 4), "uint64": ("U64", 8), "bool": ("BOOL", 1), "complex64": ("C64", 8), "complex128": ("C128", 16),
    "float8_e4m3fn": ("F8_E4M3", 1), "float8_e5m2": ("F8_E5M2", 1), "int4": ("I4", 1), "uint4": ("U4", 1),
    "float8_e4m3b11fnuz": ("F8_E4M3B11FNUZ", 1), "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1), "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1),
}  # fmt: skip


#: What spaCy writes under names that say nothing: the rows of the vectors by their keys, and the tables of lookups.
_NAMED = frozenset({"key2row", "lookups.bin"})
#: What its bytes begin with.
STARTS = tuple(bytes([first]) for first in (*range(0x80, 0xA0), *_BYTES, *_ARRAYS, *_MAPS))


def probe(head: Head) -> Likeness:
    """A map whose first key is a name, and a head that holds together; by its name also any other map or array."""
    first = head.data[:1]
    if not first or not (0x80 <= first[0] <= 0x9F or first[0] in (*_BYTES, 0xDC, 0xDD, 0xDE, 0xDF)):
        return Likeness.NO
    if first[0] in _BYTES:  # bytes and nothing else, which say how long they are
        width = 1 + _BYTES[first[0]]
        whole = head.size >= _SHORTEST_OTHER and int.from_bytes(head.data[1:width], "big") == head.size - width
        return Likeness.WEAK if whole else Likeness.NO
    from openvet.core.limits import Budget, Limits

    named = head.suffix in FORMAT.extensions or head.name.rpartition("/")[2] in _NAMED
    is_map = 0x81 <= first[0] <= 0x8F or first[0] in _MAPS
    facts = Facts("", "", Budget(Limits(records=10, tensors=200_000)))
    walk = _Walk(BytesSource(head.data), facts, head.size)
    try:
        walk.run(200)
    except MalformedError:
        # the head ends in the middle of a value, as it must where there is more
        if not (head.size > len(head.data) and walk.cursor.position + 9 >= len(head.data)) and not walk.long:
            return Likeness.WEAK if named else Likeness.NO
    except LimitError:
        pass
    whole = not walk.stack and walk.cursor.position == head.size
    if is_map and walk.names and (whole or walk.items >= 3):
        return Likeness.STRONG
    return Likeness.WEAK if named or (whole and head.size >= _SHORTEST_OTHER) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the value to its end.

    Raises:
        MalformedError: a length leads out of the file, or a byte begins no value.
        LimitError: more values or nesting than is followed.
    """
    walk = _Walk(source, facts, source.size)
    walk.run(_MOST)
    facts.note("values", walk.items)
    if walk.keys:
        facts.note("keys", walk.keys)
    account_for_rest(source, facts, walk.cursor.position, "the value")


@dataclass(slots=True)
class _Frame:
    """A map or an array that is being read. ``key`` is the map's current one; ``plain`` are short values by key."""

    is_map: bool
    left: int
    path: str
    key: str | None = None
    index: int = 0
    plain: dict[str, Any] = field(default_factory=dict)


class _Walk:
    """One pass. ``names`` is how many keys of maps were printable texts, ``long`` whether a value outgrew the head."""

    def __init__(self, source: Source, facts: Facts, size: int) -> None:
        self.source = source
        self.facts = facts
        self.size = size
        self.cursor = Cursor(source)
        self.stack: list[_Frame] = []
        self.items = 0
        self.names = 0
        self.long = False
        self.keys: list[str] = []
        self.encoded = EncodedPickles(facts)

    def run(self, most: int) -> None:
        self.value()
        while self.stack:
            frame = self.stack[-1]
            if not frame.left:
                self.stack.pop()
                self.finish(frame)
                continue
            if self.items >= most:
                raise LimitError("values", most, "the file holds more values", offset=self.cursor.position)
            if self.items % 4096 == 0:
                self.facts.budget.check_time()
            frame.left -= 1
            if frame.is_map:
                self.key(frame)
            else:
                frame.key = str(frame.index)
                frame.index += 1
            self.value()

    def lie(self, message: str, offset: int) -> None:
        self.facts.anomaly("msgpack/header-lies", message, offset)

    def path(self) -> str:
        if not self.stack:
            return ""
        frame = self.stack[-1]
        return f"{frame.path}/{frame.key}" if frame.path else str(frame.key)

    def key(self, frame: _Frame) -> None:
        at = self.cursor.position
        key = self.simple()
        self.look(at)
        if isinstance(key, (str, int, bool, bytes)):
            text = key.decode("latin-1") if isinstance(key, bytes) else str(key)
            self.names += isinstance(key, str) and key.isprintable() and bool(key)
        else:
            raise MalformedError("a key of a map is no name", offset=at)
        if text in frame.plain:
            self.lie(f"the key {printable(text)} stands in a map twice", at)
        frame.key = printable(text)[:_TEXT]
        if len(frame.plain) < self.facts.limits.records:
            frame.plain[text] = None
        if len(self.stack) == 1 and len(self.keys) < 100:
            self.keys.append(frame.key)

    def simple(self) -> Any:
        """A value that holds no others, or ``None`` with the cursor unmoved."""
        start = self.cursor.position
        first = self.cursor.read(1)[0]
        if first <= 0x7F:
            return first
        if first >= 0xE0:
            return first - 0x100
        if 0xA0 <= first <= 0xBF:
            return self.text(first & 31)
        if first in _TEXTS:
            return self.text(self.length(_TEXTS[first]))
        if first in _BYTES:
            size = self.length(_BYTES[first])
            self.fits(size)
            data = self.cursor.peek(min(size, _TEXT)) if size else b""
            self.cursor.skip(size)
            return data
        if first in _FIXED:
            return int.from_bytes(self.cursor.read(_FIXED[first]), "big")
        if first in (0xC2, 0xC3):
            return first == 0xC3
        self.cursor.position = start
        return None

    def length(self, width: int) -> int:
        return int.from_bytes(self.cursor.read(width), "big")

    def fits(self, size: int) -> None:
        if size > self.size - self.cursor.position:
            raise MalformedError(f"a value says that it is {size} bytes long", offset=self.cursor.position)
        if size > self.cursor.left:
            self.long = True

    def text(self, size: int) -> str:
        self.fits(size)
        at = self.cursor.position
        data = self.cursor.peek(min(size, _TEXT)) if size else b""
        self.cursor.skip(size)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            if size <= _TEXT or error.start < len(data) - 4:
                self.lie("a text is not UTF-8", at)
            return data.decode("utf-8", "replace")

    def value(self) -> None:
        """One value; maps and arrays are put on the stack."""
        self.items += 1
        start = self.cursor.position
        first = self.cursor.read(1)[0]
        if 0x80 <= first <= 0x9F:
            self.open(first < 0x90, first & 15)
        elif first in _ARRAYS or first in _MAPS:
            self.open(first in _MAPS, self.length(_ARRAYS.get(first) or _MAPS[first]))
        elif first in _EXTENSIONS:
            self.extension(self.length(_EXTENSIONS[first]))
        elif first in _FIXED_EXTENSIONS:
            self.extension(_FIXED_EXTENSIONS[first])
        elif first == 0xC0:
            pass
        elif first == 0xC1:
            raise MalformedError("a byte begins no value", offset=start)
        else:
            self.cursor.position = start
            value = self.simple()
            if self.stack and self.stack[-1].is_map and len(self.stack[-1].plain) <= 16:
                self.stack[-1].plain[str(self.stack[-1].key)] = value
            self.look(start)

    def open(self, is_map: bool, count: int) -> None:
        if count * (1 + is_map) > self.size - self.cursor.position:
            message = f"a {'map' if is_map else 'list'} says that it holds {count} items"
            raise MalformedError(message, offset=self.cursor.position)
        if len(self.stack) >= self.facts.limits.nesting:
            raise LimitError(
                "nesting", self.facts.limits.nesting, "values nested too deeply", offset=self.cursor.position
            )
        self.stack.append(_Frame(is_map, count, self.path()))

    def finish(self, frame: _Frame) -> None:
        """msgpack-numpy writes an array as a map; one of objects is a pickle that it loads."""
        plain = frame.plain
        kind = plain.get("kind")
        if plain.get("nd") is True and kind in (b"O", "O"):
            message = "an array of objects of msgpack-numpy, which is unpickled when it is loaded"
            self.facts.anomaly("msgpack/pickled-objects", message, self.cursor.position, pointer=frame.path or None)

    def look(self, start: int) -> None:
        """A text or bytes that begin like a program are looked at as one, whatever they are a value or a key of."""
        first = self.source.read(start, 1)[0]
        width = _TEXTS.get(first) or _BYTES.get(first) or 0
        if not width and not 0xB0 <= first <= 0xBF:
            return
        begin = start + 1 + width
        if self.cursor.position - begin > 16 and self.source.read(begin, 6) == b"PLPYFN":
            from openvet.formats._polars import hand_on_function

            hand_on_function(self.source.window(begin, self.cursor.position - begin), self.facts, begin)
        self.encoded.field(
            self.source.window(begin, self.cursor.position - begin), f"{self.path() or 'value'}.pkl", begin
        )

    def extension(self, size: int) -> None:
        kind = int.from_bytes(self.cursor.read(1), "big", signed=True)
        self.fits(size)
        start = self.cursor.position
        self.cursor.skip(size)
        name = self.path()
        if kind in (1, 3):
            self.array(start, size, name)
        elif kind == 2:
            if size > 24:
                self.lie(f"the complex number {name} is {size} bytes long", start)
        elif kind == -1:
            if size not in (4, 8, 12):
                self.lie(f"the time {name} is {size} bytes long", start)
        else:
            message = f"{name or 'the value'} is an extension of type {kind}, which Flax does not have"
            self.facts.anomaly("msgpack/unknown-extension", message, start, type=kind, bytes=size)
            self.facts.unknown("unsupported", f"the {size} bytes of {name or 'the value'} were not read", start)
            self.encoded.field(self.source.window(start, size), f"{name or 'value'}.pkl", start)

    def array(self, start: int, size: int, name: str) -> None:
        """(shape, dtype, bytes) of Flax, in the bytes of an extension."""
        facts = self.facts
        if len(facts.tensors) >= facts.limits.tensors:
            raise LimitError("tensors", facts.limits.tensors, "the file holds more arrays", offset=start)
        inner = _Walk(self.source.window(start, size), facts, size)
        try:
            shape, dtype, at, length = inner.flax_array()
        except MalformedError as error:
            self.lie(f"the array {name} is none: {error.message}", start)
            facts.unknown("malformed", f"the array {name} was not read", start)
            return
        word, width = _DTYPES.get(dtype, (printable(dtype)[:50], 0))
        tensor = Tensor(name, word, shape, start + at, length)
        facts.tensors.append(tensor)
        if not width:
            self.lie(f"the array {name} has the dtype {printable(dtype)[:50]}, which is none", start)
        elif tensor.elements * width != length or at + length != size:
            self.lie(
                f"the array {name} says {tensor.elements} elements of {width} bytes, and holds {length} bytes", start
            )

    def items_of_list(self) -> int | None:
        """How many items the list at the cursor says that it has, in any of its three spellings."""
        first = self.cursor.read(1)[0]
        return first & 15 if 0x90 <= first <= 0x9F else self.length(_ARRAYS[first]) if first in _ARRAYS else None

    def flax_array(self) -> tuple[tuple[int, ...], str, int, int]:
        """Shape, dtype, and where the bytes begin and how long they are."""
        if self.items_of_list() != 3:
            raise MalformedError("no list of three")
        extents = self.items_of_list()
        if extents is None or extents > _MOST_EXTENTS:
            raise MalformedError("its shape is no list")
        shape = []
        for _ in range(extents):
            extent = self.simple()
            if type(extent) is not int or extent < 0:
                raise MalformedError("its shape is not of numbers")
            shape.append(extent)
        dtype = self.simple()
        if not isinstance(dtype, str):
            raise MalformedError("its dtype is no text")
        first = self.cursor.read(1)[0]
        if first not in _BYTES:
            raise MalformedError("its content is not bytes")
        length = self.length(_BYTES[first])
        at = self.cursor.position
        if length > self.cursor.left:
            raise MalformedError("its bytes go beyond its end")
        return tuple(shape), dtype, at, length
