"""Zstandard frames, decoded by the standard library's module, or by its backport before Python 3.14.

Specification: RFC 8878, https://www.rfc-editor.org/rfc/rfc8878
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from openvet.core.limits import Budget
from openvet.errors import MalformedError, UnsupportedError
from openvet.io.archive.compressed import Coding, Decoder
from openvet.io.archive.frames import Ended, Skipped, skip_frames
from openvet.io.source import Source

__all__ = ["MAGIC", "ZSTD_IN_ZIP", "ZstdCoding", "available", "plausible", "stored"]

MAGIC = b"\x28\xb5\x2f\xfd"
#: What a decoder of the reference takes without being asked: a window of 128 MiB.
_WINDOW_LOG = 27
_STORED_BLOCKS = 1024


def plausible(head: bytes) -> bool:
    """Whether a frame begins here: the magic, and no reserved bit."""
    return head.startswith(MAGIC) and len(head) >= 6 and not head[4] & 0x08


def stored(source: Source) -> bool:
    """Whether the whole source is one frame of stored blocks, at most 1024 of them: what it holds stands in it as it is."""
    head = source.upto(0, 5)
    if len(head) < 5 or not plausible(source.upto(0, 16)):
        return False
    kind = head[4]
    single = kind >> 5 & 1
    at = 5 + (not single) + (0, 1, 2, 4)[kind & 3] + (single, 2, 4, 8)[kind >> 6]
    for _ in range(_STORED_BLOCKS):
        block = int.from_bytes(source.upto(at, 3), "little")
        at += 3 + (block >> 3)
        if block >> 1 & 3 or at > source.size:
            return False
        if block & 1:
            return at + (kind >> 2 & 1) * 4 == source.size
    return False


def available() -> bool:
    """Whether there is a module to decode with."""
    try:
        _module()
    except UnsupportedError:
        return False
    return True


class ZstdCoding:
    """How to decode one source; ``skipped`` are its skippable frames, at most as many as the budget records."""

    def __init__(self, budget: Budget) -> None:
        self.skipped: list[Skipped] = []
        self._most = budget.limits.records
        self.coding = Coding(self._begin, again=_again)

    def _begin(self, source: Source, offset: int) -> tuple[Decoder, int]:
        at = skip_frames(source, offset, self.skipped, self._most)
        if at > offset and source.upto(at, 4) != MAGIC:
            return Ended(), at
        return _begin(source, at)


def _again(source: Source, offset: int) -> bool:
    head = source.upto(offset, 8)
    return head.startswith(MAGIC) or (len(head) == 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5)


def _begin(source: Source, offset: int) -> tuple[Decoder, int]:
    head = source.upto(offset, 18)
    if not head.startswith(MAGIC) or len(head) < 6:
        raise MalformedError("there is no Zstandard frame header", offset=offset)
    flags = head[4]
    if flags & 0x08:
        raise UnsupportedError("a Zstandard frame with a reserved bit", offset=offset + 4)
    single = flags >> 5 & 1
    at = 5 if single else 6
    width = (0, 1, 2, 4)[flags & 3]
    if int.from_bytes(head[at : at + width], "little"):
        raise UnsupportedError("a Zstandard frame that needs a dictionary", offset=offset + 4)
    at += width
    if single:
        size_width = (1, 2, 4, 8)[flags >> 6]
        large = int.from_bytes(head[at : at + size_width], "little") > 1 << _WINDOW_LOG
    else:
        exponent, mantissa = head[5] >> 3, head[5] & 7
        large = (1 << 10 + exponent) * (8 + mantissa) // 8 > 1 << _WINDOW_LOG
    if large:
        raise UnsupportedError(f"a Zstandard frame needs a window of more than {1 << _WINDOW_LOG} bytes", offset=offset)
    return _Frame(), offset


#: As a member of a zip, where one stream is the whole member and the zip has the checksum.
ZSTD_IN_ZIP = Coding(_begin)


class _Frame:
    """The module's decompressor, whose own error becomes a ValueError."""

    __slots__ = ("_error", "_inner")

    def __init__(self) -> None:
        self._error, make, options = _tools()
        self._inner = make(options=options)

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._inner.needs_input)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """The next bytes of the content; raises ValueError where the frame is broken."""
        try:
            return bytes(self._inner.decompress(data, max_length))
        except self._error as error:
            raise ValueError(str(error)) from error


@cache
def _tools() -> tuple[type[Exception], Callable[..., Any], dict[Any, int]]:
    """The error, the decoder and its options, looked up once: a file may have a million frames."""
    module = _module()
    return module.ZstdError, module.ZstdDecompressor, {module.DecompressionParameter.window_log_max: _WINDOW_LOG}


def _module() -> Any:
    from importlib import import_module

    try:
        return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError as error:
        raise UnsupportedError("Zstandard needs the module backports.zstd, which is not installed") from error
