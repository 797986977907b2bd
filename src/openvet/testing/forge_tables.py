"""Small valid fonts, icons, videos, tables and files of Git, built from structure."""

from __future__ import annotations

import hashlib
import struct
import zlib

from openvet.testing.forge_media import png

__all__ = ["TABLES", "git_index", "git_object", "git_pack", "git_pack_table"]


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def _element(kind: bytes, data: bytes) -> bytes:
    return kind + b"\x01" + struct.pack(">Q", len(data))[1:] + data


def mp4() -> bytes:
    """A brand, an empty movie, samples in a box with a long size, free space."""
    long = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 24) + bytes(8)
    return _box(b"ftyp", b"isom\0\0\0\0isom") + _box(b"moov", bytes(20)) + long + _box(b"free", bytes(9))


def matroska(*, live: bool = False) -> bytes:
    """A header and a segment with a cluster; of a live recording neither says how long it is."""
    header = _element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm")
    block = b"\xe7\x81\x00" + b"\xa3\x85\x81\0\0\x80x"
    info = _element(b"\x15\x49\xa9\x66", bytes(4))
    if live:
        return header + b"\x18\x53\x80\x67\xff" + info + (b"\x1f\x43\xb6\x75\xff" + block) * 2
    return header + _element(b"\x18\x53\x80\x67", info + _element(b"\x1f\x43\xb6\x75", block))


def avi() -> bytes:
    """Two parts of a video."""
    part = struct.pack("<4sI", b"LIST", 8) + b"moviabcd"
    return (struct.pack("<4sI", b"RIFF", 4 + len(part)) + b"AVI " + part
            + struct.pack("<4sI", b"RIFF", 4 + len(part)) + b"AVIX" + part)  # fmt: skip


def aiff() -> bytes:
    """A description and samples, an odd number of bytes."""
    body = b"AIFF" + b"COMM" + struct.pack(">I", 18) + bytes(18) + b"SSND" + struct.pack(">I", 9) + bytes(10)
    return b"FORM" + struct.pack(">I", len(body)) + body


def midi() -> bytes:
    """One track that ends."""
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", 4) + b"\0\xff\x2f\0"


def bmp() -> bytes:
    """Three pixels in a row, and two rows."""
    rows = bytes(12) * 2
    header = struct.pack("<IiiHHIIiiII", 40, 3, 2, 1, 24, 0, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<III", 54 + len(rows), 0, 54) + header + rows


def ico() -> bytes:
    """A picture that is a PNG file, and one that is the inside of a BMP file."""
    first, second = png(), struct.pack("<IiiHHIIiiII", 40, 1, 2, 1, 32, 0, 0, 0, 0, 0, 0) + bytes(8)
    place = 6 + 32
    table = struct.pack("<BBBBHHII", 2, 2, 0, 0, 1, 32, len(first), place)
    table += struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, len(second), place + len(first))
    return struct.pack("<HHH", 0, 1, 2) + table + first + second


def tiff() -> bytes:
    """Two grey pixels in one strip, and a text that lies outside of its directory."""
    entries = [(256, 4, 1, 2), (257, 4, 1, 1), (258, 3, 1, 8), (273, 4, 1, 8), (279, 4, 1, 2), (305, 2, 6, 10)]
    table = b"".join(struct.pack("<HHII", *each) for each in entries)
    return (
        b"II*\0"
        + struct.pack("<I", 16)
        + b"\x10\x20openv\0"
        + struct.pack("<H", len(entries))
        + table
        + struct.pack("<I", 0)
    )


def truetype() -> bytes:
    """Two tables."""
    head = b"\0\1\0\0" + struct.pack(">HHHH", 2, 32, 1, 0)
    table = struct.pack(">4sIII", b"cmap", 0, 44, 6) + struct.pack(">4sIII", b"glyf", 0, 52, 4)
    return head + table + b"abcdef\0\0" + b"wxyz"


def woff() -> bytes:
    """One table."""
    length = 44 + 20 + 4
    head = b"wOFF\0\1\0\0" + struct.pack(">IHHI", length, 1, 0, 32) + struct.pack(">HH", 1, 0) + bytes(20)
    return head + struct.pack(">4sIIII", b"glyf", 64, 4, 4, 0) + b"wxyz"


def plist() -> bytes:
    """One text."""
    return b"bplist00" + b"\x51a" + b"\x08" + bytes(6) + b"\x01\x01" + struct.pack(">QQQ", 1, 0, 10)


def gettext() -> bytes:
    """The empty text, which holds the header, and its translation."""
    head = struct.pack("<7I", 0x950412DE, 0, 1, 28, 36, 0, 44)
    return head + struct.pack("<II", 0, 44) + struct.pack("<II", 4, 45) + b"\0" + b"a: b\0"


def ds_store() -> bytes:
    """A root with one block of 32 bytes."""
    root = struct.pack(">III", 1, 0, 32 | 5) + bytes(4)
    return b"\0\0\0\1Bud1" + struct.pack(">III", 64, len(root), 64) + bytes(16) + bytes(32) + root


def flac() -> bytes:
    """STREAMINFO and one frame of silence: 192 samples, one channel, 16 bits."""
    info = b"fLaC\x80\0\0\x22" + bytes(34)
    header = b"\xff\xf8\x19\x08\x00"
    frame = header + bytes([_crc(header, 0x07, 8)]) + b"\0\0\0"
    return info + frame + struct.pack(">H", _crc(frame, 0x8005, 16))


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value >> bits - 1 else value << 1) & (1 << bits) - 1
    return value


#: Format -> one valid file of it.
TABLES = {"mp4": mp4(), "matroska": matroska(), "avi": avi(), "aiff": aiff(), "midi": midi(), "bmp": bmp(), "ico": ico(),
          "tiff": tiff(), "truetype": truetype(), "woff": woff(), "apple_plist": plist(), "gettext": gettext(),
          "ds_store": ds_store(), "flac": flac()}  # fmt: skip


def _hashed(data: bytes) -> bytes:
    return data + hashlib.sha1(data, usedforsecurity=False).digest()


def git_pack(*contents: bytes) -> bytes:
    """Files, and a difference against the first of them."""
    out = b"PACK" + struct.pack(">II", 2, len(contents) + 1)
    for content in contents:
        size = len(content)
        head = bytearray([3 << 4 | size & 15])
        size >>= 4
        while size:
            head[-1] |= 0x80
            head.append(size & 0x7F)
            size >>= 7
        out += bytes(head) + zlib.compress(content)
    out += bytes([7 << 4 | 3]) + bytes(20) + zlib.compress(b"\1\1\1")
    return _hashed(out)


def git_pack_table(count: int = 2) -> bytes:
    """Names, checksums and places of ``count`` objects."""
    fan = struct.pack(">I", count) * 256
    return _hashed(b"\xfftOc\0\0\0\2" + fan + bytes(28 * count) + bytes(20))


def git_index() -> bytes:
    """An index of no files."""
    return _hashed(b"DIRC" + struct.pack(">II", 2, 0))


def git_object(content: bytes, kind: str = "blob") -> bytes:
    """An object in a file of its own."""
    return zlib.compress(f"{kind} {len(content)}\0".encode() + content)
