"""Videos, icons, fonts and small tables: walked to the last byte, and never taken for whole when they are not."""

from __future__ import annotations

import gettext
import importlib
import io
import plistlib
import struct
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing import forge_tables as forge

TABLES = forge.TABLES
GIT = {
    "git_pack": forge.git_pack(b"hello" * 40, b"{}"),
    "git_index": forge.git_pack_table(),
    "git_object": forge.git_object(b"hello"),
}
ALL = {**TABLES, **GIT}


def module(kind: str) -> ModuleType:
    return importlib.import_module(f"openvet.formats.{kind}")


def read(kind: str, data: bytes) -> Facts:
    facts = Facts("x", "x", Budget(Limits()))
    module(kind).read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize("kind", ALL)
def test_a_valid_file_is_inert(kind: str) -> None:
    facts = read(kind, ALL[kind])
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.INERT, [], [])


@pytest.mark.parametrize("kind", ALL)
def test_only_its_own_probe_claims_a_file(kind: str) -> None:
    claims = {other: module(other).probe(Head("x", BytesSource(ALL[kind]))) for other in ALL}
    assert claims == {other: Likeness.STRONG if other == kind else Likeness.NO for other in ALL}
    assert module(kind).probe(Head("x", BytesSource(b""))) is Likeness.NO


@pytest.mark.parametrize("kind", sorted(set(ALL) - {"avi", "apple_plist", "git_pack", "git_index"}))
def test_bytes_behind_the_end(kind: str) -> None:
    data = ALL[kind]
    facts = read(kind, data + b"PK\x03\x04 payload")
    assert [(each.rule, each.location.offset) for each in facts.anomalies] == [("file/trailing-data", len(data))]
    assert facts.coverage is Coverage.PARTIAL


@pytest.mark.parametrize("kind", ["avi", "apple_plist", "git_pack", "git_index"])
def test_where_the_end_is_fixed_more_bytes_break_it(kind: str) -> None:
    try:
        facts = read(kind, ALL[kind] + b"PK\x03\x04 payload")
    except ReadError:
        return
    assert facts.coverage is Coverage.PARTIAL


@pytest.mark.parametrize("kind", ALL)
def test_a_cut_is_never_whole(kind: str) -> None:
    data = ALL[kind]
    for cut in range(8, len(data)):
        try:
            facts = read(kind, data[:cut])
        except ReadError:
            continue
        # between two parts of a chain nothing is missing that the format could know of
        assert facts.unknowns or kind in {"mp4", "matroska", "avi", "flac", "woff"}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(ALL)), st.data())
def test_changed_bytes_raise_only_read_errors(kind: str, data: st.DataObject) -> None:
    changed = bytearray(ALL[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(kind, bytes(changed))
    except ReadError:
        pass


def test_the_samples_are_what_python_reads() -> None:
    assert plistlib.loads(TABLES["apple_plist"]) == "a"
    assert gettext.GNUTranslations(io.BytesIO(TABLES["gettext"])).info() == {"a": "b"}


def test_a_property_list_as_python_writes_it() -> None:
    data = plistlib.dumps({"a": [1, 2.5, b"x"], "b": {"c": True}}, fmt=plistlib.FMT_BINARY)
    assert read("apple_plist", data).coverage is Coverage.INERT


def test_an_attachment_of_a_video_is_unread() -> None:
    data = forge.matroska()
    attached = data + b"\x19\x41\xa4\x69\x81x"
    assert read("matroska", attached).coverage is Coverage.PARTIAL


def test_a_hole_between_the_tables_of_a_font_is_told() -> None:
    data = TABLES["truetype"]
    holed = data[:52].replace(b"glyf\0\0\0\0\0\0\0\x34", b"glyf\0\0\0\0\0\0\0\x64") + b"MZ hidden " * 5 + data[50:]
    assert {each.rule for each in read("truetype", holed).anomalies} == {"file/trailing-data"}


def test_a_collection_of_fonts_that_say_they_have_thousands_of_tables_is_refused_at_the_first() -> None:
    """A thousand times sixty thousand tables, all of them the same bytes, stand in one megabyte."""
    fonts, tables = 1_000, 60_000
    start = 12 + 4 * fonts
    font = struct.pack(">IHHHH", 0x00010000, tables, 0, 0, 0) + (b"glyf" + struct.pack(">III", 0, 12, 16)) * tables
    data = b"ttcf\0\1\0\0" + struct.pack(">I", fonts) + struct.pack(">I", start) * fonts + font
    with pytest.raises(LimitError, match="a font of 60000 tables"):
        read("truetype", data)


def test_a_collection_of_fonts_that_share_tables_is_read() -> None:
    font = struct.pack(">IHHHH", 0x00010000, 1, 16, 0, 0) + b"glyf" + struct.pack(">III", 0, 76, 4)
    data = b"ttcf\0\1\0\0" + struct.pack(">I", 2) + struct.pack(">II", 20, 48) + font + font + b"abcd"
    facts = read("truetype", data)
    assert not facts.anomalies
    assert not facts.unknowns


def _icon(*places: tuple[int, int], picture: bytes) -> bytes:
    entries = b"".join(struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, size, place) for place, size in places)
    return struct.pack("<HHH", 0, 1, len(places)) + entries + picture


def test_pictures_of_an_icon_that_are_one_are_one_member() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(40)
    facts = read("ico", _icon((38, 48), (38, 48), picture=picture))
    assert len(facts.members) == 1
    assert not facts.anomalies


def test_pictures_of_an_icon_that_lie_over_each_other_are_refused() -> None:
    picture = b"\x89PNG\r\n\x1a\n" * 12
    places = [(6 + 16 * 3 + 8 * at, 96 - 8 * at) for at in range(3)]
    with pytest.raises(MalformedError, match="over each other"):
        read("ico", _icon(*places, picture=picture))
    whole = read("ico", _icon(*((54 + 32 * at, 32) for at in range(3)), picture=picture))
    assert len(whole.members) == 3
