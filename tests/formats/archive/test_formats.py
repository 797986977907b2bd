"""What the archive formats make of bytes: likeness, facts and members."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import random
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import bzip2 as bzip2_format
from openvet.formats import gzip as gzip_format
from openvet.formats import tar as tar_format
from openvet.formats import xz as xz_format
from openvet.formats import zip as zip_format
from openvet.formats import zlib as zlib_format
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip, zip_end

NO, WEAK, STRONG = Likeness.NO, Likeness.WEAK, Likeness.STRONG
FORMATS = (zip_format, tar_format, gzip_format, bzip2_format, xz_format, zlib_format)
PAYLOAD = b"cposix\nsystem\n(S'echo harmless'\ntR." + b"# " * 40


def likeness(module: ModuleType, data: bytes, name: str = "x") -> Likeness:
    return Likeness(module.probe(Head(name, BytesSource(data))))


def facts_of(module: ModuleType, data: bytes, name: str = "x", limits: Limits | None = None) -> Facts:
    facts = Facts("place", name, Budget(limits or Limits()))
    module.read(BytesSource(data), facts)
    return facts


def opened(facts: Facts) -> list[tuple[str, bytes]]:
    out = []
    for member in facts.members:
        with member.open() as content:
            out.append((member.name, content.read(0, content.size)))
    return out


def rules(facts: Facts) -> list[str]:
    return [anomaly.rule for anomaly in facts.anomalies]


def reasons(facts: Facts) -> list[tuple[str, str]]:
    return [(unknown.reason, unknown.message) for unknown in facts.unknowns]


# -- probe ------------------------------------------------------------------------------------------------------------

ZIP = forge_zip([ZipPart(b"a", PAYLOAD, 8)])
TAR = forge_tar([TarPart(b"a", PAYLOAD)])
SAMPLES = {
    "zip": (zip_format, ZIP),
    "empty zip": (zip_format, zip_end(0, 0, 0)),
    "zip behind a program": (zip_format, forge_zip([ZipPart(b"a", PAYLOAD)], prefix=b"MZ" * 100)),
    "zip behind a program, relative": (zip_format, forge_zip([ZipPart(b"a", b"1")], prefix=b"MZ" * 100, relative=True)),
    "zip with a comment": (zip_format, forge_zip([ZipPart(b"a", b"1")], prefix=b"#!", comment=b"c" * 65_535)),
    "zip64 behind a program": (zip_format, forge_zip([ZipPart(b"a", b"1", zip64=True)], prefix=b"#!", zip64=True)),
    "truncated zip": (zip_format, ZIP[:40]),
    "split marker": (zip_format, b"PK00" + ZIP),
    "ustar": (tar_format, TAR),
    "gnu tar": (tar_format, forge_tar([TarPart(b"a", PAYLOAD, magic=b"ustar  \0")])),
    "v7 tar": (tar_format, forge_tar([TarPart(b"a", PAYLOAD, magic=b"")])),
    "gzip": (gzip_format, gzip.compress(PAYLOAD)),
    "truncated gzip": (gzip_format, gzip.compress(PAYLOAD)[:30]),
    "bzip2": (bzip2_format, bz2.compress(PAYLOAD)),
    "empty bzip2": (bzip2_format, bz2.compress(b"")),
    "xz": (xz_format, lzma.compress(PAYLOAD)),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_unmistakable(name: str) -> None:
    module, data = SAMPLES[name]
    assert {each.FORMAT.id: likeness(each, data) for each in FORMATS} == {
        each.FORMAT.id: STRONG if each is module else NO for each in FORMATS
    }


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("content", [b"", b"a", PAYLOAD, bytes(100_000), random.Random(1).randbytes(200_000)])
def test_zlib_and_lzma_are_likely_when_they_decode(level: int, content: bytes) -> None:
    packed = zlib.compress(content, level)
    assert likeness(zlib_format, packed) is WEAK
    assert [likeness(each, packed) for each in FORMATS if each is not zlib_format] == [NO] * 5
    alone = lzma.compress(content, lzma.FORMAT_ALONE, preset=level)
    assert likeness(xz_format, alone) is WEAK
    assert [likeness(each, alone) for each in FORMATS if each is not xz_format] == [NO] * 5


def test_truncated_zlib_and_lzma_are_likely() -> None:
    content = random.Random(1).randbytes(2000)
    assert likeness(zlib_format, zlib.compress(content)[:1000]) is WEAK
    assert likeness(xz_format, lzma.compress(content, lzma.FORMAT_ALONE)[:1000]) is WEAK


def test_raw_numbers_are_none_of_them() -> None:
    """Tensor data of all kinds, also data that begins with the two bytes of a zlib header or the five of LZMA."""
    source = random.Random(7)
    heads = [b"", b"\x78\x9c", b"\x78\x01", b"\x78\xda", b"\x78\x5e", b"\x5d\0\0\x80\0", b"\x1f\x8b", b"BZh9", b"\x58\x85", b"\x08\x1d"]  # fmt: skip
    bodies = [source.randbytes(70_000), bytes(70_000), b"\0\0\x80\x3f" * 20_000, source.randbytes(40), b"\x01" * 4096]
    for head in heads:
        for body in bodies:
            found = {each.FORMAT.id for each in FORMATS if likeness(each, head + body) is not NO}
            assert found == set(), (head, body[:8])
    for _ in range(3000):
        data = b"\x78\x9c" + source.randbytes(source.randrange(6, 400))
        assert likeness(zlib_format, data) is NO


def test_tar_with_a_wheel_at_its_end_is_a_tar() -> None:
    data = forge_tar([TarPart(b"a", PAYLOAD), TarPart(b"x.whl", ZIP)])
    assert likeness(tar_format, data) is STRONG
    assert likeness(zip_format, data) is not STRONG


def test_end_record_that_leads_nowhere_is_no_zip() -> None:
    assert likeness(zip_format, b"x" * 500 + zip_end(3, 100, 200)) is NO
    assert likeness(zip_format, b"x" * 500 + b"PK\5\6") is NO


def test_tar_with_a_wrong_checksum_is_only_likely() -> None:
    assert likeness(tar_format, forge_tar([TarPart(b"a", PAYLOAD, checksum=5)])) is WEAK
    assert likeness(tar_format, bytes(2048)) is NO
    assert likeness(tar_format, b"x" * 511) is NO


@pytest.mark.parametrize("module", FORMATS, ids=lambda module: module.FORMAT.id)
def test_nothing_and_little(module: ModuleType) -> None:
    for data in (b"", b"\0", b"P", b"PK", b"\x1f\x8b", b"x\x9c", b"BZ", b"\xfd7zXZ", b"]\0\0", b"{}"):
        assert likeness(module, data) is NO


# -- zip and tar ------------------------------------------------------------------------------------------------------


def test_zip_of_an_honest_tool() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("d/", b"")
        archive.writestr("d/a", PAYLOAD)
        archive.writestr("b", b"")
    facts = facts_of(zip_format, buffer.getvalue())
    assert opened(facts) == [("d/a", PAYLOAD), ("b", b"")]
    assert (facts.anomalies, facts.unknowns, facts.coverage) == ([], [], Coverage.READ)
    assert facts.metadata == {"members": 3}
    assert facts.budget.members == 2


def test_what_opening_shows_lands_in_the_facts_once() -> None:
    facts = facts_of(zip_format, forge_zip([ZipPart(b"a", PAYLOAD, 8, local={"crc": 1}, central={"crc": 1})]))
    assert rules(facts) == []
    assert opened(facts) == opened(facts) == [("a", PAYLOAD)]
    assert rules(facts) == ["archive/checksum-mismatch"]
    assert facts.anomalies[0].location.place == "place"


def test_member_that_breaks_off_is_delivered_and_told() -> None:
    packer = zlib.compressobj(0, zlib.DEFLATED, -15)
    raw = packer.compress(PAYLOAD) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 9
    facts = facts_of(zip_format, forge_zip([ZipPart(b"a", PAYLOAD, 8, raw=raw)]))
    assert opened(facts) == [("a", PAYLOAD)]
    assert [reason for reason, _ in reasons(facts)] == ["malformed"]
    assert facts.coverage is Coverage.PARTIAL
    assert rules(facts) == ["file/malformed"]


def test_data_outside_of_members_lowers_the_coverage() -> None:
    facts = facts_of(zip_format, forge_zip([ZipPart(b"a", b"1")], prefix=b"MZ"))
    assert (rules(facts), reasons(facts)) == (
        ["archive/hidden-data"],
        [("no-reader", "2 bytes that belong to no member were not read")],
    )
    assert facts.coverage is Coverage.PARTIAL


def test_too_many_members_is_a_limit() -> None:
    data = forge_zip([ZipPart(b"%d" % n, b"") for n in range(20)])
    facts = facts_of(zip_format, data, limits=Limits(members=5))
    assert len(facts.members) == 5
    assert [reason for reason, _ in reasons(facts)] == ["limit"]
    assert rules(facts) == []


def test_members_of_a_tar() -> None:
    facts = facts_of(tar_format, forge_tar([TarPart(b"d/", kind=b"5"), TarPart(b"d/a", PAYLOAD), TarPart(b"e", b"")]))
    assert opened(facts) == [("d/a", PAYLOAD), ("e", b"")]
    assert (facts.anomalies, facts.unknowns, facts.metadata) == ([], [], {"members": 3})


def test_members_lie_inside_the_archive() -> None:
    data = forge_tar([TarPart(b"a", PAYLOAD), TarPart(b"b", PAYLOAD, size=10**9)])
    assert [len(content) for _, content in opened(facts_of(tar_format, data))] == [len(PAYLOAD), 1536 - len(b"")]


def test_bomb_of_nested_archives_stops_at_the_decoded_bytes() -> None:
    """42.zip in small: each level holds sixteen of the level below; the budget is one for all of them."""
    level = forge_zip([ZipPart(b"0", bytes(1_000_000), 8)])
    for _ in range(4):
        level = forge_zip([ZipPart(b"%d" % n, level, 8) for n in range(16)])
    budget = Budget(Limits(decoded_bytes=5_000_000))
    stopped: set[str] = set()

    def walk(data: bytes, depth: int) -> None:
        facts = Facts("place", "x", budget)
        zip_format.read(BytesSource(data), facts)
        for member in facts.members:
            try:
                budget.check_depth(depth)
                with member.open() as content:
                    inner = content.read(0, content.size)
            except LimitError as error:
                stopped.add(error.limit)
                return
            if inner.startswith(b"PK"):
                walk(inner, depth + 1)

    walk(level, 1)
    assert stopped <= {"decoded_bytes"}
    assert budget.decoded < 6_000_000


# -- compressed streams -----------------------------------------------------------------------------------------------

STREAMS: dict[str, tuple[ModuleType, Callable[[bytes], bytes], str]] = {
    "gzip": (gzip_format, gzip.compress, ".gz"),
    "bzip2": (bzip2_format, bz2.compress, ".bz2"),
    "xz": (xz_format, lzma.compress, ".xz"),
    "lzma": (xz_format, lambda data: lzma.compress(data, lzma.FORMAT_ALONE), ".lzma"),
    "zlib": (zlib_format, zlib.compress, ".zlib"),
}
each_stream = pytest.mark.parametrize("kind", STREAMS)


@each_stream
def test_stream_is_one_member(kind: str) -> None:
    module, pack, suffix = STREAMS[kind]
    facts = facts_of(module, pack(PAYLOAD), "models/model.pkl" + suffix)
    assert opened(facts) == [("model.pkl", PAYLOAD)]
    assert opened(facts) == [("model.pkl", PAYLOAD)]
    assert (facts.anomalies, facts.unknowns, facts.coverage) == ([], [], Coverage.READ)
    assert facts.metadata["decoded_bytes"] == len(PAYLOAD)
    assert facts.metadata["streams"] == 1


@each_stream
def test_empty_stream(kind: str) -> None:
    module, pack, _ = STREAMS[kind]
    facts = facts_of(module, pack(b""))
    assert (opened(facts), facts.unknowns) == ([("x", b"")], [])


@each_stream
def test_payload_of_a_truncated_stream_is_a_member(kind: str) -> None:
    module, pack, _ = STREAMS[kind]
    packed = pack(PAYLOAD + random.Random(1).randbytes(1_500_000))
    facts = facts_of(module, packed[:1_200_000])
    [(_, content)] = opened(facts)
    assert content.startswith(PAYLOAD)
    assert [reason for reason, _ in reasons(facts)] == ["malformed"]
    assert facts.coverage is Coverage.PARTIAL


@each_stream
def test_stream_without_content_is_only_told(kind: str) -> None:
    module, pack, _ = STREAMS[kind]
    facts = facts_of(module, pack(PAYLOAD)[: 2 if kind == "zlib" else 10])
    assert facts.members == []
    assert [reason for reason, _ in reasons(facts)] == ["malformed"]


@each_stream
def test_data_after_a_stream(kind: str) -> None:
    module, pack, _ = STREAMS[kind]
    packed = pack(PAYLOAD)
    facts = facts_of(module, packed + b"JUNK")
    assert opened(facts) == [("x", PAYLOAD)]
    assert [(a.rule, a.location.offset, a.evidence["begins"]) for a in facts.anomalies] == [
        ("archive/hidden-data", len(packed), b"JUNK".hex())
    ]
    assert facts.coverage is Coverage.PARTIAL
    assert facts_of(module, packed + bytes(512)).anomalies == []


@each_stream
def test_stream_over_a_limit_gives_what_came_before(kind: str) -> None:
    module, pack, _ = STREAMS[kind]
    facts = facts_of(module, pack(PAYLOAD + bytes(5_000_000)), limits=Limits(decoded_bytes=1_000_000))
    [(_, content)] = opened(facts)
    assert content.startswith(PAYLOAD)
    assert [reason for reason, _ in reasons(facts)] == ["limit"]
    assert "decoded_bytes" in facts.unknowns[0].message


@pytest.mark.parametrize("kind", ["gzip", "zlib"])
def test_wrong_checksum_of_a_stream(kind: str) -> None:
    module, pack, _ = STREAMS[kind]
    facts = facts_of(module, pack(PAYLOAD)[:-1] + b"\x77")
    assert (opened(facts), rules(facts)) == ([("x", PAYLOAD)], ["archive/checksum-mismatch"])


def test_gzip_notes_its_file_name_and_does_not_use_it() -> None:
    buffer = io.BytesIO()
    with gzip.GzipFile("../../evil\x1b.pkl", "wb", fileobj=buffer) as file:
        file.write(PAYLOAD)
    facts = facts_of(gzip_format, buffer.getvalue(), "model.gz")
    assert facts.members[0].name == "model"
    assert facts.metadata["file_name"] == "evil\\x1b.pkl"


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        (gzip_format, "a/x.TGZ", "x.tar"),
        (gzip_format, "x", "x"),
        (gzip_format, ".gz", ".gz"),
        (bzip2_format, "x.tbz2", "x.tar"),
        (xz_format, "x.txz", "x.tar"),
    ],
)
def test_name_of_the_content(module: ModuleType, name: str, expected: str) -> None:
    packs: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
    pack = packs[module.FORMAT.id]
    assert facts_of(module, pack(b"content"), name).members[0].name == expected


def test_content_that_nobody_opens_leaves_nothing_behind(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.exists() else 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facts = facts_of(gzip_format, gzip.compress(bytes(100_000)), limits=Limits(spool_memory=1000))
        assert len(facts.members) == 1
        del facts
        gc.collect()
    if before:
        assert len(list(descriptors.iterdir())) == before


def test_tarball(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.xz"
    (tmp_path / "a.pkl").write_bytes(PAYLOAD)
    with tarfile.open(path, "w:xz") as archive:
        archive.add(tmp_path / "a.pkl", "a.pkl")
    outer = facts_of(xz_format, path.read_bytes(), "x.tar.xz")
    assert outer.members[0].name == "x.tar"
    with outer.members[0].open() as content:
        inner = Facts("place!/x.tar", "x.tar", outer.budget)
        tar_format.read(content, inner)
        assert opened(inner) == [("a.pkl", PAYLOAD)]


@pytest.mark.parametrize("module", FORMATS, ids=lambda module: module.FORMAT.id)
@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 3000, b"\x1f\x8b\x08"])
def test_read_of_something_else_only_raises_read_errors(module: ModuleType, data: bytes) -> None:
    try:
        facts = facts_of(module, data)
    except ReadError:
        return
    assert facts.unknowns or facts.anomalies or not data


def test_malformed_is_raised_for_no_gzip() -> None:
    with pytest.raises(MalformedError, match="no gzip header"):
        facts_of(gzip_format, b"nothing")
