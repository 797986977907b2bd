"""Torch7 files (``.t7``) of Lua, in their binary form.

::

    object    kind i32: 0 nil, 1 number f64, 2 text, 3 table, 4 object of Torch, 5 truth i32, 6 7 8 function
    table     number i32, pairs i32, then key and value for each        text      length i32, bytes
    object    number i32, version ("V 1") and class as texts, content; a number that was there before stands alone
    function  number i32, length i32, bytecode, upvalues (an object)
    tensor    dimensions i32, extents i64, strides i64, offset i64, storage (an object)
    storage   elements i64, numbers

Loading a function turns its bytecode into code of LuaJIT, which does not verify it; the model calls it when it runs.

Reference: ``File.lua`` and ``doc/serialization.md`` of https://github.com/torch/torch7
"""

from __future__ import annotations

import struct
from collections import Counter

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="torch7",
    title="Torch7 file",
    extensions=(".t7", ".th", ".net"),
    media_types=(),
    can_tell=("every object, tensor and function, to the last byte of the file",),
    cannot_tell=("what the numbers do", "what the bytecode of a function does", "files in the text form"),
)

_WIDTHS = {"Byte": ("U8", 1), "Char": ("I8", 1), "Short": ("I16", 2), "Int": ("I32", 4), "Long": ("I64", 8),
           "Float": ("F32", 4), "Double": ("F64", 8), "Half": ("F16", 2), "Cuda": ("F32", 4), "CudaByte": ("U8", 1),
           "CudaChar": ("I8", 1), "CudaShort": ("I16", 2), "CudaInt": ("I32", 4), "CudaLong": ("I64", 8),
           "CudaDouble": ("F64", 8), "CudaHalf": ("F16", 2)}  # fmt: skip
_OBJECTS = 20_000_000
_NUMBERED = 2_000_000
_FUNCTIONS = {6, 7, 8}
_CLASSES = 5_000
#: What its bytes begin with.
STARTS = tuple(bytes([kind, 0, 0, 0]) for kind in (3, 4, *sorted(_FUNCTIONS)))


def probe(head: Head) -> Likeness:
    """An object with its number, version and class; or a table of which the first key is a text or a number."""
    data = head.data
    if len(data) < 24:
        return Likeness.NO
    kind, number, third = struct.unpack_from("<iii", data)
    if kind == 4 and number == 1 and 3 <= third <= 8 and data[12:14] == b"V ":
        return Likeness.STRONG
    if kind in _FUNCTIONS and number == 1 and data[12:15] in {b"\x1bLJ", b"\x1bLu"}:
        return Likeness.STRONG
    key = int.from_bytes(data[12:16], "little")
    if kind != 3 or number != 1 or not 0 < third < 1 << 24 or key not in {1, 2}:
        return Likeness.NO
    if key == 1:
        return Likeness.STRONG if struct.unpack_from("<d", data, 16)[0] in {0.0, 1.0} else Likeness.WEAK
    length = int.from_bytes(data[16:20], "little")
    return (
        Likeness.STRONG
        if length < 256 and data[20 : 20 + length].isascii() and head.suffix in FORMAT.extensions
        else Likeness.NO
    )


def read(source: Source, facts: Facts) -> None:
    """Walk every object.

    Raises:
        MalformedError: something goes beyond the end, or is of no kind.
        LimitError: more objects than are followed.
        UnsupportedError: a class that writes itself in its own way.
    """
    from openvet.formats._trailing import account_for_rest

    reader = _Reader(source, facts)
    try:
        reader.walk()
    finally:
        reader.put()
    account_for_rest(source, facts, reader.cursor.position, "the last object")


