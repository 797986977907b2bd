"""Zips that lie, one way each: what is delivered, and what is said about it."""

from __future__ import annotations

import stat
import struct
import zlib

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.io.archive.anomaly import ArchiveAnomaly
from openvet.io.archive.zip import ZipEntry, open_zip_entry, read_zip
from openvet.io.source import BytesSource
from openvet.testing.forge_archive import ZipPart, forge_zip, zip_end

PAYLOAD = b"cposix\nsystem\n(S'echo harmless'\ntR." + b"# " * 40
OTHER = b"other content"


class Seen:
    """Everything that a zip gives: (name, content or error, from the directory), rules, problems, what opening told."""

    def __init__(self, data: bytes, limits: Limits | None = None) -> None:
        self.source = BytesSource(data)
        self.budget = Budget(limits or Limits())
        self.listing = read_zip(self.source, self.budget)
        self.told: list[ArchiveAnomaly | ReadError] = []
        self.members = [(entry.name, self._content(entry), entry.central) for entry in self.listing.entries]
        self.rules = [anomaly.rule for anomaly in self.listing.anomalies]
        self.problems = [(type(problem), problem.message) for problem in self.listing.problems]

    def _content(self, entry: ZipEntry) -> bytes | type[ReadError]:
        try:
            with open_zip_entry(self.source, entry, self.budget, self.told.append) as content:
                return content.read(0, content.size)
        except ReadError as error:
            return type(error)

    @property
    def told_rules(self) -> list[object]:
        return [what.rule if isinstance(what, ArchiveAnomaly) else type(what) for what in self.told]


def test_ghsa_7q5r_7gvp_wc82_local_name_differs() -> None:
    seen = Seen(forge_zip([ZipPart(b"notes.txt", PAYLOAD, 8, local={"name": b"data.pkl"})]))
    assert seen.members == [("notes.txt", PAYLOAD, True), ("data.pkl", PAYLOAD, False)]
    assert [(a.rule, a.offset, dict(a.evidence)) for a in seen.listing.anomalies] == [
        ("archive/header-mismatch", 0, {"kind": "name", "differs": {"name": ["notes.txt", "data.pkl"]}})
    ]
    assert seen.problems == []


@pytest.mark.parametrize("where", ["both", "local", "central"])
@pytest.mark.parametrize("method", [0, 8])
def test_ghsa_w8jq_xcqf_f792_encryption_flag_on_plain_data(where: str, method: int) -> None:
    part = {
        "both": ZipPart(b"data.pkl", PAYLOAD, method, flags=1),
        "local": ZipPart(b"data.pkl", PAYLOAD, method, local={"flags": 1}),
        "central": ZipPart(b"data.pkl", PAYLOAD, method, central={"flags": 1}),
    }[where]
    seen = Seen(forge_zip([part]))
    assert seen.members[0] == ("data.pkl", PAYLOAD, True)
    assert seen.told == []
    mismatch = [] if where == "both" else ["archive/header-mismatch"]
    encrypted = [] if where == "local" else ["archive/encrypted-member"]
    assert seen.rules == mismatch + encrypted


@pytest.mark.parametrize("flags", [0x2, 0x4, 0x10, 0x20, 0x40, 0x80, 0x100, 0x400, 0x1000, 0x4000, 0x8000])
def test_ghsa_w8jq_xcqf_f792_other_flag_bits_change_nothing(flags: int) -> None:
    seen = Seen(forge_zip([ZipPart(b"data.pkl", PAYLOAD, 8, flags=flags)]))
    assert (seen.members, seen.rules, seen.problems) == ([("data.pkl", PAYLOAD, True)], [], [])


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_cve_2025_10156_wrong_crc(method: int) -> None:
    lie: dict[str, int | bytes] = {"crc": 0xDEADBEEF}
    seen = Seen(forge_zip([ZipPart(b"data.pkl", PAYLOAD, method, local=lie, central=lie)]))
    assert (seen.members, seen.rules) == ([("data.pkl", PAYLOAD, True)], [])
    assert [(what.rule, what.evidence) for what in seen.told if isinstance(what, ArchiveAnomaly)] == [
        (
            "archive/checksum-mismatch",
            {"name": "data.pkl", "expected": "deadbeef", "seen": f"{zlib.crc32(PAYLOAD):08x}"},
        )
    ]


