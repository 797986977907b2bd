"""Forges pickles out of text and values, without the pickle module: hostile ones as well, and nothing ever loads them.

Two ways to write one::

    assemble('''
        PROTO 4
        GLOBAL os system
        SHORT_BINUNICODE 'echo forged'
        TUPLE1
        REDUCE
        STOP
    ''')

    dump(Call(Name("os", "system"), ("echo forged",)), protocol=4)

The first writes any sequence of opcodes, also broken ones (``RAW ff``); the second writes what an honest pickler of the
protocol would write for plain values, names, calls and persistent ids.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Sequence
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError
from openvet.formats.pickle.opcodes import KIND, LENGTH1, LENGTH4, LENGTH8, NAMES

__all__ = ["Call", "Name", "Persistent", "assemble", "dump"]

_BYTES = {name: byte for byte, name in NAMES.items()}
_PACKED = {"BININT": "<i", "BININT1": "<B", "BININT2": "<H", "BINFLOAT": ">d", "BINPUT": "<B", "BINGET": "<B",
           "LONG_BINPUT": "<I", "LONG_BINGET": "<I", "PROTO": "<B", "FRAME": "<Q", "EXT1": "<B", "EXT2": "<H",
           "EXT4": "<i"}  # fmt: skip
_TWO_LINES = ("GLOBAL", "INST")
_ONE_LINE = ("PERSID", "PUT", "GET")

#: What protocol 0 writes escaped, so that a text stays one line.
_ESCAPED = pattern("[\\\\\0\n\r\x1a]")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


@dataclass(frozen=True, slots=True)
class Name:
    """Something that the pickle resolves by its name."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the pickle makes: ``how`` is REDUCE, NEWOBJ, INST or OBJ; with ``state`` BUILD follows."""

    callable: Any
    arguments: tuple[Any, ...] = ()
    state: Any = None
    how: str = "REDUCE"
    items: Sequence[tuple[Any, Any]] = ()


@dataclass(frozen=True, slots=True)
class Persistent:
    """A persistent id."""

    identifier: Any


def assemble(text: str) -> bytes:
    """Opcodes from text: one a line, its argument behind it as a Python literal or as words; ``#`` begins a comment.

    ``RAW`` takes hexadecimal digits that are written as they are.

    Raises:
        UsageError: a line that is no instruction.
    """
    out = bytearray()
    for line in text.splitlines():
        words = line.strip().split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        out += _instruction(words[0], words[1].strip() if len(words) > 1 else "")
    return bytes(out)


def _instruction(name: str, argument: str) -> bytes:
    if name == "RAW":
        return bytes.fromhex(argument)
    if name not in _BYTES:
        raise UsageError(f"{name} is no opcode")
    opcode = bytes([_BYTES[name]])
    if name in _TWO_LINES:
        module, _, attribute = argument.partition(" ")
        return opcode + f"{module}\n{attribute}\n".encode()
    if name in _ONE_LINE:
        return opcode + argument.encode() + b"\n"
    if name in _PACKED:
        return opcode + struct.pack(_PACKED[name], ast.literal_eval(argument))
    if name in ("INT", "LONG", "FLOAT", "STRING"):
        return opcode + argument.encode() + b"\n"
    if name == "UNICODE":
        return opcode + str(ast.literal_eval(argument)).encode("raw-unicode-escape") + b"\n"
    kind = KIND[opcode[0]]
    if kind in (LENGTH1, LENGTH4, LENGTH8):
        return opcode + _sized(name, ast.literal_eval(argument), {LENGTH1: 1, LENGTH4: 4, LENGTH8: 8}[kind])
    if argument:
        raise UsageError(f"{name} takes no argument")
    return opcode


