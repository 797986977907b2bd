"""Pictures, sounds and documents: walked to the last byte, and never taken for whole when they are not."""

from __future__ import annotations

import importlib
import struct
import zlib
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing import forge_media as forge

KINDS = {"png": forge.png(), "gif": forge.gif(), "jpeg": forge.jpeg(), "webp": forge.webp(), "wav": forge.wav(),
         "ogg": forge.ogg(), "mp3": forge.mp3(), "pdf": forge.pdf()}  # fmt: skip


def module(kind: str) -> ModuleType:
    return importlib.import_module(f"openvet.formats.{kind}")


def read(kind: str, data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("x", "x", Budget(limits or Limits()))
    module(kind).read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize("kind", KINDS)
def test_a_valid_file_is_inert(kind: str) -> None:
    facts = read(kind, KINDS[kind])
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.INERT, [], [])


@pytest.mark.parametrize("kind", KINDS)
def test_only_its_own_probe_claims_a_file(kind: str) -> None:
    claims = {other: module(other).probe(Head("x", BytesSource(KINDS[kind]))) for other in KINDS}
    assert claims == {other: Likeness.STRONG if other == kind else Likeness.NO for other in KINDS}
    assert module(kind).probe(Head("x", BytesSource(b""))) is Likeness.NO


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_behind_the_end(kind: str) -> None:
    data = KINDS[kind]
    facts = read(kind, data + b"PK\x03\x04 payload")
    assert [(each.rule, each.location.offset) for each in facts.anomalies] == [("file/trailing-data", len(data))]
    assert facts.coverage is Coverage.PARTIAL


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_behind_the_end_are_padding(kind: str) -> None:
    facts = read(kind, KINDS[kind] + bytes(40))
    assert (facts.anomalies, facts.coverage) == ([], Coverage.INERT)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_file_that_was_cut_is_never_inert(kind: str, data: st.DataObject) -> None:
    whole = KINDS[kind]
    # whole frames and pages are valid on their own, and a document is whole with its end mark
    least = {"ogg": 286, "mp3": 20 + 417, "pdf": len(whole) - 1}.get(kind, len(whole))
    cut = data.draw(st.integers(0, least - 1))
    facts = Facts("x", "x", Budget())
    try:
        module(kind).read(BytesSource(whole[:cut]), facts)
    except ReadError:
        assert facts.coverage is not Coverage.INERT
    else:
        assert (
            facts.coverage is Coverage.PARTIAL or (kind == "mp3" and cut > 20) or (kind == "pdf" and cut == least - 1)
        )


def test_png_sizes_are_noted() -> None:
    assert read("png", forge.png(3, 5)).metadata == {"width": 3, "height": 5}


def test_png_with_a_wrong_crc() -> None:
    with pytest.raises(MalformedError, match="wrong CRC"):
        read("png", KINDS["png"][:-1] + b"\0")


def test_png_that_does_not_begin_with_its_header() -> None:
    with pytest.raises(MalformedError, match="image header"):
        read("png", b"\x89PNG\r\n\x1a\n" + forge.png_chunk(b"IEND", b""))


def test_png_chunks_of_any_kind_are_walked() -> None:
    extra = forge.png_chunk(b"tEXt", b"Comment\0hello") + forge.png_chunk(b"zZzZ", bytes(100))
    assert read("png", forge.png(extra=extra)).coverage is Coverage.INERT


def test_gif_with_an_unknown_block() -> None:
    with pytest.raises(MalformedError, match="0x99"):
        read("gif", KINDS["gif"][:-1] + b"\x99")


def test_jpeg_sizes_are_noted() -> None:
    assert read("jpeg", KINDS["jpeg"]).metadata == {"height": 7, "width": 9}


def test_jpeg_with_something_between_segments() -> None:
    with pytest.raises(MalformedError, match="marker is missing"):
        read("jpeg", b"\xff\xd8\x00" + KINDS["jpeg"][2:])


def test_jpeg_with_many_fill_bytes() -> None:
    data = KINDS["jpeg"]
    assert read("jpeg", data[:2] + b"\xff" * 200_000 + data[2:]).coverage is Coverage.INERT


def test_jpeg_whose_scan_ends_at_a_block_boundary() -> None:
    data = KINDS["jpeg"]
    start = data.index(b"\x12\xff\x00")
    for size in (1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1):
        assert read("jpeg", data[:start] + b"\x55" * size + data[start:]).coverage is Coverage.INERT


def test_a_riff_chunk_beyond_the_outer_one() -> None:
    data = bytearray(KINDS["wav"])
    data[16:20] = struct.pack("<I", 1000)
    with pytest.raises(MalformedError, match="beyond the end"):
        read("wav", bytes(data))


