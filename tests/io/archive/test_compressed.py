"""Single compressed streams: the same content as the standard library gives, and all of it that there is."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.io.archive.compressed import (
    BZIP2,
    GZIP,
    LZMA_ALONE,
    XZ,
    ZLIB,
    Coding,
    Decoding,
    Inflate,
    gzip_header,
    spool,
)
from openvet.io.source import BytesSource, Source

PAYLOAD = b"cposix\nsystem\n(S'echo harmless'\ntR."


def alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


CODINGS: dict[str, tuple[Coding, Callable[[bytes], bytes]]] = {
    "gzip": (GZIP, gzip.compress),
    "zlib": (ZLIB, zlib.compress),
    "bzip2": (BZIP2, bz2.compress),
    "xz": (XZ, lzma.compress),
    "lzma": (LZMA_ALONE, alone),
}
MULTIPLE = ("gzip", "bzip2", "xz")
each = pytest.mark.parametrize("kind", CODINGS)


def decoded(data: bytes | Source, coding: Coding, limits: Limits | None = None) -> tuple[bytes, Decoding]:
    budget = Budget(limits or Limits())
    decoding = Decoding(BytesSource(data) if isinstance(data, bytes) else data, coding, budget)
    with spool(decoding, budget) as content:
        return content.read(0, content.size), decoding


@each
@given(content=st.one_of(st.binary(max_size=5000), st.binary(min_size=1, max_size=40).map(lambda part: part * 5000)))
@settings(deadline=None, max_examples=25)
def test_round_trip(kind: str, content: bytes) -> None:
    coding, pack = CODINGS[kind]
    packed = pack(content)
    out, decoding = decoded(packed, coding)
    assert out == content
    assert (decoding.error, decoding.mismatches, decoding.streams) == (None, [], 1)
    assert (decoding.consumed, decoding.size) == (len(packed), len(content))


@each
@given(cut=st.integers(0, 400))
@settings(deadline=None, max_examples=40)
def test_truncated_gives_a_prefix_and_says_so(kind: str, cut: int) -> None:
    coding, pack = CODINGS[kind]
    content = b"".join(b"%d " % (n * n) for n in range(200))
    packed = pack(content)
    cut = cut % len(packed)
    out, decoding = decoded(packed[:cut], coding)
    assert content.startswith(out)
    assert isinstance(decoding.error, MalformedError)


@each
def test_payload_in_front_of_a_truncated_stream(kind: str) -> None:
    coding, pack = CODINGS[kind]
    import random

    filler = random.Random(1).randbytes(2_000_000)
    packed = pack(PAYLOAD + filler)
    out, decoding = decoded(packed[: len(packed) * 3 // 4], coding)
    assert out.startswith(PAYLOAD)
    assert len(out) > 500_000
    assert isinstance(decoding.error, MalformedError)
    assert decoding.truncated


def test_payload_in_front_of_broken_data_is_kept_to_the_last_byte() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(PAYLOAD) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 50
    for head, coding in ((b"\x1f\x8b\x08\0\0\0\0\0\0\x03", GZIP), (b"\x78\x9c", ZLIB)):
        out, decoding = decoded(head + raw, coding)
        assert out == PAYLOAD
        assert isinstance(decoding.error, MalformedError)
        assert not decoding.truncated
    packed = bytearray(alone(PAYLOAD + b"x" * 50_000))
    packed[-20:] = b"\xff" * 20
    out, _ = decoded(bytes(packed), LZMA_ALONE)
    assert out.startswith(PAYLOAD)


@pytest.mark.parametrize("kind", MULTIPLE)
def test_several_streams_are_one_content(kind: str) -> None:
    coding, pack = CODINGS[kind]
    out, decoding = decoded(pack(b"one ") + pack(b"") + pack(b"two"), coding)
    assert (out, decoding.streams, decoding.error) == (b"one two", 3, None)


@pytest.mark.parametrize("kind", MULTIPLE)
def test_zeros_between_and_after_streams_are_padding(kind: str) -> None:
    coding, pack = CODINGS[kind]
    out, decoding = decoded(pack(b"one ") + bytes(8) + pack(b"two") + bytes(4), coding)
    assert (out, decoding.streams, decoding.error) == (b"one two", 2, None)


@each
def test_what_follows_is_not_consumed(kind: str) -> None:
    coding, pack = CODINGS[kind]
    packed = pack(b"content")
    out, decoding = decoded(packed + b"JUNK", coding)
    assert (out, decoding.consumed, decoding.error) == (b"content", len(packed), None)


@pytest.mark.parametrize("kind", MULTIPLE)
def test_second_stream_that_breaks(kind: str) -> None:
    coding, pack = CODINGS[kind]
    out, decoding = decoded(pack(PAYLOAD) + pack(b"more" * 1000)[:-9], coding)
    assert out.startswith(PAYLOAD)
    assert isinstance(decoding.error, MalformedError)


@pytest.mark.parametrize(("kind", "at"), [("gzip", -8), ("gzip", -1), ("zlib", -1)])
def test_wrong_checksum_or_size_keeps_the_content(kind: str, at: int) -> None:
    coding, pack = CODINGS[kind]
    packed = bytearray(pack(PAYLOAD))
    packed[at] ^= 1
    out, decoding = decoded(bytes(packed), coding)
    assert (out, decoding.error) == (PAYLOAD, None)
    assert [offset for offset, _ in decoding.mismatches] == [len(packed) - (8 if kind == "gzip" else 4)]


@pytest.mark.parametrize("kind", ["gzip", "zlib"])
def test_trailer_that_is_cut_off(kind: str) -> None:
    coding, pack = CODINGS[kind]
    out, decoding = decoded(pack(PAYLOAD)[:-2], coding)
    assert out == PAYLOAD
    assert isinstance(decoding.error, MalformedError)


def test_gzip_header_with_everything() -> None:
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\0abc" + b"../name\0" + b"comment\0" + b"\x12\x34"
    data = head + gzip.compress(PAYLOAD)[10:]
    assert gzip_header(BytesSource(data), 0) == (b"../name", len(head))
    assert decoded(data, GZIP)[0] == PAYLOAD


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"", MalformedError),
        (b"\x1f\x8b\x08\0", MalformedError),
        (b"\x1f\x8b\x07" + bytes(20), MalformedError),
        (b"\x1f\x8b\x08\x80" + bytes(20), UnsupportedError),
        (b"\x1f\x8b\x08\x08" + bytes(6) + b"never ends" * 10_000, MalformedError),
        (b"\x1f\x8b\x08\x04" + bytes(6) + b"\xff\xff", MalformedError),
    ],
)
def test_gzip_headers_that_are_refused(head: bytes, error: type[ReadError]) -> None:
    with pytest.raises(error):
        gzip_header(BytesSource(head), 0)
    assert isinstance(decoded(head, GZIP)[1].error, error)


def test_zlib_headers_that_are_refused() -> None:
    assert isinstance(decoded(b"\x78\x9d" + bytes(9), ZLIB)[1].error, MalformedError)
    assert isinstance(decoded(b"\x79\x9c" + bytes(9), ZLIB)[1].error, MalformedError)
    assert isinstance(decoded(b"\x78\xbb" + bytes(9), ZLIB)[1].error, UnsupportedError)


def test_dictionary_that_is_too_large_is_unsupported() -> None:
    chain = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 * 1024 * 1024}]
    packed = lzma.compress(PAYLOAD, lzma.FORMAT_XZ, filters=chain)
    assert isinstance(decoded(packed, XZ)[1].error, UnsupportedError)
    head = bytearray(alone(PAYLOAD))
    head[1:5] = (1 << 30).to_bytes(4, "little")
    assert isinstance(decoded(bytes(head), LZMA_ALONE)[1].error, UnsupportedError)


@each
def test_bomb_stops_at_the_ratio(kind: str) -> None:
    coding, pack = CODINGS[kind]
    out, decoding = decoded(pack(PAYLOAD + bytes(30_000_000)), coding, Limits(ratio=50, ratio_floor=1_000_000))
    assert isinstance(decoding.error, LimitError)
    assert decoding.error.limit == "ratio"
    assert out.startswith(PAYLOAD)
    assert len(out) < 2_000_000


@each
def test_bomb_stops_at_the_decoded_bytes(kind: str) -> None:
    coding, pack = CODINGS[kind]
    out, decoding = decoded(pack(PAYLOAD + bytes(30_000_000)), coding, Limits(decoded_bytes=2_000_000))
    assert isinstance(decoding.error, LimitError)
    assert decoding.error.limit == "decoded_bytes"
    assert out.startswith(PAYLOAD)
    assert len(out) <= 2_000_000


def test_time_is_a_limit() -> None:
    now = iter(range(0, 100_000, 100))
    budget = Budget(Limits(seconds=500), clock=lambda: next(now))
    decoding = Decoding(BytesSource(zlib.compress(bytes(50_000_000))), ZLIB, budget)
    with spool(decoding, budget):
        assert isinstance(decoding.error, LimitError)
    assert decoding.error.limit == "seconds"
    assert budget.timed_out


@pytest.mark.parametrize(
    ("limits", "stopped_by", "most"),
    [
        (Limits(spool_memory=1_000_000), "ratio", Limits().ratio_floor + 10_000_000),
        (Limits(spool_memory=1_000_000, ratio=2_000, decoded_bytes=100_000_000), "decoded_bytes", 100_000_000),
    ],
)
def test_ten_gigabytes_of_zeros_stop_soon_in_flat_memory(limits: Limits, stopped_by: str, most: int) -> None:
    """The same megabyte of deflate blocks over and over, from a source that has no file."""

    class Repeated(Source):
        __slots__ = ("_block", "_head")

        def __init__(self, head: bytes, block: bytes, times: int) -> None:
            self._head, self._block = head, block
            self.size = len(head) + len(block) * times

        def _read(self, offset: int, size: int) -> bytes:
            out = b""
            if offset < len(self._head):
                out = self._head[offset : offset + size]
                offset, size = len(self._head), size - len(out)
            start = (offset - len(self._head)) % len(self._block)
            many = self._block * ((start + size) // len(self._block) + 1)
            return out + many[start : start + size]

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    source = Repeated(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", block, 1000)
    budget = Budget(limits)
    tracemalloc.start()
    decoding = Decoding(source, GZIP, budget)
    with spool(decoding, budget) as content:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert content.size <= most
    assert isinstance(decoding.error, LimitError)
    assert decoding.error.limit == stopped_by
    assert peak < 8_000_000


def test_disk_that_is_full_is_a_read_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    budget = Budget(Limits(spool_memory=1000))
    with pytest.raises(ReadError, match="No space left"):
        spool(Decoding(BytesSource(zlib.compress(bytes(10_000_000))), ZLIB, budget), budget)


def test_output_that_ends_with_a_full_step() -> None:
    """What a decoder still holds when its input is used up and its output is full is not lost."""
    for size in [*range(8192 - 3, 8192 + 270), *range(3 * 8192 - 3, 3 * 8192 + 270)]:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        raw = packer.compress(bytes(size)) + packer.flush()
        out, decoding = decoded(raw, Coding(lambda _, offset: (Inflate(), offset)))
        assert (len(out), decoding.error) == (size, None)
