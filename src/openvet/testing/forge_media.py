"""Small valid pictures, sounds and documents, built from structure."""

from __future__ import annotations

import struct
import zlib

__all__ = ["gif", "jpeg", "mp3", "ogg", "pdf", "png", "wav", "webp"]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk with its CRC."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 2, *, extra: bytes = b"") -> bytes:
    """A grey picture; ``extra`` goes between its header and its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x80" * width) * height)
    chunks = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def gif() -> bytes:
    """A picture of one pixel with a colour table, a comment and an image."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    comment = b"\x21\xfe\x05hello\x00"
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return screen + comment + image + b"\x3b"


def jpeg() -> bytes:
    """Segments, a scan with a stuffed zero and a restart marker, fill bytes, an end."""
    app = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 7, 9) + b"\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + app + frame + scan + b"\xff\xff\xff\xd9"


def _riff(kind: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    body = kind + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp() -> bytes:
    """A lossless picture's chunk behind an extended header."""
    return _riff(b"WEBP", (b"VP8X", bytes(10)), (b"VP8L", b"\x2f\0\0\0\0"))


def wav(samples: bytes = b"\0\0\1\0\2") -> bytes:
    """A format chunk and samples, an odd number of bytes by default."""
    return _riff(b"WAVE", (b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)), (b"data", samples))


def ogg(pages: int = 2) -> bytes:
    """Pages of two segments."""
    page = b"OggS\0\0" + bytes(20) + b"\x02\xff\x03" + bytes(258)
    return page * pages


def mp3(frames: int = 3, *, tag: bool = True) -> bytes:
    """Frames of 128 kbit/s at 44.1 kHz, with ID3 tags around them."""
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    before = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) if tag else b""
    return before + frame * frames + (b"TAG" + bytes(125) if tag else b"")


def pdf(
    body: bytes = b"", *, hidden: bytes | None = None, dictionary: bytes = b"/Type /ObjStm /Filter /FlateDecode"
) -> bytes:
    """A document with one object, and an object stream that holds ``hidden``."""
    out = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /OpenAction [2 0 R /Fit] " + body + b" >>\nendobj\n"
    if hidden is not None:
        data = zlib.compress(hidden) if b"Flate" in dictionary else hidden
        out += b"3 0 obj\n<< " + dictionary + b" >>\nstream\r\n" + data + b"\nendstream\nendobj\n"
    return out + b"trailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
