"""Mutated pickles: only read errors come out, in bounded time and records, twice the same, and the rules survive them."""

from __future__ import annotations

import collections
import datetime
import json
import os
import pickle
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from openvet.checks._run import run_checks
from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.core.rule import Outcome
from openvet.errors import ReadError
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts, Head
from openvet.formats.pickle.opcodes import NAMES
from openvet.formats.pickle.program import PickleProgram
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_soup import soup

EXAMPLES = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "400"))
LIMITS = Limits(opcodes=20_000, memo=3_000, records=60)
VALUES: tuple[Any, ...] = (
    {"a": [1, 2.5, None, True], "b": ("x" * 300, b"y" * 300)},
    [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), collections.OrderedDict(a={1, 2}), frozenset("ab")],
    [bytearray(b"z" * 40), 2**80, -1, complex(1, 2), collections.defaultdict(list, k=[1])],
    [[number, str(number)] for number in range(400)],
)
TOKENS = (b"\x80\x02", b"\x80\x05", b"cos\nsystem\n", b"\x8c\x02os\x8c\x06system\x93", b"cbuiltins\ngetattr\n", b"R", b"b", b".", b"(",
          b"t", b"0", b"1", b"2", b"\x94", b"h\0", b"q\xff", b"r\xff\xff\xff\x7f", b"\x95" + bytes(8), b"\x95" + b"\xff" * 8,
          b"X\xff\xff\xff\xff", b"\x8d" + b"\xff" * 8, b"\x82\x01", b"\x84\xff\xff\xff\xff", b"P\n", b"Q", b"I01\n", b"L\n", b"F\n",
          b"S'\\x4'\n", b"V\\u12\n", b"p99999999999999999999\n", b"g-1\n", b"i\n\n", b"o", b"\x81", b"\x92", b"\x97\x98", b"e", b"u",
          b"d", b"l", b"\x90", b"\x91", b"\xff", b"B\x20\0\0\0\x80\x02cos\nsystem\n(U\x04echotR.")  # fmt: skip


def seeds() -> list[bytes]:
    honest = [pickle.dumps(value, protocol) for value in VALUES for protocol in range(6)]
    return honest + [sample.forge() for sample in (*HOSTILE, *HARMLESS)]


SEEDS = seeds()


def changed(source: random.Random, seed: bytes) -> bytes:
    data = bytearray(seed)
    for _ in range(source.choice((1, 1, 2, 4, 12))):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] = source.randrange(256)
        elif kind == 1:
            token = source.choice(TOKENS)
            data[at : at + len(token)] = token
        elif kind == 2:
            data[at:at] = source.choice(TOKENS) * source.choice((1, 1, 2, 300))
        elif kind == 3:
            del data[at : at + source.randrange(1, 64)]
        elif kind == 4:
            start = source.randrange(len(data) + 1)
            data[at:at] = data[start : start + source.randrange(1, 400)] * source.choice((1, 1, 20))
        elif kind == 5:
            other = source.choice(SEEDS)
            data[at:] = other[source.randrange(len(other)) :]
        else:
            del data[at:]
    return bytes(data[:200_000])


def opcodes(source: random.Random) -> bytes:
    """Opcodes with bytes behind them that may or may not be their arguments."""
    table = [bytes([byte]) for byte in NAMES] + list(TOKENS)
    return b"".join(
        source.choice(table) + (source.randbytes(source.randrange(6)) if source.random() < 0.2 else b"")
        for _ in range(source.randrange(1, 400))
    )


def mutations() -> Iterator[bytes]:
    source = random.Random(20_241)
    for _ in range(EXAMPLES):
        yield changed(source, source.choice(SEEDS))


def soups() -> Iterator[bytes]:
    source = random.Random(20_242)
    for _ in range(EXAMPLES):
        yield soup(source)


def opcode_soups() -> Iterator[bytes]:
    source = random.Random(20_243)
    for _ in range(EXAMPLES):
        yield opcodes(source)