def test_truly_encrypted() -> None:
    stored = ZipPart(b"a", PAYLOAD, flags=1, raw=bytes(range(12)) + bytes(b ^ 0x5A for b in PAYLOAD))
    deflated = ZipPart(b"b", PAYLOAD, 8, flags=1, raw=b"\xff\xfe" * 40)
    aes = ZipPart(b"c", PAYLOAD, 99, flags=1, raw=b"\x01" * 60)
    seen = Seen(forge_zip([stored, deflated, aes]))
    assert [content for _, content, _ in seen.members] == [UnsupportedError] * 3
    assert seen.rules == ["archive/encrypted-member"] * 3


def test_local_method_differs() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, 8, central={"method": 0, "size": 9999})]))
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packed.compress(PAYLOAD) + packed.flush()
    assert ("a", PAYLOAD, False) in seen.members
    assert isinstance(seen.members[0][1], bytes)
    assert seen.members[0][1].startswith(raw)
    assert seen.rules == ["archive/header-mismatch"]


def test_unknown_methods_are_unsupported() -> None:
    for method in (1, 6, 9, 98, 12345):
        seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, method, raw=b"whatever")]))
        assert seen.members == [("a", UnsupportedError, True)]


def test_local_sizes_differ() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, local={"size": 5, "packed": 5})]))
    assert seen.members == [("a", PAYLOAD, True), ("a", PAYLOAD[:5], False)]
    assert seen.rules == ["archive/header-mismatch"]
    assert seen.listing.anomalies[0].evidence["differs"] == {
        "compressed_size": [len(PAYLOAD), 5],
        "size": [len(PAYLOAD), 5],
    }


def test_decoded_size_differs() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, 8, local={"size": 4}, central={"size": 4})]))
    assert seen.members == [("a", PAYLOAD, True)]
    assert seen.told_rules == ["archive/header-mismatch"]


def test_stored_sizes_differ() -> None:
    lie: dict[str, int | bytes] = {"size": 4}
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, local=lie, central=lie)]))
    assert seen.members[0] == ("a", PAYLOAD, True)
    assert "archive/header-mismatch" in seen.rules


def test_descriptor_differs() -> None:
    data = forge_zip([ZipPart(b"a", PAYLOAD, 8, flags=8), ZipPart(b"b", OTHER)])
    at = data.index(b"PK\7\x08")
    seen = Seen(data[: at + 8] + struct.pack("<LL", 1, 2) + data[at + 16 :])
    assert [member[:2] for member in seen.members] == [("a", PAYLOAD), ("b", OTHER)]
    assert [a.evidence["kind"] for a in seen.listing.anomalies] == ["descriptor"]


def test_data_after_the_compressed_data() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(PAYLOAD) + packer.flush() + b"hidden!"
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, 8, raw=raw)]))
    assert seen.members == [("a", PAYLOAD, True)]
    assert seen.told_rules == ["archive/hidden-data"]


def test_member_that_only_a_local_header_shows() -> None:
    parts = [ZipPart(b"a", b"1"), ZipPart(b"data.pkl", PAYLOAD, 8, listed=False), ZipPart(b"b", b"2")]
    seen = Seen(forge_zip(parts))
    assert seen.members == [("a", b"1", True), ("b", b"2", True), ("data.pkl", PAYLOAD, False)]
    assert seen.rules == ["archive/hidden-member"]


