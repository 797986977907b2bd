"""The compressed chunks of an ORC file: what its footers, though not its columns, are unpacked from.

::

    chunk    u24: length << 1 | stored as it is; data

Every codec gets each chunk by itself. Specification: https://orc.apache.org/specification/ORCv1/#compression
"""

from __future__ import annotations

import zlib

from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts
from openvet.io.source import BytesSource, Source

__all__ = ["CODECS", "unpacked"]

CODECS = ("none", "zlib", "snappy", "lzo", "lz4", "zstd", "brotli")


def unpacked(source: Source, at: int, size: int, codec: str, block: int, facts: Facts) -> bytes:
    """The ``size`` bytes at ``at`` as they were before; no chunk gives more than ``block`` bytes.

    Raises:
        MalformedError: a chunk breaks the codec's form.
        LimitError: more bytes than one header may have.
        UnsupportedError: the codec is one that is not unpacked here.
    """
    most = facts.limits.header
    if size > most:
        raise LimitError("header", most, f"a footer of {size} bytes is not read", offset=at)
    if codec == "none":
        return source.read(at, size)
    out = bytearray()
    end = at + size
    while at < end:
        facts.budget.check_time()
        head = int.from_bytes(source.read(at, min(3, end - at)), "little")
        length = head >> 1
        if at + 3 + length > end:
            raise MalformedError("a compressed chunk goes beyond its end", offset=at)
        data = source.read(at + 3, length)
        out += data if head & 1 else _one(data, codec, min(block, most), facts, at)
        if len(out) > most:
            raise LimitError("header", most, "a footer unpacks to more", offset=at)
        at += 3 + length
    return bytes(out)


def _one(data: bytes, codec: str, block: int, facts: Facts, at: int) -> bytes:
    if codec == "zlib":
        decoder = zlib.decompressobj(-15)
        try:
            out = decoder.decompress(data, block)
        except zlib.error as error:
            raise MalformedError("a compressed chunk is broken", offset=at) from error
        if not decoder.eof or decoder.unused_data:
            raise MalformedError("a compressed chunk does not end where it says", offset=at)
        return out
    if codec == "snappy":
        from openvet.formats._snappy import unsnap

        return unsnap(data, facts, at)
    if codec == "lz4":
        from openvet.io.archive.lz4_block import decode_block

        return decode_block(data, b"", block)
    if codec == "zstd":
        from openvet.io.archive.compressed import Decoding, spool
        from openvet.io.archive.zstd import ZSTD_IN_ZIP

        decoding = Decoding(BytesSource(data), ZSTD_IN_ZIP, facts.budget)
        content = spool(decoding, facts.budget)
        try:
            if decoding.error is not None:
                raise decoding.error
            if decoding.consumed != len(data) or content.size > block:
                raise MalformedError("a compressed chunk does not end where it says", offset=at)
            return content.read(0, content.size)
        finally:
            content.close()
    raise UnsupportedError(f"chunks of the codec {codec} are not unpacked", offset=at)
