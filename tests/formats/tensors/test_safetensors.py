"""The safetensors reader: what it says of valid files, and each lie by its name."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError
from openvet.formats import safetensors as reader
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import safetensors, safetensors_raw


def read(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("m.safetensors", "m.safetensors", Budget(limits or Limits()))
    reader.read(BytesSource(data), facts)
    return facts


def lies(facts: Facts) -> list[str]:
    return [each.evidence["lie"] for each in facts.anomalies if each.rule == "safetensors/header-lies"]


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def one(value: object, data: bytes = bytes(8)) -> Facts:
    return read(safetensors_raw(json.dumps({"a": value}), data))


VALID = safetensors({"b": ("F32", [2, 3]), "a": ("BF16", []), "c": ("I64", [0, 4])}, {"format": "pt"})


def test_a_valid_file() -> None:
    facts = read(VALID)
    start = 8 + struct.unpack("<Q", VALID[:8])[0]
    assert facts.tensors == [
        Tensor("b", "F32", (2, 3), start, 24),
        Tensor("a", "BF16", (), start + 24, 2),
        Tensor("c", "I64", (0, 4), start + 26, 0),
    ]
    assert facts.metadata == {"header_bytes": start - 8, "metadata": {"format": "pt"}, "metadata_keys": 1}
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.READ, [], [])


def test_an_empty_model_is_valid() -> None:
    facts = read(safetensors_raw("{}"))
    assert (facts.tensors, facts.anomalies, facts.coverage) == ([], [], Coverage.READ)


def test_white_space_and_order_make_no_difference() -> None:
    text = '{ "a" : {"shape": [ 1, 2 ],\n"data_offsets":[0 ,8], "dtype" :"F32"} , "b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}  \n'
    facts = read(safetensors_raw(text, bytes(9)))
    start = 8 + len(text)
    assert facts.tensors == [Tensor("a", "F32", (1, 2), start, 8), Tensor("b", "U8", (), start + 8, 1)]
    assert facts.anomalies == []


@pytest.mark.parametrize("dtype", sorted(reader._BITS))
def test_every_dtype_is_sized(dtype: str) -> None:
    size = reader._BITS[dtype]
    assert one(entry(dtype, [8], [0, size]), bytes(size)).anomalies == []


# refused: there is no header to walk


def refused(data: bytes, match: str, offset: int) -> None:
    with pytest.raises(MalformedError, match=match) as caught:
        read(data)
    assert caught.value.offset == offset


def test_shorter_than_a_length() -> None:
    refused(b"\x02\0\0\0\0\0\0", "shorter", 0)


def test_header_longer_than_the_format_allows() -> None:
    refused(safetensors_raw("{}", length=100_000_001), "100000001 bytes long; at most", 0)


def test_header_longer_than_the_file() -> None:
    refused(safetensors_raw("{}", length=3), "3 bytes long, and 2 follow", 0)


def test_header_that_is_not_utf8() -> None:
    refused(safetensors_raw(b'{"\xff":1}'), "not UTF-8", 10)


def test_header_that_does_not_start_with_a_brace() -> None:
    refused(safetensors_raw(" {}"), "does not start", 8)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ('{"a"', 12),
        ('{"a":', 13),
        ('{"a":1', 14),
        ('{"a":1,}', 15),
        ("{a:1}", 9),
        ('{"a":{"dtype":"F32",}}', 13),
        ('{"a":{"dtype":NaN}}', 13),
        ('{"a":[1}', 13),
        ('{"a\n":1}', 9),
        ('{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}', 13),
        ('{"a":{"dtype":"F32"', 27),
        ('{"é":1;}', 14),
    ],
)
def test_header_that_is_not_json(text: str, offset: int) -> None:
    refused(safetensors_raw(text), "not JSON", offset)


def test_header_longer_than_we_hold() -> None:
    data = safetensors_raw("{}" + " " * 62)
    with pytest.raises(LimitError, match="header") as caught:
        read(data, Limits(header=63))
    assert (caught.value.limit, caught.value.allowed) == ("header", 63)
    assert read(data, Limits(header=64)).anomalies == []


def test_more_tensors_than_the_limit() -> None:
    with pytest.raises(LimitError, match="tensors"):
        read(VALID, Limits(tensors=3))  # its metadata counts as an entry
    assert len(read(VALID, Limits(tensors=4)).tensors) == 3


# lies: each is named, and reading goes on


@pytest.mark.parametrize(
    ("lie", "make"),
    [
        ("unknown-dtype", lambda: one(entry("F31"))),
        ("unknown-dtype", lambda: one(entry(7))),
        ("unknown-dtype", lambda: one(entry("f32"))),
        ("bad-shape", lambda: one(entry(shape=[-2]))),
        ("bad-shape", lambda: one(entry(shape=[2.0]))),
        ("bad-shape", lambda: one(entry(shape=[True, 2]))),
        ("bad-shape", lambda: one(entry(shape={"2": 2}))),
        ("bad-shape", lambda: one(entry(shape=[2**64]))),
        ("bad-offsets", lambda: one(entry(offsets=[0]))),
        ("bad-offsets", lambda: one(entry(offsets=[0, 8, 8]))),
        ("bad-offsets", lambda: one(entry(offsets=["0", 8]))),
        ("missing-field", lambda: one({"dtype": "F32", "shape": [2]})),
        ("unknown-field", lambda: one(entry() | {"code": "x"})),
        ("tensor-not-object", lambda: one("F32")),
        ("tensor-not-object", lambda: one(None)),
        ("metadata-not-object", lambda: read(safetensors_raw('{"__metadata__":[1]}'))),
        ("metadata-not-text", lambda: read(safetensors_raw('{"__metadata__":{"a":1}}'))),
        ("metadata-not-text", lambda: read(safetensors_raw('{"__metadata__":{"a":{"b":[{}]}}}'))),
        ("header-trailing", lambda: read(safetensors_raw('{} {"a":1}'))),
        ("size-mismatch", lambda: one(entry(shape=[3]))),
        ("not-unicode", lambda: read(safetensors_raw('{"é\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)))),
    ],
)  # fmt: skip
def test_a_lie_has_its_name(lie: str, make: Callable[[], Facts]) -> None:
    assert lie in lies(make())


def test_a_name_that_stands_twice() -> None:
    body = '"a":{"dtype":"F32","shape":[2],"data_offsets":[%d,%d]}'
    facts = read(safetensors_raw("{" + body % (0, 8) + "," + body % (8, 16) + "}", bytes(16)))
    assert lies(facts) == ["duplicate-key"]
    assert len(facts.tensors) == 2


def test_a_field_that_stands_twice() -> None:
    text = '{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    assert lies(read(safetensors_raw(text, bytes(8)))) == ["duplicate-key"]


def test_a_metadata_key_that_stands_twice() -> None:
    assert lies(read(safetensors_raw('{"__metadata__":{"a":"1","a":"2"}}'))) == ["duplicate-key"]


def test_offsets_that_run_backwards() -> None:
    facts = one(entry(offsets=[8, 0]))
    assert lies(facts)[0] == "bad-offsets"


@pytest.mark.parametrize("shape", [[2**33, 2**31], [2**62, 1], [2**32, 2**32]])
def test_a_shape_that_overflows(shape: list[int]) -> None:
    assert "overflow" in lies(one(entry("F32", shape)))


def test_a_zero_before_the_overflow_is_no_overflow() -> None:
    assert lies(one(entry("F32", [0, 2**40, 2**40], [0, 0]), b"")) == []


def test_an_overflow_before_a_zero() -> None:
    assert lies(one(entry("F32", [2**40, 2**40, 0], [0, 0]), b"")) == ["overflow"]


def test_bits_that_do_not_fill_bytes() -> None:
    assert lies(one(entry("F4", [3], [0, 1]), bytes(1))) == ["misaligned"]


def two(first: tuple[int, int], second: tuple[int, int], size: int) -> Facts:
    header = {name: entry("U8", [e - b], [b, e]) for name, (b, e) in (("a", first), ("b", second))}
    return read(safetensors_raw(json.dumps(header), bytes(size)))


def test_a_hole_between_tensors() -> None:
    facts = two((0, 4), (6, 8), 8)
    assert lies(facts) == ["hole"]
    assert facts.anomalies[0].evidence["size"] == 2


def test_data_that_does_not_start_at_zero() -> None:
    assert lies(two((2, 4), (4, 8), 8)) == ["hole"]


def test_tensors_that_overlap() -> None:
    facts = two((0, 5), (4, 8), 8)
    assert lies(facts) == ["overlap"]
    assert facts.anomalies[0].evidence["size"] == 1


def test_a_tensor_inside_another_one_is_one_overlap() -> None:
    header = {name: entry("U8", [e - b], [b, e]) for name, b, e in (("a", 0, 8), ("b", 2, 4), ("c", 8, 9))}
    assert lies(read(safetensors_raw(json.dumps(header), bytes(9)))) == ["overlap"]


def test_an_empty_tensor_shares_its_place() -> None:
    assert lies(two((0, 8), (0, 0), 8)) == []


def test_bytes_behind_the_last_tensor() -> None:
    facts = read(VALID + b"\0")
    assert [each.rule for each in facts.anomalies] == ["file/trailing-data"]
    assert facts.coverage is Coverage.PARTIAL


def test_a_download_that_was_cut_short() -> None:
    facts = read(VALID[:-13])
    assert [(each.rule, each.evidence) for each in facts.anomalies] == [
        ("file/incomplete", {"expected": str(len(VALID)), "present": len(VALID) - 13})
    ]
    assert [each.reason for each in facts.unknowns] == ["absent"]
    assert facts.unknowns[0].message == f"incomplete: expected {len(VALID)} bytes, present {len(VALID) - 13} (94.4 %)"


def test_an_entry_too_long_to_hold() -> None:
    facts = one(entry() | {"x": "y" * 70_000})
    assert lies(facts) == ["entry-too-long"]
    assert [each.reason for each in facts.unknowns] == ["limit"]


def test_deep_nesting_is_a_result() -> None:
    refused(safetensors_raw('{"a":' + "[" * 30_000 + "]" * 30_000 + "}"), "cannot be read", 13)
    assert lies(read(safetensors_raw('{"__metadata__":' + "[" * 90_000 + "]" * 90_000 + "}"))) == [
        "metadata-not-object"
    ]


def test_metadata_of_null_is_none() -> None:
    assert read(safetensors_raw('{"__metadata__": null }')).anomalies == []
    refused(safetensors_raw('{"__metadata__":nullify}'), "not JSON", 28)


def test_metadata_is_bounded() -> None:
    facts = read(safetensors({}, {f"key {n}": "x" * 5000 for n in range(300)}))
    kept = facts.metadata["metadata"]
    assert (len(kept), facts.metadata["metadata_keys"]) == (100, 300)
    assert {len(value) for value in kept.values()} == {500}


def test_text_of_the_subject_is_printable() -> None:
    facts = read(safetensors({"a\x1b[31m": ("F32", [1])}, {"b\x07": "\u202e"}))
    assert facts.tensors[0].name == "a\\x1b[31m"
    assert facts.metadata["metadata"] == {"b\\x07": "\\u202e"}


def test_names_beyond_ascii_however_they_are_written() -> None:
    header = '{"grüße 🙂":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"gr\\u00fc\\u00dfe":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}'
    assert [each.name for each in read(safetensors_raw(header, bytes(2))).tensors] == ["grüße 🙂", "grüße"]


def test_digits_of_other_scripts_are_no_numbers() -> None:
    refused(safetensors_raw('{"a":{"dtype":"F32","shape":[٢],"data_offsets":[0,8]}}', bytes(8)), "not JSON", 13)


def test_a_character_that_the_header_cuts() -> None:
    refused(safetensors_raw('{"é'.encode()[:-1]), "not UTF-8", 10)


# probing


@pytest.mark.parametrize(
    ("data", "likeness"),
    [
        (VALID, Likeness.STRONG),
        (VALID[:-1], Likeness.STRONG),
        (safetensors_raw("{}"), Likeness.STRONG),
        (safetensors_raw('{"__metadata__":{}}', length=2**60), Likeness.WEAK),
        (safetensors_raw("{]"), Likeness.NO),
        (b'{"a": {"b": 1}}', Likeness.NO),
        (b'12345678{"a": 1}', Likeness.NO),
        (b"", Likeness.NO),
    ],
)
def test_probe(data: bytes, likeness: Likeness) -> None:
    assert reader.probe(Head("x", BytesSource(data))) is likeness


# a valid file is valid whatever is in it, and every single change of a number is seen

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda name: name != "__metadata__")
SHAPES = st.lists(st.integers(0, 5), max_size=4)
MODELS = st.dictionaries(NAMES, st.tuples(st.sampled_from(["F32", "F16", "BF16", "I64", "U8"]), SHAPES), max_size=8)


@settings(deadline=None, max_examples=60)
@given(model=MODELS, metadata=st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=20), max_size=4))
def test_what_is_valid_has_no_anomaly(model: dict[str, tuple[str, list[int]]], metadata: dict[str, str]) -> None:
    facts = read(safetensors(model, metadata))
    assert (facts.anomalies, facts.unknowns, facts.coverage) == ([], [], Coverage.READ)
    assert [(each.dtype, list(each.shape)) for each in facts.tensors] == list(model.values())


@settings(deadline=None, max_examples=60)
@given(cut=st.integers(0, len(VALID) - 1))
def test_a_cut_anywhere_is_seen(cut: int) -> None:
    facts = Facts("m", "m", Budget())
    try:
        reader.read(BytesSource(VALID[:cut]), facts)
    except MalformedError:
        return
    assert facts.coverage is Coverage.PARTIAL


def test_a_header_beyond_the_limit_is_read_when_the_limit_is_raised() -> None:
    header = json.dumps(
        {"__metadata__": {"note": "x" * 5000}, "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    )
    data = safetensors_raw(header, bytes(4))
    with pytest.raises(LimitError, match="limit header = 1000"):
        reader.read(BytesSource(data), Facts("m", "m", Budget(Limits(header=1000))))
    facts = Facts("m", "m", Budget(Limits(header=10_000)))
    reader.read(BytesSource(data), facts)
    assert [tensor.name for tensor in facts.tensors] == ["w"]
