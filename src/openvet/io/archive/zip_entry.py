"""Opening one member of a zip."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

from openvet.core.limits import Budget
from openvet.errors import MalformedError, ReadError, UnsupportedError
from openvet.io.archive import compressed
from openvet.io.archive.anomaly import ArchiveAnomaly
from openvet.io.archive.compressed import Coding, Decoder, Decoding, Inflate, spool
from openvet.io.archive.names import shown
from openvet.io.archive.zip_records import ENCRYPTED, ZipEntry
from openvet.io.source import Source

__all__ = ["Report", "open_zip_entry"]

STORED, DEFLATE, BZIP2, LZMA, ZSTD, XZ = 0, 8, 12, 14, 93, 95
#: Stored members up to this size have their checksum compared when they are opened; larger ones are read only once.
_CHECKED = 8 * 1024 * 1024

_METHODS = {
    1: "shrink", 2: "reduce", 3: "reduce", 4: "reduce", 5: "reduce", 6: "implode", 9: "Deflate64", 10: "PKWARE's implode", 16: "CMPSC", 18: "TERSE", 19: "LZ77",
    94: "MP3", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES",
}  # fmt: skip

#: Takes what opening a member shows to be wrong with it: an anomaly, or a break after which nothing was decoded.
Report = Callable[[ArchiveAnomaly | ReadError], None]


def open_zip_entry(source: Source, entry: ZipEntry, budget: Budget, report: Report | None = None) -> Source:
    """The content of a member. The caller closes it.

    Flags and checksums are looked at but never believed, because loaders ignore them: a member that says it is
    encrypted is read as it stands wherever it can be. Where data breaks off, what came before is given and the break
    goes to ``report``; without ``report``, or when nothing came before, it is raised.

    Raises:
        UnsupportedError: the method is unknown, or the data is encrypted.
        MalformedError: there is no data.
        LimitError: decoding it would exceed a limit.
    """
    if entry.data_offset < 0:
        raise MalformedError("the member has no local header", offset=entry.header_offset)
    if entry.method == STORED:
        return _stored(source, entry, budget, report)
    packed = source.window(entry.data_offset, min(entry.compressed_size, source.size - entry.data_offset))
    decoding = Decoding(packed, _coding(entry), budget)
    content = spool(decoding, budget)
    error = decoding.error
    if error is not None:
        error.offset = None if error.offset is None else entry.data_offset + error.offset
        if report is None or not content.size:
            content.close()
            if entry.flags & ENCRYPTED:
                raise UnsupportedError("encrypted", offset=entry.data_offset) from error
            raise error
        report(error)
    elif report is not None:
        _compare(entry, packed, decoding, report)
    return content


def _stored(source: Source, entry: ZipEntry, budget: Budget, report: Report | None) -> Source:
    if entry.flags & ENCRYPTED and entry.compressed_size != entry.size:
        raise UnsupportedError("encrypted", offset=entry.data_offset)
    # Readers differ on which of two sizes counts; the longer one holds both.
    length = min(max(entry.compressed_size, entry.size), source.size - entry.data_offset)
    if entry.shared:
        # Bytes that many members share cost nothing in the file, so they count like decoded ones.
        budget.add_decoded(length, length, length)
    content = source.window(entry.data_offset, length)
    if report is not None and length == entry.size <= _CHECKED:
        crc = 0
        for chunk in content.chunks():
            crc = zlib.crc32(chunk, crc)
        if crc != entry.crc:
            report(_wrong_checksum(entry, crc))
    return content


def _coding(entry: ZipEntry) -> Coding:
    if entry.method == DEFLATE:
        return Coding(_begin_deflate, zlib.crc32)
    if entry.method == BZIP2:
        return replace(compressed.BZIP2, checksum=zlib.crc32, again=None)
    if entry.method == LZMA:
        return compressed.lzma_raw(zlib.crc32, entry.size)
    if entry.method == ZSTD:
        from openvet.io.archive.zstd import ZSTD_IN_ZIP

        return replace(ZSTD_IN_ZIP, checksum=zlib.crc32)
    if entry.method == XZ:
        return replace(compressed.XZ, checksum=zlib.crc32, again=None)
    raise UnsupportedError(
        f"compression method {entry.method} ({_METHODS.get(entry.method, 'unknown')}) is not supported; unpack it "
        "with a tool that knows it where nothing runs what comes out, and check the folder",
        offset=entry.header_offset,
    )


def _begin_deflate(_source: Source, offset: int) -> tuple[Decoder, int]:
    return Inflate(), offset


def _compare(entry: ZipEntry, packed: Source, decoding: Decoding, report: Report) -> None:
    """Report what the content shows the headers to be wrong about."""
    name = shown(entry.name)
    if not entry.central and (entry.shared or not (entry.size or entry.crc)):
        pass  # the listing told already that this view differs; or its header leaves size and checksum open
    elif decoding.size != entry.size:
        report(ArchiveAnomaly(
            "archive/header-mismatch", f"the member {name} decodes to {decoding.size} bytes instead of {entry.size}",
            entry.header_offset, {"kind": "fields", "differs": {"size": [entry.size, decoding.size]}},
        ))  # fmt: skip
    elif decoding.checksum != entry.crc:
        report(_wrong_checksum(entry, decoding.checksum))
    if decoding.consumed < packed.size:
        rest = packed.size - decoding.consumed
        start = entry.data_offset + decoding.consumed
        report(ArchiveAnomaly(
            "archive/hidden-data", f"{rest} bytes follow the compressed data of the member {name}", start,
            {"where": "after compressed data", "bytes": rest, "begins": packed.upto(decoding.consumed, 16).hex()},
        ))  # fmt: skip


def _wrong_checksum(entry: ZipEntry, crc: int) -> ArchiveAnomaly:
    return ArchiveAnomaly(
        "archive/checksum-mismatch", f"the content of the member {shown(entry.name)} does not have the checksum that the "
        "archive gives", entry.header_offset, {"name": shown(entry.name), "expected": f"{entry.crc:08x}", "seen": f"{crc:08x}"},
    )  # fmt: skip