def test_a_riff_file_without_what_it_is_for() -> None:
    with pytest.raises(MalformedError, match="holds no data"):
        read("wav", KINDS["wav"].replace(b"data", b"junk"))


def test_mp3_frames_are_counted() -> None:
    assert read("mp3", forge.mp3(7, tag=False)).metadata == {"frames": 7}


def test_mp3_tag_without_frames_is_not_claimed() -> None:
    data = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + b"no frame"
    assert module("mp3").probe(Head("x", BytesSource(data))) is Likeness.NO


# documents


@pytest.mark.parametrize(
    "name",
    [
        b"/JavaScript (app.alert\\(1\\))",
        b"/JS 4 0 R",
        b"/Launch",
        b"/EmbeddedFile",
        b"/J#61vaScript",
        b"/Encrypt 5 0 R",
    ],
)
def test_a_document_that_acts_is_not_inert(name: bytes) -> None:
    facts = read("pdf", forge.pdf(name))
    assert ([each.reason for each in facts.unknowns], facts.coverage) == (["unsupported"], Coverage.PARTIAL)


@pytest.mark.parametrize(
    "dictionary",
    [
        b"/Type /ObjStm /Filter /FlateDecode",
        b"/Filter/FlateDecode/First 9/Type/ObjStm",
        b"/Filter [/FlateDecode] /Type /Obj#53tm",
        b"/Type /ObjStm",
    ],
)
def test_a_script_in_an_object_stream_is_found(dictionary: bytes) -> None:
    facts = read("pdf", forge.pdf(hidden=b"7 0 << /S /JavaScript /JS (x) >>", dictionary=dictionary))
    assert [each.message for each in facts.unknowns] == ["holds /JS /JavaScript: what that does was not read"]


def test_an_object_stream_without_scripts_is_inert() -> None:
    assert read("pdf", forge.pdf(hidden=b"7 0 << /S /GoTo >>" * 100)).coverage is Coverage.INERT


def test_an_object_stream_in_another_compression_is_unknown() -> None:
    facts = read("pdf", forge.pdf(hidden=b"x", dictionary=b"/Type /ObjStm /Filter /LZWDecode"))
    assert facts.coverage is Coverage.PARTIAL


def test_an_object_stream_that_is_broken_is_unknown() -> None:
    facts = read("pdf", forge.pdf(hidden=b"x").replace(b"stream\r\n\x78", b"stream\r\n\x79"))
    assert [each.reason for each in facts.unknowns] == ["malformed"]


def test_an_object_stream_that_expands_too_much() -> None:
    with pytest.raises(LimitError):
        read("pdf", forge.pdf(hidden=bytes(300_000)), Limits(decoded_bytes=100_000))


def test_a_name_at_a_block_boundary_is_found() -> None:
    before = forge.pdf(b"<<<>>>").index(b"<<<>>>")
    for shift in range(14):
        body = b"% " + b"x" * (1024 * 1024 - before - 3 - shift) + b"\n/JavaScript 1"
        assert forge.pdf(body).index(b"/JavaScript") == 1024 * 1024 - shift
        assert read("pdf", forge.pdf(body)).coverage is Coverage.PARTIAL


def test_names_that_only_begin_like_one_that_acts() -> None:
    assert read("pdf", forge.pdf(b"/JSON /Launcher /XFAB")).coverage is Coverage.INERT


@pytest.mark.parametrize("hidden", [b"", zlib.compress(b"1 0 " * 100)[:-30]])
def test_object_streams_take_the_size_of_the_document(hidden: bytes) -> None:
    """One that breaks off after a few bytes, thousands of times: not a megabyte is read for each."""
    stream = b"1 0 obj<</Type/ObjStm/Filter/FlateDecode>>\nstream\n"
    with pytest.raises(LimitError, match="lie over each other"):
        read("pdf", b"%PDF-1.7\n" + (stream + hidden) * 20_000 + b"%%EOF")


def test_object_streams_together_have_a_ratio() -> None:
    stream = b"1 0 obj<</Type/ObjStm/Filter/FlateDecode>>\nstream\n" + zlib.compress(bytes(100_000), 9)
    with pytest.raises(LimitError, match="expands too much"):
        read("pdf", b"%PDF-1.7\n" + stream * 200 + b"%%EOF", Limits(ratio_floor=10_000_000))


def test_many_short_object_streams_are_read() -> None:
    stream = (
        b"1 0 obj<</Type/ObjStm/Filter/FlateDecode>>\nstream\n"
        + zlib.compress(b"7 0 << /S /GoTo >>" * 10)
        + b"\nendstream\n"
    )
    assert read("pdf", b"%PDF-1.7\n" + stream * 3_000 + b"%%EOF").coverage is Coverage.INERT