def _sized(name: str, value: Any, width: int) -> bytes:
    if name.startswith("LONG"):
        raw = int(value).to_bytes(int(value).bit_length() // 8 + 1, "little", signed=True)
    else:
        raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
    return len(raw).to_bytes(width, "little") + raw


def dump(value: Any, protocol: int = 4, *, framed: bool = False) -> bytes:
    """``value`` as one pickle: None, bool, int, float, str, bytes, tuple, list, dict, :class:`Name`, :class:`Call`,
    :class:`Persistent`. Nothing is memoised, so that shared values are written as often as they are met.

    Raises:
        UsageError: a value of another type.
    """
    body = _Writer(protocol).write(value) + b"."
    head = bytes([0x80, protocol]) if protocol >= 2 else b""
    if framed:
        head += b"\x95" + len(body).to_bytes(8, "little")
    return head + body


class _Writer:
    """Writes values in the words of one protocol."""

    def __init__(self, protocol: int) -> None:
        self.protocol = protocol

    def write(self, value: Any) -> bytes:
        if isinstance(value, Name):
            return self._name(value)
        if isinstance(value, Call):
            return self._call(value)
        if isinstance(value, Persistent):
            if self.protocol == 0:
                return b"P" + str(value.identifier).encode() + b"\n"
            return self.write(value.identifier) + b"Q"
        if isinstance(value, tuple):
            return self._tuple(value)
        if isinstance(value, list):
            return b"](" + b"".join(self.write(item) for item in value) + b"e" if value else b"]"
        if isinstance(value, dict):
            pairs = b"".join(self.write(key) + self.write(item) for key, item in value.items())
            return b"}(" + pairs + b"u" if value else b"}"
        return self._scalar(value)

    def _scalar(self, value: Any) -> bytes:
        if value is None:
            return b"N"
        if isinstance(value, bool):
            if self.protocol >= 2:
                return b"\x88" if value else b"\x89"
            return b"I01\n" if value else b"I00\n"
        if isinstance(value, int):
            if -(2**31) <= value < 2**31:
                return b"J" + struct.pack("<i", value) if self.protocol else b"I%d\n" % value
            return b"L%dL\n" % value
        if isinstance(value, float):
            return b"G" + struct.pack(">d", value) if self.protocol else b"F%r\n" % value
        if isinstance(value, str):
            raw = value.encode("utf-8", "surrogatepass")
            if self.protocol == 0:
                return b"V" + _ESCAPED.sub(_escape, value).encode("raw-unicode-escape") + b"\n"
            if self.protocol >= 4 and len(raw) < 256:
                return b"\x8c" + bytes([len(raw)]) + raw
            return b"X" + struct.pack("<I", len(raw)) + raw
        if isinstance(value, bytes):
            if self.protocol >= 3:
                return b"B" + struct.pack("<I", len(value)) + value
            return self.write(Call(Name("_codecs", "encode"), (value.decode("latin-1"), "latin1")))
        raise UsageError(f"cannot forge a {type(value).__name__}")

    def _name(self, value: Name) -> bytes:
        if self.protocol >= 4:
            return self.write(value.module) + self.write(value.name) + b"\x93"
        return f"c{value.module}\n{value.name}\n".encode()

    def _tuple(self, value: tuple[Any, ...]) -> bytes:
        items = b"".join(self.write(item) for item in value)
        if self.protocol >= 2 and len(value) <= 3:
            return items + b")\x85\x86\x87"[len(value) : len(value) + 1]
        return b"(" + items + b"t"

    def _call(self, value: Call) -> bytes:
        if value.how == "INST":
            arguments = b"".join(self.write(item) for item in value.arguments)
            out = b"(" + arguments + f"i{value.callable.module}\n{value.callable.name}\n".encode()
        elif value.how == "OBJ":
            out = b"(" + self.write(value.callable) + b"".join(self.write(item) for item in value.arguments) + b"o"
        else:
            opcode = b"\x81" if value.how == "NEWOBJ" else b"R"
            out = self.write(value.callable) + self._tuple(value.arguments) + opcode
        if value.items:
            out += b"(" + b"".join(self.write(key) + self.write(item) for key, item in value.items) + b"u"
        if value.state is not None:
            out += self.write(value.state) + b"b"
        return out