class _Reader:
    """Walks without recursion: ``waiting`` counts the objects that are still to come."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.facts = facts
        self.cursor: Cursor = source.cursor()
        self.seen: set[int] = set()
        self.classes: Counter[str] = Counter()
        self.functions = 0

    def walk(self) -> None:
        waiting = 1
        count = 0
        while waiting:
            waiting -= 1
            count += 1
            if count > _OBJECTS:
                raise LimitError("records", _OBJECTS, "more objects than are followed", offset=self.cursor.position)
            if not count % 65536:
                self.facts.budget.check_time()
            waiting += self.object()

    def number(self, code: str = "<i") -> int:
        return int(struct.unpack(code, self.cursor.read(struct.calcsize(code)))[0])

    def text(self, most: int = 4096) -> str:
        length = self.number()
        if not 0 <= length <= self.cursor.left:
            raise MalformedError(f"a text has {length} bytes", offset=self.cursor.position)
        data = self.cursor.peek(min(length, most))
        self.cursor.skip(length)
        return printable(data.decode("utf-8", "backslashreplace"))

    def object(self) -> int:
        """One object; gives how many follow that belong to it."""
        begin = self.cursor.position
        kind = self.number()
        if kind in {0, 1, 2, 5}:
            if kind == 2:
                self.text(0)
            elif kind:
                self.cursor.skip(8 if kind == 1 else 4)
            return 0
        if kind not in {3, 4, *_FUNCTIONS}:
            raise MalformedError(f"an object has the kind {kind}, which does not exist", offset=begin)
        if kind in _FUNCTIONS:
            return self.function(begin)
        number = self.number()
        if number in self.seen:
            return 0
        self.remember(number, begin)
        if kind == 4:
            return self.instance(begin)
        pairs = self.number()
        if not 0 <= pairs <= self.cursor.left:
            raise MalformedError(f"a table has {pairs} pairs", offset=begin)
        return 2 * pairs

    def remember(self, number: int, begin: int) -> None:
        """An object that others may stand for by its number."""
        self.seen.add(number)
        if len(self.seen) > _NUMBERED:
            raise LimitError("records", _NUMBERED, "more objects than are remembered", offset=begin)

    def function(self, begin: int) -> int:
        number = self.number()
        if number in self.seen:
            return 0
        self.remember(number, begin)
        size = self.number()
        if not 0 <= size <= self.cursor.left:
            raise MalformedError(f"a function has {size} bytes", offset=begin)
        self.cursor.skip(size)
        self.functions += 1
        self.facts.anomaly("torch7/carries-code", f"carries a function of {size} bytes of bytecode", begin, size=size)
        return 1

    def instance(self, begin: int) -> int:
        """An object of a class. Classes of layers are tables; tensors and storages write themselves."""
        name = self.text(200)
        if name.startswith("V "):
            name = self.text(200)
        if name in self.classes or len(self.classes) < _CLASSES:
            self.classes[shorten(name, 200)] += 1
        base, _, last = name.rpartition(".")
        if base == "torch" and last.removesuffix("Tensor") in _WIDTHS and last.endswith("Tensor"):
            return self.tensor(begin)
        if base == "torch" and last.removesuffix("Storage") in _WIDTHS and last.endswith("Storage"):
            return self.storage(*_WIDTHS[last.removesuffix("Storage")])
        if base == "tds":
            raise UnsupportedError(f"the class {name} writes itself in a way that is not read", offset=begin)
        return 1

    def tensor(self, begin: int) -> int:
        dimensions = self.number()
        if not 0 <= dimensions <= 64:
            raise MalformedError(f"a tensor has {dimensions} dimensions", offset=begin)
        self.cursor.skip(16 * dimensions + 8)
        return 1

    def storage(self, word: str, width: int) -> int:
        elements = self.number("<q")
        if not 0 <= elements <= self.cursor.left:
            raise MalformedError(f"a storage has {elements} elements", offset=self.cursor.position)
        if len(self.facts.tensors) >= self.facts.limits.tensors:
            raise LimitError(
                "tensors", self.facts.limits.tensors, "more storages than are listed", offset=self.cursor.position
            )
        name = f"storage {len(self.facts.tensors)}"
        self.facts.tensors.append(Tensor(name, word, (elements,), self.cursor.position, elements * width))
        self.cursor.skip(elements * width)
        return 0

    def put(self) -> None:
        self.facts.note("classes", dict(sorted(self.classes.items())))
        if self.functions:
            self.facts.note("functions", self.functions)
