"""Literals: where a literal's bytes are, and its value where somebody wants it. Nothing is kept of one that nobody asks for."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from openvet.core.text import printable, shorten
from openvet.formats.pickle.opcodes import FIXED, KIND, LENGTH1, LENGTH4, LENGTH8, LINE, NAMES

__all__ = ["decode_text", "integer_of", "is_text", "show_literal", "span", "text_of", "type_name"]

_TEXT: Final = frozenset(b"SUTVX\x8c\x8d")
_BYTES: Final = frozenset(b"CB\x8e")
_INTEGERS: Final = frozenset(b"IJKLM\x8a\x8b")
_SHOWN: Final = 160

Reader = Callable[[int, int], bytes]
"""``read(offset, size)``: at most ``size`` bytes at ``offset``."""


def is_text(opcode: int) -> bool:
    """Whether the literal is text for a loader (Python 2's byte strings are decoded)."""
    return opcode in _TEXT


def is_bytes(opcode: int) -> bool:
    return opcode in _BYTES or opcode == 0x96


def type_name(opcode: int) -> str:
    """The Python type that the literal has."""
    if opcode in _TEXT:
        return "str"
    if opcode in _BYTES:
        return "bytes"
    if opcode in _INTEGERS:
        return "int"
    return {0x4E: "NoneType", 0x88: "bool", 0x89: "bool", 0x96: "bytearray"}.get(opcode, "float")


def span(read: Reader, offset: int, opcode: int, line_limit: int) -> tuple[int, int]:
    """First byte and size of a literal's own bytes; a line is measured up to ``line_limit``."""
    kind = KIND[opcode]
    if kind == LENGTH1:
        return offset + 2, read(offset + 1, 1)[0]
    if kind == LENGTH4:
        return offset + 5, int.from_bytes(read(offset + 1, 4), "little")
    if kind == LENGTH8:
        return offset + 9, int.from_bytes(read(offset + 1, 8), "little")
    if kind == LINE:
        line = read(offset + 1, line_limit)
        end = line.find(b"\n")
        return offset + 1, len(line) if end < 0 else end
    return offset + 1, {0x4A: 4, 0x4B: 1, 0x4D: 2, 0x47: 8}.get(opcode, 0)


def text_of(read: Reader, offset: int, opcode: int, limit: int) -> str | None:
    """The text of a literal; ``None`` where it is not text for a loader, or longer than ``limit`` bytes.

    It is never cut: two long texts that only begin alike are not the same name.
    """
    if opcode not in _TEXT:
        return None
    start, size = span(read, offset, opcode, limit + 1)
    return None if size > limit else decode_text(read(start, size), opcode)


def decode_text(raw: bytes, opcode: int) -> str:
    if opcode == 0x53:  # STRING: quoted, with escapes
        raw = raw.strip()
        if len(raw) >= 2 and raw[:1] == raw[-1:] and raw[:1] in b"\"'":
            raw = raw[1:-1]
        if b"\\" not in raw:
            return raw.decode("utf-8", "surrogateescape")
        return _escaped(raw)
    if opcode == 0x56:
        try:
            return raw.decode("raw-unicode-escape", "replace")
        except UnicodeError:
            return raw.decode("latin-1")
    return raw.decode("utf-8", "surrogateescape")


def _escaped(raw: bytes) -> str:
    """STRING's escapes, by hand: ``codecs.escape_decode`` warns about the unknown ones that it lets stand."""
    simple = {0x6E: 10, 0x74: 9, 0x72: 13, 0x5C: 0x5C, 0x27: 0x27, 0x22: 0x22, 0x61: 7, 0x62: 8, 0x66: 12, 0x76: 11}
    out = bytearray()
    at = 0
    while at < len(raw):
        byte = raw[at]
        if byte != 0x5C or at + 1 >= len(raw):
            out.append(byte)
            at += 1
            continue
        mark = raw[at + 1]
        if mark in simple:
            out.append(simple[mark])
            at += 2
        elif (
            mark == 0x78
            and (digits := raw[at + 2 : at + 4])
            and len(digits) == 2
            and _all_in(digits, b"0123456789abcdefABCDEF")
        ):
            out.append(int(digits, 16))
            at += 4
        elif 0x30 <= mark <= 0x37:
            size = 1
            while size < 3 and _all_in(raw[at + 1 + size : at + 2 + size], b"01234567") and at + 1 + size < len(raw):
                size += 1
            out.append(int(raw[at + 1 : at + 1 + size], 8) & 0xFF)
            at += 1 + size
        else:
            out += raw[at : at + 2]
            at += 2
    return out.decode("utf-8", "surrogateescape")


def _all_in(part: bytes, allowed: bytes) -> bool:
    return all(byte in allowed for byte in part)


def integer_of(read: Reader, offset: int, opcode: int) -> int | None:
    """The whole number of a literal of at most 16 bytes; ``None`` for everything else.

    Leading zeros are octal to the unpickler in C and an error to the one in Python, so such a number is not known.
    """
    if opcode not in _INTEGERS:
        return None
    start, size = span(read, offset, opcode, 64)
    if opcode in b"IL":
        line = read(start, size)
        digits = line.strip().lstrip(b"+-")
        if line not in (b"00", b"01") and digits[:1] == b"0" and digits[1:2] in b"0123456789_" and len(digits) > 1:
            return None
        return parse_int_line(line)
    if size > 16:
        return None
    raw = read(start, size)
    return int.from_bytes(raw, "little", signed=opcode in b"J\x8a\x8b")


def parse_int_line(raw: bytes) -> int | None:
    """What INT and LONG say, as both unpicklers read it; ``None`` where they would fail or it is very long."""
    text = raw.strip().removesuffix(b"L")
    if len(text) > 40:
        return None
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return int(text)  # leading zeros, which Python 2 wrote
    except ValueError:
        return None


def show_literal(read: Reader, offset: int, opcode: int) -> str:
    """A literal as people read it: printable, and never longer than a line."""
    name = NAMES[opcode]
    if name in ("NONE", "NEWTRUE", "NEWFALSE"):
        return {"NONE": "None", "NEWTRUE": "True", "NEWFALSE": "False"}[name]
    start, size = span(read, offset, opcode, 4096)
    if opcode in _TEXT:
        text = decode_text(read(start, min(size, 1024)), opcode)
        return f"'{shorten(printable(text), _SHOWN)}'" + (f" ({size} bytes)" if size > 1024 else "")
    if opcode in _BYTES or opcode == 0x96:
        if size > 64:
            return f"<{type_name(opcode)}: {size} bytes at {start}>"
        shown = repr(read(start, size))
        return f"bytearray({shown})" if opcode == 0x96 else shown
    if opcode in _INTEGERS:
        number = integer_of(read, offset, opcode)
        if opcode == 0x49 and read(start, size).strip() in (b"00", b"01"):
            return "True" if number else "False"
        return f"<int: {size} bytes>" if number is None else str(number)
    if KIND[opcode] == FIXED:
        return repr(float(struct.unpack(">d", read(start, 8).rjust(8, b"\0"))[0]))
    return shorten(printable(read(start, min(size, 64)).decode("latin-1")), _SHOWN)
