"""Builds 7z archives: one folder of files behind each other, and a header, packed or not."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Sequence

from openvet.testing.forge_codecs import lz4_frame, zstd_frame

__all__ = ["forge_7z"]

_METHODS = {"copy": b"\0", "lzma": b"\3\1\1", "lzma2": b"\x21", "bzip2": b"\4\2\2", "deflate": b"\4\1\x08", "aes": b"\6\xf1\7\1",
            "ppmd": b"\3\4\1", "zstd": b"\4\xf7\x11\1", "lz4": b"\4\xf7\x11\4"}  # fmt: skip


def _number(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else b"\xff" + struct.pack("<Q", value)


def _packed(data: bytes, method: str) -> tuple[bytes, bytes]:
    """The packed bytes and the properties of the step."""
    if method == "lzma":
        filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
        return lzma.compress(data, lzma.FORMAT_RAW, filters=filters), b"\x5d" + struct.pack("<I", 1 << 16)
    if method == "lzma2":
        return lzma.compress(data, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]), b"\x08"
    if method == "bzip2":
        return bz2.compress(data), b""
    if method == "deflate":
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(data) + packer.flush(), b""
    if method in ("zstd", "lz4"):
        half = len(data) // 2  # two frames, as several threads write them
        make, given = (zstd_frame, b"\1\5\3\0\0") if method == "zstd" else (lz4_frame, b"\1\x0a\1\0\0")
        return make(data[:half]) + make(data[half:]), given
    return data, b""


def _streams(
    position: int, packed: bytes, method: str, given: bytes, sizes: Sequence[int], crcs: Sequence[int]
) -> bytes:
    name = _METHODS[method]
    coder = bytes([len(name) | (0x20 if given else 0)]) + name + (_number(len(given)) + given if given else b"")
    return b"".join(
        (
            b"\6" + _number(position) + b"\1\x09" + _number(len(packed)) + b"\0",
            b"\7\x0b\1\0\1" + coder + b"\x0c" + _number(sum(sizes)) + b"\0",
            b"\x08\x0d" + _number(len(sizes)) + b"\x09" + b"".join(_number(each) for each in sizes[:-1]),
            b"\x0a\1" + b"".join(struct.pack("<I", each) for each in crcs) + b"\0\0",
        )
    )


def forge_7z(
    files: Sequence[tuple[str, bytes]],
    method: str = "lzma",
    *,
    packed_header: bool = False,
    links: bool = False,
    wrong_crc: bool = False,
    gap: bytes = b"",
    packed: bytes | None = None,
    announced: Sequence[int] = (),
) -> bytes:
    """The bytes of an archive. ``links`` makes every file a symbolic link; ``gap`` stands before the packed data, and ``packed`` in its place.

    ``announced`` are the sizes of the files as the header says, where it lies.
    """
    made, given = _packed(b"".join(data for _, data in files), method)
    packed = made if packed is None else packed
    crcs = [zlib.crc32(data) ^ wrong_crc for _, data in files]
    names = b"\0" + b"".join(name.encode("utf-16-le", "surrogatepass") + b"\0\0" for name, _ in files)
    rights = (0o120777 if links else 0o100644) << 16 | 0x8000
    attributes = b"\1\0" + struct.pack("<I", rights) * len(files)
    header = b"\1\4" + _streams(
        len(gap), packed, method, given, list(announced) or [len(data) for _, data in files], crcs
    )
    header += b"\5" + _number(len(files)) + b"\x11" + _number(len(names)) + names
    header += b"\x15" + _number(len(attributes)) + attributes + b"\0\0"
    body = gap + packed
    if packed_header:
        inner, given = _packed(header, "lzma")
        header = b"\x17" + _streams(len(body), inner, "lzma", given, [len(header)], [zlib.crc32(header)])
        body += inner
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + body + header
