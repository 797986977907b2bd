"""FlatBuffers of models for devices: what is read, what is refused, and that nothing else comes out."""

from __future__ import annotations

import random
import struct
from types import ModuleType

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import executorch, ort, tflite
from openvet.formats._flatbuffers import Walk, schema
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.io.source import BytesSource
from openvet.testing.cases.device import executorch_program, ort_model, tflite_model
from openvet.testing.forge_flatbuffers import forge_buffer

TFLITE = tflite_model("FlexErf", "Mine")
ORT = ort_model(("", "Add"), ("com.microsoft", "FusedConv"))
PTE = executorch_program("aten::add", backend="XnnpackBackend", blob=b"XH00" + bytes(9), segment=bytes(64))
VALID: dict[str, tuple[ModuleType, bytes]] = {
    "tflite": (tflite, TFLITE),
    "ort": (ort, ORT),
    "executorch": (executorch, PTE),
}


def facts_of(module: ModuleType, data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("place", "x", Budget(limits or Limits()))
    module.read(BytesSource(data), facts)
    return facts


@pytest.mark.parametrize("name", ["tflite", "ort", "executorch"])
def test_every_type_of_a_schema_exists(name: str) -> None:
    of = schema(name)
    plain = {"string", "-", *["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]}
    assert of.root in of.tables
    for fields in of.tables.values():
        for _, kind in fields:
            if kind.startswith("union "):
                assert kind[6:] in of.unions
            else:
                assert kind.strip("[]") in plain | set(of.tables) | set(of.structs), kind


@pytest.mark.parametrize("name", VALID)
def test_a_valid_file(name: str) -> None:
    module, data = VALID[name]
    assert module.probe(Head("x", BytesSource(data))) is Likeness.STRONG
    facts = facts_of(module, data)
    assert facts.anomalies == []
    assert facts.unknowns == []


def test_tflite() -> None:
    facts = facts_of(tflite, TFLITE)
    assert facts.metadata["operators"] == {"builtin": {"ADD": 1}, "flex": {"Erf": 1}, "custom": {"Mine": 1}}
    (tensor,) = facts.tensors
    assert (tensor.name, tensor.dtype, tensor.shape, tensor.nbytes) == ("weights", "F32", (2, 2), 16)
    assert tensor.offset is not None
    assert TFLITE[tensor.offset : tensor.offset + 16] == struct.pack("<4f", 1, 2, 3, 4)


def test_ort() -> None:
    facts = facts_of(ort, ORT)
    assert facts.metadata["operations"] == {"ai.onnx:Add": 1, "com.microsoft:FusedConv": 1}
    assert [(each.name, each.dtype, each.shape) for each in facts.tensors] == [("w", "F32", (2,))]


def test_executorch() -> None:
    facts = facts_of(executorch, PTE)
    assert facts.metadata["operators"] == {"aten::add": 1}
    assert facts.metadata["backends"] == {"XnnpackBackend": 1}
    assert facts.tensors == [Tensor("value 0", "F32", (2, 2))]


@pytest.mark.parametrize("name", VALID)
def test_cut_at_every_byte(name: str) -> None:
    module, data = VALID[name]
    for cut in range(8, len(data)):
        try:
            facts = facts_of(module, data[:cut])
        except MalformedError:
            continue
        assert facts.unknowns or not data[cut:].strip(b"\0"), cut


@pytest.mark.parametrize("name", VALID)
def test_mutated(name: str) -> None:
    module, data = VALID[name]
    chance = random.Random(7)
    for _ in range(3000):
        mutated = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(8, len(mutated))
            mutated[at] = chance.choice([0, 1, 2, 4, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        try:
            facts_of(module, bytes(mutated))
        except ReadError:
            continue


def test_two_tables_in_the_place_of_one() -> None:
    data = bytearray(TFLITE)
    root = int.from_bytes(data[:4], "little")
    vtable = root - int.from_bytes(data[root : root + 4], "little", signed=True)
    slots = struct.unpack("<5H", data[vtable + 4 : vtable + 14])
    struct.pack_into("<H", data, vtable + 6, slots[4])  # the operator codes are where the buffers are
    with pytest.raises(ReadError):
        facts_of(tflite, bytes(data[:40]))
    facts = Facts("place", "x", Budget(Limits()))
    try:
        tflite.read(BytesSource(bytes(data)), facts)
    except MalformedError:
        pass
    assert {each.rule for each in facts.anomalies} >= {"flatbuffer/structure-lies"}


def test_a_field_of_a_newer_schema_is_unknown() -> None:
    data = bytearray(tflite_model())
    root = int.from_bytes(data[:4], "little")
    new = len(data)
    fields = len(schema("tflite").tables["Model"]) + 1
    old = root - int.from_bytes(data[root : root + 4], "little", signed=True)
    size, inline = struct.unpack("<HH", data[old : old + 4])
    slots = list(struct.unpack(f"<{size // 2 - 2}H", data[old + 4 : old + size]))
    data += struct.pack(f"<HH{fields}H", 4 + 2 * fields, inline, *slots, *[0] * (fields - len(slots) - 1), 4)
    struct.pack_into("<i", data, root, root - new)
    facts = facts_of(tflite, bytes(data))
    assert [each.reason for each in facts.unknowns] == ["unsupported"]


def test_more_tensors_than_are_read() -> None:
    tensors = [{"shape": [2, 2], "buffer": 1, "name": f"t{index}"} for index in range(4)]
    many = tflite_model(subgraphs=[{"tensors": tensors}])
    assert len(facts_of(tflite, many).tensors) == 4
    with pytest.raises(LimitError):
        facts_of(tflite, many, Limits(tensors=3))


@pytest.mark.parametrize("name", VALID)
def test_other_bytes_are_not_claimed(name: str) -> None:
    module, data = VALID[name]
    for other in (b"", data[:8], data[:4] + b"XXXX" + data[8:], b"\xff\xff\xff\xff" + data[4:]):
        assert module.probe(Head("x", BytesSource(other))) is Likeness.NO


def test_vectors_that_share_their_tables_are_a_limit() -> None:
    """A thousand times a thousand operators in 8 KB."""
    graph = {"operators": [{"opcode_index": 0}] * 1_000, "tensors": []}
    root = {"version": 3, "operator_codes": [{}], "subgraphs": [graph] * 1_000, "buffers": [{}]}
    data = forge_buffer("tflite", root, b"TFL3", shared=True)
    assert len(data) < 9_000
    with pytest.raises(LimitError, match="share their tables"):
        facts_of(tflite, data)


def test_texts_that_lie_over_each_other_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What all texts take together is counted, since their lengths can make them overlap."""
    monkeypatch.setattr("openvet.formats._flatbuffers._TEXTS", 10_000)
    codes = [
        {"deprecated_builtin_code": 32, "builtin_code": 32, "custom_code": f"{n:04d}" + "x" * 400} for n in range(200)
    ]
    root = {"version": 3, "operator_codes": codes, "subgraphs": [], "buffers": [{}]}
    data = bytearray(forge_buffer("tflite", root, b"TFL3"))
    assert facts_of(tflite, bytes(data)).anomalies == []
    walk = Walk(BytesSource(bytes(data)), schema("tflite"), Facts("x", "x", Budget()))
    monkeypatch.setattr("openvet.formats._flatbuffers._TEXTS", -walk.source.size + 10_000)
    with pytest.raises(LimitError, match="lie over each other"):
        facts_of(tflite, bytes(data))


def test_a_text_that_many_share_is_kept_once() -> None:
    walk = Walk(BytesSource(TFLITE), schema("tflite"), Facts("x", "x", Budget()))
    (graph,) = walk.root.items("subgraphs")
    assert graph.text("name") is graph.text("name")
