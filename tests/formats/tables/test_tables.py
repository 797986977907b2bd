"""Arrow, Parquet, TFRecord and MATLAB: what is told, what is refused, and every cut."""

from __future__ import annotations

import struct
import zlib

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import arrow, matlab, parquet, tfrecord
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats._thrift import Compact
from openvet.io.source import BytesSource
from openvet.testing.cases import tables

MASKED_CRC_OF_24 = bytes.fromhex("a37f4b22")


def facts(limits: Limits | None = None) -> Facts:
    return Facts("t", "t", Budget(limits or Limits()))


def test_an_arrow_stream_and_file() -> None:
    for data in (tables.arrow_stream(), tables.arrow_file()):
        told = facts()
        arrow.read(BytesSource(data), told)
        assert (told.metadata["batches"], told.metadata["rows"], told.metadata["columns"]) == (1, 4, ["a"])
        assert (told.coverage, told.anomalies, told.members) == (Coverage.READ, [], [])


def test_a_pickle_in_a_type_becomes_a_member() -> None:
    told = facts()
    arrow.read(BytesSource(tables.arrow_stream(tables._field("a", "arrow.py_extension_type", "cos\nsystem\n."))), told)
    assert [each.rule for each in told.anomalies] == ["arrow/pickled-type"]
    assert [each.open().read(0, 3) for each in told.members] == [b"cos"]


def test_a_column_that_two_offsets_lead_to_is_looked_at_once() -> None:
    nested = tables._field("x")
    for _ in range(20):
        nested = tables._field("s", children=[nested, nested])
        if len(tables._schema(nested)) > 200_000:
            break
    told = facts()
    arrow.read(BytesSource(tables.arrow_stream(nested)), told)
    assert told.coverage is Coverage.READ


def test_every_cut_of_an_arrow_file_is_told() -> None:
    data = tables.arrow_file()
    for end in range(12, len(data)):
        told = facts()
        try:
            arrow.read(BytesSource(data[:end]), told)
        except ReadError:
            continue
        assert told.coverage is not Coverage.READ, end


def test_a_parquet_table() -> None:
    told = facts()
    parquet.read(BytesSource(tables.parquet(schema=b"abc")), told)
    assert (told.metadata["rows"], told.metadata["columns"], told.metadata["created_by"]) == (4, ["a"], "forged")
    assert [each.name for each in told.members] == ["ARROW-schema.arrow"]
    assert (told.coverage, told.anomalies) == (Coverage.READ, [])
    for end in range(12, len(tables.parquet())):
        told = facts()
        try:
            parquet.read(BytesSource(tables.parquet()[:end]), told)
        except ReadError:
            continue
        assert told.coverage is not Coverage.READ, end


def test_columns_elsewhere_and_pages_that_cannot_be() -> None:
    for data, rule in (
        (tables.parquet(file=b"/etc/passwd"), "parquet/outside-path"),
        (tables.parquet(1 << 40), "parquet/structure-lies"),
    ):
        told = facts()
        parquet.read(BytesSource(data), told)
        assert [each.rule for each in told.anomalies] == [rule]
    told = facts()
    parquet.read(BytesSource(tables.parquet(file=b"part-0.parquet")), told)
    assert told.metadata["files"] == ["part-0.parquet"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"\x18\x7f", MalformedError, id="bytes beyond the end"),
        pytest.param(b"\x1d", MalformedError, id="a kind that does not exist"),
        pytest.param(b"\x19\xf8\xff\xff\xff\x7f", MalformedError, id="a list that has no room"),
        pytest.param(b"\x1b\xff\xff\x03\x88", MalformedError, id="a map that has no room"),
        pytest.param(b"\x16" + b"\xff" * 11, MalformedError, id="a number of eleven bytes"),
        pytest.param(b"\x1c" * 100, LimitError, id="too deep"),
        pytest.param(b"\x19" * 9000, LimitError, id="lists of lists"),
        pytest.param(b"\x1b" + b"\x01\xbb" * 3000, LimitError, id="maps of maps"),
        pytest.param(b"\x16\x02", MalformedError, id="no end"),
    ],
)
def test_what_thrift_refuses(data: bytes, error: type[ReadError]) -> None:
    with pytest.raises(error):
        Compact(data, facts()).structure({})


def test_records() -> None:
    told = facts()
    tfrecord.read(BytesSource(tables.records(*tables._EVENTS)), told)
    assert (told.metadata["records"], told.coverage) == ({"Event": 3}, Coverage.READ)
    told = facts()
    tfrecord.read(BytesSource(tables.records(tables._EXAMPLE)), told)
    assert told.metadata["records"] == {"Example": 1}
    data = tables.records(*tables._EVENTS[:1])
    for end in range(1, len(data)):
        told = facts()
        try:
            tfrecord.read(BytesSource(data[:end]), told)
        except ReadError:
            continue
        assert told.coverage is not Coverage.READ, end


def test_records_are_found_by_the_checksum_of_a_length() -> None:
    # the first bytes of a file of events as TensorBoard writes it: a length of 24 and its masked CRC-32C
    start = struct.pack("<Q", 24) + MASKED_CRC_OF_24
    assert tfrecord.probe(Head("a", BytesSource(start + bytes(40)))) is Likeness.STRONG
    assert tfrecord.probe(Head("a", BytesSource(start[:-1] + b"\0" + bytes(40)))) is Likeness.NO


def _mat(order: str = "<", *, packed: bool = False, kind: int = 6, more: bytes = b"") -> bytes:
    """One variable of one number."""

    def element(code: int, data: bytes) -> bytes:
        return struct.pack(order + "II", code, len(data)) + data + bytes(-len(data) % 8)

    inner = element(6, struct.pack(order + "II", kind, 0)) + element(5, struct.pack(order + "ii", 1, 1))
    inner += struct.pack(order + "I", 1 << 16 | 1) + b"x\0\0\0" + element(9, struct.pack(order + "d", 1.5))
    variable = element(14, inner)
    if packed:
        data = zlib.compress(variable)
        variable = struct.pack(order + "II", 15, len(data)) + data
    head = b"MATLAB 5.0 MAT-file, forged".ljust(124) + struct.pack(order + "H", 0x100)
    return head + (b"IM" if order == "<" else b"MI") + variable + more


@pytest.mark.parametrize("data", [_mat(), _mat(">"), _mat(packed=True)], ids=["little", "big", "packed"])
def test_a_variable_of_matlab(data: bytes) -> None:
    told = facts()
    matlab.read(BytesSource(data), told)
    assert (told.metadata["classes"], told.metadata["variables"]) == ({"double": 1}, ["x"])
    assert (told.coverage, told.anomalies) == (Coverage.READ, [])
    for end in range(136, len(data)):
        told = facts()
        try:
            matlab.read(BytesSource(data[:end]), told)
        except ReadError:
            continue
        assert told.coverage is not Coverage.READ, end


def test_objects_and_what_follows_are_told() -> None:
    for data in (_mat(kind=17), _mat(kind=16), _mat(more=b"more")):
        told = facts()
        matlab.read(BytesSource(data), told)
        assert told.coverage is Coverage.PARTIAL


def test_rules_are_those_of_the_cases() -> None:
    named = {rule for case in tables.CASES for rule in case.rules}
    assert named >= {"arrow/structure-lies", "arrow/pickled-type", "parquet/structure-lies", "parquet/outside-path"}
