"""The reader of 7z: methods, links, cuts at every byte, bombs, and what it refuses."""

from __future__ import annotations

import sys

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats import sevenzip as reader
from openvet.formats._format import Facts
from openvet.io.source import BytesSource
from openvet.testing.forge_7z import forge_7z

FILES = [("a.txt", b"abc" * 100), ("b/c.bin", bytes(range(256)))]


def read(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("a.7z", "a.7z", Budget(limits or Limits()))
    reader.read(BytesSource(data), facts)
    return facts


def contents(facts: Facts) -> list[tuple[str, bytes]]:
    out = []
    for member in facts.members:
        source = member.open()
        out.append((member.name, source.read(0, source.size)))
    return out


@pytest.mark.parametrize("packed_header", [False, True])
@pytest.mark.parametrize("method", ["copy", "lzma", "lzma2", "bzip2", "deflate"])
def test_members(method: str, packed_header: bool) -> None:
    facts = read(forge_7z(FILES, method, packed_header=packed_header))
    assert contents(facts) == FILES
    assert (facts.anomalies, facts.unknowns) == ([], [])


def test_every_cut_and_every_changed_byte_is_a_read_error_or_told() -> None:
    data = forge_7z(FILES, packed_header=True)
    for end in range(6, len(data)):
        with pytest.raises(ReadError):
            read(data[:end])
    for at in range(6, len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x55
        try:
            contents(read(bytes(changed)))
        except ReadError:
            continue


def test_what_is_told() -> None:
    facts = read(forge_7z(FILES, wrong_crc=True))
    contents(facts)
    assert [each.rule for each in facts.anomalies] == ["archive/checksum-mismatch"] * 2
    assert [each.rule for each in read(forge_7z([FILES[0]] * 2)).anomalies] == ["archive/duplicate-member"]
    assert [each.rule for each in read(forge_7z(FILES, gap=b"hidden")).anomalies] == ["archive/hidden-data"]
    assert [each.rule for each in read(forge_7z(FILES) + b"more").anomalies] == ["file/trailing-data"]
    assert [each.rule for each in read(forge_7z([("a", b"../b")], links=True)).anomalies] == ["archive/link-escape"]


def test_refused() -> None:
    with pytest.raises(UnsupportedError, match="encrypted"):
        contents(read(forge_7z(FILES, "aes")))
    with pytest.raises(UnsupportedError, match="PPMd"):
        contents(read(forge_7z(FILES, "ppmd")))
    with pytest.raises(MalformedError, match="checksum"):
        read(forge_7z(FILES)[:-1] + b"x")
    with pytest.raises(LimitError, match="members"):
        read(forge_7z(FILES), Limits(members=1))


def test_a_bomb_stops() -> None:
    bomb = forge_7z([("a", bytes(4_000_000))])
    with pytest.raises(LimitError, match="ratio"):
        contents(read(bomb, Limits(ratio_floor=100_000, ratio=50)))
    with pytest.raises(LimitError, match="decoded_bytes"):
        contents(read(bomb, Limits(decoded_bytes=1_000_000)))


def test_frames_of_a_compressor() -> None:
    zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    stored = forge_7z(FILES, "copy")
    packed = zstd.compress(b"".join(data for _, data in FILES))
    assert len(packed) < sum(len(data) for _, data in FILES)
    made = forge_7z(FILES, "zstd", packed=packed)
    assert contents(read(made)) == contents(read(stored)) == FILES


@pytest.mark.parametrize("method", ["zstd", "lz4"])
def test_a_frame_that_breaks_off(method: str) -> None:
    broken = forge_7z(FILES, method, packed=b"\x28\xb5\x2f\xfd" if method == "zstd" else b"\x04\x22\x4d\x18")
    with pytest.raises(ReadError):
        contents(read(broken))


@pytest.mark.parametrize("method", ["zstd", "lz4"])
def test_a_bomb_of_frames(method: str) -> None:
    with pytest.raises(LimitError):
        contents(read(forge_7z([("a", bytes(5000))] * 3, method), Limits(decoded_bytes=9000)))
