"""MessagePack: arrays of Flax, refusals, and that nothing but read errors comes out."""

from __future__ import annotations

import random

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import msgpack
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.forge_msgpack import Ext, flax_array, forge_msgpack

WEIGHTS = forge_msgpack(
    {"params": {"w": flax_array([2, 3], "float32", bytes(range(24))), "b": [1, -5, 2.5, None, True, b"xy"]}, "n": 3}
)


def facts_of(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("place", "x", Budget(limits or Limits()))
    msgpack.read(BytesSource(data), facts)
    return facts


def likeness(data: bytes, name: str = "x") -> Likeness:
    return Likeness(msgpack.probe(Head(name, BytesSource(data))))


def test_weights() -> None:
    facts = facts_of(WEIGHTS)
    (tensor,) = facts.tensors
    assert (tensor.name, tensor.dtype, tensor.shape, tensor.nbytes) == ("params/w", "F32", (2, 3), 24)
    assert tensor.offset is not None
    assert WEIGHTS[tensor.offset : tensor.offset + 24] == bytes(range(24))
    assert facts.metadata == {"values": 11, "keys": ["params", "n"]}
    assert facts.anomalies == []
    assert facts.unknowns == []


def test_probe() -> None:
    assert likeness(WEIGHTS) is Likeness.STRONG
    big = forge_msgpack({"params": {"w": flax_array([50_000], "float32", bytes(200_000)), "v": 1}})
    assert likeness(big) is not Likeness.NO
    for other in (
        b"",
        b"\x80",
        b"\x80\x04N.",
        b"\x80\x02}q\x00.",
        b"plain text",
        b"\x89PNG\r\n\x1a\n" + bytes(20),
        b"\x81",
    ):
        assert likeness(other) is Likeness.NO
    assert likeness(b"\x93\x01\x02\x03", "x.msgpack") is Likeness.WEAK


def test_cut_at_every_byte() -> None:
    for cut in range(1, len(WEIGHTS)):
        with pytest.raises(MalformedError):
            facts_of(WEIGHTS[:cut])


def test_mutated() -> None:
    chance = random.Random(5)
    for _ in range(5000):
        data = bytearray(WEIGHTS)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        Likeness(msgpack.probe(Head("x.msgpack", BytesSource(bytes(data)))))
        try:
            facts_of(bytes(data))
        except ReadError:
            continue


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ({"w": flax_array([5], "float32", bytes(8))}, "msgpack/header-lies"),
        ({"w": flax_array([1], "object", bytes(8))}, "msgpack/header-lies"),
        ({"w": Ext(1, b"\x92\x01\x02")}, "msgpack/header-lies"),
        ({"w": Ext(1, b"")}, "msgpack/header-lies"),
        ({"w": Ext(2, bytes(40))}, "msgpack/header-lies"),
        ({"w": Ext(-1, bytes(5))}, "msgpack/header-lies"),
        ({"w": Ext(9, b"12")}, "msgpack/unknown-extension"),
        ({"nd": True, "kind": b"O", "data": b""}, "msgpack/pickled-objects"),
    ],
)
def test_lies(value: object, rule: str) -> None:
    assert [each.rule for each in facts_of(forge_msgpack(value)).anomalies] == [rule]


@pytest.mark.parametrize(
    "data", [b"\xc1", b"\x81\x90\x01", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\0\0\0\x09a"]
)
def test_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        facts_of(data)


def test_limits() -> None:
    with pytest.raises(LimitError):
        facts_of(b"\x91" * 300 + b"\xc0")
    with pytest.raises(LimitError):
        facts_of(forge_msgpack([flax_array([], "int8", b"a", 3)] * 3), Limits(tensors=2))
