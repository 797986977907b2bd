"""Single compressed streams, decoded step by step within the budget.

A stream that breaks off gives what was decoded before the break, because that is what a loader gets as well: a
payload at the front of a truncated stream runs. So :class:`Decoding` keeps the break beside the content.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.io.source import Source, Spool

__all__ = [
    "BZIP2",
    "GZIP",
    "LZMA_ALONE",
    "LZMA_STREAMS",
    "XZ",
    "ZLIB",
    "ZLIB_STREAMS",
    "Coding",
    "Decoder",
    "Decoding",
    "Inflate",
    "gzip_header",
    "lzma_raw",
    "plausible_alone",
    "spool",
    "stored_zlib",
]

#: Input and output of one step. Loaders read in blocks of about this size, and what a decoder held when it failed is
#: lost to them as to us, so larger steps would lose more than they do.
_STEP_IN = 16 * 1024
_STEP_SHORT = 1024
_STEP_OUT = 8 * 1024
#: Output that is handed on and accounted for at once.
_BATCH = 256 * 1024
#: A stream that fails within this much input is decoded again byte by byte, so that nothing before the break is lost.
_SLOW_IN = 64 * 1024
_SLOW_OUT = 1024 * 1024
_STORED_BLOCKS = 1024
#: What an LZMA dictionary may take; `xz -9` needs 65 MiB.
_LZMA_MEMORY = 80 * 1024 * 1024


class Decoder(Protocol):
    """The part of the standard library's decompressors that :class:`Decoding` uses."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Checksum(Protocol):
    """``zlib.crc32`` or ``zlib.adler32``: over ``data``, going on from ``value``."""

    def __call__(self, data: bytes, value: int = ..., /) -> int: ...


class Inflate:
    """Raw deflate (RFC 1951) in the shape of the other decompressors."""

    __slots__ = ("_full", "_inner", "_tail")

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
        self._tail = b""
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        # a full output may leave more inside even where all input was taken
        return not self._tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._tail + data if self._tail else data, max_length)
        self._tail = self._inner.unconsumed_tail
        self._full = len(out) == max_length
        return out


@dataclass(frozen=True, slots=True)
class Coding:
    """How one kind of stream is laid out.

    Attributes:
        begin: given the source and the offset of a stream, a decoder and the offset of its first input.
        checksum: kept over the output.
        finish: given the source, the offset after the data, the checksum and the size of the output: the offset after
            the trailer, and what is wrong with it.
        again: whether another stream begins at an offset; ``None`` where there is only ever one.
        size: the size of the output where the stream itself does not mark its end.
    """

    begin: Callable[[Source, int], tuple[Decoder, int]]
    checksum: Checksum | None = None
    finish: Callable[[Source, int, int, int], tuple[int, str | None]] | None = None
    again: Callable[[Source, int], bool] | None = None
    size: int | None = None


