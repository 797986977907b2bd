"""The walker of protocol buffers: each wire type, each refusal, and what it says of unknown and twofold fields."""

from __future__ import annotations

import tracemalloc

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Head
from openvet.formats._protobuf import Schema, Spec, Walker, looks_like, schema
from openvet.io.source import BytesSource
from openvet.testing.forge_protobuf import field, varint

MESSAGES: Schema = {
    "M": {
        1: Spec("number", 0, "v", repeated=False),
        2: Spec("text", 2, "s", repeated=False),
        3: Spec("inner", 2, "m", repeated=True, type="M"),
        4: Spec("numbers", 0, "v", repeated=True),
        5: Spec("floats", 5, "4", repeated=True),
    }
}


def walk(data: bytes, limits: Limits | None = None) -> tuple[Walker, list[tuple[str, int, int]]]:
    walker = Walker(BytesSource(data), Facts("m", "m", Budget(limits or Limits())), MESSAGES)
    return walker, [(each.name, each.size, each.value) for each in walker.message("M", 0, len(data))]


def test_each_wire_type() -> None:
    data = (
        field(1, 0, varint(300))
        + field(2, 2, b"abc")
        + field(5, 5, b"\0\0\x80?")
        + field(4, 2, varint(7) + varint(300))
    )
    walker, seen = walk(data)
    assert seen == [("number", 2, 300), ("text", 3, 0), ("floats", 4, 0x3F800000), ("numbers", 3, 0)]
    assert (walker.unknown, walker.duplicates) == (0, {})
    packed = [each for each in walker.message("M", 0, len(data)) if each.packed]
    assert walker.numbers(packed[0]) == [7, 300]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(field(9, 0, b"\1"), id="number"),
        pytest.param(field(2, 0, b"\1"), id="wire type"),
        pytest.param(field(5, 2, b"abc"), id="packed to no whole numbers"),
        pytest.param(field(4, 2, b"\x80"), id="packed number cut off"),
        pytest.param(varint(7 << 3 | 3) + field(1, 0, b"\1") + varint(7 << 3 | 4), id="group"),
    ],
)
def test_what_a_message_does_not_have_is_told(data: bytes) -> None:
    walker, seen = walk(data + field(1, 0, b"\5"))
    assert (walker.unknown, seen) == (1, [("number", 1, 5)])
    walker.report("tensorflow/graph-lies", "it")
    assert [each.reason for each in walker.facts.unknowns] == ["unsupported"]


def test_a_twofold_field_is_handed_out_twice_and_told() -> None:
    walker, seen = walk(field(2, 2, b"a") + field(2, 2, b"bc"))
    assert seen == [("text", 1, 0), ("text", 2, 0)]
    assert list(walker.duplicates) == ["M.text"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x00\x01", id="number zero"),
        pytest.param(b"\x0c", id="end of a group that did not begin"),
        pytest.param(b"\x0e\x01", id="wire type 6"),
        pytest.param(b"\x08" + b"\xff" * 10 + b"\x01", id="number of eleven bytes"),
        pytest.param(b"\x08\x80", id="number cut off"),
        pytest.param(b"\x12\x05abc", id="length beyond the end"),
        pytest.param(b"\x2d\0\0", id="four bytes cut off"),
        pytest.param(varint(7 << 3 | 3) + varint(8 << 3 | 4), id="group with another end"),
        pytest.param(varint(7 << 3 | 3) + b"\x12\x7fa", id="group beyond the end"),
        pytest.param(b"\xff\xff\xff\xff\xff\x7f\x01", id="tag of more than 32 bits"),
    ],
)
def test_each_refusal(data: bytes) -> None:
    with pytest.raises(MalformedError):
        walk(data)


def test_depth_is_bounded() -> None:
    data = b""
    for _ in range(300):
        data = field(3, 2, data)
    walker = Walker(BytesSource(data), Facts("m", "m", Budget()), MESSAGES)
    with pytest.raises(LimitError, match="nested too deeply"):
        walker.sweep("M", 0, len(data))
    with pytest.raises(LimitError, match="nested too deeply"):
        walk(varint(7 << 3 | 3) * 300)


def test_a_large_value_is_stepped_over() -> None:
    class Counting(BytesSource):
        most = 0

        def _read(self, offset: int, size: int) -> bytes:
            Counting.most = max(Counting.most, size)
            return super()._read(offset, size)

    data = field(2, 2, bytes(5_000_000)) + field(1, 0, b"\7")
    walker = Walker(Counting(data), Facts("m", "m", Budget()), MESSAGES)
    assert [each.value for each in walker.message("M", 0, len(data))] == [0, 7]
    assert Counting.most <= 256 * 1024


def test_what_looks_like_a_message() -> None:
    def look(data: bytes) -> dict[int, int] | None:
        return looks_like(Head("m", BytesSource(data)), MESSAGES, "M")

    assert look(field(1, 0, b"\1") + field(3, 2, field(1, 0, b"\1"))) == {1: 1, 3: 1}
    assert look(field(3, 2, field(9, 0, b"\1"))) is None
    assert look(b"\n\nnot a message") is None


@pytest.mark.parametrize("name", ["tensorflow", "onnx", "coreml"])
def test_every_type_that_a_schema_names_is_in_it(name: str) -> None:
    messages = schema(name)
    used = {spec.type for fields in messages.values() for spec in fields.values() if spec.type}
    assert used - messages.keys() == set()


def test_a_group_of_many_fields_is_a_limit() -> None:
    many = varint(7 << 3 | 3) + field(1, 0, b"\1") * 30_000 + varint(7 << 3 | 4)
    with pytest.raises(LimitError, match="more fields in groups"):
        walk(many)


def test_a_sweep_holds_no_more_than_the_messages_it_is_in() -> None:
    """Of sixty thousand messages beside each other, only the one at hand."""
    data = field(3, 2, b"") * 60_000
    walker = Walker(BytesSource(data), Facts("m", "m", Budget()), MESSAGES)
    tracemalloc.start()
    try:
        walker.sweep("M", 0, len(data))
        assert tracemalloc.get_traced_memory()[1] < 600_000
    finally:
        tracemalloc.stop()
    assert walker.unknown == 0
