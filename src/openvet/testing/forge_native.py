"""Compiled libraries that hold no code: headers, and the tables by which a loader binds what they take and offer."""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["elf_library", "mach_o_library", "pe_library"]


def _texts(names: Sequence[str]) -> tuple[bytes, list[int]]:
    out, places = b"\0", list[int]()
    for name in names:
        places.append(len(out))
        out += name.encode() + b"\0"
    return out, places


def elf_library(
    imports: Sequence[str],
    exports: Sequence[str] = ("run",),
    *,
    wide: bool = True,
    order: str = "<",
    program: bool = False,
    loader: bool = False,
    hashed: str = "gnu",
) -> bytes:
    """A library of Linux; a program says that it is one, and both may ask for a loader. ``hashed`` says which table of symbols it has: ``gnu`` or ``plain``."""
    texts, places = _texts([*imports, *exports])
    symbol = struct.Struct(order + ("IBBHQQ" if wide else "IIIBBH"))

    def entry(name: int, section: int) -> bytes:
        fields = (name, 0x12, 0, section, 0, 0) if wide else (name, 0, 0, 0x12, 0, section)
        return symbol.pack(*fields)

    symbols = entry(0, 0) + b"".join(entry(at, 0 if index < len(imports) else 1) for index, at in enumerate(places))
    word = "Q" if wide else "I"
    relocations = b"".join(
        struct.pack(f"{order}{word}{word}{'q' if wide else 'i'}", 0, (index << 32 | 7) if wide else (index << 8 | 7), 0)
        for index in range(1, len(imports) + 1)
    )
    count, first = 1 + len(places), 1 + len(imports)
    if hashed == "gnu":  # one bucket, whose chain ends with the last symbol
        chain = b"".join(struct.pack(order + "I", 2 * index + (index == count - 1)) for index in range(first, count))
        table = (
            struct.pack(order + "4I", 1, first, 1, 0)
            + bytes(8 if wide else 4)
            + struct.pack(order + "I", first if exports else 0)
            + chain
        )
    else:
        table = struct.pack(order + "2I", 1, count) + bytes(4 + 4 * count)
    head, each = (64, 56) if wide else (52, 32)
    at = head + each * 3
    at_symbols, at_texts = at, at + len(symbols)
    at_relocations = at_texts + len(texts) + -len(texts) % 8
    at_table = at_relocations + len(relocations)
    at_dynamic = at_table + len(table)
    tags = {
        5: at_texts,
        6: at_symbols,
        7: at_relocations,
        8: len(relocations),
        0x6FFFFEF5 if hashed == "gnu" else 4: at_table,
        **({0x6FFFFFFB: 0x08000000} if program else {}),
        0: 0,
    }
    dynamic = b"".join(struct.pack(f"{order}{word}{word}", tag, value) for tag, value in tags.items())
    size = at_dynamic + len(dynamic)

    def segment(kind: int, offset: int, length: int) -> bytes:
        if wide:
            return struct.pack(order + "IIQQQQQQ", kind, 5, offset, offset, offset, length, length, 8)
        return struct.pack(order + "8I", kind, offset, offset, offset, length, length, 5, 8)

    segments = segment(1, 0, size) + segment(2, at_dynamic, len(dynamic)) + segment(3 if program or loader else 6, 0, 8)
    out = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    out += struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH", 3, 62 if wide else 3, 1, 0, head, 0, 0, head, each, 3, 0, 0, 0
    )
    return out + segments + symbols + texts.ljust(at_relocations - at_texts, b"\0") + relocations + table + dynamic


def mach_o_library(imports: Sequence[str], exports: Sequence[str] = ("run",), *, kind: int = 6) -> bytes:
    """A library of macOS (6; 2 is a program)."""
    texts, places = _texts([f"_{each}" for each in (*imports, *exports)])
    symbols = b"".join(
        struct.pack("<IBBHQ", at, 0x01 if index < len(imports) else 0x0F, 0 if index < len(imports) else 1, 0, 0)
        for index, at in enumerate(places)
    )
    head = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, kind, 1, 24, 0, 0)
    return head + struct.pack("<6I", 2, 24, 56, len(places), 56 + len(symbols), len(texts)) + symbols + texts


def pe_library(imports: Sequence[str], *, library: bool = True) -> bytes:
    """A library of Windows with one section, which lies in the file where it lies in memory."""
    start, size = 0x80, 0x1000
    table = bytearray(size)
    thunks, at = 0x400, 0x700
    table[at : at + 11] = b"msvcrt.dll\0"
    names = b"".join(b"\0\0" + each.encode() + b"\0" for each in imports)
    table[0x800 : 0x800 + len(names)] = names
    where, values = 0x800, []
    for each in imports:
        values.append(size + where)
        where += len(each) + 3
    table[thunks : thunks + 8 * len(values) + 8] = struct.pack(f"<{len(values)}QQ", *values, 0)
    table[0x300 : 0x300 + 20] = struct.pack("<5I", size + thunks, 0, 0, size + at, size + thunks)
    optional = b"\x0b\x02" + bytes(110) + bytes(8) + struct.pack("<II", size + 0x300, 40) + bytes(14 * 8)
    head = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 0x2022 if library else 0x22)
    section = b".rdata\0\0" + struct.pack("<4I", size, size, size, size) + bytes(16)
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", start)
    return (dos.ljust(start, b"\0") + head + optional + section).ljust(size, b"\0") + bytes(table[:size])
