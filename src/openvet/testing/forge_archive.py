"""Archives built from their structure, so that every field can lie. Nothing here writes a file.

``forge_zip`` and ``forge_tar`` give what an honest tool would write unless a field says otherwise.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field

from openvet.core.dataclass import dataclass

__all__ = [
    "TarPart",
    "ZipPart",
    "forge_cpio",
    "forge_tar",
    "forge_xar",
    "forge_zip",
    "pax_records",
    "tar_header",
    "zip_end",
]


def _packed(data: bytes, method: int) -> bytes:
    if method == 8:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(data) + deflate.flush()
    if method == 12:
        return bz2.compress(data)
    if method == 14:
        chain = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}
        raw = lzma.compress(data, lzma.FORMAT_RAW, filters=[chain])
        return struct.pack("<BBHBL", 9, 4, 5, 0x5D, 1 << 16) + raw
    return lzma.compress(data) if method == 95 else data


@dataclass(frozen=True, slots=True)
class ZipPart:
    """One member of a forged zip.

    Attributes:
        name, data: of the member.
        method: how the data is compressed; others than 0, 8, 12 and 14 are written as they stand.
        flags: general purpose flags of both headers. With bit 3 a data descriptor follows.
        local: fields of the local header that differ: ``name method flags crc packed size extra``.
        central: fields of the directory record that differ, and ``offset attributes``.
        raw: data as it stands in the archive, instead of ``data`` compressed.
        listed: whether the directory has a record for it.
        written: whether there is a local record at all.
        before: bytes in front of the local record.
        descriptor: whether the descriptor has its signature, and whether its sizes have 8 bytes.
        zip64: sizes and offset in ZIP64 fields.
    """

    name: bytes
    data: bytes = b""
    method: int = 0
    flags: int = 0
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    raw: bytes | None = None
    listed: bool = True
    written: bool = True
    before: bytes = b""
    descriptor: tuple[bool, bool] = (True, False)
    zip64: bool = False


def _number(fields: Mapping[str, int | bytes], key: str, otherwise: int) -> int:
    value = fields.get(key, otherwise)
    return value if isinstance(value, int) else otherwise


def _text(fields: Mapping[str, int | bytes], key: str, otherwise: bytes) -> bytes:
    value = fields.get(key, otherwise)
    return value if isinstance(value, bytes) else otherwise


def _local_record(part: ZipPart, packed: bytes) -> bytes:
    fields = part.local
    flags = _number(fields, "flags", part.flags)
    follow = bool(flags & 8)
    crc = _number(fields, "crc", 0 if follow else zlib.crc32(part.data))
    sizes = (
        _number(fields, "packed", 0 if follow else len(packed)),
        _number(fields, "size", 0 if follow else len(part.data)),
    )
    name = _text(fields, "name", part.name)
    extra = _text(fields, "extra", b"")
    if part.zip64:
        extra = struct.pack("<HHQQ", 1, 16, sizes[1], sizes[0]) + extra
        sizes = (0xFFFFFFFF, 0xFFFFFFFF)
    method = _number(fields, "method", part.method)
    head = struct.pack(
        "<4sHHHHHLLLHH", b"PK\3\4", 45, flags, method, 0, 0x21, crc, *sizes, len(name), len(extra)
    )  # fmt: skip
    record = head + name + extra + packed
    if part.flags & 8:
        signed, wide = part.descriptor
        values = struct.pack("<LQQ" if wide else "<LLL", zlib.crc32(part.data), len(packed), len(part.data))
        record += (b"PK\7\x08" if signed else b"") + values
    return record


def _central_record(part: ZipPart, packed: bytes, offset: int) -> bytes:
    fields = part.central
    name = _text(fields, "name", part.name)
    extra = _text(fields, "extra", b"")
    sizes = (_number(fields, "packed", len(packed)), _number(fields, "size", len(part.data)))
    offset = _number(fields, "offset", offset)
    if part.zip64:
        extra = struct.pack("<HHQQQ", 1, 24, sizes[1], sizes[0], offset) + extra
        sizes, offset = (0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF
    comment = _text(fields, "comment", b"")
    return (
        struct.pack(
            "<4sBBHHHHHLLLHHHHHLL", b"PK\1\2", 63, 3, 45, _number(fields, "flags", part.flags),
            _number(fields, "method", part.method), 0, 0x21, _number(fields, "crc", zlib.crc32(part.data)), *sizes,
            len(name), len(extra), len(comment), 0, 0, _number(fields, "attributes", 0o100644 << 16), offset,
        )
        + name
        + extra
        + comment
    )  # fmt: skip


def zip_end(count: int, size: int, offset: int, comment: bytes = b"", *, said: int | None = None) -> bytes:
    """An end of central directory record; ``said`` is the length of the comment as the record gives it."""
    length = len(comment) if said is None else said
    return struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, size, offset, length) + comment


def forge_zip(
    parts: Iterable[ZipPart],
    *,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    before_end: bytes = b"",
    comment: bytes = b"",
    suffix: bytes = b"",
    count: int | None = None,
    relative: bool = False,
    zip64: bool = False,
) -> bytes:
    """A zip.

    Args:
        parts: its members.
        prefix: bytes in front of the first record.
        before_directory: bytes between the last record and the directory.
        before_end: bytes between the directory and the end record.
        comment: of the archive.
        suffix: bytes after the end.
        count: members that the end record announces.
        relative: offsets count from the end of the prefix, as in a self-extracting archive.
        zip64: with a ZIP64 end record and locator.
    """
    body = bytearray(prefix)
    shift = len(prefix) if relative else 0
    records = []
    for part in parts:
        packed = _packed(part.data, part.method) if part.raw is None else part.raw
        body += part.before
        offset = len(body) - shift
        if part.written:
            body += _local_record(part, packed)
        if part.listed:
            records.append(_central_record(part, packed, offset))
    body += before_directory
    start = len(body) - shift
    directory = b"".join(records)
    body += directory + before_end
    count = len(records) if count is None else count
    if zip64:
        at = len(body)
        body += struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), start)
        body += struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
        body += (
            struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, len(comment)) + comment
        )
    else:
        body += zip_end(count, len(directory), start, comment)
    return bytes(body + suffix)


@dataclass(frozen=True, slots=True)
class TarPart:
    """One entry of a forged tar.

    Attributes:
        name, data: of the entry.
        kind: the type flag.
        linkname, mode: of the entry.
        size: as the header says, if not the length of the data.
        size_field: the twelve bytes of the size, as they stand.
        checksum: as the header says, if not the right one.
        magic: dialect; empty for v7.
        prefix: the ustar prefix.
        before: bytes in front of the header.
    """

    name: bytes
    data: bytes = b""
    kind: bytes = b"0"
    linkname: bytes = b""
    mode: int = 0o644
    size: int | None = None
    size_field: bytes | None = None
    checksum: int | None = None
    magic: bytes = b"ustar\x0000"
    prefix: bytes = b""
    before: bytes = b""


def tar_header(part: TarPart) -> bytes:
    """The header block of an entry."""
    size = len(part.data) if part.size is None else part.size
    block = bytearray(512)
    block[0:100] = part.name[:100].ljust(100, b"\0")
    block[100:108] = b"%07o\0" % part.mode
    block[108:124] = b"0000000\0" * 2
    block[124:136] = part.size_field if part.size_field is not None else b"%011o\0" % size
    block[136:148] = b"00000000000\0"
    block[156:157] = part.kind
    block[157:257] = part.linkname[:100].ljust(100, b"\0")
    block[257:265] = part.magic.ljust(8, b"\0")
    block[345:500] = part.prefix[:155].ljust(155, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % (sum(block) if part.checksum is None else part.checksum)
    return bytes(block)


def forge_tar(parts: Sequence[TarPart], *, end: bytes = bytes(1024), suffix: bytes = b"") -> bytes:
    """A tar: the entries, then ``end``, then ``suffix``."""
    body = bytearray()
    for part in parts:
        body += part.before + tar_header(part) + part.data + bytes(-len(part.data) % 512)
    return bytes(body + end + suffix)


def pax_records(records: Mapping[str, bytes]) -> bytes:
    """The content of a pax header."""
    out = b""
    for key, value in records.items():
        rest = b" " + key.encode() + b"=" + value + b"\n"
        length = len(rest) + 1
        while length != len(rest) + len(str(length)):
            length = len(rest) + len(str(length))
        out += str(length).encode() + rest
    return out


def forge_cpio(parts: Sequence[tuple[bytes, bytes, int]], form: str = "new", *, end: bytes = bytes(64)) -> bytes:
    """A cpio archive of (name, data, mode); ``form`` is ``new``, ``characters`` or ``numbers``."""
    out = bytearray()
    for number, (name, data, mode) in enumerate([*parts, (b"TRAILER!!!", b"", 0)], 1):
        unit = {"new": 4, "characters": 1, "numbers": 2}[form]
        if form == "new":
            fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
            head = b"070701" + b"".join(b"%08X" % field for field in fields)
        elif form == "characters":
            head = b"070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o" % (
                0, number, mode, 0, 0, 1, 0, 0, len(name) + 1, len(data),
            )  # fmt: skip
        else:
            words = (0o070707, 0, number, mode, 0, 0, 1, 0, 0, 0, len(name) + 1, len(data) >> 16, len(data) & 0xFFFF)
            head = struct.pack("<13H", *words)
        out += head + name + b"\0"
        out += bytes(-len(out) % unit) + data
        out += bytes(-len(out) % unit)
    return bytes(out) + end


def forge_xar(files: Mapping[str, bytes], style: str = "x-gzip", *, extra: str = "", heap: bytes = b"") -> bytes:
    """A xar archive; ``style`` packs its files (``x-gzip``, ``x-bzip2`` or ``octet-stream``), ``extra`` is put into its table."""
    packers: dict[str, Callable[[bytes], bytes]] = {
        "x-gzip": zlib.compress,
        "x-bzip2": bz2.compress,
        "octet-stream": bytes,
    }
    pack = packers[style]
    table, body = "", bytearray(20) + heap
    for number, (name, data) in enumerate(files.items(), 1):
        packed = pack(data)
        place = f"<offset>{len(body)}</offset><length>{len(packed)}</length><size>{len(data)}</size>"
        inner = f'<data>{place}<encoding style="application/{style}"/></data>'
        table += f'<file id="{number}"><name>{name}</name><type>file</type>{inner}</file>'
        body += packed
    checksum = '<checksum style="sha1"><offset>0</offset><size>20</size></checksum>'
    text = f'<?xml version="1.0" encoding="UTF-8"?><xar><toc>{checksum}{table}{extra}</toc></xar>'.encode()
    packed = zlib.compress(text)
    return struct.pack(">4sHHQQI", b"xar!", 28, 1, len(packed), len(text), 1) + packed + bytes(body)
