"""LZ4 and Zstandard: content, breaks, skipped frames, and what is refused."""

from __future__ import annotations

import random
from types import ModuleType

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import MalformedError, ReadError
from openvet.formats import lz4, zstd
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.archive.lz4_block import Xxh32, decode_block, xxh32
from openvet.io.archive.zstd import _tools, available
from openvet.io.source import BytesSource
from openvet.testing.forge_codecs import lz4_frame, lz4_legacy, lz4_literals, skippable, zstd_frame

TEXT = b"some words that repeat, and some words that do not; " * 9
needs_zstd = pytest.mark.skipif(not available(), reason="no module for Zstandard")


def facts_of(module: ModuleType, data: bytes, name: str = "x") -> Facts:
    facts = Facts("place", name, Budget(Limits()))
    module.read(BytesSource(data), facts)
    return facts


def content(facts: Facts) -> bytes:
    with facts.members[0].open() as source:
        return source.read(0, source.size)


def likeness(module: ModuleType, data: bytes) -> Likeness:
    return Likeness(module.probe(Head("x", BytesSource(data))))


def test_xxh32_of_the_specification() -> None:
    assert xxh32(b"") == 0x02CC5D05
    assert xxh32(b"a") == 0x550D7456
    assert xxh32(b"abc") == 0x32D153FF
    assert xxh32(b"Nobody inspects the spammish repetition") == 0xE2293B2F
    whole = random.Random(1).randbytes(1000)
    for size in (1, 3, 16, 17, 500):
        state = Xxh32()
        for at in range(0, len(whole), size):
            state.update(whole[at : at + size])
        assert state.digest() == xxh32(whole)


def test_a_block() -> None:
    assert decode_block(lz4_literals(TEXT), b"", 1 << 20) == TEXT
    assert decode_block(b"\x11a\x01\x00", b"", 100) == b"aaaaaa"
    assert decode_block(b"\x2fab\x02\x00\x05", b"", 100) == b"ab" * 13
    assert decode_block(b"\x00\x03\x00", b"xyz", 100) == b"xyzx"
    assert decode_block(b"", b"", 1) == b""


