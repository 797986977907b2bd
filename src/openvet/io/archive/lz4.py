"""LZ4 frames, decoded block by block.

As in the reference decoder a block is decoded whole or not at all, so what comes before a break ends with a block.

Specification: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
"""

from __future__ import annotations

from openvet.core.limits import Budget
from openvet.errors import MalformedError, UnsupportedError
from openvet.io.archive.compressed import Coding, Decoder
from openvet.io.archive.frames import Ended, Skipped, skip_frames
from openvet.io.archive.lz4_block import Xxh32, decode_block, xxh32
from openvet.io.source import Source

__all__ = ["LEGACY", "MAGIC", "Lz4Coding", "plausible"]

MAGIC = b"\x04\x22\x4d\x18"
LEGACY = b"\x02\x21\x4c\x18"
_WINDOW = 64 * 1024
_LEGACY_BLOCK = 8 * 1024 * 1024
#: LZ4_compressBound of a legacy block: a larger size is the magic number of the next frame.
_LEGACY_MOST = _LEGACY_BLOCK + _LEGACY_BLOCK // 255 + 16
_DESCRIPTOR = 15


def plausible(head: bytes) -> bool:
    """Whether a frame begins here: the magic, and a descriptor without reserved bits; for a legacy frame one block."""
    if head.startswith(LEGACY):
        return len(head) < 9 or 0 < int.from_bytes(head[4:8], "little") <= _LEGACY_MOST
    return head.startswith(MAGIC) and len(head) >= 7 and head[4] >> 6 == 1


class Lz4Coding:
    """How to decode one source; it remembers what a frame's trailer said, and the skipped frames.

    Attributes:
        coding: for :class:`~openvet.io.archive.compressed.Decoding`.
        skipped: skippable frames, at most as many as the budget records.
        legacy: whether a frame of the old kind was seen.
    """

    def __init__(self, budget: Budget) -> None:
        self.skipped: list[Skipped] = []
        self.legacy = False
        self._most = budget.limits.records
        self._frame: _Frame | None = None
        self.coding = Coding(self._begin, None, self._finish, _again)

    def _begin(self, source: Source, offset: int) -> tuple[Decoder, int]:
        self._frame = None
        at = skip_frames(source, offset, self.skipped, self._most)
        head = source.upto(at, 4 + _DESCRIPTOR)
        if head.startswith(LEGACY):
            self.legacy = True
            self._frame = _Frame(legacy=True, left=source.size - at - 4)
            return self._frame, at + 4
        if at > offset and not head.startswith(MAGIC):
            return Ended(), at
        self._frame, size = _frame(head, at)
        return self._frame, at + size

    def _finish(self, _source: Source, offset: int, _checksum: int, _size: int) -> tuple[int, str | None]:
        return offset, self._frame.wrong if self._frame is not None else None


def _again(source: Source, offset: int) -> bool:
    head = source.upto(offset, 8)
    return head.startswith((MAGIC, LEGACY)) or (len(head) == 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5)


def _frame(head: bytes, offset: int) -> tuple[_Frame, int]:
    """The decoder of a frame whose magic and descriptor ``head`` begins with, and the size of both."""
    if not head.startswith(MAGIC) or len(head) < 7:
        raise MalformedError("there is no LZ4 frame header", offset=offset)
    flags, block = head[4], head[5]
    if flags >> 6 != 1 or flags & 0x02 or block & 0x8F or block >> 4 < 4:
        raise UnsupportedError("an LZ4 frame of an unknown version or with reserved bits", offset=offset + 4)
    if flags & 0x01:
        raise UnsupportedError("an LZ4 frame that needs a dictionary", offset=offset + 4)
    size = 6 + (8 if flags & 0x08 else 0)
    if len(head) < size + 1:
        raise MalformedError("an LZ4 frame header is cut off", offset=offset)
    frame = _Frame(
        linked=not flags & 0x20,
        block_checksum=bool(flags & 0x10),
        content_checksum=bool(flags & 0x04),
        content=int.from_bytes(head[6:14], "little") if flags & 0x08 else None,
        most=1 << 8 + 2 * (block >> 4),
    )
    if head[size] != xxh32(head[4:size]) >> 8 & 0xFF:
        frame.wrong = "the checksum of the LZ4 header does not fit it"
    return frame, size + 1


