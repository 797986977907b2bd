"""The records of a zip file, as values: .ZIP File Format Specification (APPNOTE.TXT) 6.3.10, sections 4.3 and 4.5."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.io.source import Source

__all__ = [
    "CENTRAL", "CENTRAL_SIZE", "DESCRIPTOR", "ENCRYPTED", "END", "END64", "LOCAL", "LOCATOR64", "MASKED_HEADER",
    "SIZES_FOLLOW", "UTF8_NAME", "CentralRecord", "LocalRecord", "ZipEntry", "central_length", "decode_name",
    "descriptor_length", "names_agree", "parse_central", "read_local",
]  # fmt: skip

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
DESCRIPTOR = b"PK\x07\x08"
END = b"PK\x05\x06"
END64 = b"PK\x06\x06"
LOCATOR64 = b"PK\x06\x07"

_LOCAL = struct.Struct("<4s2B4HL2L2H")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
CENTRAL_SIZE = _CENTRAL.size
_LENGTHS = struct.Struct("<3H")
_FULL32 = 0xFFFF_FFFF
_EXTRA_ZIP64 = 0x0001
_EXTRA_UNICODE_PATH = 0x7075
_UNICODE_PATH = b"up"  # its id, as it stands in the extra field

#: APPNOTE 4.4.4
ENCRYPTED = 0x0001
SIZES_FOLLOW = 0x0008
UTF8_NAME = 0x0800
MASKED_HEADER = 0x2000


class ZipEntry(NamedTuple):
    """One member of a zip, in one of its views. An archive may have very many, so that it is a tuple.

    Attributes:
        name: decoded as the flags say (UTF-8 or code page 437), otherwise raw; a hint, never a path.
        header_offset: of its local header in the source.
        data_offset: of its first data byte; -1 where there is no local header.
        compressed_size: bytes of data in the source.
        size: decoded bytes, as this view says.
        method: 0 stored, 8 deflate, 12 bzip2, 14 LZMA, others.
        flags: general purpose flags.
        crc: CRC-32 of the decoded data, as this view says.
        central: whether the directory lists it so; ``False`` for what only a local header says.
        mode: Unix mode from the external attributes; 0 where there is none.
        shared: its bytes also belong to another record.
        first: its first data byte in the source, where that was read with the header; -1 where it was not.
    """

    name: str
    header_offset: int
    data_offset: int
    compressed_size: int
    size: int
    method: int
    flags: int
    crc: int
    central: bool
    mode: int = 0
    shared: bool = False
    first: int = -1

    @property
    def name_bytes(self) -> bytes:
        """The name as it stands in the archive."""
        if self.flags & UTF8_NAME:
            return self.name.encode("utf-8", "surrogateescape")
        return self.name.encode("cp437")

    @property
    def is_dir(self) -> bool:
        return self.name.endswith("/")

    @property
    def plain(self) -> bool:
        """Whether its data stands in the archive as it is, in bytes of its own."""
        stored = not self.method and self.compressed_size == self.size and not self.flags & ENCRYPTED
        return stored and self.data_offset >= 0 and not self.shared

    @property
    def end(self) -> int:
        """Where its data ends, a data descriptor apart."""
        return self.data_offset + self.compressed_size


class LocalRecord(NamedTuple):
    """A local file header (4.3.7)."""

    name: bytes
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    data_offset: int
    unicode_name: str | None
    first: int = -1

    @property
    def sizes_known(self) -> bool:
        return not self.flags & SIZES_FOLLOW or bool(self.compressed_size or self.size)


class CentralRecord(NamedTuple):
    """A central directory header (4.3.12) at ``offset`` with its length."""

    name: bytes
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    header_offset: int
    mode: int
    unicode_name: str | None
    length: int


def decode_name(name: bytes, flags: int) -> str:
    """The name as its flags say; bytes that are not UTF-8 become surrogate escapes, so that none is lost."""
    if name.isascii():
        return name.decode("ascii")
    return name.decode("utf-8", "surrogateescape") if flags & UTF8_NAME else name.decode("cp437")


def read_local(source: Source, offset: int, expected_name: int = 64) -> LocalRecord:
    """The local header at ``offset``; ``expected_name`` is a guess that saves a second read.

    Raises:
        MalformedError: there is none, or it does not end inside the source.
    """
    head = source.upto(offset, _LOCAL.size + expected_name + 128)
    if len(head) < _LOCAL.size or not head.startswith(LOCAL):
        raise MalformedError("there is no local header here", offset=offset)
    _, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack_from(head)
    end = _LOCAL.size + name_length + extra_length
    if end > len(head):
        head = source.read(offset, end)
    name = head[_LOCAL.size : _LOCAL.size + name_length]
    unicode_name = None
    if extra_length:
        extra = head[_LOCAL.size + name_length : end]
        if _FULL32 in (size, packed):
            size, packed = _widened(extra, size, packed)
        if _UNICODE_PATH in extra:
            unicode_name = _unicode_name(extra, name)
    first = head[end] if end < len(head) else -1
    return LocalRecord(name, flags, method, crc, packed, size, offset + end, unicode_name, first)


def central_length(head: bytes) -> int:
    """The length of the central header whose fixed part is ``head``.

    Raises:
        MalformedError: ``head`` is cut off.
    """
    if len(head) < _CENTRAL.size:
        raise MalformedError("the directory is cut off in a record")
    name, extra, comment = _LENGTHS.unpack_from(head, 28)
    return CENTRAL_SIZE + int(name + extra + comment)


def parse_central(data: bytes) -> CentralRecord:
    """A whole central header."""
    (_, _, _, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length, _, _, _, attributes,
     offset) = _CENTRAL.unpack_from(data)  # fmt: skip
    name = data[_CENTRAL.size : _CENTRAL.size + name_length]
    unicode_name = None
    if extra_length:
        extra = data[_CENTRAL.size + name_length : _CENTRAL.size + name_length + extra_length]
        if _FULL32 in (size, packed, offset):
            size, packed, offset = _widened(extra, size, packed, offset)
        if _UNICODE_PATH in extra:
            unicode_name = _unicode_name(extra, name)
    return CentralRecord(name, flags, method, crc, packed, size, offset, attributes >> 16, unicode_name, len(data))


def _extra(extra: bytes, wanted: int) -> bytes | None:
    """The data of the first extra field with the id ``wanted``."""
    if wanted.to_bytes(2, "little") not in extra:
        return None
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return None


def _widened(extra: bytes, *values: int) -> tuple[int, ...]:
    """Sizes and offset with those that do not fit into 32 bits taken from the ZIP64 field (4.5.3), in its order."""
    wide = _extra(extra, _EXTRA_ZIP64) or b""
    at = 0
    out = []
    for value in values:
        if value == _FULL32 and at + 8 <= len(wide):
            (value,) = struct.unpack_from("<Q", wide, at)
            at += 8
        out.append(value)
    return tuple(out)


def _unicode_name(extra: bytes, name: bytes) -> str | None:
    """The name in the Info-ZIP Unicode Path field (4.6.9), where its checksum says that it belongs to ``name``."""
    data = _extra(extra, _EXTRA_UNICODE_PATH)
    if data is None or len(data) < 5 or data[0] != 1 or int.from_bytes(data[1:5], "little") != zlib.crc32(name):
        return None
    return data[5:].decode("utf-8", "surrogateescape")


_STAND_IN = pattern(r"#[UL][0-9A-Fa-f]{4,6}|[^\x00-\x7f]|[?_]")


def names_agree(header_name: str, unicode_name: str) -> bool:
    """Whether one name may be the other with its letters outside of ASCII replaced, as Info-ZIP writes it."""
    return _STAND_IN.sub("", header_name) == _STAND_IN.sub("", unicode_name)


def descriptor_length(data: bytes, crc: int, packed: int, size: int) -> tuple[int, bool]:
    """The length of the data descriptor (4.3.9) at the start of ``data``, 0 if there is none; and whether it agrees.

    Its signature is optional and its sizes have 4 or 8 bytes; only the values tell which.
    """
    signed = data.startswith(DESCRIPTOR)
    for skip in (4, 0) if signed else (0,):
        for sizes, length in (("<LLL", 12), ("<LQQ", 20)):
            if len(data) >= skip + length:
                seen = struct.unpack_from(sizes, data, skip)
                if seen[1:] == (packed, size) and (skip or packed or size or crc) and (skip or seen[0] == crc):
                    return skip + length, seen[0] == crc
    if not signed:
        return 0, True
    # The signature is there but the sizes are others: take the length after which a record may begin.
    for length in (16, 24):
        if data[length : length + 2] == b"PK" or len(data) == length:
            return length, False
    return 0, True
