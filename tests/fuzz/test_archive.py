"""Mutated archives: only read errors come out, in bounded time and memory, and every member lies inside."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import tarfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from types import ModuleType

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import ReadError
from openvet.formats import bzip2, tar, xz
from openvet.formats import gzip as gzip_format
from openvet.formats import zip as zip_format
from openvet.formats import zlib as zlib_format
from openvet.formats._format import Facts, Head
from openvet.io.archive.tar import read_tar
from openvet.io.archive.zip import read_zip
from openvet.io.source import BytesSource
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip, pax_records

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "300"))
LIMITS = Limits(decoded_bytes=20_000_000, members=2000, spool_memory=100_000, records=100)
CONTENT = b"some content of a member, " * 30


def zips() -> Iterator[bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for method in (0, 8, 12, 14):
            info = zipfile.ZipInfo(f"d/m{method}")
            info.compress_type = method
            archive.writestr(info, CONTENT)
    yield buffer.getvalue()
    yield forge_zip([ZipPart(b"a", CONTENT, 8, flags=8, zip64=True), ZipPart(b"b", CONTENT, zip64=True)], zip64=True)
    yield forge_zip(
        [ZipPart(b"a", CONTENT), ZipPart(b"h", CONTENT, 8, flags=8, listed=False)], prefix=b"MZ", suffix=b"tail"
    )
    yield forge_zip(
        [ZipPart(b"l", b"../x", central={"attributes": 0o120777 << 16}), ZipPart(b"d/", b"")], comment=b"comment"
    )


def tars() -> Iterator[bytes]:
    for dialect in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=dialect) as archive:
            for name in ("a", "d/" * 40 + "b"):
                info = tarfile.TarInfo(name)
                info.size = len(CONTENT)
                archive.addfile(info, io.BytesIO(CONTENT))
        yield buffer.getvalue()
    pax = pax_records({"path": b"long/name", "size": b"%d" % len(CONTENT)})
    yield forge_tar(
        [TarPart(b"x", pax, b"x"), TarPart(b"a", CONTENT), TarPart(b"s", CONTENT, b"S"), TarPart(b"l", kind=b"2")]
    )


SEEDS: dict[ModuleType, list[bytes]] = {
    zip_format: list(zips()),
    tar: list(tars()),
    gzip_format: [gzip.compress(CONTENT) + gzip.compress(b"more"), b"\x1f\x8b\x08\x1c" + bytes(6) + b"\1\0en\0c\0" + b"\3\0" + bytes(8)],
    bzip2: [bz2.compress(CONTENT) + bz2.compress(b"more")],
    xz: [lzma.compress(CONTENT) + lzma.compress(b"more"), lzma.compress(CONTENT, lzma.FORMAT_ALONE)],
    zlib_format: [zlib.compress(CONTENT), zlib.compress(CONTENT, 0)],
}  # fmt: skip
TOKENS = (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\x08", b"ustar", b"\xff" * 8, bytes(8), b"\x80" + b"\xff" * 7,
          b"00000000000\0", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x78\x9c")  # fmt: skip


def mutated(seed: bytes, source: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(source.randrange(1, 6)):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] = source.randrange(256)
        elif kind == 1:
            token = source.choice(TOKENS)
            data[at : at + len(token)] = token
        elif kind == 2:
            del data[at : at + source.randrange(1, 64)]
        elif kind == 3:
            data[at:at] = source.randbytes(source.randrange(1, 64))
        elif kind == 4:
            start = source.randrange(len(data) + 1)
            data[at:at] = data[start : start + source.randrange(1, 600)]
        else:
            del data[at:]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def examine(module: ModuleType, data: bytes) -> None:
    """Read and open everything, as the inventory does."""
    source = BytesSource(data)
    budget = Budget(LIMITS)
    module.probe(Head("x", source))
    facts = Facts("place", "x", budget)
    try:
        module.read(source, facts)
    except ReadError:
        return
    for member in facts.members:
        try:
            with member.open() as content:
                for _ in content.chunks():
                    pass
        except ReadError:
            continue
    assert budget.decoded < LIMITS.decoded_bytes * 2
    assert len(facts.anomalies) <= LIMITS.records
    for anomaly in facts.anomalies:
        assert not {unicodedata.category(char) for char in anomaly.message} & {"Cc", "Cf", "Cs", "Co", "Cn"}


@pytest.mark.parametrize("module", SEEDS, ids=lambda module: module.FORMAT.id)
def test_mutated(module: ModuleType) -> None:
    source = random.Random(20_240)
    begun = time.monotonic()
    for number in range(EXAMPLES):
        data = mutated(source.choice(SEEDS[module]), source)
        try:
            examine(module, data)
        except Exception as error:
            raise AssertionError(f"example {number}: {data.hex()}") from error
    assert time.monotonic() - begun < max(EXAMPLES / 20, 5)


@pytest.mark.parametrize("module", SEEDS, ids=lambda module: module.FORMAT.id)
def test_every_truncation_of_a_seed(module: ModuleType) -> None:
    for seed in SEEDS[module]:
        for cut in range(0, len(seed), max(len(seed) // 40, 1)):
            examine(module, seed[:cut])


def test_all_members_lie_inside() -> None:
    source = random.Random(7)
    for module, read in ((zip_format, read_zip), (tar, read_tar)):
        for _ in range(EXAMPLES // 3):
            data = BytesSource(mutated(source.choice(SEEDS[module]), source))
            for entry in read(data, Budget(LIMITS)).entries:
                assert entry.data_offset <= data.size + 512
                assert entry.size >= 0
                assert isinstance(entry.name, str)


def test_probes_take_anything() -> None:
    source = random.Random(3)
    for _ in range(EXAMPLES):
        token = source.choice(TOKENS)
        data = token + source.randbytes(source.randrange(0, 2000))
        for module in SEEDS:
            module.probe(Head("x", BytesSource(data)))
