"""Tars, honest ones against tarfile, and tampered ones one way each."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.io.archive.tar import TarListing, open_tar_entry, read_tar
from openvet.io.source import BytesSource
from openvet.testing.forge_archive import TarPart, forge_tar, pax_records, tar_header

PAYLOAD = b"cposix\nsystem\n(S'echo harmless'\ntR." + b"# " * 300
OTHER = b"other content"
GNU = b"ustar  \0"


class Seen:
    """Everything that a tar gives."""

    def __init__(self, data: bytes, limits: Limits | None = None) -> None:
        self.source = BytesSource(data)
        self.listing: TarListing = read_tar(self.source, Budget(limits or Limits()))
        self.rules = [anomaly.rule for anomaly in self.listing.anomalies]
        self.problems = [(type(problem), problem.message) for problem in self.listing.problems]
        self.members: list[tuple[str, str, bytes | type[ReadError]]] = []
        for entry in self.listing.entries:
            try:
                with open_tar_entry(self.source, entry) as content:
                    self.members.append((entry.name, entry.kind, content.read(0, content.size)))
            except ReadError as error:
                self.members.append((entry.name, entry.kind, type(error)))


# -- honest -----------------------------------------------------------------------------------------------------------

names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=120
).filter(lambda name: name.strip(".") != "")
members = st.lists(st.tuples(names, st.binary(max_size=2000)), max_size=6, unique_by=lambda m: m[0])
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


@given(members, st.sampled_from(FORMATS))
@settings(deadline=None, max_examples=60)
def test_agrees_with_tarfile(made: list[tuple[str, bytes]], dialect: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=dialect) as archive:
        for name, data in made:
            info = tarfile.TarInfo("folder/" + name)
            info.size = len(data)
            info.mtime = 1.5 if dialect == tarfile.PAX_FORMAT else 1
            try:
                archive.addfile(info, io.BytesIO(data))
            except ValueError:
                return  # ustar has no room for this name
    seen = Seen(buffer.getvalue())
    assert (seen.listing.anomalies, seen.listing.problems, seen.listing.outside) == ((), (), 0)
    with tarfile.open(fileobj=io.BytesIO(buffer.getvalue())) as archive:
        expected = [(info.name, "file", archive.extractfile(info).read()) for info in archive]  # type: ignore[union-attr]
        offsets = [(info.offset_data, info.size) for info in archive]
    assert seen.members == expected
    assert [(entry.data_offset, entry.size) for entry in seen.listing.entries] == offsets


@pytest.mark.parametrize("dialect", FORMATS)
def test_kinds_agree_with_tarfile(dialect: int) -> None:
    buffer = io.BytesIO()
    kinds = {tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink", tarfile.FIFOTYPE: "fifo",
             tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block", tarfile.REGTYPE: "file", tarfile.CONTTYPE: "file"}  # fmt: skip
    with tarfile.open(fileobj=buffer, mode="w", format=dialect) as archive:
        for number, kind in enumerate(kinds):
            info = tarfile.TarInfo(f"e{number}")
            info.type, info.linkname = kind, "e6" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            archive.addfile(info)
    seen = Seen(buffer.getvalue())
    assert [entry.kind for entry in seen.listing.entries] == list(kinds.values())
    assert [entry.linkname for entry in seen.listing.entries] == ["", "e6", "e6", *[""] * 5]
    assert seen.rules == ["archive/link-escape"] * 2 + ["archive/special-member"] * 3
    assert [a.evidence["escapes"] for a in seen.listing.anomalies[:2]] == [False, False]


def test_long_names_and_links() -> None:
    for dialect in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=dialect) as archive:
            info = tarfile.TarInfo("d/" * 100 + "ü" * 100)
            info.type, info.linkname = tarfile.SYMTYPE, "x" * 300
            archive.addfile(info)
        entry = Seen(buffer.getvalue()).listing.entries[0]
        assert (entry.name, entry.linkname) == (info.name, info.linkname)
        assert entry.offset == 0


@pytest.mark.parametrize("dialect", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_gnu_tar(tmp_path: Path, dialect: str) -> None:
    if shutil.which("tar") is None:
        pytest.skip("no tar on this machine")
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.bin").write_bytes(PAYLOAD)
    (tmp_path / "in" / "b").write_bytes(b"")
    made = subprocess.run(
        ["tar", f"--format={dialect}", "-cf", "-", "-C", str(tmp_path), "in"], capture_output=True, check=True
    )
    seen = Seen(made.stdout)
    assert (seen.rules, seen.problems) == ([], [])
    assert {name.rstrip("/"): content for name, _, content in seen.members} == {
        "in": b"", "in/deep": b"", "in/deep/a.bin": PAYLOAD, "in/b": b""
    }  # fmt: skip


def test_v7_header() -> None:
    seen = Seen(forge_tar([TarPart(b"d/", kind=b"\0", magic=b""), TarPart(b"d/a", PAYLOAD, kind=b"\0", magic=b"")]))
    assert seen.members == [("d/", "dir", b""), ("d/a", "file", PAYLOAD)]
    assert seen.rules == []


def test_ustar_prefix() -> None:
    seen = Seen(forge_tar([TarPart(b"name", PAYLOAD, prefix=b"long/prefix")]))
    assert seen.members == [("long/prefix/name", "file", PAYLOAD)]


def test_base_256_size() -> None:
    field = b"\x80" + len(PAYLOAD).to_bytes(11, "big")
    assert Seen(forge_tar([TarPart(b"a", PAYLOAD, size_field=field)])).members == [("a", "file", PAYLOAD)]


def test_pax_path_and_size_override() -> None:
    big = 8**11 + 5
    extension = TarPart(
        b"x", pax_records({"path": "ü/long".encode(), "size": b"%d" % len(PAYLOAD), "mtime": b"1.5"}), b"x"
    )
    seen = Seen(forge_tar([extension, TarPart(b"short", PAYLOAD)]))
    assert seen.members == [("ü/long", "file", PAYLOAD)]
    assert seen.rules == []
    huge = TarPart(b"x", pax_records({"size": b"%d" % big}), b"x")
    seen = Seen(forge_tar([huge, TarPart(b"a", PAYLOAD, size=0)]))
    assert seen.listing.entries[0].size == big
    assert seen.rules == []
    assert seen.problems == [(MalformedError, "the entry a is cut off at the end")]


def test_global_pax_header() -> None:
    seen = Seen(forge_tar([TarPart(b"g", pax_records({"comment": b"a commit"}), b"g"), TarPart(b"a", OTHER)]))
    assert (seen.members, seen.rules) == ([("a", "file", OTHER)], [])


def test_end_is_not_needed() -> None:
    seen = Seen(forge_tar([TarPart(b"a", PAYLOAD)], end=b""))
    assert (seen.members, seen.rules, seen.problems) == ([("a", "file", PAYLOAD)], [], [])


# -- tampered ---------------------------------------------------------------------------------------------------------


def test_cve_2025_23304_nemo_two_members_with_one_name() -> None:
    seen = Seen(
        forge_tar([TarPart(b"model.ckpt", OTHER), TarPart(b"./model.ckpt", PAYLOAD), TarPart(b"model.ckpt", OTHER)])
    )
    assert [content for _, _, content in seen.members] == [OTHER, PAYLOAD, OTHER]
    assert [(a.rule, a.evidence["identical"]) for a in seen.listing.anomalies] == [
        ("archive/duplicate-member", False),
        ("archive/duplicate-member", True),
    ]


def test_link_and_file_with_one_name() -> None:
    seen = Seen(forge_tar([TarPart(b"d", kind=b"2", linkname=b"/tmp"), TarPart(b"d", PAYLOAD)]))
    assert seen.rules == ["archive/link-escape", "archive/duplicate-member"]
    assert seen.listing.anomalies[0].evidence["escapes"] is True


def test_folders_may_come_twice() -> None:
    assert Seen(forge_tar([TarPart(b"d/", kind=b"5"), TarPart(b"d", kind=b"5")])).rules == []


@pytest.mark.parametrize("name", [b"../x", b"/etc/x", b"a/../../x", b"..\\x", b"D:\\x"])
def test_names_that_leave_the_folder(name: bytes) -> None:
    seen = Seen(forge_tar([TarPart(name, PAYLOAD)]))
    assert (seen.rules, len(seen.members)) == (["archive/path-traversal"], 1)


def test_long_name_that_leaves_the_folder() -> None:
    for kind, data in ((b"L", b"../../evil\0"), (b"x", pax_records({"path": b"../../evil"}))):
        seen = Seen(forge_tar([TarPart(b"././@LongLink", data, kind), TarPart(b"good", PAYLOAD)]))
        assert (seen.rules, seen.members) == (["archive/path-traversal"], [("../../evil", "file", PAYLOAD)])


@pytest.mark.parametrize(
    ("kind", "name", "target", "escapes"),
    [
        (b"2", b"a", b"/etc", True),
        (b"2", b"a", b"..", True),
        (b"2", b"d/a", b"../b", False),
        (b"2", b"d/a", b"../../b", True),
        (b"1", b"d/a", b"../b", True),
        (b"1", b"d/a", b"b", False),
        (b"1", b"a", b"/etc/passwd", True),
    ],
)
def test_links(kind: bytes, name: bytes, target: bytes, escapes: bool) -> None:
    seen = Seen(forge_tar([TarPart(name, kind=kind, linkname=target)]))
    assert [(a.rule, a.evidence["escapes"]) for a in seen.listing.anomalies] == [("archive/link-escape", escapes)]


@pytest.mark.parametrize("kind", [b"3", b"4", b"6"])
def test_devices_and_pipes(kind: bytes) -> None:
    assert Seen(forge_tar([TarPart(b"a", kind=kind)])).rules == ["archive/special-member"]


def test_set_user_id() -> None:
    assert Seen(forge_tar([TarPart(b"a", mode=0o4755)])).rules == ["archive/special-member"]
    assert Seen(forge_tar([TarPart(b"d", kind=b"5", mode=0o2755)])).rules == []


def test_header_with_a_wrong_checksum_is_still_read() -> None:
    seen = Seen(forge_tar([TarPart(b"a", OTHER), TarPart(b"b", PAYLOAD, checksum=1), TarPart(b"c", OTHER)]))
    assert [name for name, _, _ in seen.members] == ["a", "b", "c"]
    assert seen.members[1][2] == PAYLOAD
    assert seen.rules == ["archive/checksum-mismatch"]


def test_broken_block_does_not_hide_what_follows() -> None:
    seen = Seen(forge_tar([TarPart(b"a", OTHER), TarPart(b"b", PAYLOAD, before=b"\x01" * 1024)]))
    assert [name for name, _, _ in seen.members] == ["a", "b"]
    assert seen.rules == ["archive/hidden-data", "archive/hidden-member"]
    assert seen.listing.outside == 1024


def test_entries_after_the_end() -> None:
    seen = Seen(forge_tar([TarPart(b"a", OTHER)], suffix=forge_tar([TarPart(b"b", PAYLOAD)])))
    assert seen.members == [("a", "file", OTHER), ("b", "file", PAYLOAD)]
    assert seen.rules == ["archive/hidden-member"]


def test_data_after_the_end() -> None:
    seen = Seen(forge_tar([TarPart(b"a", OTHER)], suffix=bytes(512) + PAYLOAD))
    assert [(a.rule, a.evidence["where"]) for a in seen.listing.anomalies] == [("archive/hidden-data", "after the end")]
    assert Seen(forge_tar([TarPart(b"a", OTHER)], suffix=bytes(20_000))).rules == []


def test_folder_that_carries_data() -> None:
    seen = Seen(forge_tar([TarPart(b"d/", PAYLOAD, kind=b"5"), TarPart(b"b", OTHER)]))
    assert seen.members == [("d/", "dir", PAYLOAD), ("b", "file", OTHER)]
    assert seen.rules == ["archive/header-mismatch"]


def test_hard_link_with_the_size_of_its_target_carries_nothing() -> None:
    seen = Seen(forge_tar([TarPart(b"l", kind=b"1", linkname=b"b", size=700), TarPart(b"b", OTHER)]))
    assert [(entry.kind, entry.size) for entry in seen.listing.entries] == [("hardlink", 0), ("file", len(OTHER))]
    assert seen.rules == ["archive/link-escape"]


def test_cve_2025_62518_pax_size_differs_from_the_header() -> None:
    inner = forge_tar([TarPart(b"smuggled", PAYLOAD)], end=b"")
    extension = TarPart(b"x", pax_records({"size": b"%d" % len(inner)}), b"x")
    seen = Seen(forge_tar([extension, TarPart(b"a", inner, size=0)]))
    assert seen.members == [("a", "file", inner), ("smuggled", "file", PAYLOAD)]
    assert seen.rules == ["archive/header-mismatch"]


def test_cve_2025_62518_an_entry_behind_content_that_is_longer_for_pax_readers() -> None:
    extension = TarPart(b"x", pax_records({"size": b"2048"}), b"x")
    seen = Seen(forge_tar([extension, TarPart(b"a", OTHER), TarPart(b"smuggled", PAYLOAD)]))
    assert [name for name, _, _ in seen.members] == ["a", "smuggled"]
    assert seen.rules == ["archive/header-mismatch"]


def test_two_long_names() -> None:
    parts = [
        TarPart(b"x", pax_records({"path": b"one"}), b"x"),
        TarPart(b"L", b"../two\0", b"L"),
        TarPart(b"a", PAYLOAD),
    ]
    seen = Seen(forge_tar(parts))
    assert seen.members == [("one", "file", PAYLOAD)]
    assert seen.rules == ["archive/header-mismatch", "archive/path-traversal"]


@pytest.mark.parametrize("key", ["GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size"])
def test_pax_sparse_files_are_unsupported(key: str) -> None:
    seen = Seen(
        forge_tar([TarPart(b"x", pax_records({key: b"1"}), b"x"), TarPart(b"a", PAYLOAD), TarPart(b"b", OTHER)])
    )
    assert seen.members == [("a", "sparse", UnsupportedError), ("b", "file", OTHER)]


def test_old_gnu_sparse_files_are_unsupported() -> None:
    block = bytearray(tar_header(TarPart(b"a", PAYLOAD, b"S", magic=GNU)))
    block[482] = 1
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    more = bytearray(512)
    more[504] = 1
    data = (
        bytes(block)
        + bytes(more)
        + bytes(512)
        + PAYLOAD
        + bytes(-len(PAYLOAD) % 512)
        + forge_tar([TarPart(b"b", OTHER)])
    )
    seen = Seen(data)
    assert seen.members == [("a", "sparse", UnsupportedError), ("b", "file", OTHER)]


def test_multivolume_is_unsupported() -> None:
    assert Seen(forge_tar([TarPart(b"a", PAYLOAD, b"M", magic=GNU)])).members == [
        ("a", "multivolume", UnsupportedError)
    ]


def test_unknown_kinds_are_read_like_files() -> None:
    assert Seen(forge_tar([TarPart(b"a", PAYLOAD, b"Q")])).members == [("a", "other", PAYLOAD)]


def test_size_that_is_no_number() -> None:
    for field in (b"99999999999\0", b"-0000000001\0", b"\xff" * 12, b"1_0\0        ", "٣\0".encode().ljust(12)):
        seen = Seen(forge_tar([TarPart(b"a", OTHER, size_field=field), TarPart(b"b", PAYLOAD)]))
        assert seen.members == [("b", "file", PAYLOAD)]
        assert (MalformedError, "a number in a tar header is none") in seen.problems


def test_size_beyond_the_file() -> None:
    seen = Seen(forge_tar([TarPart(b"a", PAYLOAD, size_field=b"\x80" + b"\xff" * 11)]))
    content = seen.members[0][2]
    assert isinstance(content, bytes)
    assert content.startswith(PAYLOAD)
    assert seen.problems == [(MalformedError, "the entry a is cut off at the end")]


def test_truncated_in_the_data_and_in_a_header() -> None:
    data = forge_tar([TarPart(b"a", OTHER), TarPart(b"b", PAYLOAD)])
    seen = Seen(data[: 1536 + 100])
    assert seen.members == [("a", "file", OTHER), ("b", "file", PAYLOAD[:100])]
    assert [kind for kind, _ in seen.problems] == [MalformedError]
    seen = Seen(data[: 1024 + 300])
    assert seen.members == [("a", "file", OTHER)]
    assert seen.rules == ["archive/hidden-data"]


@pytest.mark.parametrize(
    "bad", [b"junk", b"99999999999999999999999 a=b\n", b"3 a\n", b"6 abc\n", b"0 a=b\n", b"7 a=b", b"10 size=-1"]
)
def test_broken_pax_header(bad: bytes) -> None:
    seen = Seen(forge_tar([TarPart(b"x", bad, b"x"), TarPart(b"a", PAYLOAD)]))
    assert seen.members == [("a", "file", PAYLOAD)]
    assert [kind for kind, _ in seen.problems] == [MalformedError]


@pytest.mark.parametrize("size", [b"-1", b"1e9", "٣".encode(), b"9" * 5000])
def test_pax_size_that_is_no_size(size: bytes) -> None:
    seen = Seen(forge_tar([TarPart(b"x", pax_records({"size": size}), b"x"), TarPart(b"a", PAYLOAD)]))
    assert seen.members == [("a", "file", PAYLOAD)]
    assert len(seen.problems) == 1


# -- limits -----------------------------------------------------------------------------------------------------------


def test_members_limit() -> None:
    seen = Seen(forge_tar([TarPart(b"%d" % n) for n in range(30)]), Limits(members=10))
    assert len(seen.members) == 10
    assert [problem.limit for problem in seen.listing.problems if isinstance(problem, LimitError)] == ["members"]


def test_name_and_pax_header_that_are_too_long() -> None:
    seen = Seen(forge_tar([TarPart(b"L", b"n" * 5000, b"L"), TarPart(b"a", OTHER)]))
    assert [(type(p), getattr(p, "limit", None)) for p in seen.listing.problems] == [(LimitError, "member_name")]
    seen = Seen(forge_tar([TarPart(b"x", bytes(2_000_000), b"x"), TarPart(b"a", OTHER)]))
    assert [kind for kind, _ in seen.problems] == [UnsupportedError]
    assert seen.members == [("a", "file", OTHER)]


def test_hostile_tars_take_linear_time() -> None:
    begun = time.monotonic()
    Seen(b"ustar" * 200_000)
    Seen(forge_tar([TarPart(b"a", OTHER)], suffix=(bytes(257) + b"ustar" + b"x" * 250) * 4000))
    Seen(forge_tar([TarPart(b"x", pax_records({"path": b"p" * 900}), b"x")] * 2000))
    Seen(forge_tar([TarPart(b"S", kind=b"S")] * 2000))
    Seen(forge_tar([TarPart(b"a", bytes(4096))] * 500))
    assert time.monotonic() - begun < 10
