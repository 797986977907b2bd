"""Containers that cost more to read than to write: many members, overlaps, nesting, streams of streams, expansion."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip, pax_records, tar_header

__all__ = ["INPUTS"]

#: A pickle that would run ``echo forged``.
HOSTILE = b"cos\nsystem\n(S'echo forged'\ntR."


def zip_of(members: Iterator[tuple[bytes, bytes]]) -> bytes:
    """A plain stored zip (zip64 end), written without the bookkeeping of a library."""
    out, central, count = io.BytesIO(), io.BytesIO(), 0
    for name, data in members:
        at, crc = out.tell(), zlib.crc32(data)
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, crc, len(data), len(data), len(name), 0)
        out.write(b"PK\x03\x04" + common + name + data)
        central.write(b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, at) + name)
        count += 1
    start, size = out.tell(), central.tell()
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    where64 = struct.pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, start, 0)
    return out.getvalue() + central.getvalue() + end64 + where64 + end


def _many(count: int, data: bytes, ending: str = "") -> bytes:
    return zip_of((b"%06d" % number + ending.encode(), data) for number in range(count))


def _overlap() -> bytes:
    """20 000 entries of the central directory that all lead to one record."""
    one = ZipPart(b"a", bytes(1 << 20), method=8)
    whole = forge_zip([one])
    central = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    record = whole[central:end] * 20_000
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 20_000, 20_000, len(record), central, 0)
    return whole[:central] + record + tail


def _tree(breadth: int, depth: int) -> bytes:
    data = b"the end"
    for level in range(depth):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(breadth):
                archive.writestr(f"{level}-{number}.zip", data)
        data = out.getvalue()
    return data


def _gz_tree() -> bytes:
    data = bytes(64 << 20)
    for _ in range(12):
        data = gzip.compress(data, 9, mtime=0)
    return data


def _tars() -> bytes:
    return forge_tar([TarPart(b"%06d" % number) for number in range(60_000)])


def _pax() -> bytes:
    records = pax_records({"comment": b"x" * 400})
    extended = tar_header(TarPart(b"pax", records, kind=b"x")) + records.ljust(512, b"\0")
    return extended * 30_000 + forge_tar([TarPart(b"a", b"b")])


def _names() -> bytes:
    """Names of 4 000 bytes that all end in another letter, and nearly every one is another's parent."""
    return zip_of((b"a/" * 1_900 + b"%05d" % number, b"") for number in range(8_000))


def _zeros(count: int, pack: Callable[[], zlib._Compress | bz2.BZ2Compressor | lzma.LZMACompressor]) -> bytes:
    packer, block = pack(), bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(count)) + packer.flush()


def _sevenzip() -> bytes:
    """A header of 7z that says, 12 MB long, that there are millions of empty files."""
    count = 3_000_000
    number = b"\xf0" + struct.pack("<I", count)
    names = b"".join(b"a\0\0\0" for _ in range(count))
    header = b"\x01\x05" + number + b"\x0e" + b"\xe0" + struct.pack("<I", count // 8)[:3] + b"\xff" * (count // 8)
    header += b"\x11" + b"\xf0" + struct.pack("<I", len(names) + 1) + b"\0" + names + b"\0\0"
    start = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + header


def _zstd_frames() -> bytes:
    return bytes.fromhex("28b52ffd200001 0000".replace(" ", "")) * 1_000_000


INPUTS: dict[str, Callable[[], bytes | dict[str, bytes]]] = {
    "zip of 199 000 empty members": lambda: _many(199_000, b""),
    "zip of 199 000 texts": lambda: _many(199_000, b"hello there\n", ".txt"),
    "zip of 100 000 hostile pickles": lambda: _many(100_000, HOSTILE, ".pkl"),
    "zip of 100 000 JSON files": lambda: _many(100_000, b'{"auto_map": {"AutoModel": "m.M"}}', "/config.json"),
    "zip of 100 000 Python files": lambda: _many(100_000, b"import os\nos.system('echo forged')\n", ".py"),
    "zip of 60 000 gzips": lambda: _many(60_000, gzip.compress(b"x", mtime=0), ".gz"),
    "zip of 30 000 zips": lambda: _many(30_000, _many(1, b"x"), ".zip"),
    "zip of 100 000 names that are one": lambda: zip_of((b"data.pkl", b"N.") for _ in range(100_000)),
    "zip of 8 000 long names": _names,
    "zip: 20 000 entries, one record": _overlap,
    "zip: 7 in each of 9 levels": lambda: _tree(7, 9),
    "zip: 30 MB of local headers without an end": lambda: b"PK\x03\x04" * 8_000_000,
    "zip: 30 MB of false ends": lambda: _many(1, b"x") + b"PK\x05\x06" * 8_000_000,
    "gzip: 12 levels": _gz_tree,
    "gzip: 500 000 members of a byte": lambda: gzip.compress(b"x", mtime=0) * 500_000,
    "gzip: 300 000 members of a pickle": lambda: gzip.compress(HOSTILE, mtime=0) * 300_000,
    "gzip: 2 GB of zeros": lambda: _zeros(2048, lambda: zlib.compressobj(9, wbits=31)),
    "zlib: 2 GB of zeros": lambda: _zeros(2048, lambda: zlib.compressobj(9)),
    "bzip2: 2 GB of zeros": lambda: _zeros(64, bz2.BZ2Compressor) * 32,
    "bzip2: 200 000 members of a byte": lambda: bz2.compress(b"x") * 200_000,
    "xz: 2 GB of zeros": lambda: _zeros(2048, lzma.LZMACompressor),
    "xz: 100 000 streams of a byte": lambda: lzma.compress(b"x") * 100_000,
    "lzma: 1 GB of zeros": lambda: _zeros(1024, lambda: lzma.LZMACompressor(lzma.FORMAT_ALONE)),
    "zstd: a million frames": _zstd_frames,
    "tar of 60 000 empty entries": _tars,
    "tar of 30 000 extended headers": _pax,
    "7z of 3 000 000 empty files": _sevenzip,
}  # fmt: skip