class Decoding:
    """One run over a source; iterate to get the content. Then the attributes say how it went.

    Attributes:
        error: where and why it broke off.
        truncated: it broke off because the source ends; what was there is sound.
        consumed: bytes of the source that belong to streams.
        streams: how many there were.
        size: decoded bytes.
        checksum: of the last stream.
        mismatches: offsets and messages of trailers that do not fit their stream.
    """

    __slots__ = (
        "_budget",
        "_coding",
        "_source",
        "checksum",
        "consumed",
        "error",
        "mismatches",
        "size",
        "streams",
        "truncated",
    )

    def __init__(self, source: Source, coding: Coding, budget: Budget) -> None:
        self._source = source
        self._coding = coding
        self._budget = budget
        self.error: ReadError | None = None
        self.truncated = False
        self.consumed = 0
        self.streams = 0
        self.size = 0
        self.checksum = 0
        self.mismatches: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[bytes]:
        """The content in blocks. A break ends it and is kept in ``error``."""
        try:
            while True:
                before = self.size
                yield from self._batches(self._stream(self.consumed))
                self.streams += 1
                if self._coding.finish is not None:
                    after, wrong = self._coding.finish(self._source, self.consumed, self.checksum, self.size - before)
                    if wrong is not None and len(self.mismatches) < self._budget.limits.records:
                        self.mismatches.append((self.consumed, wrong))
                    self.consumed = after
                if self._coding.again is None:
                    return
                following = _skip_zeros(self._source, self.consumed)
                if not self._coding.again(self._source, following):
                    return
                self.consumed = following
        except ReadError as error:
            self.error = error

    def _batches(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces joined to larger ones, accounted for; what came before an error is handed on before it is raised."""
        batch: list[bytes] = []
        held = 0
        failed: ReadError | None = None
        try:
            for piece in pieces:
                if self._coding.checksum is not None:
                    self.checksum = self._coding.checksum(piece, self.checksum)
                batch.append(piece)
                held += len(piece)
                if held >= _BATCH:
                    yield self._account(batch, held)
                    batch, held = [], 0
        except LimitError:
            raise
        except ReadError as error:
            failed = error
        if held:
            yield self._account(batch, held)
        else:
            self._budget.check_time()
        if failed is not None:
            raise failed

    def _account(self, batch: list[bytes], held: int) -> bytes:
        self._budget.add_decoded(held, self.size + held, self.consumed)
        self.size += held
        return b"".join(batch)

    def _stream(self, start: int) -> Iterator[bytes]:
        """The output of the one stream at ``start``, in steps."""
        decoder, at = self._coding.begin(self._source, start)
        # the checksums of no bytes are 0 (CRC-32) and 1 (Adler-32)
        self.checksum = 0 if self._coding.checksum is None else self._coding.checksum(b"")
        fed = at
        given = 0
        # of a million short streams each would be handed what follows it, up to a whole step
        step = _STEP_SHORT if self.streams and self.consumed < self.streams * _STEP_SHORT else _STEP_IN
        while not decoder.eof:
            data = b""
            if decoder.needs_input:
                data = self._source.upto(fed, step)
                step = _STEP_IN
                if not data:
                    if self._coding.size == given:
                        break
                    self.truncated = True
                    raise MalformedError("the compressed data breaks off", offset=fed)
                fed += len(data)
                self.consumed = fed
            try:
                out = decoder.decompress(data, _STEP_OUT)
            except (zlib.error, EOFError, OSError, ValueError, _lzma_error()) as error:
                if fed - at <= _SLOW_IN and given <= _SLOW_OUT:
                    yield from self._slowly(start, given)
                raise _translated(error, fed) from error
            if out:
                given += len(out)
                yield out
        self.consumed = fed - len(decoder.unused_data)

    def _slowly(self, start: int, given: int) -> Iterator[bytes]:
        """What the stream at ``start`` holds after its first ``given`` bytes, up to the very byte that breaks it."""
        decoder, at = self._coding.begin(self._source, start)
        seen = 0
        for byte in self._source.upto(at, _SLOW_IN):
            piece = bytes((byte,))
            while True:
                try:
                    out = decoder.decompress(piece, 1)
                except (zlib.error, EOFError, OSError, ValueError, _lzma_error()):
                    return
                piece = b""
                seen += len(out)
                if out and seen > given:
                    yield out
                if decoder.eof or seen > given + 2 * _STEP_OUT:
                    return
                if decoder.needs_input:
                    break


def spool(decoding: Decoding, budget: Budget) -> Spool:
    """The whole content of a decoding; how it went is in ``decoding`` afterwards.

    Raises:
        ReadError: there is no room for the decoded bytes.
    """
    try:
        content = Spool(iter(decoding), budget)
        content.cut = isinstance(decoding.error, LimitError)
        return content
    except OSError as error:
        raise ReadError(f"the decoded bytes could not be kept: {error.strerror}") from error


def _lzma_error() -> type[Exception]:
    from lzma import LZMAError

    return LZMAError


def _translated(error: Exception, offset: int) -> ReadError:
    if "Memory usage limit" in str(error):
        return UnsupportedError(f"the dictionary is larger than {_LZMA_MEMORY} bytes", offset=offset)
    return MalformedError("the compressed data is broken", offset=offset)


def _skip_zeros(source: Source, offset: int) -> int:
    """The offset of the first byte from ``offset`` on that is not zero."""
    # one stream after the other may be a few bytes long: the block of a megabyte is read only where there are zeros
    if source.upto(offset, 1) != b"\0":
        return offset
    at = offset
    for chunk in source.chunks(offset):
        zeros = len(chunk) - len(chunk.lstrip(b"\0"))
        at += zeros
        if zeros < len(chunk):
            break
    return at


# -- gzip (RFC 1952) --------------------------------------------------------------------------------------------------

_GZIP_MAGIC = b"\x1f\x8b\x08"
_GZIP_FLAGS = {"header_crc": 2, "extra": 4, "name": 8, "comment": 16}
_GZIP_TEXT = 64 * 1024


def gzip_header(source: Source, offset: int) -> tuple[bytes | None, int]:
    """The file name in the header at ``offset``, and where the data begins.

    Raises:
        MalformedError: there is no gzip header.
        UnsupportedError: reserved flags are set.
    """
    head = source.upto(offset, 10)
    if len(head) < 10 or not head.startswith(_GZIP_MAGIC):
        raise MalformedError("there is no gzip header", offset=offset)
    flags = head[3]
    if flags & 0xE0:
        raise UnsupportedError("a gzip header with reserved flags", offset=offset)
    cursor = source.cursor(offset + 10)
    name = None
    if flags & _GZIP_FLAGS["extra"]:
        cursor.skip(int.from_bytes(cursor.read(2), "little"))
    if flags & _GZIP_FLAGS["name"]:
        name = _until_nul(source, cursor.position)
        cursor.skip(len(name) + 1)
    if flags & _GZIP_FLAGS["comment"]:
        cursor.skip(len(_until_nul(source, cursor.position)) + 1)
    if flags & _GZIP_FLAGS["header_crc"]:
        cursor.skip(2)
    return name, cursor.position


def _until_nul(source: Source, offset: int) -> bytes:
    text = source.upto(offset, _GZIP_TEXT)
    end = text.find(b"\0")
    if end < 0:
        raise MalformedError("a text in the gzip header does not end", offset=offset)
    return text[:end]


def _begin_gzip(source: Source, offset: int) -> tuple[Decoder, int]:
    return Inflate(), gzip_header(source, offset)[1]


def _finish_gzip(source: Source, offset: int, crc: int, size: int) -> tuple[int, str | None]:
    trailer = source.upto(offset, 8)
    if len(trailer) < 8:
        raise MalformedError("the gzip trailer is cut off", offset=offset)
    if int.from_bytes(trailer[:4], "little") != crc:
        return offset + 8, "the gzip checksum does not fit the content"
    if int.from_bytes(trailer[4:], "little") != size & 0xFFFF_FFFF:
        return offset + 8, "the gzip size does not fit the content"
    return offset + 8, None


def _again_gzip(source: Source, offset: int) -> bool:
    return source.upto(offset, 3) == _GZIP_MAGIC


GZIP = Coding(_begin_gzip, zlib.crc32, _finish_gzip, _again_gzip)


# -- zlib (RFC 1950) --------------------------------------------------------------------------------------------------


def _begin_zlib(source: Source, offset: int) -> tuple[Decoder, int]:
    head = source.upto(offset, 2)
    if len(head) < 2 or head[0] & 0x0F != 8 or head[0] >> 4 > 7 or int.from_bytes(head, "big") % 31:
        raise MalformedError("there is no zlib header", offset=offset)
    if head[1] & 0x20:
        raise UnsupportedError("a zlib stream with a preset dictionary", offset=offset)
    return Inflate(), offset + 2


def _finish_zlib(source: Source, offset: int, adler: int, _size: int) -> tuple[int, str | None]:
    trailer = source.upto(offset, 4)
    if len(trailer) < 4:
        raise MalformedError("the zlib checksum is cut off", offset=offset)
    return offset + 4, None if int.from_bytes(trailer, "big") == adler else "the zlib checksum does not fit the content"


def _again_zlib(source: Source, offset: int) -> bool:
    head = source.upto(offset, 2)
    return len(head) == 2 and head[0] & 0x8F == 8 and not head[1] & 0x20 and not int.from_bytes(head, "big") % 31


def stored_zlib(source: Source) -> bool:
    """Whether the whole source is one stream of stored blocks, at most 1024 of them: what it holds stands in it as it is."""
    if not _again_zlib(source, 0):
        return False
    at = 2
    for _ in range(_STORED_BLOCKS):
        head = source.upto(at, 5)
        if len(head) < 5 or head[0] & 0xFE or head[1] ^ head[3] != 0xFF or head[2] ^ head[4] != 0xFF:
            return False
        at += 5 + int.from_bytes(head[1:3], "little")
        if head[0] & 1:
            return at + 4 == source.size
    return False


ZLIB = Coding(_begin_zlib, zlib.adler32, _finish_zlib)
#: As joblib reads it, which goes on with the next stream.
ZLIB_STREAMS = Coding(_begin_zlib, zlib.adler32, _finish_zlib, _again_zlib)


# -- bzip2, xz, LZMA --------------------------------------------------------------------------------------------------


def _begin_bzip2(_source: Source, offset: int) -> tuple[Decoder, int]:
    from bz2 import BZ2Decompressor

    return BZ2Decompressor(), offset


def _again_bzip2(source: Source, offset: int) -> bool:
    head = source.upto(offset, 4)
    return len(head) == 4 and head.startswith(b"BZh") and 0x31 <= head[3] <= 0x39


BZIP2 = Coding(_begin_bzip2, again=_again_bzip2)


def _begin_xz(_source: Source, offset: int) -> tuple[Decoder, int]:
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY), offset


def _again_xz(source: Source, offset: int) -> bool:
    return source.upto(offset, 6) == b"\xfd7zXZ\0"


XZ = Coding(_begin_xz, again=_again_xz)


def _begin_alone(_source: Source, offset: int) -> tuple[Decoder, int]:
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY), offset


def plausible_alone(head: bytes) -> bool:
    """Whether 18 bytes may begin a ``.lzma`` stream, by the rules of xz itself (``lzma_alone_decoder``).

    The dictionary has 2^n or 2^n + 2^(n-1) bytes, the content less than 256 GiB, and the first byte of the data is zero.
    """
    if len(head) < 18 or head[0] >= 9 * 5 * 5 or head[13] != 0:
        return False
    dictionary = int.from_bytes(head[1:5], "little")
    size = int.from_bytes(head[5:13], "little")
    top = 1 << max(dictionary.bit_length() - 1, 0)
    if dictionary < 4096 or dictionary not in (top, top | top >> 1, 0xFFFF_FFFF):
        return False
    return size == 0xFFFF_FFFF_FFFF_FFFF or 0 < size < 1 << 38


def _begin_any_lzma(source: Source, offset: int) -> tuple[Decoder, int]:
    return (_begin_xz if _again_xz(source, offset) else _begin_alone)(source, offset)


def _again_any_lzma(source: Source, offset: int) -> bool:
    return _again_xz(source, offset) or plausible_alone(source.upto(offset, 18))


LZMA_ALONE = Coding(_begin_alone)
#: As Python's ``lzma`` reads a file: streams of both kinds in any order.
LZMA_STREAMS = Coding(_begin_any_lzma, again=_again_any_lzma)


def _begin_lzma_raw(source: Source, offset: int) -> tuple[Decoder, int]:
    import lzma

    head = source.read(offset, 9)
    properties, dictionary = head[4], int.from_bytes(head[5:9], "little")
    if int.from_bytes(head[2:4], "little") != 5 or properties >= 9 * 5 * 5:
        raise MalformedError("the LZMA properties are none", offset=offset)
    if dictionary > _LZMA_MEMORY:
        raise UnsupportedError(f"the dictionary is larger than {_LZMA_MEMORY} bytes", offset=offset)
    lc, lp, pb = properties % 9, properties // 9 % 5, properties // 45
    chain = {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": lc, "lp": lp, "pb": pb}
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain]), offset + 9
    except (lzma.LZMAError, ValueError) as error:
        raise UnsupportedError("LZMA with unusual properties", offset=offset) from error


def lzma_raw(checksum: Checksum, size: int) -> Coding:
    """LZMA as zip holds it (APPNOTE 5.8): properties, then data that may lack a mark at its end."""
    return Coding(_begin_lzma_raw, checksum, size=size)
