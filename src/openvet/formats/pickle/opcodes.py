"""The 68 opcodes of pickle protocols 0 to 5, as a table.

``KIND`` says for each byte how the walk treats it; it is all that a compiled walk needs to know about decoding.
The semantics of the rare opcodes live in :mod:`openvet.formats.pickle.machine`.

The reference is the comment in CPython's ``Lib/pickletools.py`` and PEP 307, PEP 3154 and PEP 574.
"""

from __future__ import annotations

from typing import Final

__all__ = ["KIND", "NAMES", "WIDTH"]

# How the walk treats an opcode. Order is no meaning; small numbers so that a byte table holds them.
BAD: Final = 0
FIXED: Final = 1  # a literal of a fixed width
LENGTH1: Final = 2  # a literal after one byte of length
LENGTH4: Final = 3  # a literal after four bytes of length
LENGTH8: Final = 4  # a literal after eight bytes of length
LINE: Final = 5  # a literal that ends with its line
MEMOIZE: Final = 6
BINPUT: Final = 7
LONG_BINPUT: Final = 8
BINGET: Final = 9
LONG_BINGET: Final = 10
MARK: Final = 11
EMPTY: Final = 12  # a new container
TUPLE1: Final = 13
TUPLE2: Final = 14
TUPLE3: Final = 15
TUPLE: Final = 16
SETITEMS: Final = 17
APPENDS: Final = 18
SETITEM: Final = 19
APPEND: Final = 20
STOP: Final = 21
FRAME: Final = 22
RARE: Final = 23  # everything that may resolve or call something, and what is seldom seen

_TABLE: tuple[tuple[str, int, int, int], ...] = (
    # name, byte, kind, bytes with the opcode (0 where that varies)
    ("MARK", 0x28, MARK, 1),
    ("EMPTY_TUPLE", 0x29, EMPTY, 1),
    ("STOP", 0x2E, STOP, 1),
    ("POP", 0x30, RARE, 1),
    ("POP_MARK", 0x31, RARE, 1),
    ("DUP", 0x32, RARE, 1),
    ("BINBYTES", 0x42, LENGTH4, 5),
    ("SHORT_BINBYTES", 0x43, LENGTH1, 2),
    ("FLOAT", 0x46, LINE, 0),
    ("BINFLOAT", 0x47, FIXED, 9),
    ("INT", 0x49, LINE, 0),
    ("BININT", 0x4A, FIXED, 5),
    ("BININT1", 0x4B, FIXED, 2),
    ("LONG", 0x4C, LINE, 0),
    ("BININT2", 0x4D, FIXED, 3),
    ("NONE", 0x4E, FIXED, 1),
    ("PERSID", 0x50, RARE, 0),
    ("BINPERSID", 0x51, RARE, 1),
    ("REDUCE", 0x52, RARE, 1),
    ("STRING", 0x53, LINE, 0),
    ("BINSTRING", 0x54, LENGTH4, 5),
    ("SHORT_BINSTRING", 0x55, LENGTH1, 2),
    ("UNICODE", 0x56, LINE, 0),
    ("BINUNICODE", 0x58, LENGTH4, 5),
    ("EMPTY_LIST", 0x5D, EMPTY, 1),
    ("APPEND", 0x61, APPEND, 1),
    ("BUILD", 0x62, RARE, 1),
    ("GLOBAL", 0x63, RARE, 0),
    ("DICT", 0x64, RARE, 1),
    ("APPENDS", 0x65, APPENDS, 1),
    ("GET", 0x67, RARE, 0),
    ("BINGET", 0x68, BINGET, 2),
    ("INST", 0x69, RARE, 0),
    ("LONG_BINGET", 0x6A, LONG_BINGET, 5),
    ("LIST", 0x6C, RARE, 1),
    ("OBJ", 0x6F, RARE, 1),
    ("PUT", 0x70, RARE, 0),
    ("BINPUT", 0x71, BINPUT, 2),
    ("LONG_BINPUT", 0x72, LONG_BINPUT, 5),
    ("SETITEM", 0x73, SETITEM, 1),
    ("TUPLE", 0x74, TUPLE, 1),
    ("SETITEMS", 0x75, SETITEMS, 1),
    ("EMPTY_DICT", 0x7D, EMPTY, 1),
    ("PROTO", 0x80, RARE, 2),
    ("NEWOBJ", 0x81, RARE, 1),
    ("EXT1", 0x82, RARE, 2),
    ("EXT2", 0x83, RARE, 3),
    ("EXT4", 0x84, RARE, 5),
    ("TUPLE1", 0x85, TUPLE1, 1),
    ("TUPLE2", 0x86, TUPLE2, 1),
    ("TUPLE3", 0x87, TUPLE3, 1),
    ("NEWTRUE", 0x88, FIXED, 1),
    ("NEWFALSE", 0x89, FIXED, 1),
    ("LONG1", 0x8A, LENGTH1, 2),
    ("LONG4", 0x8B, LENGTH4, 5),
    ("SHORT_BINUNICODE", 0x8C, LENGTH1, 2),
    ("BINUNICODE8", 0x8D, LENGTH8, 9),
    ("BINBYTES8", 0x8E, LENGTH8, 9),
    ("EMPTY_SET", 0x8F, EMPTY, 1),
    ("ADDITEMS", 0x90, RARE, 1),
    ("FROZENSET", 0x91, RARE, 1),
    ("NEWOBJ_EX", 0x92, RARE, 1),
    ("STACK_GLOBAL", 0x93, RARE, 1),
    ("MEMOIZE", 0x94, MEMOIZE, 1),
    ("FRAME", 0x95, FRAME, 9),
    ("BYTEARRAY8", 0x96, LENGTH8, 9),
    ("NEXT_BUFFER", 0x97, RARE, 1),
    ("READONLY_BUFFER", 0x98, RARE, 1),
)

NAMES: Final[dict[int, str]] = {byte: name for name, byte, _, _ in _TABLE}


def _table(column: int) -> bytes:
    table = bytearray(256)
    for row in _TABLE:
        table[row[1]] = int(row[column])
    return bytes(table)


KIND: Final[bytes] = _table(2)
WIDTH: Final[bytes] = _table(3)
