"""A call that is not looked at hides nothing: streams that try to make it so say the same when every opcode is looked at."""

from __future__ import annotations

import os
import random
from collections import Counter
from functools import lru_cache
from types import ModuleType
from typing import Any

import pytest
from tests.formats.pickle.reading import facts_of, program_of, programs
from tests.formats.pickle.test_settled import walked
from tests.formats.pickle.test_tape import plain

from openvet.core.limits import Limits
from openvet.formats.pickle import opcodes, reading, references, state
from openvet.formats.pickle.machine import Machine
from openvet.testing.forge_gallery import HOSTILE
from openvet.testing.forge_settled import tables, warmed
from openvet.testing.forge_soup import mutated

__all__ = ["plain"]  # the fixture

STREAMS = max(int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "0")), 4_000)
PARTS = 8
CODES = bytes(opcodes.NAMES)


class ByHand(Machine):
    """A machine that is taken over, so that it looks at every call."""


@lru_cache(maxsize=1_000)  # most tests here walk the same ones
def stream_of(seed: int) -> bytes:
    numbers = random.Random(seed)
    stream = tables(numbers)
    form = numbers.random()
    if form < 0.15:
        return mutated(stream, numbers)
    if form < 0.3:  # opcodes exchanged behind the calls that made the machine sure
        out = bytearray(stream)
        for _ in range(numbers.randint(1, 6)):
            out[numbers.randrange(len(out) // 2, len(out))] = numbers.choice(CODES)
        return bytes(out)
    return stream


@pytest.mark.parametrize("part", range(PARTS))
def test_as_if_every_call_were_looked_at(part: int) -> None:
    for number in range(STREAMS // PARTS):
        seed = part * 1_000_003 + number
        stream = stream_of(seed)
        assert walked(stream, by_hand=False) == walked(stream, by_hand=True), seed


def test_the_source_as_well(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The uncompiled loop takes the same calls by itself."""
    streams = [stream_of(seed) for seed in range(STREAMS // 4)]
    expected = [walked(stream, by_hand=False) for stream in streams]
    monkeypatch.setattr(state, "Tape", plain.Tape)
    for seed, (stream, told) in enumerate(zip(streams, expected, strict=True)):
        assert walked(stream, by_hand=False) == told, seed
        assert walked(stream, by_hand=True) == told, seed


def test_whole_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in literals, streams behind one another, what is unread: all facts are the same."""
    streams = [stream_of(seed) for seed in range(600)]
    swift = [facts_of(stream) for stream in streams]
    monkeypatch.setattr(reading, "Machine", ByHand)
    for seed, (stream, facts) in enumerate(zip(streams, swift, strict=True)):
        other = facts_of(stream)
        assert facts.programs == other.programs, seed
        assert (facts.unknowns, facts.anomalies) == (other.unknowns, other.anomalies), seed


@pytest.mark.parametrize(
    ("module", "name", "most"),
    [(state, "_INNER", 2), (references, "_BAG_SIZE", 1), (references, "_BAGS", 6), (state, "_GENERATION", 300)],
)
def test_with_tables_that_are_full(module: ModuleType, name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not remembered any more what a container holds, both know equally little."""
    monkeypatch.setattr(module, name, most)
    for seed in range(500):
        stream = stream_of(seed)
        assert walked(stream, by_hand=False) == walked(stream, by_hand=True), seed


@pytest.mark.parametrize("limits", [Limits(records=20), Limits(opcodes=150), Limits(memo=9)])
def test_with_limits_that_are_reached(limits: Limits) -> None:
    for seed in range(500):
        stream = stream_of(seed)
        assert walked(stream, by_hand=False, limits=limits) == walked(stream, by_hand=True, limits=limits), seed


@pytest.mark.parametrize("sample", HOSTILE, ids=lambda sample: sample.name)
def test_a_hostile_pickle_behind_a_dozen_harmless_calls(sample: Any) -> None:
    """Whatever a sample calls is called still when each of its callables was called with data before."""
    stream = sample.forge()
    before = [each for program in programs(facts_of(stream)) for each in program.references]
    named = tuple(
        (each.module, each.name)
        for each in before
        if each.opcode in ("GLOBAL", "STACK_GLOBAL", "INST")
        and not each.written and "\n" not in each.module + each.name
    )  # fmt: skip
    names = (*named, ("functools", "partial.__call__"))
    after = [
        each for program in programs(facts_of(warmed(stream, names, random.Random(7)))) for each in program.references
    ]
    called: Counter[tuple[str, str, str]] = Counter()
    passed: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for each in after:
        called[each.module, each.name, each.variant] += each.calls
        passed.setdefault((each.module, each.name), set()).update(each.passes)
    for each in before:
        extra = 12 if (each.module, each.name) in names and not each.variant else 0
        assert called[each.module, each.name, each.variant] >= each.calls + (extra if each.calls else 0), each
        missing = set(each.passes) - passed.get((each.module, each.name), set())
        assert not missing or any(other.passes_more for other in after), each


def test_the_streams_do_what_they_are_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many calls of these streams are made by the tape itself, and many streams have something that must not be."""
    by_tape = by_hand = hidden = 0
    invoke = Machine._invoke

    def counted(self: Machine, *arguments: Any) -> int:
        nonlocal by_hand
        by_hand += 1
        return invoke(self, *arguments)

    monkeypatch.setattr(Machine, "_invoke", counted)
    for seed in range(400):
        begun = by_hand
        references = walked(stream_of(seed), by_hand=False)[6]
        by_tape += max(sum(each.calls for each in references) - (by_hand - begun), 0)
        hidden += any(("builtins", "eval") in each.passes or each.name == "eval" for each in references)
    assert by_tape > 1_000
    assert by_hand > 1_500
    assert hidden > 50


@pytest.mark.parametrize("first", [b"h\x00K\x01h\x01\x86R0", b"h\x00K\x01K\x01\x86R0"])
@pytest.mark.parametrize("last", [b"h\x00h\x01K\x01\x86R", b"h\x00ca\nB\n)RK\x01\x86R"])
def test_a_method_that_calls_its_first_argument(first: bytes, last: bytes) -> None:
    """``partial.__call__(1, eval)`` calls nothing, ``partial.__call__(eval, 1)`` does, with the same bag of references."""
    data = b"\x80\x02cfunctools\npartial.__call__\nq\x00cbuiltins\neval\nq\x01" + first * 20 + last * 2 + b"."
    assert walked(data, by_hand=False) == walked(data, by_hand=True)
    (program,) = programs(facts_of(data))
    calls = {each.qualified: each.calls for each in program.references}
    assert calls["functools.partial.__call__"] == 22
    assert calls.get("builtins.eval") == 2 or calls.get("a.B()") == 2


def test_an_array_that_is_endless_after_many_small_ones() -> None:
    """The shape stands among the arguments, so that no number of small arrays says anything about the next one."""

    def array(shape: bytes) -> bytes:
        return b"h\x00h\x01" + shape + b"\x85C\x01b\x87R0"

    data = b"\x80\x03cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01" + array(b"K\x00") * 20
    assert not program_of(data + b"N.").computed
    (found,) = program_of(data + array(b"\x8a\x06\0\0\0\0\0\x10") + b"N.").computed
    assert (found.kind, found.offset) == ("resource", len(data) + 17)
