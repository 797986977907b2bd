"""Small valid meshes, pictures, data bases and documents of kinds that no loader of models runs, built from structure."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Sequence

__all__ = [
    "INERT",
    "apple_double",
    "compound",
    "crfsuite",
    "fits",
    "ggml",
    "glb",
    "idl_save",
    "jp2",
    "ply",
    "rf64",
    "sqlite",
    "stl",
    "wal",
]


def fits(*, extra: bytes = b"") -> bytes:
    """An image of six bytes and a table of none."""

    def header(*cards: str) -> bytes:
        text = b"".join(card.encode().ljust(80) for card in (*cards, "END"))
        return text + b" " * (-len(text) % 2880)

    data = header("SIMPLE  =                    T / it is", "BITPIX  =                    8", "NAXIS   =                    2",
                  "NAXIS1  =                    3", "NAXIS2  =                    2")  # fmt: skip
    data += bytes(range(6)) + extra + bytes(-(6 + len(extra)) % 2880)
    return data + header("XTENSION= 'BINTABLE'", "BITPIX  =                    8", "NAXIS   =                    0")


def stl(count: int = 2) -> bytes:
    """Triangles."""
    return b"made by a forge".ljust(80) + struct.pack("<I", count) + struct.pack("<12fH", *range(12), 0) * count


def ply(order: str = "little") -> bytes:
    """Two points and a face whose corners are a list."""
    head = (
        f"ply\nformat binary_{order}_endian 1.0\ncomment forged\nelement vertex 2\nproperty float x\nproperty float y\n"
    )
    head += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    mark = "<" if order == "little" else ">"
    return head.encode() + struct.pack(f"{mark}4f", 0, 1, 2, 3) + struct.pack(f"{mark}B3i", 3, 0, 1, 0)


def glb(chunk: bytes = b"BIN\0") -> bytes:
    """A scene and its numbers."""
    scene = json.dumps({"asset": {"version": "2.0"}, "buffers": [{"byteLength": 8}]}).encode()
    scene += b" " * (-len(scene) % 4)
    body = struct.pack("<I", len(scene)) + b"JSON" + scene + struct.pack("<I", 8) + chunk + bytes(8)
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body


def j2k() -> bytes:
    """A codestream: sizes, one tile of one part, the end."""
    size = b"\xff\x51" + struct.pack(">H", 41) + bytes(39)
    part = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 18, 0, 1) + b"\xff\x93" + b"\1\2\3\4"
    return b"\xff\x4f" + size + part + b"\xff\xd9"


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def jp2(comment: bytes = b"words") -> bytes:
    """The codestream in a box, and a comment behind it."""
    return (
        _box(b"jP  ", b"\r\n\x87\n")
        + _box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
        + _box(b"jp2c", j2k())
        + _box(b"xml ", comment)
    )


def jxl() -> bytes:
    """The codestream in a box, and metadata."""
    return (
        _box(b"JXL ", b"\r\n\x87\n")
        + _box(b"ftyp", b"jxl \0\0\0\0jxl ")
        + _box(b"jxlc", b"\xff\x0a" + bytes(9))
        + _box(b"xml ", b"<a/>")
    )


def crfsuite() -> bytes:
    """No feature, and two empty tables of names."""
    chunks, places, at = b"", [], 48
    for kind in (b"FEAT", b"CQDB", b"CQDB", b"LFRF", b"AFRF"):
        places.append(at)
        chunk = kind + struct.pack("<II", 12, 0)
        chunks, at = chunks + chunk, at + len(chunk)
    return b"lCRF" + struct.pack("<I4sI8I", at, b"FOMC", 100, 0, 0, 0, *places) + chunks


def idl_save(*kinds: int) -> bytes:
    """A time stamp, records of other ``kinds`` and the end."""
    out = b"SR\0\4"
    for kind in (10, *(kinds or (14, 2))):
        out += struct.pack(">4I", kind, len(out) + 24, 0, 0) + bytes(8)
    return out + struct.pack(">4I", 6, 0, 0, 0)


def apple_double(value: bytes = b"0081;5e4aa1a4;Firefox;", resources: bytes = b"") -> bytes:
    """Attributes of a file: one, with ``value``."""
    name = b"com.apple.quarantine\0"
    entry = struct.pack(">IIHB", 50 + 120 + 40, len(value), 0, len(name)) + name
    entry += bytes(-len(entry) % 4)
    place = 50 + 70 + len(entry)
    entry = struct.pack(">I", place) + entry[4:]
    finder = bytes(34) + b"ATTR" + struct.pack(">IIII12xHH", 0, place + len(value), place, len(value), 0, 1)
    data = finder + entry + value
    head = b"\0\5\x16\7\0\2\0\0" + b"Mac OS X        " + struct.pack(">H", 2)
    return head + struct.pack(">6I", 9, 50, len(data), 2, 50 + len(data), len(resources)) + data + resources


def rf64(mark: bytes = b"RF64") -> bytes:
    """Sound whose lengths stand in a chunk of their own."""
    body = struct.pack("<4sIQQQI", b"ds64", 28, 4 + 36 + 24 + 12, 4, 2, 0)
    body += (
        struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
        + struct.pack("<4sI", b"data", 0xFFFFFFFF)
        + bytes(4)
    )
    return mark + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + body


def rifx() -> bytes:
    """Sound with big-endian lengths."""
    body = (
        b"WAVE"
        + struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
        + struct.pack(">4sI", b"data", 4)
        + bytes(4)
    )
    return b"RIFX" + struct.pack(">I", len(body)) + body


def streamed() -> bytes:
    """Sound that was written to a pipe, which learns no length."""
    body = (
        b"WAVE"
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
        + struct.pack("<4sI", b"data", 0xFFFFFFFF)
        + bytes(6)
    )
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + body


def ani() -> bytes:
    """A header and a list of one picture."""
    body = b"ACON" + struct.pack("<4sI", b"anih", 36) + bytes(36) + struct.pack("<4sI", b"LIST", 8) + b"framabcd"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def ggml(kind: str = "llama", data: bytes = bytes(range(54)), dimensions: int = 1) -> bytes:
    """A model of three words and two tensors, one of them in blocks of four bits; the other says that it has so many dimensions."""
    words = (b"a", b"", b"hello")
    if kind == "llama":
        out = b"tjgg" + struct.pack("<I7I", 3, 3, 32, 256, 4, 2, 8, 2)
        out += b"".join(struct.pack("<I", len(word)) + word + struct.pack("<f", 0) for word in words)
    elif kind == "whisper":
        out = (
            b"lmgg"
            + struct.pack("<11I", 3, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1)
            + struct.pack("<II", 8, 2)
            + bytes(64)
        )
        out += struct.pack("<I", 3) + b"".join(struct.pack("<I", len(word)) + word for word in words)
    else:
        out = (
            b"lmgg"
            + struct.pack("<6II", 3, 8, 32, 2, 2, 1, 3)
            + b"".join(struct.pack("<I", len(word)) + word for word in words)
        )
    for name, shape, number, values in (
        (b"tok", (32, 3), 2, data),
        (b"n", (*(1,) * (dimensions - 1), 32), 0, bytes(128)),
    ):
        out += struct.pack(f"<3I{len(shape)}I", len(shape), len(name), number, *shape) + name
        out += bytes(-len(out) % 32 if kind == "llama" else 0) + values
    return out


def xgboost(booster: str = "gbtree", attribute: bytes = b"1.5") -> bytes:
    """A model of two trees of a node each, or of a line, with an attribute and a name of a metric."""

    def text(data: bytes) -> bytes:
        return struct.pack("<Q", len(data)) + data

    out = (
        b"binf"
        + struct.pack("<fIii i", 0.5, 4, 0, 1, 1).ljust(136, b"\0")
        + text(b"count:poisson")
        + text(booster.encode())
    )
    if booster == "gblinear":
        out += struct.pack("<I", 4).ljust(136, b"\0") + struct.pack("<Q5f", 5, *range(5))
    else:
        tree = struct.pack("<6i", 1, 1, 0, 0, 4, 1).ljust(148, b"\0") + bytes(20 + 16)
        out += struct.pack("<i", 2).ljust(160, b"\0") + tree * 2 + struct.pack("<2i", 0, 0)
        out += struct.pack("<Q2f", 2, 1, 1) if booster == "dart" else b""
    return (
        out
        + struct.pack("<Q", 1)
        + text(b"score")
        + text(attribute)
        + text(b"0.7")
        + struct.pack("<Q", 1)
        + text(b"rmse")
    )


def sqlite(*statements: tuple[str, Sequence[object]], page: int = 512) -> bytes:
    """A data base with a table of texts and bytes, long ones among them, an index, a view and free pages."""
    base = sqlite3.connect(":memory:")
    base.execute(f"pragma page_size={page:d}")
    base.executescript(
        "create table t(a integer, b text, c blob); create index i on t(b); create view v as select a from t"
    )
    base.executemany(
        "insert into t values(?, ?, ?)", [(number, "x" * (number % 40), bytes(number * 37)) for number in range(60)]
    )
    base.commit()
    base.execute("delete from t where a % 3 = 0")
    for statement, values in statements:
        base.execute(statement, tuple(values))
    base.commit()
    data = base.serialize()
    base.close()
    return data


def wal(page: bytes = b"") -> bytes:
    """The log of a data base: a page of a table, with one row of a number and bytes."""
    row = b"\3\1" + bytes([12 + 2 * len(page)]) + b"\7" + page if page else b"\2\1\7"
    cell = bytes([len(row), 1]) + row
    data = struct.pack(">BHHHBH", 13, 0, 1, 512 - len(cell), 0, 512 - len(cell)).ljust(512 - len(cell), b"\0") + cell
    return (
        struct.pack(">IIIIIIII", 0x377F0682, 3007000, 512, 0, 1, 2, 3, 4) + struct.pack(">6I", 2, 2, 1, 2, 5, 6) + data
    )


def compound(*streams: tuple[str, bytes]) -> bytes:
    """A file system of streams in sectors of 512 bytes, each of them of 4096 bytes at least."""
    sectors: list[bytes] = [b"", b""]  # the table and the directory come first
    table = [0xFFFFFFFD, 0xFFFFFFFE]
    while len(sectors) < 2 + len(streams) // 4:
        table[-1] = len(sectors)
        sectors.append(b"")
        table.append(0xFFFFFFFE)
    many = len(sectors) - 1
    entries = _entry("Root Entry", 5, 0xFFFFFFFE, 0)
    for name, data in streams:
        data = data.ljust(4096, b"\0")
        entries += _entry(name, 2, len(sectors), len(data))
        parts = [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        table += [*range(len(sectors) + 1, len(sectors) + len(parts)), 0xFFFFFFFE]
        sectors += parts
    entries = entries.ljust(many * 512, b"\0")
    sectors[0] = struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff")
    sectors[1 : 1 + many] = [entries[at : at + 512] for at in range(0, len(entries), 512)]
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0)
    return head.ljust(512, b"\xff") + b"".join(sectors)


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return text.ljust(64, b"\0") + struct.pack("<HB", len(text), kind) + bytes(49) + struct.pack("<IQ", start, size)


def workbook(kind: int = 0) -> bytes:
    """Records of a workbook with one sheet; kind 1 is a sheet of macros."""
    sheet = struct.pack("<IBB", 0, 0, kind) + b"\1\0A"
    return (
        struct.pack("<HHHH", 0x809, 4, 0x600, 5)
        + struct.pack("<HH", 0x85, len(sheet))
        + sheet
        + struct.pack("<HH", 0x0A, 0)
    )


#: Format -> name of a file and its bytes.
INERT: dict[str, tuple[str, bytes]] = {
    "fits": ("sky.fits", fits()),
    "netpbm": ("a.ppm", b"P6\n# forged\n2 2\n255\n" + bytes(range(12))),
    "netpbm-bits": ("a.pbm", b"P4 9 2\n" + bytes(4)),
    "netpbm-any": ("a.pam", b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + bytes(8)),
    "netpbm-float": ("a.pfm", b"Pf\n2 2\n-1.0\n" + bytes(16)),
    "ply": ("a.ply", ply()),
    "glb": ("a.glb", glb()),
    "jpeg2000": ("a.jp2", jp2()),
    "jpeg2000-stream": ("a.j2k", j2k()),
    "jxl": ("a.jxl", jxl()),
    "crfsuite": ("tagger.crfsuite", crfsuite()),
    "idl-save": ("a.sav", idl_save()),
    "apple-double": ("._a.txt", apple_double()),
    "wav-rf64": ("a.wav", rf64()),
    "wav-rifx": ("a.wav", rifx()),
    "ani": ("a.ani", ani()),
    "ggml": ("ggml-model-q4_0.bin", ggml()),
    "ggml-whisper": ("ggml-tiny.bin", ggml("whisper")),
    "sqlite": ("a.db", sqlite()),
    "xgboost-binary": ("a.model", xgboost()),
    "xgboost-binary-dart": ("a.model", xgboost("dart")),
    "xgboost-binary-linear": ("a.model", xgboost("gblinear")),
    "ole": ("a.xls", compound(("Workbook", workbook()))),
}
