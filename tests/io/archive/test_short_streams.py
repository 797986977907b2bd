"""Compressed streams of a few bytes, one after the other: what is read for each does not grow with what follows it."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from openvet.core.limits import Budget
from openvet.io.archive.compressed import BZIP2, GZIP, XZ, Coding, Decoding
from openvet.io.source import BytesSource


class _Counted(BytesSource):
    """Counts the bytes that are read of it."""

    __slots__ = ("taken",)

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.taken = 0

    def _read(self, offset: int, size: int) -> bytes:
        self.taken += size
        return super()._read(offset, size)


@pytest.mark.parametrize(
    ("coding", "one"),
    [
        pytest.param(GZIP, gzip.compress(b"x", mtime=0), id="gzip"),
        pytest.param(BZIP2, bz2.compress(b"x"), id="bzip2"),
        pytest.param(XZ, lzma.compress(b"x"), id="xz"),
    ],
)
def test_many_short_streams(coding: Coding, one: bytes) -> None:
    source = _Counted(one * 2_000)
    decoding = Decoding(source, coding, Budget())
    assert sum(map(len, decoding)) == decoding.streams == 2_000
    assert source.taken < 2_000 * 1_500 + 64 * 1024


def test_zeros_between_streams_are_passed_over() -> None:
    one = gzip.compress(b"x" * 5_000, mtime=0)
    decoding = Decoding(BytesSource(one + bytes(5_000) + one * 2), GZIP, Budget())
    assert sum(map(len, decoding)) == 15_000
