"""What stands beside models: every cut is told, every refused shape is refused, and nothing that runs is passed over."""

from __future__ import annotations

import contextlib
import importlib
import struct
from types import ModuleType

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import (
    ani,
    apple_double,
    crfsuite,
    fits,
    ggml,
    glb,
    idl_save,
    jpeg2000,
    jxl,
    netpbm,
    ole,
    ply,
    polars_plan,
    sqlite,
    sqlite_wal,
    stl,
    wav,
    xgboost_binary,
)
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing import forge_inert as forge
from openvet.testing.forge_inert import INERT

MODULES = {word: importlib.import_module(f"openvet.formats.{name}") for word, name in {
    **{word: word.replace("-", "_") for word in INERT}, "netpbm-bits": "netpbm", "netpbm-any": "netpbm", "netpbm-float": "netpbm",
    "jpeg2000-stream": "jpeg2000", "wav-rf64": "wav", "wav-rifx": "wav", "ggml-whisper": "ggml", "xgboost-binary-dart": "xgboost_binary", "xgboost-binary-linear": "xgboost_binary"}.items()}  # fmt: skip


def read(module: ModuleType, data: bytes, limits: Limits | None = None, name: str = "x") -> Facts:
    facts = Facts("t", name, Budget(limits or Limits()))
    module.read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize("word", INERT)
def test_a_whole_file(word: str) -> None:
    name, data = INERT[word]
    assert MODULES[word].probe(Head(name, BytesSource(data))) is Likeness.STRONG
    facts = read(MODULES[word], data)
    assert facts.coverage in {Coverage.READ, Coverage.INERT}
    assert (facts.anomalies, facts.unknowns) == ([], [])


