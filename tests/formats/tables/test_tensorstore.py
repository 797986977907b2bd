"""OCDBT and shards of Zarr: what is told, what is refused, and every cut."""

from __future__ import annotations

import struct
import zlib

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import ocdbt, ocdbt_data, zarr_shard
from openvet.formats._crc32c import crc32c
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats._numbers import are_numbers
from openvet.formats._zarr_shard import shard_parts
from openvet.io.source import BytesSource
from openvet.testing.forge_ocdbt import DATA, data_file, manifest, node, shard

_NUMBERS = bytes(range(7, 47))
_DATA = data_file([("w/.zarray", b"{}")], [("w/0", _NUMBERS), ("w/1", bytes(range(60, 90)))])


def facts(limits: Limits | None = None, name: str = DATA) -> Facts:
    return Facts("t", name, Budget(limits or Limits()))


def test_a_manifest_leads_to_its_files() -> None:
    told = facts()
    data = manifest(40, 100)
    assert ocdbt.probe(Head("x", BytesSource(data))) is Likeness.STRONG
    ocdbt.read(BytesSource(data), told)
    assert told.metadata == {"versions": 1, "files": [DATA]}


def test_values_become_members() -> None:
    told = facts()
    assert ocdbt_data.probe(Head("x", BytesSource(_DATA))) is Likeness.STRONG
    ocdbt_data.read(BytesSource(_DATA), told)
    assert [(each.name, each.size, each.role) for each in told.members] == [
        ("w/.zarray", 2, None),
        ("w/0", 40, "tensor-data"),
        ("w/1", 30, "tensor-data"),
    ]
    assert (told.coverage, told.anomalies, told.metadata["keys"]) == (Coverage.READ, [], 3)


def test_values_elsewhere_are_claimed() -> None:
    told = facts()
    ocdbt_data.read(BytesSource(node([], [("a/0", 8, 16)], "ocdbt.process_1/d/77") + b""), told)
    assert told.claims == {"../ocdbt.process_1/d/77": [(8, 16)]}
    told = facts()
    ocdbt_data.read(BytesSource(node([], [("a/0", 8, 16)], "d/77")), told)
    assert told.claims == {"77": [(8, 16)]}


def test_a_tree_that_nothing_leads_to() -> None:
    told = facts()
    ocdbt_data.read(BytesSource(node([("b", b"22")]) + node([("a", b"1")])), told)
    assert sorted(each.name for each in told.members) == ["a", "b"]
    assert told.coverage is Coverage.READ


def test_bytes_that_no_key_leads_to() -> None:
    told = facts()
    ocdbt_data.read(BytesSource(data_file([], [("w/0", _NUMBERS)], b"between the two, at length")), told)
    assert [each.rule for each in told.anomalies] == ["file/trailing-data"]
    assert [each.name for each in told.members] == ["w/0", "unclaimed-40"]


def test_every_cut_is_told() -> None:
    for module, data in ((ocdbt, manifest(40, 100)), (ocdbt_data, _DATA)):
        for end in range(1, len(data)):
            told = facts()
            try:
                module.read(BytesSource(data[:end]), told)
            except ReadError:
                continue
            assert told.coverage is Coverage.PARTIAL, end


def _body(change: bytes, to: bytes) -> bytes:
    assert change in _DATA
    return _DATA.replace(change, to)


@pytest.mark.parametrize(
    "data",
    [
        _body(b"\x02\x28\x1e\0\1\1", b"\x02\x28\x1e\0\2\1"),  # a value of no kind
        _body(b"\x02\x28\x1e\0\1\1\0\0", b"\x02\x28\x1e\0\1\1\0\1"),  # a file that is not listed
        _body(b"\3\0\0\x09\3\3", b"\3\7\0\x02\3\3"),  # a key that shares more than there is
        _body(b"\x02\x28\x1e\0\1\1", b"\x02\x28\x7f\0\1\1"),  # a value beyond the end is told by its place
    ],
)
def test_refused(data: bytes) -> None:
    told = facts()
    with pytest.raises(MalformedError):
        ocdbt_data.read(BytesSource(data), told)


def test_a_node_that_is_too_long() -> None:
    with pytest.raises(LimitError):
        ocdbt_data.read(BytesSource(node([("a", bytes(5000))])), facts(Limits(header=1000)))


def test_shards() -> None:
    data = shard(zlib.compress(_NUMBERS), _NUMBERS)
    told = facts()
    assert zarr_shard.probe(Head("x", BytesSource(data))) is Likeness.STRONG
    zarr_shard.read(BytesSource(data), told)
    assert (told.coverage, told.members, told.metadata) == (Coverage.INERT, [], {"parts": 2})
    for end in range(len(data)):
        assert shard_parts(BytesSource(data[:end])) is None
    index = struct.pack("<4Q", 0, 30, 20, 10)
    overlap = _NUMBERS + index + struct.pack("<I", crc32c(index))
    assert shard_parts(BytesSource(overlap)) is None
    with pytest.raises(MalformedError):
        zarr_shard.read(BytesSource(overlap), facts())


def test_what_are_numbers() -> None:
    packed = zlib.compress(_NUMBERS)
    for data, answer in ((_NUMBERS, True), (packed, True), (packed + b"x", False), (b"\x7fELF" + bytes(90), False),
                         (zlib.compress(b"PK\3\4" + bytes(90)), False)):  # fmt: skip
        assert are_numbers(BytesSource(data), facts()) is answer, data
