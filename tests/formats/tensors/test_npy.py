"""The npy reader: dtypes, several arrays in one file, object arrays, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats import npy as reader
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import npy


def read(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("a.npy", "a.npy", Budget(limits or Limits()))
    reader.read(BytesSource(data), facts)
    return facts


def header(descr: str = "'<f4'", shape: str = "(2, 3)", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_valid_array(version: int) -> None:
    facts = read(npy(header(), bytes(24), version=version))
    assert facts.tensors == [Tensor("array", "F32", (2, 3), 128, 24)]
    assert facts.metadata == {"version": f"{version}.0", "descr": "<f4", "fortran_order": False}
    assert (facts.coverage, facts.anomalies, facts.unknowns, facts.members) == (Coverage.READ, [], [], [])


@pytest.mark.parametrize(
    ("descr", "word", "size"),
    [
        ("'|b1'", "BOOL", 1),
        ("'|?'", "BOOL", 1),
        ("'|u1'", "U8", 1),
        ("'>i2'", "I16", 2),
        ("'<f2'", "F16", 2),
        ("'=f8'", "F64", 8),
        ("'<c8'", "C64", 8),
        ("'<c16'", "c16", 16),
        ("'<U10'", "U10", 40),
        ("'|S5'", "S5", 5),
        ("'|V2'", "V2", 2),
        ("'<M8[ns]'", "M8", 8),
        ("'<m8[25s]'", "m8", 8),
        ("[('a', '<f4'), ('b', '|S3', (2, 2))]", "STRUCT", 16),
        ("[(('title', 'a'), '<i8'), ('', '|V8')]", "STRUCT", 16),
        ("[('a', [('b', '<f4'), ('c', '<f8')])]", "STRUCT", 12),
        ("('<i4', (3,))", "I32", 12),
        ('"<f4"', "F32", 4),
        (r"[('it\'s', '<f4')]", "STRUCT", 4),
    ],
)
def test_dtypes(descr: str, word: str, size: int) -> None:
    facts = read(npy(header(descr, "(5,)"), bytes(5 * size)))
    assert [(each.dtype, each.nbytes) for each in facts.tensors] == [(word, 5 * size)]
    assert facts.anomalies == []


def test_a_scalar_and_an_empty_array() -> None:
    assert read(npy(header(shape="()"), bytes(4))).anomalies == []
    assert read(npy(header(shape="(0, 7)"))).anomalies == []


def test_what_python_2_wrote() -> None:
    assert read(npy(header(shape="(2L, 3L)"), bytes(24))).tensors[0].shape == (2, 3)
    with pytest.raises(MalformedError):
        read(npy(header(shape="(2L, 3L)"), bytes(24), version=3))


def test_several_arrays_in_one_file() -> None:
    facts = read(npy(header(), bytes(24)) + npy(header("'<i8'", "(1,)"), bytes(8)))
    assert [(each.name, each.dtype) for each in facts.tensors] == [("array", "F32"), ("array 1", "I64")]
    assert facts.coverage is Coverage.READ


@pytest.mark.parametrize("descr", ["'|O'", "'O'", "'|O8'", "[('a', '<f4'), ('b', '|O')]", "('|O', (2,))"])
def test_objects_are_handed_over_as_a_pickle(descr: str) -> None:
    facts = read(npy(header(descr, "(1,)"), b"\x80\x02N."))
    assert [(each.name, each.size, each.offset) for each in facts.members] == [("objects.pickle", 4, 128)]
    with facts.members[0].open() as source:
        assert source.read(0, 4) == b"\x80\x02N."
    assert [each.rule for each in facts.anomalies] == ["npy/object-array"]
    assert facts.tensors == [Tensor("array", "OBJECT", (1,))]


def test_objects_without_their_pickle() -> None:
    facts = read(npy(header("'|O'", "(1,)")))
    assert [each.rule for each in facts.anomalies] == ["npy/object-array", "file/incomplete"]
    assert facts.members == []


def test_bytes_behind_the_array() -> None:
    facts = read(npy(header(), bytes(24)) + b"\x93NUMPZ")
    assert [(each.rule, each.location.offset) for each in facts.anomalies] == [("file/trailing-data", 152)]
    assert facts.coverage is Coverage.PARTIAL


def test_data_that_was_cut_short() -> None:
    facts = read(npy(header(), bytes(20)))
    assert [each.message for each in facts.unknowns] == ["incomplete: expected 152 bytes, present 148 (97.4 %)"]
    assert [each.rule for each in facts.anomalies] == ["file/incomplete"]


def test_a_size_that_overflows() -> None:
    facts = read(npy(header(shape="(4294967296, 4294967296)")))
    assert [each.evidence.get("lie") for each in facts.anomalies] == ["overflow", None]


@pytest.mark.parametrize("shape", ["(-1,)", "(" + "1," * 65 + ")"])
def test_a_shape_that_is_impossible(shape: str) -> None:
    facts = Facts("a", "a", Budget())
    with pytest.raises(MalformedError):
        reader.read(BytesSource(npy(header(shape=shape))), facts)
    assert [each.rule for each in facts.anomalies] == ["npy/header-lies"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        header(shape="(1)"),
        header(shape="[1]"),
        header(shape="(1.0,)"),
        header(shape="(True,)"),
        header(shape="('1',)"),
        header(order="0"),
        header(descr="4"),
        header(descr="[]"),
        header(descr="['<f4']"),
        header(descr="[('a',)]"),
        header(descr="[('a', '<f4', -1)]"),
        header(descr="'<f4' '<f4'"),
        header(descr="__import__('os').system('echo')"),
        header(descr="'<f4'.upper()"),
        header() + " 1",
        header() + "\nimport os",
        header(shape="(1,,)"),
        header(descr="'\\x3cf4'"),
        "{'descr'",
    ],
)
def test_a_header_that_is_not_the_literal(text: str) -> None:
    with pytest.raises((MalformedError, UnsupportedError)):
        read(npy(text, bytes(24)))


def test_a_dtype_that_nobody_knows() -> None:
    with pytest.raises(UnsupportedError, match="not known"):
        read(npy(header("'<q4'"), bytes(24)))
    with pytest.raises(UnsupportedError, match="not stated"):
        read(npy(header("'<f'"), bytes(24)))


def test_a_version_that_nobody_knows() -> None:
    with pytest.raises(UnsupportedError):
        read(npy(header(), bytes(24), version=4))


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x10", b"\x93NUMPY\x01\x00\x10\x00{}"])
def test_a_cut_inside_the_header(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


def test_a_header_too_long_to_hold() -> None:
    with pytest.raises(LimitError) as caught:
        read(npy(header(), bytes(24)), Limits(header=100))
    assert (caught.value.limit, caught.value.allowed) == ("header", 100)


def test_nesting_has_a_limit() -> None:
    for text in (header(shape="(" * 5000 + ")" * 5000), header(descr="[('a'," * 40 + "'<f4'" + ")]" * 40)):
        with pytest.raises(LimitError) as caught:
            read(npy(text, bytes(24), version=2))
        assert caught.value.limit == "nesting"


def test_more_arrays_than_the_limit() -> None:
    with pytest.raises(LimitError, match="records"):
        read(npy(header(shape="()"), bytes(4)) * 3, Limits(records=2))


@settings(deadline=None, max_examples=80)
@given(shape=st.lists(st.integers(0, 9), max_size=5), kind=st.sampled_from(["<f4", ">f8", "|u1", "<U3", "|b1"]))
def test_the_literal_of_any_shape_is_read_as_python_writes_it(shape: list[int], kind: str) -> None:
    literal = repr({"descr": kind, "fortran_order": True, "shape": tuple(shape)})
    size = {"<f4": 4, ">f8": 8, "|u1": 1, "<U3": 12, "|b1": 1}[kind]
    elements = 1
    for extent in shape:
        elements *= extent
    facts = read(npy(literal, bytes(elements * size)))
    assert (facts.tensors[0].shape, facts.anomalies, facts.coverage) == (tuple(shape), [], Coverage.READ)


@pytest.mark.parametrize(("data", "likeness"), [(npy(header()), Likeness.STRONG), (b"\x93NUMP", Likeness.NO)])
def test_probe(data: bytes, likeness: Likeness) -> None:
    assert reader.probe(Head("x", BytesSource(data))) is likeness
