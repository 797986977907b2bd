"""CPython's marshal format, walked with bounds and without building a single object of Python's own kinds of code.

::

    type[1], its high bit: the value may be referred to later
    "c" code, "s" bytes, "u" "t" "a" "A" "z" "Z" text, "(" ")" "[" "<" ">" "{" collections, "r" "R" references,
    "i" "I" "l" "f" "g" "x" "y" numbers, "N" "T" "F" "S" "." "0" constants, ":" slice (from 3.14 on)

A code object's fields depend on the version that wrote it, which the caller knows from the magic number of the file.

Specification: https://github.com/python/cpython/blob/main/Python/marshal.c
"""

from __future__ import annotations

from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError
from openvet.io.source import Cursor

__all__ = ["Code", "read_marshal"]

_DEEPEST = 100
_MOST_VALUES = 2_000_000
_LONGEST = 16 * 1024 * 1024
_FIXED = {b"i": 4, b"I": 8, b"g": 8, b"y": 16}
_TEXTS = {b"u": 4, b"t": 4, b"a": 4, b"A": 4, b"z": 1, b"Z": 1}
_COLLECTIONS = {b"(": 4, b")": 1, b"[": 4, b"<": 4, b">": 4}


@dataclass(slots=True)
class Code:
    """One code object.

    Attributes:
        flags: ``co_flags``.
        bytecode: its instructions.
        constants, names, variables: as tuples; anything that is no text, bytes or code is ``None`` in them.
        name: of the function or class.
        line: of its first line.
    """

    flags: int = 0
    bytecode: bytes = b""
    constants: tuple[Any, ...] = ()
    names: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    name: str = ""
    line: int = 0


class _End:
    """Stands for the mark that ends a dictionary."""


_END = _End()


def read_marshal(cursor: Cursor, budget: Budget, version: tuple[int, int]) -> Any:
    """The value at ``cursor``: text, bytes, a tuple, a :class:`Code`, or ``None`` for everything else.

    Raises:
        MalformedError: it breaks off, is of no known type, or refers to what is not there.
        LimitError: it is nested too deeply, or holds too many values.
    """
    return _Reader(cursor, budget, version).value(0)


class _Reader:
    def __init__(self, cursor: Cursor, budget: Budget, version: tuple[int, int]) -> None:
        self._cursor = cursor
        self._budget = budget
        self._version = version
        self._references: list[Any] = []
        self._interned: list[Any] = []
        self._values = 0

    def value(self, depth: int) -> Any:
        at = self._cursor.position
        if depth > _DEEPEST:
            raise LimitError("nesting", _DEEPEST, "marshalled values are nested too deeply", offset=at)
        self._values += 1
        if self._values > _MOST_VALUES:
            raise LimitError("records", _MOST_VALUES, "too many marshalled values", offset=at)
        if self._values % 4096 == 0:
            self._budget.check_time()
        byte = self._cursor.read(1)[0]
        kind = bytes([byte & 0x7F])
        place = -1
        if byte & 0x80:
            place = len(self._references)
            self._references.append(None)
        found = self._of(kind, depth, at)
        if place >= 0:
            self._references[place] = found
        return found

    def _of(self, kind: bytes, depth: int, at: int) -> Any:
        if kind in b"NTFS.fxl" or kind in _FIXED:
            self._skip_number(kind)
            return None
        if kind == b"0":
            return _END
        if kind == b"s":
            return self._bytes(self._length(4))
        if kind in _TEXTS:
            text = self._bytes(self._length(_TEXTS[kind])).decode("utf-8", "replace")
            if kind == b"t" and self._version < (3, 0):
                self._interned.append(text)
            return text
        if kind in b"rR":
            table = self._references if kind == b"r" else self._interned
            index = self._length(4)
            if index >= len(table):
                raise MalformedError("refers to a value that is not there", offset=at)
            return table[index]
        if kind in _COLLECTIONS:
            return tuple([self.value(depth + 1) for _ in range(self._counted(_COLLECTIONS[kind]))])
        if kind == b"c":
            return self._code(depth)
        return self._unkept(kind, depth, at)

    def _unkept(self, kind: bytes, depth: int, at: int) -> None:
        """Walk a dictionary or a slice, which no code of a module's own has."""
        if kind == b"{":
            while self.value(depth + 1) is not _END:
                self.value(depth + 1)
        elif kind == b":":
            for _ in range(3):
                self.value(depth + 1)
        else:
            raise MalformedError(f"there is no marshalled type 0x{kind[0]:02x}", offset=at)

    def _skip_number(self, kind: bytes) -> None:
        cursor = self._cursor
        if kind in _FIXED:
            cursor.skip(_FIXED[kind])
        elif kind in b"fx":
            for _ in range(1 if kind == b"f" else 2):
                cursor.skip(cursor.read(1)[0])
        elif kind == b"l":
            cursor.skip(2 * abs(int.from_bytes(cursor.read(4), "little", signed=True)))

    def _length(self, size: int) -> int:
        return int.from_bytes(self._cursor.read(size), "little")

    def _counted(self, size: int) -> int:
        count = self._length(size)
        if count > self._cursor.left:  # each value takes a byte
            raise MalformedError(f"counts {count} values, for which there is no room", offset=self._cursor.position)
        return count

    def _bytes(self, size: int) -> bytes:
        if size > _LONGEST:
            raise LimitError("literal", _LONGEST, "a marshalled text is too long", offset=self._cursor.position)
        return self._cursor.read(size)

    def _code(self, depth: int) -> Code:
        """The fields of a code object in the order of its version."""
        code, version = Code(), self._version
        numbers = 5 if (3, 0) <= version < (3, 8) or version >= (3, 11) else 6 if version >= (3, 8) else 4
        for _ in range(numbers):
            code.flags = self._length(4)  # the last of them
        parts = [self.value(depth + 1) for _ in range(3)]
        variables = self.value(depth + 1)
        if version >= (3, 11):
            self.value(depth + 1)  # what kind each of the variables is
        else:
            self.value(depth + 1)
            self.value(depth + 1)
        self.value(depth + 1)  # the file's name
        name = self.value(depth + 1)
        if version >= (3, 11):
            self.value(depth + 1)
        code.line = self._length(4)
        self.value(depth + 1)
        if version >= (3, 11):
            self.value(depth + 1)
        code.bytecode = parts[0] if isinstance(parts[0], bytes) else b""
        code.constants = parts[1] if isinstance(parts[1], tuple) else ()
        code.names, code.variables = _texts(parts[2]), _texts(variables)
        code.name = name if isinstance(name, str) else ""
        return code


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        return ()
    return tuple(each if isinstance(each, str) else each.decode("latin-1") if isinstance(each, bytes) else ""
                 for each in value)  # fmt: skip