@pytest.mark.parametrize(
    "block",
    [
        b"\xf0",
        b"\xf0\xff",
        b"\x20a",
        b"\x10a\x01",
        b"\x10a\x00\x00",
        b"\x10a\x02\x00",
        b"\x1fa\x01\x00",
        b"\xf0\xff\xff",
    ],
)
def test_a_broken_block(block: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_block(block, b"", 1 << 20)


@pytest.mark.parametrize(
    "block", [lz4_literals(b"x" * 11), b"\x1fa\x01\x00\x05", b"\x1fa\x01\x00" + b"\xff" * 500 + b"\x00"]
)
def test_a_block_never_gives_more_than_it_may(block: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_block(block, b"", 10)


LZ4 = {
    "plain": lz4_frame(TEXT),
    "checksums": lz4_frame(TEXT, checksums=True, size=len(TEXT)),
    "independent": lz4_frame(TEXT, linked=False),
    "legacy": lz4_legacy(TEXT),
    "stored": lz4_frame(TEXT, blocks=[])[:-4] + (len(TEXT) | 1 << 31).to_bytes(4, "little") + TEXT + bytes(4),
    "behind a skippable frame": skippable(bytes(5)) + lz4_frame(TEXT),
    "two frames": lz4_frame(TEXT[:100]) + lz4_frame(TEXT[100:]),
    "legacy, then a frame": lz4_legacy(TEXT[:100]) + lz4_frame(TEXT[100:]),
    "zeros behind": lz4_frame(TEXT) + bytes(100),
}


@pytest.mark.parametrize("name", LZ4)
def test_lz4(name: str) -> None:
    assert likeness(lz4, LZ4[name]) is Likeness.STRONG
    assert likeness(zstd, LZ4[name]) is Likeness.NO
    facts = facts_of(lz4, LZ4[name], "model.tar.lz4")
    assert content(facts) == TEXT
    assert facts.members[0].name == "model.tar"
    assert facts.anomalies == []
    assert facts.unknowns == []


def test_a_block_refers_to_the_one_before_it() -> None:
    frame = lz4_frame(b"", blocks=[lz4_literals(TEXT), b"\x00\x20\x00" + b"\x00\x10\x00"])
    assert content(facts_of(lz4, frame)) == TEXT + (TEXT[-32:-28] + (TEXT + TEXT[-32:-28])[-16:-12])
    independent = lz4_frame(b"", linked=False, blocks=[lz4_literals(TEXT), b"\x00\x20\x00"])
    facts = facts_of(lz4, independent)
    assert content(facts) == TEXT
    assert facts.unknowns


@pytest.mark.parametrize("name", LZ4)
def test_lz4_cut_at_every_byte(name: str) -> None:
    for cut in range(len(LZ4[name])):
        try:
            facts = facts_of(lz4, LZ4[name][:cut])
        except ReadError:
            continue
        if facts.members:
            assert TEXT.startswith(content(facts))


def test_lz4_mutated() -> None:
    chance = random.Random(4)
    for _ in range(2000):
        data = bytearray(chance.choice(list(LZ4.values())))
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            facts_of(lz4, bytes(data))
        except ReadError:
            continue


@pytest.mark.parametrize(
    ("frame", "rule"),
    [
        (lz4_frame(TEXT, checksums=True, wrong=True), "archive/checksum-mismatch"),
        (lz4_frame(TEXT, size=3), "archive/checksum-mismatch"),
        (lz4_frame(TEXT)[:6] + b"\x00" + lz4_frame(TEXT)[7:], "archive/checksum-mismatch"),
        (lz4_frame(TEXT) + b"tail", "archive/hidden-data"),
        (lz4_frame(TEXT) + skippable(b"something to hide, unlike zeros"), "archive/hidden-data"),
    ],
)
def test_lz4_lies(frame: bytes, rule: str) -> None:
    facts = facts_of(lz4, frame)
    assert content(facts) == TEXT
    assert [each.rule for each in facts.anomalies] == [rule]


@pytest.mark.parametrize("flags", [0x01, 0x02, 0x80])
def test_lz4_not_supported(flags: int) -> None:
    facts = facts_of(lz4, lz4_frame(TEXT, flags=flags))
    assert facts.members == []
    assert [each.reason for each in facts.unknowns] == ["unsupported"]


def test_a_bomb_is_stopped() -> None:
    bomb = lz4_frame(b"", blocks=[b"\x1fa\x01\x00" + b"\xff" * 16000 + b"\x00"] * 40)
    facts = Facts("place", "x", Budget(Limits(decoded_bytes=1_000_000)))
    lz4.read(BytesSource(bomb), facts)
    assert [each.reason for each in facts.unknowns] == ["limit"]


ZSTD = {
    "plain": zstd_frame(TEXT),
    "two frames": zstd_frame(TEXT[:50]) + zstd_frame(TEXT[50:]),
    "behind a skippable frame": skippable(bytes(50)) + zstd_frame(TEXT),
    "pzstd": skippable(b"\x11\x22\x33\x44", 0) + zstd_frame(TEXT),
    "ends with a skippable frame": zstd_frame(TEXT) + skippable(b""),
}


@needs_zstd
@pytest.mark.parametrize("name", ZSTD)
def test_zstd(name: str) -> None:
    assert likeness(zstd, ZSTD[name]) is Likeness.STRONG
    assert likeness(lz4, ZSTD[name]) is Likeness.NO
    facts = facts_of(zstd, ZSTD[name], "model.tzst")
    assert content(facts) == TEXT
    assert facts.members[0].name == "model.tar"
    assert facts.anomalies == []
    assert facts.unknowns == []


@needs_zstd
@pytest.mark.parametrize("name", ZSTD)
def test_zstd_cut_at_every_byte(name: str) -> None:
    for cut in range(len(ZSTD[name])):
        facts = facts_of(zstd, ZSTD[name][:cut])
        if facts.members:
            assert TEXT.startswith(content(facts))


@needs_zstd
def test_zstd_breaks_off() -> None:
    facts = facts_of(zstd, zstd_frame(TEXT, last=False))
    assert content(facts) == TEXT
    assert [each.rule for each in facts.anomalies] == ["file/malformed"]


@pytest.mark.parametrize("frame", [zstd_frame(TEXT, dictionary=3), zstd_frame(TEXT, window=0xB8)])
def test_zstd_not_supported(frame: bytes) -> None:
    facts = facts_of(zstd, frame)
    assert facts.members == []
    assert [each.reason for each in facts.unknowns] == ["unsupported"]


def test_a_missing_module_leaves_the_stream_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    def gone(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", gone)
    _tools.cache_clear()
    assert not available()
    facts = facts_of(zstd, zstd_frame(TEXT))
    assert facts.members == []
    assert "backports.zstd" in facts.unknowns[0].message
