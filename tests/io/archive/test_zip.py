"""Honest zips: the same names, sizes and contents as zipfile sees, and not one anomaly."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError
from openvet.io.archive.zip import ZipListing, open_zip_entry, read_zip
from openvet.io.source import BytesSource, FileSource
from openvet.testing.forge_archive import ZipPart, forge_zip, zip_end

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def listed(data: bytes, limits: Limits | None = None) -> ZipListing:
    return read_zip(BytesSource(data), Budget(limits or Limits()))


def contents(data: bytes) -> list[tuple[str, bytes]]:
    """Every member by our reader, in order, with no report while opening."""
    source = BytesSource(data)
    budget = Budget()
    told: list[object] = []
    out = []
    for entry in read_zip(source, budget).entries:
        with open_zip_entry(source, entry, budget, told.append) as content:
            out.append((entry.name, content.read(0, content.size)))
    assert told == []
    return out


def reference(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(info.orig_filename, archive.read(info)) for info in archive.infolist()]


class Unseekable(io.RawIOBase):
    """Makes zipfile write data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(data)  # type: ignore[arg-type]


names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"), min_size=1, max_size=20
).filter(lambda name: name not in (".", ".."))
members = st.lists(
    st.tuples(names, st.binary(max_size=3000), st.sampled_from(METHODS), st.booleans()),
    max_size=8,
    unique_by=lambda m: m[0],
)


@given(members, st.booleans(), st.binary(max_size=50))
@settings(deadline=None, max_examples=60)
def test_agrees_with_zipfile(made: list[tuple[str, bytes, int, bool]], streamed: bool, comment: bytes) -> None:
    stream = Unseekable()
    buffer = io.BytesIO()
    with zipfile.ZipFile(stream if streamed else buffer, "w") as archive:
        archive.comment = comment.replace(b"PK", b"kp")
        for name, data, method, wide in made:
            info = zipfile.ZipInfo("folder/" + name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=wide) as writer:
                writer.write(data)
    data = bytes(stream.data) if streamed else buffer.getvalue()
    listing = listed(data)
    assert (listing.anomalies, listing.problems, listing.dropped, listing.outside) == ((), (), 0, 0)
    assert contents(data) == reference(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        seen = [(e.size, e.compressed_size, e.crc, e.header_offset, e.method, e.central) for e in listing.entries]
        assert seen == [
            (i.file_size, i.compress_size, i.CRC, i.header_offset, i.compress_type, True) for i in archive.infolist()
        ]
    for entry in listing.entries:
        assert 0 <= entry.header_offset < entry.data_offset <= entry.end <= len(data)
    assert sum(entry.compressed_size for entry in listing.entries) <= len(data)


def test_empty_zip() -> None:
    assert listed(zip_end(0, 0, 0)) == ZipListing((), ())


def test_make_archive_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep" / "empty").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.txt").write_text("a" * 1000)
    (tmp_path / "in" / "ü.bin").write_bytes(b"\0" * 100)
    made = Path(shutil.make_archive(str(tmp_path / "out"), "zip", tmp_path / "in")).read_bytes()
    listing = listed(made)
    assert (listing.anomalies, listing.problems) == ((), ())
    assert contents(made) == reference(made)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [None, 1, 9])
def test_every_method_and_level(method: int, level: int | None) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, compresslevel=level) as archive:
        archive.writestr("a", b"hello " * 50_000)
        archive.writestr("b", os.urandom(70_000))
        archive.writestr("c", b"")
    assert listed(buffer.getvalue()).anomalies == ()
    assert contents(buffer.getvalue()) == reference(buffer.getvalue())


def test_appended_and_updated_by_zipfile() -> None:
    buffer = io.BytesIO()
    for mode in ("w", "a", "a"):
        with zipfile.ZipFile(buffer, mode) as archive:
            archive.writestr(f"{mode}{len(archive.namelist())}", b"x" * 300)
    assert listed(buffer.getvalue()).anomalies == ()
    assert len(contents(buffer.getvalue())) == 3


def test_padding_with_zeros_is_nothing() -> None:
    data = forge_zip(
        [ZipPart(b"a", b"1"), ZipPart(b"b", b"2", before=bytes(4096))], before_directory=bytes(100), suffix=bytes(50)
    )
    listing = listed(data)
    assert (listing.anomalies, listing.outside) == ((), 0)
    assert [entry.name for entry in listing.entries] == ["a", "b"]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("data", [b"", b"content" * 10])