@pytest.mark.parametrize("method", [0, 8])
@pytest.mark.parametrize("wide", [True, False])
def test_hidden_member_whose_sizes_follow(method: int, wide: bool) -> None:
    hidden = ZipPart(b"data.pkl", PAYLOAD, method, flags=8, listed=False, descriptor=(True, wide))
    seen = Seen(forge_zip([hidden, ZipPart(b"a", b"1")]))
    assert seen.members[0] == ("a", b"1", True)
    assert seen.members[1] == ("data.pkl", PAYLOAD, False)
    assert seen.listing.entries[1].size == len(PAYLOAD)
    assert (seen.rules, seen.told) == (["archive/hidden-member"], [])


def test_hidden_member_behind_junk() -> None:
    hidden = ZipPart(b"data.pkl", PAYLOAD, listed=False, before=b"JUNK" + bytes(9))
    seen = Seen(forge_zip([ZipPart(b"a", b"1"), hidden, ZipPart(b"b", b"2")]))
    assert seen.members[2] == ("data.pkl", PAYLOAD, False)
    assert sorted(seen.rules) == ["archive/hidden-data", "archive/hidden-member"]
    assert seen.listing.outside == 13


def test_hidden_members_are_found_in_one_directory_less_run() -> None:
    """A directory that lists nothing hides everything."""
    body = forge_zip([ZipPart(b"a", PAYLOAD), ZipPart(b"b", OTHER)])
    cut = body.index(b"PK\1\2")
    seen = Seen(body[:cut] + zip_end(0, 0, cut))
    assert seen.members == [("a", PAYLOAD, False), ("b", OTHER, False)]
    assert seen.rules == ["archive/hidden-member"] * 2


def test_duplicates_are_both_delivered() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", OTHER), ZipPart(b"./a", PAYLOAD, 8), ZipPart(b"a", OTHER)]))
    assert seen.members == [("a", OTHER, True), ("./a", PAYLOAD, True), ("a", OTHER, True)]
    assert [(a.rule, a.evidence["identical"]) for a in seen.listing.anomalies] == [
        ("archive/duplicate-member", False),
        ("archive/duplicate-member", True),
    ]


def test_prefix_with_absolute_offsets() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD)], prefix=b"#!/bin/sh\n"))
    assert seen.members == [("a", PAYLOAD, True)]
    assert [(a.rule, a.offset, a.evidence["bytes"]) for a in seen.listing.anomalies] == [("archive/hidden-data", 0, 10)]
    assert seen.listing.outside == 10


def test_prefix_with_offsets_relative_to_it() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD)], prefix=b"MZ" * 50, relative=True))
    assert seen.members == [("a", PAYLOAD, True)]
    assert [(a.rule, a.evidence["where"]) for a in seen.listing.anomalies] == [
        ("archive/hidden-data", "before the first member")
    ]


def test_two_zips_in_a_row_show_both() -> None:
    first, second = forge_zip([ZipPart(b"a", PAYLOAD)]), forge_zip([ZipPart(b"b", OTHER)])
    seen = Seen(first + second)
    assert ("b", OTHER, True) in seen.members
    assert ("a", PAYLOAD, False) in seen.members
    assert "archive/hidden-member" in seen.rules


def test_suffix_and_gaps() -> None:
    data = forge_zip([ZipPart(b"a", b"1")], before_directory=b"GAP1", before_end=b"GAP22", suffix=b"TAIL333")
    seen = Seen(data)
    assert seen.members == [("a", b"1", True)]
    said = [(a.rule, a.evidence["where"], a.evidence["bytes"]) for a in seen.listing.anomalies if "where" in a.evidence]
    assert said == [
        ("archive/hidden-data", "between its parts", 4),
        ("archive/hidden-data", "between its parts", 5),
        ("archive/hidden-data", "after the end", 7),
    ]


def test_comment_is_not_hidden_data_but_a_cut_one_is_told() -> None:
    assert Seen(forge_zip([ZipPart(b"a", b"1")], comment=b"made by a tool")).rules == []
    data = forge_zip([ZipPart(b"a", b"1")])
    seen = Seen(data[:-2] + b"\x63\x00")
    assert (seen.rules, seen.members) == (["archive/header-mismatch"], [("a", b"1", True)])


