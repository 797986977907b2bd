"""7z archives: the folders decoded with what the standard library has, and with the house's decoders of frames.

Zstandard and LZ4 are no methods of the LZMA SDK: py7zr and 7-Zip ZS write them, as frames one behind the other.
Their numbers: https://github.com/mcmilk/7-Zip-zstd/blob/master/DOC/Methods-Extern.md
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.io.archive.sevenzip_header import Coder, Folder, Header, parse_header
from openvet.io.source import BLOCK, Source, Spool

__all__ = ["SIGNATURE", "decode_folder", "is_encrypted", "read_header"]

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
_START = 32
_COPY, _DELTA, _LZMA, _LZMA2, _DEFLATE, _BZIP2 = b"\0", b"\3", b"\3\1\1", b"\x21", b"\4\1\x08", b"\4\2\2"
_ZSTD, _LZ4 = b"\4\xf7\x11\1", b"\4\xf7\x11\4"
_AES = b"\6\xf1\7\1"
#: Filters for the code of processors, as `lzma` names them.
_BRANCHES = {
    b"\4": 4, b"\3\3\1\3": 4, b"\5": 5, b"\3\3\2\5": 5, b"\6": 6, b"\3\3\4\1": 6, b"\7": 7, b"\3\3\5\1": 7,
    b"\x08": 8, b"\3\3\7\1": 8, b"\x09": 9, b"\3\3\x08\5": 9,
}  # fmt: skip
#: Methods that are not read, by name (``DOC/Methods.txt`` of 7-Zip; 7-Zip-zstd and p7zip register the last ones).
_NAMED = {
    b"\3\4\1": "PPMd", b"\4\1\x09": "Deflate64", b"\3\3\1\x1b": "BCJ2", b"\x0a": "the filter ARM64", b"\x0b": "the filter RISC-V", b"\2\3\2": "Swap2",
    b"\2\3\4": "Swap4", b"\4\xf7\x11\2": "Brotli", b"\4\xf7\x11\5": "LZ5", b"\4\xf7\x11\6": "Lizard", b"\4\1\0": "a method of zip",
}  # fmt: skip
_UNPACK = "; unpack it with 7-Zip where nothing runs what comes out, and check the folder"
_DICTIONARY = 512 * 1024 * 1024
_PACKED_HEADERS = 4


def read_header(source: Source, budget: Budget) -> tuple[Header, int, int]:
    """The header, and where its bytes (packed or not) begin and end in the file."""
    start = source.read(0, _START)
    if zlib.crc32(start[12:32]) != int.from_bytes(start[8:12], "little"):
        raise MalformedError("the checksum of the 7z start header is wrong", offset=8)
    offset, size, crc = (int.from_bytes(start[at : at + width], "little") for at, width in ((12, 8), (20, 8), (28, 4)))
    if not size:
        return Header(), _START, _START
    if size > budget.limits.header:
        raise LimitError("header", budget.limits.header, f"the 7z header has {size} bytes")
    data = source.read(_START + offset, size)
    if zlib.crc32(data) != crc:
        raise MalformedError("the checksum of the 7z header is wrong", offset=_START + offset)
    for _ in range(_PACKED_HEADERS):
        header = parse_header(data, budget.limits)
        if not header.encoded:
            return header, _START + offset, _START + offset + size
        if len(header.folders) != 1 or header.folders[0].size > budget.limits.header:
            raise UnsupportedError("the packed 7z header is of another shape, or too long")
        spool = decode_folder(source, header, header.folders[0], budget)
        data = spool.read(0, spool.size)
        spool.close()
    raise MalformedError("the 7z header is packed again and again")


def is_encrypted(folder: Folder) -> bool:
    return any(coder.method == _AES for coder in folder.coders)


def decode_folder(source: Source, header: Header, folder: Folder, budget: Budget) -> Spool:
    """All of what the folder decodes to.

    Raises:
        UnsupportedError: a step that is not read, encryption for one.
        MalformedError: the data break the rules of their coding, or end too early.
    """
    if is_encrypted(folder):
        raise UnsupportedError("is encrypted, and was not read")
    chain = _chain(folder)
    if folder.first >= len(header.sizes):
        raise MalformedError("a folder takes a packed stream that is not there")
    begin = _START + folder.begin
    packed = header.sizes[folder.first]
    window = source.window(begin, packed)
    chunks: Iterable[bytes] = window.chunks()
    if chain[0][0].method in (_ZSTD, _LZ4):
        chunks = _frames(window, chain.pop(0)[0].method, budget)
    for coder, size in chain:
        chunks = _step(coder, chunks, size)
    return Spool(_bounded(chunks, folder.size, packed, budget), budget)


def _chain(folder: Folder) -> list[tuple[Coder, int]]:
    """The steps in the order of decoding, each with the size of what it gives."""
    if any(coder.inputs != 1 or coder.outputs != 1 for coder in folder.coders) or len(folder.packed) != 1:
        raise UnsupportedError("is packed in several streams at once (BCJ2), which is not read" + _UNPACK)
    follows = {output: taker for taker, output in folder.bonds}
    at: int | None = folder.packed[0]
    chain: list[tuple[Coder, int]] = []
    while at is not None:
        if at >= len(folder.coders) or len(chain) > len(folder.coders):
            raise MalformedError("the steps of a folder do not follow each other")
        chain.append((folder.coders[at], folder.sizes[at]))
        at = follows.get(at)
    if len(chain) != len(folder.coders):
        raise MalformedError("the steps of a folder do not follow each other")
    return chain


def _bounded(chunks: Iterable[bytes], size: int, packed: int, budget: Budget) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        part = chunk[: size - done]
        done += len(part)
        budget.add_decoded(len(part), done, packed)
        yield part
        if done >= size:
            return
    if done < size:
        raise MalformedError(f"a folder gives {done} of {size} bytes")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _step(coder: Coder, chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    import lzma

    method, given = coder.method, coder.properties
    if method == _COPY:
        return iter(chunks)
    if method == _BZIP2:
        return _bzip2(chunks)
    if method == _DEFLATE:
        return _inflated(chunks)
    filters: list[dict[str, Any]]
    if method == _LZMA and len(given) == 5 and given[0] < 225:
        rest, lc = divmod(given[0], 9)
        pb, lp = divmod(rest, 5)
        if lc + lp > 4:
            raise UnsupportedError("is packed with settings of LZMA that are not read")
        dictionary = _dictionary(int.from_bytes(given[1:], "little"), size)
        filters = [{"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}]
    elif method == _LZMA2 and len(given) == 1 and given[0] <= 40:
        bits = given[0]
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": _dictionary((2 | bits & 1) << bits // 2 + 11, size)}]
    elif method == _DELTA and len(given) == 1:
        chunks = _as_lzma2(chunks)
        filters = [{"id": lzma.FILTER_DELTA, "dist": given[0] + 1}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
    elif method in _BRANCHES:
        chunks = _as_lzma2(chunks)
        filters = [{"id": _BRANCHES[method]}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
    else:
        raise UnsupportedError(
            f"is packed with {_NAMED.get(method, 'the method ' + method.hex())}, which is not read{_UNPACK}"
        )
    return _decompressed(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters), chunks)


def _dictionary(said: int, size: int) -> int:
    """No match reaches back further than to the first byte, so that a dictionary need not be larger than the data."""
    needed = max(min(said, size), 4096)
    if needed > _DICTIONARY:
        raise UnsupportedError(f"needs a dictionary of {needed} bytes, and was not read")
    return needed


def _decompressed(decompressor: _Decompressor, chunks: Iterable[bytes]) -> Iterator[bytes]:
    import lzma

    try:
        for chunk in chunks:
            data = chunk
            while True:
                out = decompressor.decompress(data, BLOCK)
                if out:
                    yield out
                if decompressor.eof:
                    return
                data = b""
                if decompressor.needs_input:
                    break
        while not decompressor.eof:  # what the decoder still holds when its input is at the end
            out = decompressor.decompress(b"", BLOCK)
            if not out:
                return
            yield out
    except (lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
        raise MalformedError(f"cannot be decoded: {type(error).__name__}") from None


def _frames(source: Source, method: bytes, budget: Budget) -> Iterator[bytes]:
    """Frames of Zstandard or LZ4. What they give is counted where the folder's bytes are, so that here is a budget apart."""
    from openvet.io.archive.compressed import Decoding
    from openvet.io.archive.lz4 import Lz4Coding
    from openvet.io.archive.zstd import ZstdCoding

    apart = Budget(budget.limits)
    coding = ZstdCoding(apart).coding if method == _ZSTD else Lz4Coding(apart).coding
    decoding = Decoding(source, coding, apart)
    yield from decoding
    if decoding.error is not None:
        raise decoding.error


