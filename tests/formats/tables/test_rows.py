"""ORC and Avro: what is told, what is refused, and every cut; Zarr's claims."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats import avro, orc
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats._orc_chunks import unpacked
from openvet.formats._zarr import look
from openvet.io.source import BytesSource
from openvet.testing.cases import rows


def facts(limits: Limits | None = None) -> Facts:
    return Facts("t", "t", Budget(limits or Limits()))


def test_an_orc_table() -> None:
    for codec in (0, 1, 5):
        told = facts()
        data = rows.orc(codec=codec)
        assert orc.probe(Head("x", BytesSource(data))) is Likeness.STRONG
        orc.read(BytesSource(data), told)
        assert (told.metadata["rows"], told.metadata["columns"], told.metadata["metadata"]) == (
            4,
            ["a"],
            {"pandas": "{}"},
        )
        assert (told.coverage, told.anomalies) == (Coverage.READ, [])


def test_an_orc_stripe_that_lies() -> None:
    told = facts()
    orc.read(BytesSource(rows.orc(offset=1 << 40)), told)
    assert [each.rule for each in told.anomalies] == ["orc/structure-lies"]


def test_every_cut_of_a_table_is_told() -> None:
    for module, data in ((orc, rows.orc(codec=1)), (avro, rows.avro())):
        for end in range(24, len(data)):
            told = facts()
            try:
                module.read(BytesSource(data[:end]), told)
            except ReadError:
                continue
            # a table of Avro that ends behind its metadata, or in front of a block, is whole
            assert told.coverage is not Coverage.READ or (module is avro and not told.metadata["blocks"]), end


@pytest.mark.parametrize(
    ("codec", "data", "error"),
    [
        ("zlib", b"\x0a\0\0hello", MalformedError),
        ("zlib", b"\xff\0\0", MalformedError),
        ("snappy", b"\x04\0\0\xff\xff", MalformedError),
        ("lz4", b"\x04\0\0\xff\xff", MalformedError),
        ("zstd", b"\x0a\0\0hello", ReadError),
        ("lzo", b"\x0a\0\0hello", UnsupportedError),
        ("brotli", b"\x0a\0\0hello", UnsupportedError),
    ],
)
def test_a_chunk_that_breaks_off(codec: str, data: bytes, error: type[ReadError]) -> None:
    with pytest.raises(error):
        unpacked(BytesSource(data), 0, len(data), codec, 1024, facts())


def test_a_chunk_that_unpacks_to_more_than_a_block() -> None:
    bomb = rows._chunk(bytes(1 << 16), 1)
    with pytest.raises(MalformedError):
        unpacked(BytesSource(bomb), 0, len(bomb), "zlib", 1024, facts())
    with pytest.raises(LimitError):
        unpacked(BytesSource(bomb * 20), 0, len(bomb) * 20, "zlib", 1 << 16, facts(Limits(header=1 << 18)))


def test_an_avro_table() -> None:
    for data in (rows.avro(), rows.avro(sized=True)):
        told = facts()
        assert avro.probe(Head("x", BytesSource(data))) is Likeness.STRONG
        avro.read(BytesSource(data), told)
        assert (told.metadata["rows"], told.metadata["blocks"], told.coverage) == (2, 1, Coverage.READ)
        assert [each.name for each in told.members] == ["avro.schema.json"]


def test_each_java_class_of_an_avro_schema_is_told_once() -> None:
    told = facts()
    avro.read(BytesSource(rows.avro([rows._java("a.B"), rows._java("a.B"), rows._java("java.util.List")])), told)
    assert [(each.rule, each.evidence["name"]) for each in told.anomalies] == [("avro/java-class", "a.B")]


@pytest.mark.parametrize("more", [b"\x01\x02", b"\x00\xff" + b"\xff" * 9 + b"\x01", b"\x80" * 11])
def test_an_avro_block_whose_numbers_are_none(more: bytes) -> None:
    with pytest.raises(MalformedError):
        avro.read(BytesSource(rows.avro() + more + bytes(40)), facts())


def test_more_metadata_than_are_read() -> None:
    with pytest.raises(LimitError):
        avro.read(BytesSource(b"Obj\1" + b"\xfe\xff\xff\xff\x0f" + b"\0\0" * 20_000), facts())


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [1 << 40]}, {"shape": "10"}, {"shape": [10, 10]}, {"shape": [True]}, {"chunks": [0]}, {"dtype": "|O"}, {"dtype": [["a", "<f4"]]},
        {"dtype": "|V8"}, {"dimension_separator": "../"}, {"filters": [{"id": "pickle"}]}, {"compressor": {"id": "mine"}}, {"zarr_format": 1},
    ],
)  # fmt: skip
def test_an_array_of_zarr_that_claims_nothing(change: dict[str, object]) -> None:
    told = facts()
    told.document = {
        "zarr_format": 2,
        "shape": [10],
        "chunks": [5],
        "dtype": "<f4",
        "filters": None,
        "compressor": None,
    }
    look(told)
    assert sorted(told.claims) == ["0", "1"]
    told = facts()
    told.document = {
        "zarr_format": 2,
        "shape": [10],
        "chunks": [5],
        "dtype": "<f4",
        "filters": None,
        "compressor": None,
        **change,
    }
    look(told)
    assert told.claims == {}