def test_overlapping_members() -> None:
    inner = forge_zip([ZipPart(b"b", PAYLOAD, listed=False)])
    inner = inner[: inner.index(b"PK\5\6")]
    data = forge_zip([ZipPart(b"a", inner), ZipPart(b"b", PAYLOAD, written=False, central={"offset": 31})])
    seen = Seen(data)
    assert seen.members == [("a", inner, True), ("b", PAYLOAD, True)]
    assert [(a.rule, a.evidence) for a in seen.listing.anomalies] == [
        ("archive/overlapping-members", {"members": 2, "first": ["a", "b"]})
    ]
    assert [entry.shared for entry in seen.listing.entries] == [True, True]


def test_fifield_quoted_overlap_stops_at_the_limit_on_decoded_bytes() -> None:
    """A better zip bomb: every directory record leads into one kernel of zeros."""
    kernel = b"\0" * 1_000_000
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(kernel) + packer.flush()
    parts = [ZipPart(b"k", kernel, 8, raw=raw)] + [
        ZipPart(b"k", kernel, 8, raw=raw, written=False, central={"offset": 0}) for _ in range(500)
    ]
    data = forge_zip(parts)
    source, budget = BytesSource(data), Budget(Limits(decoded_bytes=20_000_000))
    listing = read_zip(source, budget)
    assert "archive/overlapping-members" in {a.rule for a in listing.anomalies}
    stopped = []
    for entry in listing.entries:
        try:
            open_zip_entry(source, entry, budget).close()
        except LimitError as error:
            stopped.append(error.limit)
    assert set(stopped) == {"decoded_bytes"}
    assert len(stopped) == 481
    assert budget.decoded < 20_000_000 + 500 * 300_000


def test_stored_members_that_share_bytes_count_as_decoded() -> None:
    big = b"x" * 100_000
    parts = [ZipPart(b"k", big)] + [ZipPart(b"k", big, written=False, central={"offset": 0}) for _ in range(50)]
    seen = Seen(forge_zip(parts), Limits(decoded_bytes=1_000_000))
    assert [content for _, content, _ in seen.members].count(LimitError) == 41


def test_directory_record_without_local_header() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", b"1"), ZipPart(b"ghost", b"2", written=False, central={"offset": 7})]))
    assert seen.members == [("a", b"1", True), ("ghost", MalformedError, True)]
    assert seen.rules == ["archive/header-mismatch"]
    assert seen.problems == [(MalformedError, "the member ghost: there is no local header here")]


def test_member_that_is_cut_off() -> None:
    lie: dict[str, int | bytes] = {"packed": 10_000, "size": 10_000}
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, local=lie, central=lie)]))
    content = seen.members[0][1]
    assert isinstance(content, bytes)
    assert content.startswith(PAYLOAD)
    assert (MalformedError, "the member a is cut off at the end") in seen.problems
    assert "archive/overlapping-members" in seen.rules  # it runs over the directory


def test_sizes_beyond_all_measure() -> None:
    for huge in (0xFFFFFFFF, 0xFFFFFFFE):
        lie: dict[str, int | bytes] = {"packed": huge, "size": huge}
        seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD, 8, central=lie)]))
        assert seen.members[0][1] == PAYLOAD
        assert "archive/header-mismatch" in seen.rules


def test_broken_deflate_gives_what_came_before() -> None:
    packer = zlib.compressobj(0, zlib.DEFLATED, -15)
    raw = packer.compress(PAYLOAD) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 30
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD * 2, 8, raw=raw)]))
    assert seen.members == [("a", PAYLOAD, True)]
    assert seen.told_rules == [MalformedError]


