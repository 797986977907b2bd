"""The GGUF reader: versions, byte orders, value types, tensor types, and each lie by its name."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats import gguf as reader
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.formats._ggml import GGML_TYPES
from openvet.io.source import BytesSource, Source
from openvet.testing.forge_tensors import GgufArray, GgufTensor, gguf


def read(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("m.gguf", "m.gguf", Budget(limits or Limits()))
    reader.read(BytesSource(data), facts)
    return facts


def partly(data: bytes) -> tuple[Facts, ReadError]:
    facts = Facts("m.gguf", "m.gguf", Budget())
    with pytest.raises((MalformedError, UnsupportedError, LimitError)) as caught:
        reader.read(BytesSource(data), facts)
    return facts, caught.value


def lies(facts: Facts) -> list[str]:
    return [each.evidence["lie"] for each in facts.anomalies if each.rule == "gguf/header-lies"]


def overflows(facts: Facts) -> list[str]:
    return [each.message for each in facts.anomalies if each.rule == "gguf/size-overflow"]


KEYS: list[tuple[str, str, Any]] = [
    ("general.architecture", "string", "llama"),
    ("general.tags", "array", GgufArray("string", ["a", "b"])),
    ("a.u8", "u8", 200),
    ("a.i8", "i8", -3),
    ("a.u16", "u16", 60000),
    ("a.i16", "i16", -300),
    ("a.u32", "u32", 4000000000),
    ("a.i32", "i32", -70000),
    ("a.f32", "f32", 0.5),
    ("a.bool", "bool", 1),
    ("a.u64", "u64", 2**63),
    ("a.i64", "i64", -(2**40)),
    ("a.f64", "f64", 1e-6),
    ("a.numbers", "array", GgufArray("i32", range(3))),
    ("a.many", "array", GgufArray("f32", [1.0] * 100)),
    ("a.truths", "array", GgufArray("bool", [1, 0])),
    ("tokenizer.ggml.tokens", "array", GgufArray("string", [f"t{n}" for n in range(1000)])),
    ("a.nested", "array", GgufArray("array", [GgufArray("u8", [1]), GgufArray("string", ["x"])])),
]
TENSORS = [
    GgufTensor("a.weight", (32, 3), 2, size=54),
    GgufTensor("b", (5,), 0, size=20),
    GgufTensor("c", (), 1, size=2),
]


@pytest.mark.parametrize(("version", "order"), [(1, "<"), (2, "<"), (3, "<"), (3, ">"), (2, ">")])
def test_a_valid_file_in_every_version_and_byte_order(version: int, order: str) -> None:
    data = gguf(KEYS, TENSORS, version=version, order=order)
    facts = read(data)
    start = len(data) - 64 - 32 - 32
    assert facts.metadata == {
        "version": version,
        "byte_order": "little" if order == "<" else "big",
        "general.architecture": "llama",
        "general.tags": ["a", "b"],
        "a.u8": 200,
        "a.i8": -3,
        "a.u16": 60000,
        "a.i16": -300,
        "a.u32": 4000000000,
        "a.i32": -70000,
        "a.f32": "0.5",
        "a.bool": True,
        "a.u64": str(2**63),
        "a.i64": -(2**40),
        "a.f64": "1e-06",
        "a.numbers": [0, 1, 2],
        "a.many": {"items": "f32", "count": 100},
        "a.truths": [True, False],
        "tokenizer.ggml.tokens": {"items": "string", "count": 1000},
        "a.nested": {"items": "array", "count": 2},
        "tensor_types": {"F16": 1, "F32": 1, "Q4_0": 1},
    }
    assert facts.tensors == [
        Tensor("a.weight", "Q4_0", (3, 32), start, 54),
        Tensor("b", "F32", (5,), start + 64, 20),
        Tensor("c", "F16", (), start + 96, 2),
    ]
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.READ, [], [])


def test_a_file_without_padding_at_its_end_is_valid() -> None:
    data = gguf([], [GgufTensor("b", (5,), 0, size=20)])
    assert read(data[:-12]).anomalies == []


@pytest.mark.parametrize("kind", sorted(GGML_TYPES))
def test_every_tensor_type_is_sized(kind: int) -> None:
    name, block, size = GGML_TYPES[kind]
    facts = read(gguf([], [GgufTensor("t", (block * 2, 3), kind, size=size * 6)]))
    assert [(each.dtype, each.nbytes) for each in facts.tensors] == [(name, size * 6)]
    assert (facts.anomalies, facts.coverage) == ([], Coverage.READ)


# bits for one weight, as the project publishes them for its types
PUBLISHED = {
    "F32": 32, "F16": 16, "BF16": 16, "F64": 64, "I8": 8, "I16": 16, "I32": 32, "I64": 64,
    "Q4_0": 4.5, "Q4_1": 5, "Q5_0": 5.5, "Q5_1": 6, "Q8_0": 8.5, "Q8_1": 9,
    "Q2_K": 2.625, "Q3_K": 3.4375, "Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625, "Q8_K": 9.125,
    "IQ1_S": 1.5625, "IQ1_M": 1.75, "IQ2_XXS": 2.0625, "IQ2_XS": 2.3125, "IQ2_S": 2.5625, "IQ3_XXS": 3.0625,
    "IQ3_S": 3.4375, "IQ4_XS": 4.25, "IQ4_NL": 4.5, "TQ1_0": 1.6875, "TQ2_0": 2.0625, "MXFP4": 4.25, "NVFP4": 4.5,
    "Q1_0": 1.125, "Q2_0": 2.25, "Q4_0_4_4": 4.5, "Q4_0_4_8": 4.5, "Q4_0_8_8": 4.5, "IQ4_NL_4_4": 4.5,
    "IQ4_NL_4_8": 4.5, "IQ4_NL_8_8": 4.5,
}  # fmt: skip


def test_types_take_what_the_project_publishes() -> None:
    assert {name: size * 8 / block for name, block, size in GGML_TYPES.values()} == PUBLISHED


def test_extents_that_overflow_with_a_type_whose_size_is_not_known() -> None:
    facts = read(gguf([], [GgufTensor("t", (2**40, 2**40), 145)], data=b""))
    assert len(overflows(facts)) == 1


def test_a_tensor_type_of_a_fork_is_unknown() -> None:
    facts = read(gguf([], [GgufTensor("t", (4,), 145, size=16), GgufTensor("u", (4,), 0, size=16)]))
    assert [(each.dtype, each.nbytes) for each in facts.tensors] == [("GGML_145", None), ("F32", 16)]
    assert [each.reason for each in facts.unknowns] == ["unsupported"]
    assert facts.anomalies == []


def test_our_own_notes_cannot_be_written_by_the_file() -> None:
    facts = read(gguf([("version", "string", "99"), ("tensor_types", "string", "x")]))
    assert facts.metadata["version"] == 3
    assert facts.metadata["tensor_types"] == {}


# templates


def test_templates_are_programs() -> None:
    keys = [
        ("tokenizer.chat_template", "string", "{{ messages }}"),
        ("tokenizer.chat_template.tool_use", "string", "{{ ''.__class__ }}"),
        ("tokenizer.chat_templates", "array", GgufArray("string", ["tool_use"])),
        ("general.name", "string", "{{ not a template }}"),
    ]
    facts = read(gguf(keys))
    assert [(each.kind, each.location.pointer, each.to_json()["name"]) for each in facts.programs] == [
        ("jinja", "tokenizer.chat_template", ""),
        ("jinja", "tokenizer.chat_template.tool_use", "tool_use"),
    ]
    assert facts.metadata["tokenizer.chat_template"] == "a template of 14 bytes"
    assert facts.metadata["tokenizer.chat_templates"] == ["tool_use"]


def test_templates_in_an_array_are_programs_too() -> None:
    facts = read(gguf([("tokenizer.chat_template", "array", GgufArray("string", ["{{ a }}", "{{ b }}"]))]))
    assert len(facts.programs) == 2


def test_a_template_that_cannot_be_parsed_is_unknown() -> None:
    facts = read(gguf([("tokenizer.chat_template", "string", "{{ ")]))
    assert [each.reason for each in facts.unknowns] == ["malformed"]


def test_a_template_that_is_not_utf8() -> None:
    assert lies(read(gguf([("tokenizer.chat_template", "string", b"{{ a }}\xff")]))) == ["not-utf8"]


def test_a_template_beyond_the_limit_is_unknown() -> None:
    facts = read(gguf([("tokenizer.chat_template", "string", "{{ a }}")]), Limits(text=6))
    assert ([each.reason for each in facts.unknowns], facts.programs) == (["limit"], [])


# what cannot be read


def test_not_gguf() -> None:
    _, error = partly(b"GGML" + bytes(20))
    assert error.message == "does not start with GGUF"


@pytest.mark.parametrize("version", [0, 4, 0x01010101])
def test_a_version_that_nobody_knows(version: int) -> None:
    _, error = partly(gguf(version=version))
    assert isinstance(error, UnsupportedError)


def test_a_value_of_an_unknown_type() -> None:
    data = b"GGUF" + struct.pack("<IQQQ1sIB", 3, 0, 1, 1, b"a", 13, 0)
    _, error = partly(data)
    assert isinstance(error, UnsupportedError)


def test_an_array_of_an_unknown_type() -> None:
    data = b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"a", 9, 13, 0)
    _, error = partly(data)
    assert isinstance(error, UnsupportedError)


def test_arrays_nested_too_deeply() -> None:
    value = GgufArray("u8", [])
    for _ in range(8):
        value = GgufArray("array", [value])
    _, error = partly(gguf([("a", "array", value)]))
    assert isinstance(error, LimitError)
    assert error.limit == "depth"


def test_more_keys_than_the_limit() -> None:
    with pytest.raises(LimitError, match="records"):
        read(gguf([("a", "u8", 1), ("b", "u8", 1)]), Limits(records=1))


def test_more_tensors_than_the_limit() -> None:
    with pytest.raises(LimitError, match="tensors"):
        read(gguf([], TENSORS), Limits(tensors=2))


@pytest.mark.parametrize("cut", [8, 20, 24, 30, 38, 60, 100, 300, 2000])
def test_a_cut_inside_the_header(cut: int) -> None:
    data = gguf(KEYS, TENSORS)
    _, error = partly(data[:cut])
    assert isinstance(error, MalformedError)


# lies


def test_counts_without_room() -> None:
    facts, error = partly(gguf([("a", "u8", 1)], n_keys=1000, n_tensors=1000))
    assert lies(facts) == ["count", "count"]
    assert isinstance(error, MalformedError)
    assert facts.metadata["a"] == 1


def test_a_key_without_a_name() -> None:
    assert lies(read(gguf([("", "u8", 1), ("long enough", "u64", 1)]))) == ["key-empty"]


def test_a_key_that_is_too_long() -> None:
    assert lies(read(gguf([("k" * 65536, "u8", 1)]))) == ["key-too-long"]


def test_a_key_that_stands_twice() -> None:
    assert lies(read(gguf([("a", "u8", 1), ("a", "u8", 2)]))) == ["key-duplicate"]


def test_a_truth_value_of_two() -> None:
    assert lies(read(gguf([("a", "bool", 2)]))) == ["bool"]


@pytest.mark.parametrize(("kind", "value"), [("u32", 0), ("u32", 24), ("string", "32"), ("i32", -32)])
def test_an_alignment_that_is_none(kind: str, value: Any) -> None:
    # of another type than it has, that is told as well
    assert lies(read(gguf([("general.alignment", kind, value)]))) == [
        "alignment" if value else "alignment-zero",
        *(["key-type"] if kind != "u32" else []),
    ]


def test_another_alignment_is_followed() -> None:
    facts = read(gguf([("general.alignment", "u32", 128)], TENSORS, alignment=128))
    assert facts.anomalies == []
    assert [(each.offset or 0) % 128 for each in facts.tensors] == [0, 0, 0]


def test_a_tensor_that_stands_twice() -> None:
    twice = [GgufTensor("t", (4,), 0, size=16), GgufTensor("t", (4,), 0, size=16)]
    assert lies(read(gguf([], twice))) == ["tensor-duplicate"]


def test_a_tensor_name_that_is_too_long() -> None:
    assert lies(read(gguf([], [GgufTensor("t" * 257, (4,), 0, size=16)]))) == ["name-too-long"]


def test_five_dimensions() -> None:
    assert lies(read(gguf([], [GgufTensor("t", (1, 1, 1, 1, 4), 0, size=16)]))) == ["dimensions"]


def test_sixty_five_dimensions() -> None:
    facts, _ = partly(gguf([], [GgufTensor("t", (1,) * 65, 0, size=4)]))
    assert lies(facts) == ["dimensions"]


def test_a_row_that_does_not_fill_blocks() -> None:
    assert lies(read(gguf([], [GgufTensor("t", (33,), 2, size=36)]))) == ["block"]


def test_an_offset_off_the_alignment() -> None:
    facts = read(gguf([], [GgufTensor("t", (4,), 0, size=16, offset=40)]))
    assert lies(facts) == ["offset", "hole"]


def test_a_hole() -> None:
    tensors = [GgufTensor("t", (4,), 0, size=16), GgufTensor("u", (4,), 0, size=16, offset=64)]
    facts = read(gguf([], tensors))
    assert lies(facts) == ["hole"]
    assert facts.anomalies[0].evidence["size"] == 32


def test_a_jump_behind_the_end() -> None:
    def between(gap: int, data: bytes = bytes(64)) -> list[str]:
        return lies(
            read(
                gguf(
                    [],
                    [GgufTensor("t", (4,), 0, size=16), GgufTensor("u", (4,), 0, size=16, offset=32 + gap)],
                    data=data,
                )
            )
        )

    assert between(2**40) == ["outside"]
    assert between(2**20) == ["outside"]
    assert between(2**20 - 32) == ["hole"]  # a page of padding, and a file that breaks off
    assert between(2**20, bytes(2**20 + 64)) == ["hole"]  # inside of the file nothing is led out


def test_a_download_that_was_cut_short_lies_about_nothing() -> None:
    tensors = [GgufTensor(f"t{each}", (2**20,), 0, size=2**22) for each in range(8)]
    facts = read(gguf([], tensors, data=bytes(64)))
    assert lies(facts) == []
    assert [each.rule for each in facts.anomalies] == ["file/incomplete"]


@pytest.mark.parametrize(
    ("kind", "told"), [(399, []), (4095, []), (4096, ["tensor-type"]), (0xFFFFFFFF, ["tensor-type"])]
)
def test_types_behind_every_table(kind: int, told: list[str]) -> None:
    assert lies(read(gguf([], [GgufTensor("t", (256,), kind, size=288)]))) == told


def test_an_overlap() -> None:
    tensors = [GgufTensor("t", (16,), 0, size=64), GgufTensor("u", (4,), 0, size=16, offset=32)]
    facts = read(gguf([], tensors, data=bytes(64)))
    assert lies(facts) == ["overlap"]
    assert facts.anomalies[0].evidence["size"] == 32


def test_padding_that_is_not_zero() -> None:
    tensors = [GgufTensor("t", (4,), 0, size=16), GgufTensor("u", (4,), 0, size=16)]
    facts = read(gguf([], tensors, data=bytes(20) + b"x" + bytes(43)))
    assert lies(facts) == ["padding"]


@pytest.mark.parametrize("rest", [b"x", bytes(33), b"payload" * 100])
def test_bytes_behind_the_last_tensor(rest: bytes) -> None:
    facts = read(gguf([], [GgufTensor("t", (8,), 0, size=32)]) + rest)
    assert [each.rule for each in facts.anomalies] == ["file/trailing-data"]
    assert facts.coverage is Coverage.PARTIAL


def test_a_download_that_was_cut_short() -> None:
    data = gguf([], [GgufTensor("t", (250,), 0, size=1000)])
    facts = read(data[:-600])
    expected = len(data) - 24
    percent = 100 * (len(data) - 600) / expected
    assert [each.message for each in facts.unknowns] == [
        f"incomplete: expected {expected} bytes, present {len(data) - 600} ({percent:.1f} %)"
    ]
    assert [each.rule for each in facts.anomalies] == ["file/incomplete"]


# sizes that overflow


@pytest.mark.parametrize("dims", [(2**33, 2**33), (2**63,), (2**40, 2**20, 2**10), (2**62, 1)])
def test_extents_that_overflow(dims: tuple[int, ...]) -> None:
    facts = read(gguf([], [GgufTensor("t", dims, 0)]))
    assert len(overflows(facts)) == 1


def test_an_offset_that_overflows() -> None:
    facts = read(gguf([], [GgufTensor("t", (4,), 0, offset=2**64 - 32)], data=b""))
    assert len(overflows(facts)) == 1


@pytest.mark.parametrize("counts", [{"n_keys": 2**60}, {"n_tensors": 2**63}])
def test_counts_that_overflow(counts: dict[str, int]) -> None:
    facts, _ = partly(gguf(n_keys=counts.get("n_keys"), n_tensors=counts.get("n_tensors")))
    assert len(overflows(facts)) == 1


def test_a_text_length_that_overflows() -> None:
    facts, _ = partly(b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**64 - 1) + bytes(40))
    assert len(overflows(facts)) == 1


def test_a_text_length_in_an_array_that_overflows() -> None:
    texts = GgufArray("string", ["x"] * 99)
    data = gguf([("a", "array", texts)])
    at = data.rindex(struct.pack("<Q", 1) + b"x")
    facts, _ = partly(data[:at] + struct.pack("<Q", 2**63 + 5) + data[at + 8 :])
    assert len(overflows(facts)) == 1


@pytest.mark.parametrize("kind", ["u8", "string", "f64", "array"])
def test_an_array_count_that_overflows(kind: str) -> None:
    facts, _ = partly(gguf([("a", "array", GgufArray(kind, [], 2**63))]))
    assert len(overflows(facts)) == 1


def test_an_ordinary_cut_is_no_overflow() -> None:
    facts, _ = partly(gguf([("a", "array", GgufArray("string", ["x"], 90))]))
    assert overflows(facts) == []


# cost


class CountingSource(BytesSource):
    """Counts the bytes that are asked for."""

    __slots__ = ("asked",)

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked = 0

    def _read(self, offset: int, size: int) -> bytes:
        self.asked += size
        return super()._read(offset, size)


def test_a_vocabulary_is_stepped_over_once() -> None:
    tokens = GgufArray("string", [f"token number {n}" for n in range(100_000)])
    data = gguf([("tokenizer.ggml.tokens", "array", tokens)])
    source: Source = CountingSource(data)
    facts = Facts("m", "m", Budget())
    reader.read(source, facts)
    assert facts.metadata["tokenizer.ggml.tokens"] == {"items": "string", "count": 100_000}
    assert source.asked < len(data) * 1.2 + 1_000_000  # type: ignore[attr-defined]


def test_more_texts_than_are_followed() -> None:
    head = b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"a", 9, 8, 16_000_001)

    class Sparse(Source):
        __slots__ = ()

        def __init__(self) -> None:
            self.size = 2**34

        def _read(self, offset: int, size: int) -> bytes:
            return head[offset : offset + size].ljust(size, b"\0")

    with pytest.raises(UnsupportedError, match="not followed"):
        reader.read(Sparse(), Facts("m", "m", Budget()))


@pytest.mark.parametrize(("data", "likeness"), [(b"GGUF", Likeness.STRONG), (b"GGU", Likeness.NO), (b"", Likeness.NO)])
def test_probe(data: bytes, likeness: Likeness) -> None:
    assert reader.probe(Head("x", BytesSource(data))) is likeness
