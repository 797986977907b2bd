"""HDF5: structures that share their bytes are read a bounded number of times."""

from __future__ import annotations

import struct

import pytest

from openvet.core.limits import Budget
from openvet.errors import LimitError
from openvet.formats._format import Facts
from openvet.formats.hdf5 import _bytes
from openvet.formats.hdf5._bytes import HdfBytes
from openvet.formats.hdf5._headers import messages
from openvet.formats.hdf5._types import COMPOUND, STRING, Datatype
from openvet.formats.hdf5._walk import Walk
from openvet.io.source import BytesSource


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> HdfBytes:
    monkeypatch.setattr(_bytes, "_ALWAYS", 0)
    return HdfBytes(BytesSource(bytes(100_000)), 0, (8, 8), Budget())


def test_small_reads_count_as_steps(file: HdfBytes) -> None:
    for _ in range(16 * 100_000 // 64):
        file.block(0, 1)
    with pytest.raises(LimitError, match="over and over"):
        file.block(0, 1)


def test_large_reads_count_by_their_bytes(file: HdfBytes) -> None:
    for _ in range(16):
        file.block(0, 100_000)
    with pytest.raises(LimitError):
        file.block(0, 100_000)


def test_members_of_a_compound_over_the_same_bytes_are_steps(file: HdfBytes) -> None:
    """Ten thousand texts in each of ten thousand elements of a byte."""
    text = Datatype(STRING, 1, "STRING")
    kind = Datatype(COMPOUND, 1, "COMPOUND", members=tuple((b"a", 0, text) for _ in range(10_000)))
    values = Walk(file, Facts("x", "x", Budget()))._values(bytes(10_000), kind)
    with pytest.raises(LimitError):
        for _ in values:
            pass
    assert file.spent <= 16 * 100_000 + 64


def test_messages_of_a_header_that_many_refer_to_are_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_bytes, "_ALWAYS", 0)
    body = struct.pack("<HHBxxx", 0, 0, 0) * 10_000
    header = struct.pack("<BxHII4x", 1, 10_000, 1, len(body)) + body
    file = HdfBytes(BytesSource(header), 0, (8, 8), Budget())
    for _ in range(3):
        assert len(list(messages(file, 0))) == 10_000
    with pytest.raises(LimitError):
        list(messages(file, 0))