def test_every_data_descriptor(signed: bool, wide: bool, data: bytes) -> None:
    parts = [ZipPart(b"a", data, 8, flags=8, descriptor=(signed, wide)), ZipPart(b"b", b"plain")]
    listing = listed(forge_zip(parts))
    assert (listing.anomalies, listing.problems, len(listing.entries)) == ((), (), 2)


def test_zip64_everywhere() -> None:
    parts = [ZipPart(b"a", b"one" * 9, 8, zip64=True), ZipPart(b"b", b"two", zip64=True)]
    data = forge_zip(parts, zip64=True)
    listing = listed(data)
    assert (listing.anomalies, listing.problems) == ((), ())
    assert contents(data) == [("a", b"one" * 9), ("b", b"two")] == reference(data)


def test_more_members_than_sixteen_bits_count() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    listing = listed(buffer.getvalue())
    assert (len(listing.entries), listing.anomalies, listing.problems) == (66_000, (), ())


def test_nested_stored_zip_is_one_member() -> None:
    inner = forge_zip([ZipPart(b"x", b"inner")], comment=b"c")
    data = forge_zip([ZipPart(b"inner.zip", inner)])
    listing = listed(data)
    assert (listing.anomalies, [entry.name for entry in listing.entries]) == ((), ["inner.zip"])
    assert contents(data) == [("inner.zip", inner)]


def test_name_bytes_come_back() -> None:
    data = forge_zip(
        [ZipPart(b"\x81\xffa", b""), ZipPart("ü€".encode(), b"", flags=0x800), ZipPart(b"\xff\xfe", b"", flags=0x800)]
    )
    listing = listed(data)
    assert [entry.name_bytes for entry in listing.entries] == [b"\x81\xffa", "ü€".encode(), b"\xff\xfe"]
    assert listing.entries[1].name == "ü€"


def test_folder_entries_are_not_anomalies() -> None:
    data = forge_zip(
        [ZipPart(b"d/", b"", central={"attributes": (stat.S_IFDIR | 0o2755) << 16}), ZipPart(b"d/f", b"x")]
    )
    listing = listed(data)
    assert listing.anomalies == ()
    assert [entry.is_dir for entry in listing.entries] == [True, False]


def test_unicode_field_that_only_spells_out_the_name() -> None:
    import zlib

    for plain, spelled in ((b"caf\x82.txt", "café.txt"), (b"caf#U00e9.txt", "café.txt"), (b"caf_.txt", "café.txt")):
        extra = struct.pack("<BL", 1, zlib.crc32(plain)) + spelled.encode()
        field = struct.pack("<HH", 0x7075, len(extra)) + extra
        assert listed(forge_zip([ZipPart(plain, b"x", central={"extra": field})])).anomalies == ()


def test_listing_a_large_file_is_not_reading_it(tmp_path: Path) -> None:
    """A sparse zip of 3 GB lists at once: only headers are touched."""
    path = tmp_path / "big.zip"
    size = 3 * 1024**3
    head = forge_zip(
        [ZipPart(b"big", b"", local={"packed": size, "size": size}, central={"packed": size, "size": size})]
    )
    cut = head.index(b"PK\1\2")
    with path.open("wb") as file:
        file.write(head[:cut])
        file.seek(cut + size)
        directory = bytearray(head[cut:])
        struct.pack_into("<L", directory, len(directory) - 6, cut + size)
        file.write(directory)
    with FileSource(os.open(path, os.O_RDONLY)) as source:
        start = time.monotonic()
        listing = read_zip(source, Budget())
        assert time.monotonic() - start < 1
        assert (listing.anomalies, listing.problems) == ((), ())
        with open_zip_entry(source, listing.entries[0], Budget()) as content:
            assert content.size == size


def test_a_million_directory_records_stop_at_the_limit_on_members() -> None:
    record = forge_zip([ZipPart(b"a", b"")], comment=b"")
    start = record.index(b"PK\1\2")
    one = record[start : record.index(b"PK\5\6")]
    data = record[:start] + one * 1_000_000 + zip_end(16960, len(one) * 1_000_000, start)
    begun = time.monotonic()
    listing = listed(data, Limits(members=5000))
    assert time.monotonic() - begun < 2
    assert len(listing.entries) == 5000
    assert [type(problem) for problem in listing.problems] == [LimitError]
    assert isinstance(listing.problems[0], LimitError)
    assert listing.problems[0].limit == "members"


def test_what_other_archives_took_counts() -> None:
    budget = Budget(Limits(members=10))
    budget.add_members(8)
    listing = read_zip(BytesSource(forge_zip([ZipPart(b"%d" % n) for n in range(5)])), budget)
    assert len(listing.entries) == 2
    assert [problem.limit for problem in listing.problems if isinstance(problem, LimitError)] == ["members"]