def examined(data: bytes) -> Facts:
    """Probe and read, and hold what came of it to what every reading promises."""
    pickle_format.probe(Head("x", BytesSource(data)))
    facts = Facts("place", "x", Budget(LIMITS))
    try:
        pickle_format.read(BytesSource(data), facts)
    except ReadError:
        return facts
    assert len(facts.anomalies) <= LIMITS.records
    assert len(facts.unknowns) <= LIMITS.records
    for message, location in [(each.message, each.location) for each in facts.anomalies] + [
        (each.message, each.location) for each in facts.unknowns
    ]:
        assert message.isprintable()
        assert location.offset is None or 0 <= location.offset <= len(data)
    programs = [program for program in facts.programs if isinstance(program, PickleProgram)]
    assert len(programs) == len(facts.programs)
    if not all(program.stopped for program in programs if not program.container):
        assert facts.coverage is Coverage.PARTIAL
        assert facts.unknowns
    for program in programs:
        hold_to_limits(program, len(data))
        json.dumps(program.to_json())
    return facts


def hold_to_limits(program: PickleProgram, size: int) -> None:
    calls = [call for each in program.references for call in each.first_calls]
    assert len(calls) + len(program.computed) + len(program.mutations) + len(program.carried) <= LIMITS.records
    assert program.opcodes <= LIMITS.opcodes + 1
    assert 0 <= program.start <= program.end
    offsets = [each.offset for each in calls] + [each.offset for each in program.computed]
    for offset in offsets + [each.offset for each in program.mutations]:
        assert 0 <= (program.at(offset).offset or 0) <= size
    for each in program.references:
        assert each.calls >= len(each.first_calls)
        assert len(each.module) + len(each.name) <= 1_000
        assert each.count + each.calls > 0
    for call in calls:
        for argument in call.arguments:
            assert argument.isprintable()
            assert len(argument) < 20_000


def facts_json(facts: Facts) -> str:
    return json.dumps(
        [
            [program.to_json() for program in facts.programs],
            [[each.rule, each.message, each.location.to_json()] for each in facts.anomalies],
            [each.to_json() for each in facts.unknowns],
            [facts.coverage.value, facts.dropped, facts.metadata],
        ],
        sort_keys=True,
    )


@pytest.mark.parametrize("cases", [mutations, soups, opcode_soups], ids=lambda cases: cases.__name__)
def test_only_read_errors_come_out(cases: Any) -> None:
    begun = time.monotonic()
    kept: list[Facts] = []
    for number, data in enumerate(cases()):
        before = time.monotonic()
        try:
            facts = examined(data)
            if number % 10 == 0:
                assert facts_json(facts) == facts_json(examined(data))
                kept.append(facts)
        except Exception as error:
            raise AssertionError(f"example {number}: {data.hex()}") from error
        assert time.monotonic() - before < 5, (
            f"example {number} of {len(data)} bytes takes too long: {data[:500].hex()}"
        )
    assert time.monotonic() - begun < max(EXAMPLES / 20, 10)
    survives(kept)


def survives(kept: list[Facts]) -> None:
    """No rule fails on what was read."""
    components = tuple(
        Component(
            f"{number}/x",
            "x",
            1,
            ("pickle",),
            facts.coverage,
            programs=tuple(facts.programs),
            anomalies=tuple(facts.anomalies),
            unknowns=tuple(facts.unknowns),
        )
        for number, facts in enumerate(kept)
    )
    result = run_checks(Inventory(components))
    assert [rule for rule, outcome in result.outcomes.items() if outcome is Outcome.ERROR] == []
    for finding in result.findings:
        assert finding.message.isprintable()
        json.dumps(finding.to_json())


def test_every_truncation_of_a_seed() -> None:
    for seed in SEEDS:
        for cut in range(0, len(seed), max(len(seed) // 12, 1)):
            examined(seed[:cut])


def test_probes_take_anything() -> None:
    source = random.Random(3)
    for _ in range(EXAMPLES):
        token = source.choice(TOKENS)
        pickle_format.probe(Head("x", BytesSource(token + source.randbytes(source.randrange(0, 2_000)))))


REPEATED = {
    token.hex(): token
    for token in (*TOKENS, b"]", b"}", b")", b"\x85", b"N", b"(N", b"]a", b"\x94N", b")R", b"N0", b"K\x01\x85")
}


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("head", [b"", b"](cfunctools\npartial\n(cos\nsystem\nt"], ids=["", "behind a call"])
def test_no_token_costs_more_the_longer_it_is_repeated(name: str, head: bytes) -> None:
    data = (head + REPEATED[name] * 12_000)[:200_000]
    facts = Facts("place", "x", Budget(Limits(records=60)))
    begun = time.process_time()
    pickle_format.probe(Head("x", BytesSource(data)))
    pickle_format.read(BytesSource(data), facts)
    assert time.process_time() - begun < 2