def _bzip2(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """One stream after the other, as several threads write them."""
    import bz2

    decompressor = bz2.BZ2Decompressor()
    try:
        for chunk in chunks:
            data = chunk
            while True:
                out = decompressor.decompress(data, BLOCK)
                if out:
                    yield out
                data = b""
                if decompressor.eof:
                    data = decompressor.unused_data
                    if not data:
                        decompressor = bz2.BZ2Decompressor()
                        break
                    decompressor = bz2.BZ2Decompressor()
                elif decompressor.needs_input:
                    break
    except (OSError, EOFError, ValueError) as error:
        raise MalformedError(f"cannot be decoded: {type(error).__name__}") from None


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-15)
    try:
        for chunk in chunks:
            data = chunk
            while data and not inflater.eof:
                yield inflater.decompress(data, BLOCK)
                data = inflater.unconsumed_tail
    except zlib.error as error:
        raise MalformedError(f"cannot be decoded: {error}") from None
    while not inflater.eof:
        out = inflater.decompress(inflater.unconsumed_tail, BLOCK)
        if not out:
            return
        yield out


def _as_lzma2(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Plain bytes as an LZMA2 stream that packs nothing: so liblzma lets a filter run alone, and to the last byte."""
    control = b"\1"
    for chunk in chunks:
        for at in range(0, len(chunk), 1 << 16):
            part = chunk[at : at + (1 << 16)]
            yield control + (len(part) - 1).to_bytes(2, "big") + part
            control = b"\2"
    yield b"\0"