@pytest.mark.parametrize("word", sorted(set(INERT) - {"fits", "jpeg2000", "jxl", "ole"}))
def test_every_cut_is_told(word: str) -> None:
    data = INERT[word][1]
    step = max(len(data) // 400, 1)
    # a model of GGML does not say how many tensors it has, nor which of two sizes its blocks have
    tensors = read(MODULES[word], data).tensors if word.startswith("ggml") else []
    between = {(each.offset or 0) + (each.nbytes or 0) + more for each in tensors for more in (0, 6)}
    for end in range(1, len(data), step):
        if data[end:].strip(b"\0") and end not in between:
            try:
                facts = read(MODULES[word], data[:end])
            except ReadError:
                continue
            assert facts.coverage is Coverage.PARTIAL or facts.anomalies, end


@pytest.mark.parametrize(
    ("data", "end"),
    [(forge.fits(), 2883), (forge.jp2(), 60), (forge.jxl(), 40), (INERT["ole"][1], 2000), (forge.j2k(), 50)],
)
def test_a_cut_in_the_middle(data: bytes, end: int) -> None:
    modules = {
        b"SIMP": fits,
        b"\0\0\0\x0c": jxl if data[4:8] == b"JXL " else jpeg2000,
        b"\xd0\xcf\x11\xe0": ole,
        b"\xff\x4f\xff\x51": jpeg2000,
    }
    try:
        facts = read(modules[data[:4]], data[:end])
    except ReadError:
        return
    assert facts.coverage is Coverage.PARTIAL


def _sector(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + struct.pack("<I", value) + data[at + 4 :]


_OLE = INERT["ole"][1]
_DB = forge.sqlite()
REFUSED: list[tuple[str, ModuleType, bytes]] = [
    ("a RIFF without its lengths", wav, forge.rf64().replace(b"ds64", b"ds65")),
    ("a table of lengths without room", wav, forge.rf64().replace(struct.pack("<QQI", 4, 2, 0), struct.pack("<QQI", 4, 2, 9))),
    ("a cursor with a long header", ani, forge.ani().replace(b"anih\x24", b"anih\x25")),
    ("an entry beyond the end", apple_double, forge.apple_double().replace(struct.pack(">I", 50), struct.pack(">I", 5_000), 1)),
    ("a header of what is no text", fits, forge.fits().replace(b"/ it is", b"/ it\xff\x01\x02")),
    ("data of less than no bytes", fits, forge.fits().replace(b"NAXIS1  =                    3", b"NAXIS1  =                   -3")),
    ("a card that never ends", fits, forge.fits()[:2880].replace(b"END", b"AND")),
    ("no image", netpbm, b"P6\n2 2\n0\n" + bytes(12)),
    ("an image beyond the end", netpbm, b"P6\n200 200\n255\n" + bytes(12)),
    ("triangles beyond the end", stl, forge.stl()[:-1]),
    ("a header without an end", ply, forge.ply().replace(b"end_header", b"end_headed")),
    ("a line of no kind", ply, forge.ply().replace(b"comment forged", b"command forged")),
    ("a value of no type", ply, forge.ply().replace(b"float x", b"flout x")),
    ("a list beyond the end", ply, forge.ply().replace(b"\3\0\0\0\0\1", b"\xff\0\0\0\0\1")),
    ("a scene longer than the file", glb, forge.glb()[:-1]),
    ("a scene without words", glb, forge.glb().replace(b"JSON", b"BIN\0")),
    ("a chunk beyond the end", glb, forge.glb().replace(struct.pack("<I", 8) + b"BIN", struct.pack("<I", 80) + b"BIN")),
    ("a box shorter than its head", jpeg2000, forge.jp2().replace(b"\0\0\0\x14ftyp", b"\0\0\0\x04ftyp")),
    ("no codestream", jpeg2000, forge.jp2().replace(b"jp2c", b"jp2d")),
    ("a codestream that is none", jpeg2000, forge.jp2().replace(b"\xff\x4f\xff\x51", b"\xff\x4f\xff\x52")),
    ("a part shorter than its head", jpeg2000, forge.j2k().replace(struct.pack(">I", 18), struct.pack(">I", 2))),
    ("a codestream without an end", jpeg2000, forge.j2k()[:-2]),
    ("boxes without pixels", jxl, forge.jxl().replace(b"jxlc", b"jbrd")),
    ("a box of pixels beyond the end", jxl, forge.jxl().replace(struct.pack(">I", 19) + b"jxlc", struct.pack(">I", 190) + b"jxlc")),
    ("a model longer than the file", crfsuite, forge.crfsuite()[:-1]),
    ("a chunk elsewhere", crfsuite, forge.crfsuite().replace(b"LFRF", b"LFRG")),
    ("a record of no kind", idl_save, forge.idl_save(99)),
    ("a record that leads back", idl_save, forge.idl_save().replace(struct.pack(">II", 14, 52), struct.pack(">II", 14, 4))),
    ("pages of no size", sqlite, _DB[:16] + b"\0\3" + _DB[18:]),
    ("a root beyond the end", sqlite, _DB[: _DB.index(b"CREATE TABLE") - 1] + b"\xff" + _DB[_DB.index(b"CREATE TABLE") :]),
    ("a page of no kind", sqlite, _DB[:100] + b"\x07" + _DB[101:]),
    ("free pages in a circle", sqlite, _DB[:32] + struct.pack(">I", 1) + _DB[36:]),
    ("more cells than room", sqlite, _DB[:103] + b"\xff\xff" + _DB[105:]),
    ("a log of pages of no size", sqlite_wal, forge.wal().replace(struct.pack(">I", 512), struct.pack(">I", 513))),
    ("neither a log nor an index", sqlite_wal, b"forged" * 40),
    ("sectors of no size", ole, _OLE[:30] + b"\3\0" + _OLE[32:]),
    ("a directory in a circle", ole, _sector(_OLE, 512 + 4, 1)),
    ("a directory beyond the end", ole, _sector(_OLE, 48, 5000)),
    ("a stream that leads to nowhere", ole, _sector(_OLE, 512 + 8, 5000)),
    ("a directory without a root", ole, _OLE.replace(b"R\0o\0o\0t\0", b"R\0o\0o\0t\0").replace(bytes([22, 0, 5]), bytes([22, 0, 1]))),
    ("a record beyond its stream", ole, forge.compound(("Workbook", struct.pack("<HH", 0x809, 5000)))),
    ("no architecture", ggml, b"lmgg" + bytes([9]) * 90),
    ("no tensor", ggml, forge.ggml()[:100]),
    ("a booster of no kind", xgboost_binary, forge.xgboost().replace(b"gbtree", b"gbbush")),
    ("a text beyond the end", xgboost_binary, forge.xgboost()[:-1]),
    ("no plan", polars_plan, b"DSL_VERSION" + bytes(90)),
    ("a plan that breaks off", polars_plan, b"DSL_VERSION" + bytes(4) + b"0" * 64 + b"\x82\xa1a"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "data"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_refused(module: ModuleType, data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(module, data)


def test_limits() -> None:
    with pytest.raises(LimitError):
        read(polars_plan, b"DSL_VERSION" + bytes(4) + b"0" * 64 + b"\xa1a" * 40, Limits(text=16))
    with pytest.raises(LimitError):
        read(ggml, forge.ggml(), Limits(tensors=1))
    with pytest.raises(LimitError):
        read(
            xgboost_binary,
            forge.xgboost().replace(
                struct.pack("<i", 2).ljust(160, b"\0"), struct.pack("<i", 1 << 30).ljust(160, b"\0")
            ),
        )
    with pytest.raises(LimitError):
        read(xgboost_binary, forge.xgboost(attribute=bytes(1 << 21)))
    with pytest.raises(LimitError):
        read(ply, forge.ply().replace(b"face 1", b"face 99999999"))


def test_architectures_of_ggml() -> None:
    for kind, architecture in (("llama", "llama"), ("whisper", "whisper"), ("gpt-2", "llama or gpt-2")):
        facts = read(ggml, forge.ggml(kind))
        assert facts.metadata["architecture"] == architecture
        assert [(each.name, each.dtype, each.shape) for each in facts.tensors] == [
            ("tok", "Q4_0", (3, 32)),
            ("n", "F32", (32,)),
        ]
    older = forge.ggml(data=bytes(range(60)))
    assert [each.nbytes for each in read(ggml, older).tensors] == [60, 128]


def test_more_dimensions_of_ggml_than_readers_have_room_for() -> None:
    for kind in ("llama", "whisper", "gpt-2"):
        assert read(ggml, forge.ggml(kind, dimensions=4)).anomalies == []
        facts = Facts("a", "a", Budget(Limits()))
        with contextlib.suppress(ReadError):
            ggml.read(BytesSource(forge.ggml(kind, dimensions=5)), facts)
        assert facts.anomalies[0].rule == "file/outside-memory"
        assert facts.anomalies[0].message == "a tensor has 5 dimensions, and readers have room for 4"


def test_what_a_data_base_holds() -> None:
    for page in (512, 1024, 65536):
        facts = read(sqlite, forge.sqlite(page=page))
        assert facts.metadata == {"tables": ["t"], "indexes": ["i"], "views": ["v"]}
        assert facts.coverage is Coverage.READ


def test_an_encrypted_workbook_is_unread() -> None:
    sealed = forge.compound(("Workbook", struct.pack("<HHHHH", 0x809, 0, 0x2F, 2, 0)))
    assert [each.reason for each in read(ole, sealed).unknowns] == ["encrypted"]
    assert [each.reason for each in read(ole, forge.compound(("EncryptedPackage", b"a"), ("VBA", b"b"))).unknowns] == [
        "encrypted"
    ]


def test_an_index_of_a_log() -> None:
    index = (struct.pack("<I", 3007000) + bytes(range(44))) * 2
    assert read(sqlite_wal, index.ljust(32768, b"\1")).coverage is Coverage.INERT
    assert sqlite_wal.probe(Head("x", BytesSource(index.ljust(32767, b"\1")))) is Likeness.NO


@pytest.mark.parametrize(
    ("streams", "kinds"),
    [
        ((("Workbook", forge.workbook()),), []),
        ((("Workbook", forge.workbook(1)),), ["macros"]),
        ((("Book", forge.workbook(6)),), ["macros"]),
        ((("WordDocument", b""), ("macros", b"")), ["macros"]),  # storages keep their names in any spelling
        ((("WordDocument", b""), ("\1OLE10NATIVE", b"")), ["embedded"]),
        ((("Workbook", struct.pack("<HHHHB3s", 0x1AE, 8, 0, 3, 0, b"\3ab") + bytes(4)),), []),
        ((("Workbook", struct.pack("<HHHHB4sB", 0x1AE, 10, 0, 1, 0, b"\3ab\0", 0) + bytes(4)),), ["dde"]),
    ],
)
def test_what_office_runs_in_old_documents(streams: tuple[tuple[str, bytes], ...], kinds: list[str]) -> None:
    facts = read(ole, forge.compound(*streams))
    assert [(each.rule, each.evidence["kind"]) for each in facts.anomalies] == [
        ("office/active-content", kind) for kind in kinds
    ]