def test_broken_deflate_without_a_report_raises() -> None:
    source = BytesSource(forge_zip([ZipPart(b"a", PAYLOAD, 8, raw=b"\xff" * 30)]))
    with pytest.raises(MalformedError, match="broken"):
        open_zip_entry(source, read_zip(source, Budget()).entries[0], Budget())


@pytest.mark.parametrize(
    ("name", "how"),
    [
        (b"../evil", "climb out"),
        (b"a/../../evil", "climb out"),
        (b"..\\evil", "climb out"),
        (b"/etc/cron.d/x", "absolute"),
        (b"\\\\server\\share", "absolute"),
        (b"C:\\Windows\\x", "drive"),
        (b"c:/x", "drive"),
    ],
)
def test_names_that_leave_the_folder(name: bytes, how: str) -> None:
    seen = Seen(forge_zip([ZipPart(name, b"1")]))
    assert seen.rules == ["archive/path-traversal"]
    assert how in seen.listing.anomalies[0].evidence["how"]
    assert len(seen.members) == 1


@pytest.mark.parametrize("name", [b"a/../b", b"..a/b", b"a..b", b"w:0.npy", b"./a", b"a\\b", b"...", b"C:relative"])
def test_names_that_stay(name: bytes) -> None:
    assert Seen(forge_zip([ZipPart(name, b"1")])).rules == []


def test_nul_in_a_name() -> None:
    seen = Seen(forge_zip([ZipPart(b"data.pkl\0.txt", PAYLOAD)]))
    assert seen.members == [("data.pkl\0.txt", PAYLOAD, True)]
    assert [(a.rule, a.evidence) for a in seen.listing.anomalies] == [
        ("archive/header-mismatch", {"kind": "name", "differs": {"name": ["data.pkl\\x00.txt", "data.pkl"]}})
    ]


def test_unicode_field_with_another_name() -> None:
    extra = struct.pack("<BL", 1, zlib.crc32(b"notes.txt")) + b"../data.pkl"
    field = struct.pack("<HH", 0x7075, len(extra)) + extra
    seen = Seen(forge_zip([ZipPart(b"notes.txt", PAYLOAD, central={"extra": field})]))
    assert seen.rules == ["archive/header-mismatch", "archive/path-traversal"]
    stale = field.replace(struct.pack("<L", zlib.crc32(b"notes.txt")), bytes(4))
    assert Seen(forge_zip([ZipPart(b"notes.txt", PAYLOAD, central={"extra": stale})])).rules == []


@pytest.mark.parametrize(
    ("name", "target", "escapes"),
    [
        (b"a", b"/etc/passwd", True),
        (b"a", b"../x", True),
        (b"d/a", b"../x", False),
        (b"d/a", b"../../x", True),
        (b"a", b"b", False),
    ],
)
def test_symbolic_links(name: bytes, target: bytes, escapes: bool) -> None:
    part = ZipPart(name, target, 8, central={"attributes": (stat.S_IFLNK | 0o777) << 16})
    seen = Seen(forge_zip([part]))
    assert seen.members == [(name.decode(), target, True)]
    assert [(a.rule, a.evidence["escapes"]) for a in seen.listing.anomalies] == [("archive/link-escape", escapes)]


def test_symbolic_link_that_is_no_path() -> None:
    mode = {"attributes": (stat.S_IFLNK | 0o777) << 16}
    seen = Seen(forge_zip([ZipPart(b"a", b"x" * 5000, central=mode), ZipPart(b"b", b"y", 93, raw=b"?", central=mode)]))
    assert seen.rules == ["archive/special-member"] * 2


@pytest.mark.parametrize(
    "mode", [stat.S_IFCHR | 0o644, stat.S_IFIFO | 0o644, stat.S_IFREG | 0o4755, stat.S_IFREG | 0o2755]
)
def test_special_members(mode: int) -> None:
    seen = Seen(forge_zip([ZipPart(b"a", b"1", central={"attributes": mode << 16})]))
    assert seen.rules == ["archive/special-member"]


