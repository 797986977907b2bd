"""Against the reference implementation: what it refuses is never clean to us, and the reverse."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
import safetensors

from openvet.core.limits import Budget
from openvet.errors import ReadError
from openvet.formats import safetensors as reader
from openvet.formats._format import Facts
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import safetensors_raw

reference: Any = safetensors  # it has no types


def ours(data: bytes) -> set[str]:
    """The names of what we object to."""
    facts = Facts("m", "m", Budget())
    try:
        reader.read(BytesSource(data), facts)
    except ReadError as error:
        return {error.message}
    return {each.evidence.get("lie", each.rule) for each in facts.anomalies} | {each.reason for each in facts.unknowns}


def refused(data: bytes) -> bool:
    try:
        reference.deserialize(data)
    except reference.SafetensorError:
        return True
    return False


def make(chance: random.Random) -> bytes:
    """A file that is valid, or a small step away from it."""
    header: dict[str, Any] = {}
    at = 0
    for _ in range(chance.randint(0, 4)):
        dtype = chance.choice([*sorted(reader._BITS), "F31"])
        shape = [chance.choice([0, 1, 2, 3, 8]) for _ in range(chance.randint(0, 3))]
        size = math.prod(shape) * reader._BITS.get(dtype, 8) // 8
        begin = at + chance.choice([0, 0, 0, 0, 0, 1, -1])
        entry = {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + size + chance.choice([0] * 8 + [1])]}
        header[f"t{chance.randint(0, 5)}"] = entry
        at = begin + size
    if chance.random() < 0.3:
        header["__metadata__"] = chance.choice([{"a": "x"}, {"a": 1}, None, [], "x"])
    text = json.dumps(header, separators=chance.choice([(",", ":"), (", ", ": ")])).encode()
    for _ in range(chance.choice([0, 0, 1])):
        where = chance.randrange(len(text))
        text = text[:where] + chance.choice([b"", b"0", b" ", b'"', b"\xff", b"{"]) + text[where + 1 :]
    return safetensors_raw(text + b" " * chance.choice([0, 3]), bytes(max(at, 0) + chance.choice([0] * 6 + [1])))


@pytest.mark.parametrize("seed", range(4))
def test_both_refuse_the_same(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(1_000):
        data = make(chance)
        objections = ours(data)
        if objections != {"unknown-field"}:  # the one thing that we are stricter about
            assert bool(objections) == refused(data), (data, objections)
