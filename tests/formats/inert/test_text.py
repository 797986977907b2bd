"""Plain text, empty files and Git LFS pointers."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget
from openvet.errors import MalformedError
from openvet.formats import empty, lfs, text
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BLOCK, BytesSource


def read(data: bytes) -> Facts:
    facts = Facts("x", "x", Budget())
    text.read(BytesSource(data), facts)
    return facts


def likeness(data: bytes) -> Likeness:
    return text.probe(Head("x", BytesSource(data)))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"hello\n", "utf-8"),
        ("grüße, 你好 🙂\r\n".encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"x", "utf-8"),
        ("grüße".encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + "x\n".encode("utf-16-be"), "utf-16"),
        ("grüße".encode("utf-32"), "utf-32"),
        (codecs.BOM_UTF32_BE + "x\n".encode("utf-32-be"), "utf-32"),
        ("Grüße aus Köln an die Übrigen".encode("latin-1"), "8-bit"),
        (b"\x1b[31mred\x1b[0m\ttab\x0cpage\x0b\x08", "utf-8"),
        (b"word\n" * 100 + b"\x01\n", "utf-8"),
        (b"a\x7f\nb\x1c\n", "utf-8"),
        ("你好世界，这是一个模型的说明文件。\n".encode("gb18030"), "gb18030"),
    ],
)
def test_text_is_inert(data: bytes, encoding: str) -> None:
    assert likeness(data) is Likeness.WEAK
    facts = read(data)
    assert (facts.coverage, facts.metadata["encoding"], facts.unknowns) == (Coverage.INERT, encoding, [])


@pytest.mark.parametrize(
    "data",
    [
        b"a\0b",
        b"\x80\x04\x95",
        b"\x01\x02\x03 not text",
        "x\n".encode("utf-16-le"),
        codecs.BOM_UTF16_LE + b"a\0\0\0",
        codecs.BOM_UTF16_LE + b"\x00\xd8\x00\xd8",
        "你好你好".encode("gbk"),
        b"caf\xe9 \x02",
        "你好世界，这是一个模型的说明文件。\x02".encode("gb18030"),
        bytes(range(0x81, 0xFF)) * 3,
        bytes(range(256)),
    ],
)
def test_what_is_no_text(data: bytes) -> None:
    assert likeness(data) is Likeness.NO
    assert read(data).coverage is Coverage.UNREAD


@pytest.mark.parametrize(
    ("tail", "offset"),
    [(b"\0", 0), (b"\xff\xfe\x01", 0), (b"\x80\x04\x95" + bytes(50), 0), (b"ok\n\0", 3), (b"\xe4\xbd\x7f", 0)],
)
@pytest.mark.parametrize("head", [70_000, BLOCK - 1, BLOCK, BLOCK + 7])
def test_text_that_becomes_something_else(head: int, tail: bytes, offset: int) -> None:
    data = b"x" * (head - 1) + b"\n" + tail
    assert likeness(data) is Likeness.WEAK
    facts = read(data)
    assert facts.coverage is Coverage.PARTIAL
    assert [(each.rule, each.location.offset) for each in facts.anomalies] == [("file/trailing-data", head + offset)]


@pytest.mark.parametrize("head", [70_000, BLOCK - 1, BLOCK, BLOCK + 7])
def test_an_8_bit_letter_far_behind_the_head(head: int) -> None:
    facts = read(b"x" * (head - 1) + b"\ncaf\xe9 cr\xe8me\n")
    assert (facts.coverage, facts.anomalies, facts.metadata["encoding"]) == (Coverage.INERT, [], "8-bit")
    assert read("una cosa más \n".encode() * head + b"caf\xe9\n").coverage is Coverage.INERT
    assert read(b"x" * head + b"\xe9" * head).coverage is Coverage.PARTIAL


def test_a_character_on_a_block_boundary_is_one_character() -> None:
    for shift in range(4):
        data = b"x" * (BLOCK - shift) + "🙂\n".encode() * 5
        assert read(data).coverage is Coverage.INERT


def test_many_control_characters_behind_the_head() -> None:
    assert read(b"word " * 20_000 + b"\x01\x02" * 5_000).coverage is Coverage.PARTIAL


def test_lines_are_counted() -> None:
    assert read(b"a\nb\nc").metadata == {"encoding": "utf-8", "lines": 2}
    assert read(b"a\n" * BLOCK).metadata["lines"] == BLOCK


def test_secrets_are_looked_for_in_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.formats import _secrets

    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(_secrets, "scan_text", lambda part, facts, first_line=1: seen.append((part, first_line)))
    lines = [f"line {n} of a text" for n in range(150_000)]
    read("\n".join(lines).encode())
    assert "".join(part for part, _ in seen) == "\n".join(lines)
    assert all(lines[first - 1] == part.split("\n")[0] for part, first in seen if part)
    assert len(seen) > 2


@settings(deadline=None, max_examples=80)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=300))
def test_every_text_is_text(content: str) -> None:
    assert likeness(content.encode()) is Likeness.WEAK
    assert read(content.encode()).coverage is Coverage.INERT


def test_an_empty_file_is_inert() -> None:
    head = Head("x", BytesSource(b""))
    assert (empty.probe(head), text.probe(head)) == (Likeness.STRONG, Likeness.NO)
    assert empty.probe(Head("x", BytesSource(b"\0"))) is Likeness.NO
    facts = Facts("x", "x", Budget())
    empty.read(BytesSource(b""), facts)
    assert facts.coverage is Coverage.INERT


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 4683073952\n"


def read_pointer(data: bytes) -> Facts:
    facts = Facts("x", "x", Budget())
    lfs.read(BytesSource(data), facts)
    return facts


def test_a_pointer_is_content_that_is_absent() -> None:
    assert lfs.probe(Head("x", BytesSource(POINTER))) is Likeness.STRONG
    facts = read_pointer(POINTER)
    assert facts.metadata == {"sha256": "ab" * 32, "bytes": 4683073952}
    assert (facts.coverage, [each.reason for each in facts.unknowns]) == (Coverage.UNREAD, ["absent"])
    assert "text" in lfs.FORMAT.refines


@pytest.mark.parametrize(
    "data", [POINTER + b" " * 1000, POINTER.replace(b"ab" * 32, b"ab"), POINTER.replace(b"size 4", b"size x")]
)
def test_a_pointer_that_is_none(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_pointer(data)