def test_folder_with_content() -> None:
    seen = Seen(forge_zip([ZipPart(b"d/", PAYLOAD)]))
    assert seen.members == [("d/", PAYLOAD, True)]
    assert seen.rules == ["archive/hidden-data"]


# -- where the directory is -------------------------------------------------------------------------------------------


def two_directories() -> tuple[bytes, bytes, bytes]:
    """Local records of two members, and one directory for each."""
    both = forge_zip([ZipPart(b"a", OTHER), ZipPart(b"data.pkl", PAYLOAD)])
    start = both.index(b"PK\1\2")
    second = both.index(b"PK\1\2", start + 4)
    return both[:start], both[start:second], both[second : both.index(b"PK\5\6")]


def test_second_end_record_whose_comment_fits() -> None:
    records, first, second = two_directories()
    body = records + second
    hidden_end = len(body)
    visible = first + zip_end(1, len(first), hidden_end + 22)
    data = body + zip_end(1, len(second), len(records), visible)
    seen = Seen(data)
    assert seen.members[0] == ("a", OTHER, True)
    assert ("data.pkl", PAYLOAD, False) in seen.members
    assert "archive/header-mismatch" in seen.rules


def test_zipfile_and_miniz_find_different_directories() -> None:
    """zipfile counts back from the end record, miniz goes to the offset that it names."""
    records, first, second = two_directories()
    second = second.ljust(len(first), b"\0")[: len(first)] if len(second) < len(first) else second
    first = (
        first[:28]
        + struct.pack("<HHH", 1, 0, len(second) - len(first))
        + first[34:]
        + b"c" * (len(second) - len(first))
    )
    assert len(first) == len(second)
    data = records + second + first + zip_end(1, len(first), len(records))
    shifted = bytearray(data)
    # zipfile moves the offsets in its directory by the bytes that seem to lie in front of the archive
    at = len(records) + len(second) + 42
    struct.pack_into("<L", shifted, at, 0)
    seen = Seen(bytes(shifted))
    assert ("data.pkl", PAYLOAD, False) in seen.members
    assert "archive/header-mismatch" in seen.rules


def test_cve_2025_8291_zip64_locator_names_another_record() -> None:
    records, first, second = two_directories()

    def end64(directory: bytes, start: int) -> bytes:
        return struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(directory), start)

    body = records + second
    named = len(body)
    body += end64(second, len(records))
    at_first = len(body)
    body += first + end64(first, at_first)
    body += struct.pack("<4sLQL", b"PK\6\7", 0, named, 1)
    body += struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    seen = Seen(body)
    assert seen.members[0] == ("a", OTHER, True)
    assert ("data.pkl", PAYLOAD, False) in seen.members
    assert "archive/header-mismatch" in seen.rules


def test_count_says_less_than_the_directory_has() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", b"1"), ZipPart(b"b", b"2")], count=1))
    assert [name for name, _, _ in seen.members] == ["a", "b"]
    assert seen.rules == ["archive/header-mismatch"]


def test_count_says_more_than_the_directory_has() -> None:
    seen = Seen(forge_zip([ZipPart(b"a", b"1")], count=7))
    assert [name for name, _, _ in seen.members] == ["a"]
    assert seen.rules == ["archive/header-mismatch"]


def test_directory_that_breaks_off() -> None:
    data = forge_zip([ZipPart(b"a", b"1"), ZipPart(b"b", PAYLOAD)])
    at = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    seen = Seen(data[:at] + b"XX" + data[at + 2 :])
    assert ("a", b"1", True) in seen.members
    assert ("b", PAYLOAD, False) in seen.members
    assert (MalformedError, "the directory breaks off: no record begins here") in seen.problems


def test_truncated_zip_is_read_by_its_local_headers() -> None:
    data = forge_zip([ZipPart(b"a", PAYLOAD, 8), ZipPart(b"b", OTHER)])
    seen = Seen(data[: data.index(b"PK\5\6")])
    assert seen.members == [("a", PAYLOAD, False), ("b", OTHER, False)]
    assert seen.rules == []
    assert seen.problems == [(MalformedError, "there is no directory at the end; only the local headers were read")]


