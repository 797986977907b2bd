"""Builds R data from words: items as lists of numbers and texts, then written as XDR, little-endian or lines."""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = [
    "BASE",
    "GLOBAL",
    "MISSING",
    "NIL",
    "UNBOUND",
    "active",
    "bytecode",
    "call",
    "closure",
    "environment",
    "frame",
    "ints",
    "names",
    "pairs",
    "promise",
    "rdata",
    "rds",
    "reals",
    "strings",
    "sym",
    "vec",
]  # fmt: skip

Item = list[int | bytes | float]
NIL: Item = [254]
GLOBAL: Item = [253]
UNBOUND: Item = [252]
MISSING: Item = [251]
BASE: Item = [241]


def _char(text: str) -> Item:
    return [9 | 64 << 12, len(text.encode()), text.encode()]


def sym(name: str) -> Item:
    return [1, *_char(name)]


def strings(*texts: str) -> Item:
    return [16, len(texts), *(part for text in texts for part in _char(text))]


def ints(*values: int) -> Item:
    return [13, len(values), *values]


def reals(*values: float) -> Item:
    return [14, len(values), *(float(value) for value in values)]


def pairs(*cells: tuple[str | None, Item], last: Item = NIL) -> Item:
    out: Item = []
    for tag, value in cells:
        out += [2, *value] if tag is None else [2 | 0x400, *sym(tag), *value]
    return out + last


def active(name: str, function: Item) -> Item:
    """A cell of a frame that is an active binding, and the end of the frame."""
    return [2 | 0x400 | 1 << 27, *sym(name), *function, *NIL]


def vec(*items: Item, attributes: Item | None = None) -> Item:
    body = [part for item in items for part in item]
    return [19 | (0x300 if attributes else 0), len(items), *body, *(attributes or [])]


def names(*texts: str) -> Item:
    return pairs(("names", strings(*texts)))


def call(function: str | Item, *arguments: Item) -> Item:
    head = sym(function) if isinstance(function, str) else function
    return [6, *head, *pairs(*((None, each) for each in arguments))]


def closure(body: Item, formals: Item = NIL, scope: Item = GLOBAL) -> Item:
    return [3 | 0x400, *scope, *formals, *body]


def promise(expression: Item, value: Item = UNBOUND, scope: Item = GLOBAL) -> Item:
    return [5 | 0x400, *scope, *value, *expression]


def environment(*cells: tuple[str | None, Item], last: Item = NIL) -> Item:
    return [4, 0, *BASE, *pairs(*cells, last=last), *NIL, *NIL]


def frame(**columns: Item) -> Item:
    """A data frame."""
    return vec(
        *columns.values(),
        attributes=pairs(
            ("names", strings(*columns)), ("class", strings("data.frame")), ("row.names", ints(-(2**31), -3))
        ),
    )


def bytecode(*constants: tuple[int, Item]) -> Item:
    """Bytecode with constants, each one with its type in front."""
    out: Item = [21, 1, *ints(12, 1), len(constants)]
    for kind, item in constants:
        out += [kind, *item]
    return out


def rds(item: Sequence[int | bytes | float], spelling: str = "X", version: int = 3) -> bytes:
    """The bytes of a ``.rds`` file."""
    whole: Item = [version, 0x00040301, 0x00020300 if version == 2 else 0x00030500]
    if version == 3:
        whole += [5, b"UTF-8"]
    whole += list(item)
    return spelling.encode() + b"\n" + b"".join(_written(part, spelling) for part in whole)


def rdata(*cells: tuple[str | None, Item], spelling: str = "X", version: int = 3) -> bytes:
    """The bytes of a ``.RData`` file that defines the given names."""
    return b"RD%s%d\n" % (spelling.encode(), version) + rds(pairs(*cells), spelling, version)


def _written(part: int | bytes | float, spelling: str) -> bytes:
    if spelling == "A":
        if isinstance(part, bytes):
            return b"".join(bytes([b]) if 32 < b < 127 and b != 92 else b"\\%03o" % b for b in part) + b"\n"
        return b"%s\n" % repr(part).encode()
    if isinstance(part, bytes):
        return part
    order = "<" if spelling == "B" else ">"
    return struct.pack(order + "d", part) if isinstance(part, float) else struct.pack(order + "i", part)