class _Frame:
    """One frame in the shape of the standard library's decompressors. ``wrong`` is what its checksums and sizes say."""

    def __init__(
        self,
        *,
        legacy: bool = False,
        left: int = 0,
        linked: bool = False,
        block_checksum: bool = False,
        content_checksum: bool = False,
        content: int | None = None,
        most: int = _LEGACY_BLOCK,
    ) -> None:
        self.eof = False
        self.unused_data = b""
        self.wrong: str | None = None
        self._legacy = legacy
        self._left = left  # input that there is at most: a legacy frame has no end mark and may end with the source
        self._linked = linked
        self._block_checksum = block_checksum
        self._checksum = Xxh32() if content_checksum else None
        self._content = content
        self._most = most
        self._size = 0
        self._history = b""
        self._parts: list[bytes] = []  # input that is not a whole block yet
        self._held = 0
        self._wants = 4
        self._out = b""  # a decoded block, of which the first _given bytes were handed out
        self._given = 0

    @property
    def needs_input(self) -> bool:
        return not self.eof and self._given == len(self._out) and self._held < self._wants

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """The next bytes of the content; raises ValueError where a block is broken."""
        if data:
            self._parts.append(data)
            self._held += len(data)
            self._left -= len(data)
        while self._given == len(self._out) and not self.eof and self._held >= self._wants:
            self._step()
        piece = self._out[self._given : self._given + max_length]
        self._given += len(piece)
        if self._legacy and not self._left and not self._held and self._given == len(self._out):
            self.eof = True
        return piece

    def _step(self) -> None:
        """One block or end mark, if it is there whole."""
        data = b"".join(self._parts)
        head = int.from_bytes(data[:4], "little")
        if self._legacy:
            self._old_block(data, head)
        elif head == 0:
            self._end(data)
        else:
            self._block(data, head)

    def _keep(self, data: bytes) -> None:
        self._parts = [data] if data else []
        self._held = len(data)
        self._wants = 4

    def _put(self, out: bytes) -> None:
        self._out, self._given = out, 0
        self._size += len(out)
        if self._checksum is not None:
            self._checksum.update(out)
        if self._linked:
            self._history = out[-_WINDOW:] if len(out) >= _WINDOW else (self._history + out)[-_WINDOW:]

    def _block(self, data: bytes, head: int) -> None:
        size = head & 0x7FFF_FFFF
        if size > self._most:
            raise ValueError("an LZ4 block is larger than its frame allows")
        end = 4 + size
        self._wants = end + (4 if self._block_checksum else 0)
        if len(data) < self._wants:
            self._parts = [data]
            return
        packed = data[4:end]
        if self._block_checksum and int.from_bytes(data[end : end + 4], "little") != xxh32(packed):
            self.wrong = "the checksum of an LZ4 block does not fit it"
        self._put(packed if head >> 31 else _decoded(packed, self._history, self._most))
        self._keep(data[self._wants :])

    def _old_block(self, data: bytes, head: int) -> None:
        if head > _LEGACY_MOST:  # the magic number of what follows
            self._finished(data)
            return
        self._wants = 4 + head
        if len(data) < self._wants:
            self._parts = [data]
            return
        self._put(_decoded(data[4 : self._wants], b"", self._most))
        self._keep(data[self._wants :])

    def _end(self, data: bytes) -> None:
        self._wants = 4 + (4 if self._checksum is not None else 0)
        if len(data) < self._wants:
            self._parts = [data]
            return
        if self._checksum is not None and int.from_bytes(data[4:8], "little") != self._checksum.digest():
            self.wrong = "the LZ4 checksum does not fit the content"
        if self._content is not None and self._content != self._size:
            self.wrong = "the LZ4 size does not fit the content"
        self._finished(data[self._wants :])

    def _finished(self, rest: bytes) -> None:
        self.eof = True
        self.unused_data = rest
        self._parts = []
        self._held = 0


def _decoded(packed: bytes, history: bytes, most: int) -> bytes:
    try:
        return decode_block(packed, history, most)
    except MalformedError as error:
        raise ValueError(error.message) from error