def test_truncated_stream_of_which_only_the_local_headers_are_there() -> None:
    data = forge_zip([ZipPart(b"a", PAYLOAD, 8, flags=8), ZipPart(b"b", OTHER * 100, 8, flags=8)])
    seen = Seen(data[: data.rindex(b"PK\7\x08")])
    assert seen.members == [("a", PAYLOAD, False), ("b", OTHER * 100, False)]
    assert seen.told == []


def test_end_record_behind_more_junk_than_readers_search() -> None:
    data = forge_zip([ZipPart(b"a", PAYLOAD)]) + b"j" * 70_000
    seen = Seen(data)
    assert seen.members == [("a", PAYLOAD, False)]
    assert [kind for kind, _ in seen.problems] == [MalformedError]


def test_end_record_inside_the_comment_of_another() -> None:
    inner = zip_end(0, 0, 0)
    seen = Seen(forge_zip([ZipPart(b"a", PAYLOAD)], comment=b"x" * 5 + inner))
    assert ("a", PAYLOAD, False) in seen.members or ("a", PAYLOAD, True) in seen.members
    assert seen.rules


def test_several_volumes_are_unsupported() -> None:
    data = bytearray(forge_zip([ZipPart(b"a", PAYLOAD)]))
    struct.pack_into("<HH", data, len(data) - 18, 3, 3)
    seen = Seen(bytes(data))
    assert (UnsupportedError, "a zip of several volumes") in seen.problems
    assert seen.members == [("a", PAYLOAD, False)]


def test_marker_of_a_split_archive_in_front_is_no_hidden_data() -> None:
    for marker in (b"PK\7\x08", b"PK00"):
        seen = Seen(forge_zip([ZipPart(b"a", b"1")], prefix=marker))
        assert (seen.rules, seen.members) == ([], [("a", b"1", True)])


# -- limits -----------------------------------------------------------------------------------------------------------


def test_name_that_is_too_long() -> None:
    seen = Seen(forge_zip([ZipPart(b"n" * 5000, b"1"), ZipPart(b"b", b"2")]))
    assert ("b", b"2", True) in seen.members
    assert LimitError in [kind for kind, _ in seen.problems]


def test_names_that_are_too_long_together() -> None:
    seen = Seen(forge_zip([ZipPart(b"n%03d" % n * 20, b"1") for n in range(50)]), Limits(header=1000))
    assert len(seen.members) == 12
    assert [kind for kind, _ in seen.problems] == [LimitError]


def test_records_limit_bounds_the_anomalies() -> None:
    parts = [ZipPart(b"../%d" % n, b"") for n in range(30)]
    listing = Seen(forge_zip(parts), Limits(records=10)).listing
    assert (len(listing.anomalies), listing.dropped) == (10, 20)


def test_many_end_records_and_signatures_take_linear_time() -> None:
    import time

    begun = time.monotonic()
    for filling in (b"PK\5\6" * 16_000, b"PK\3\4" * 100_000, b"PK\7\x08" * 100_000, b"PK\1\2" * 100_000):
        Seen(filling)
        Seen(b"PK\3\4" + filling)
        Seen(forge_zip([ZipPart(b"a", b"1")], before_directory=filling, comment=filling[:60_000]))
    assert time.monotonic() - begun < 10


def test_many_hidden_records_that_leave_their_size_open_take_linear_time() -> None:
    import time

    hidden = [ZipPart(b"%d" % n, b"", flags=8, listed=False, raw=b"x") for n in range(5000)]
    data = forge_zip([*hidden, ZipPart(b"a", b"1")])
    data = data.replace(b"PK\7\x08", b"....")
    begun = time.monotonic()
    listing = read_zip(BytesSource(data), Budget())
    assert time.monotonic() - begun < 5
    assert len(listing.entries) == 5001
