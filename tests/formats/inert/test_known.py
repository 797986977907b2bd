"""Kinds without a reader: every one in the table is recognised by a sample of its own, and text is never one of them."""

from __future__ import annotations

import struct
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.formats import _known_tests, known
from openvet.formats._format import Head
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import sentencepiece

KINDS: list[dict[str, Any]] = tomllib.loads(files("openvet").joinpath("data", "kinds.toml").read_text("utf-8"))["kind"]


def recognise(data: bytes, name: str = "x") -> str | None:
    found = known.recognise(Head(name, BytesSource(data)))
    return None if found is None else found.id


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    tag = number << 3 | 2
    raw = bytes([tag]) if tag < 128 else bytes([tag & 127 | 128, tag >> 7])
    assert len(value) < 128
    return raw + bytes([len(value)]) + value


NODE = field(1, b"a") + field(2, b"MatMulV2")


#: One sample at least for each kind that is recognised by its structure.
SAMPLES: list[tuple[str, bytes]] = [
    ("xgboost-state", b"CONFIG-offset:" + bytes(60)),
    ("pe", b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + bytes(40)),
    ("pe", b"MZ\x90\x00\x01\x00\x00\x00\x04\x00" + bytes(200)),
    ("mach-o", b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(40)),
    ("java-class", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(40)),
    ("lmdb", bytes(16) + struct.pack("<I", 0xBEEFC0DE) + bytes(40)),
    ("lmdb", bytes(16) + struct.pack(">I", 0xBEEFC0DE) + bytes(40)),
]


def from_magic(kind: dict[str, Any]) -> list[bytes]:
    out = []
    for alternative in kind.get("magic", ()):
        data = bytearray(70_000)
        for part in alternative:
            mark = bytes.fromhex(part["hex"]) if "hex" in part else part["text"].encode("latin-1")
            data[part["at"] : part["at"] + len(mark)] = mark
        out.append(bytes(data))
    return out


SAMPLES += [(kind["id"], data) for kind in KINDS for data in from_magic(kind)]


@pytest.mark.parametrize(("kind", "data"), SAMPLES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_sample_is_recognised_as_its_kind(kind: str, data: bytes) -> None:
    assert recognise(data) == kind


def test_every_kind_has_a_sample_or_a_name() -> None:
    recognised = {kind for kind, _ in SAMPLES}
    assert {kind["id"] for kind in KINDS if "named" not in kind} == recognised


def test_the_table_is_whole() -> None:
    ids = [each.id for each in known.FORMATS]
    assert ids == [kind["id"] for kind in KINDS]
    assert len(ids) == len(set(ids))
    for kind in KINDS:
        assert set(kind) <= {"id", "title", "extensions", "media_types", "magic", "test", "named", "code", "advice"}
        assert "magic" in kind or "test" in kind or "named" in kind
        assert not kind.get("test") or callable(getattr(_known_tests, kind["test"]))
    assert all(not each.reader and each.can_tell and each.cannot_tell for each in known.FORMATS)
    offsets = [part["at"] for kind in KINDS for alternative in kind.get("magic", ()) for part in alternative]
    assert max(offsets) < 60_000, "a magic must lie in the head"


def test_code_is_told_from_data() -> None:
    assert {"elf", "pe", "mach-o", "ape", "java-class", "python-bytecode", "wasm"} < known.code_kinds()
    assert known.code_kinds().isdisjoint({"png", "sqlite"})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/variables.data-00000-of-00001", "named-tf-variables"),
        ("MODEL.CAFFEMODEL", "named-caffe"),
        ("x.msgpack.txt", None),
        ("weights.bin", None),
    ],
)
def test_a_name_is_the_last_resort(name: str, kind: str | None) -> None:
    assert recognise(b"\x85\x01\x00\xff", name) == kind
    assert recognise(b"only text", name) is None


WORDS = [
    mark
    for _, data in SAMPLES
    if (mark := data.strip(b"\0")).decode("latin-1").rstrip().isprintable() and mark.isascii()
]


@pytest.mark.parametrize("data", WORDS)
def test_a_note_that_begins_with_a_magic_is_a_note(data: bytes) -> None:
    assert len(WORDS) > 15
    assert recognise(data + b" is how this note begins, and it goes on for a while.\n") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x08",
        b"MZ",
        b"\xca\xfe\xba\xbe",
        b"BM",
        field(1, 8) + field(9, b"x"),
        field(1, 8) + field(8, b"x"),
        field(1, 8) + field(7, b"\xff\x00"),
        field(1, 6) + field(2, b"x") + field(3, b"y"),
        field(1, b"a"),
        sentencepiece(["<unk>", "<s>", "</s>"] * 9),
        bytes(100),
        b"\xff" * 100,
    ],
)
def test_what_is_none_of_them(data: bytes) -> None:
    assert recognise(data) is None


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=200), st.sampled_from(SAMPLES).map(lambda each: each[1][:90]).flatmap(
    lambda data: st.integers(0, max(len(data) - 1, 0)).map(lambda cut: data[:cut] + b"\xff" + data[cut + 1:]))))  # fmt: skip
def test_nothing_escapes(data: bytes) -> None:
    recognise(data)
