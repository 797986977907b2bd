"""The loop in its two forms: the compiled one and its own source give the same, on harmless, hostile and broken streams."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest

from openvet.core.limits import Budget, Limits
from openvet.formats.pickle import opcodes, references, state, tape, values
from openvet.formats.pickle.machine import Machine
from openvet.formats.pickle.references import freeze
from openvet.io.source import BytesSource
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_soup import soup

SOURCE = Path(opcodes.__file__).with_name("tape.py")


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """The source itself, whether or not a compiled one stands beside it."""
    loader = importlib.machinery.SourceFileLoader("openvet.formats.pickle._tape_as_source", str(SOURCE))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def told(data: bytes, limits: Limits | None = None) -> tuple[object, ...]:
    machine = Machine(BytesSource(data), Budget(limits or Limits()))
    machine.steps = []
    machine.trace = []
    machine.run()
    kept = machine.tape
    memo = [kept.memo_at(index) for index in range(kept.memo_size)]
    return (
        machine.opcodes, machine.end, machine.stopped, machine.hit_limit, machine.broken, machine.broken_at, machine.frames,
        machine.trace, machine.steps, machine.carried, machine.mutations, machine.computed, machine.persistent,
        freeze(machine.references, machine.bags), memo, machine.sparse, kept.memo_count, kept.depth, kept.marked, kept.hot,
        kept.pop_mark(),
    )  # fmt: skip


def changed(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(out))
        out[at] = chance.choice((chance.randrange(256), *opcodes.NAMES))
    return bytes(out[: chance.randint(1, len(out))] if chance.random() < 0.2 else out)


def test_the_numbers_are_those_of_their_origins() -> None:
    numbers = numbers_of(SOURCE)
    origins = {**vars(opcodes), **vars(values), **vars(references)}
    shared = {name: value for name, value in numbers.items() if name[1:] in origins}
    names = {name: byte for byte, name in opcodes.NAMES.items()}
    codes = {name[4:]: value for name, value in numbers.items() if name.startswith("_OP_")}
    assert len(codes) == 13
    assert codes == {name: names[name] for name in codes}
    assert len(shared) == 31
    assert shared == {name: origins[name[1:]] for name in shared}
    held = numbers_of(SOURCE.with_name("held.py"))
    assert {name for name in held if name[1:] in origins} == {"_TAG", "_TUPLE", "_FROZENSET", "_OFFSET_SHIFT"}
    assert {name: held[name] for name in ("_TUPLE", "_FROZENSET")} == {
        "_TUPLE": values.TUPLE,
        "_FROZENSET": values.FROZENSET,
    }
    assert held.items() & numbers.items() == {(name, numbers[name]) for name in held.keys() & numbers.keys()}


def numbers_of(path: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for statement in ast.parse(path.read_text()).body:
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, int)
        ):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = statement.value.value
    return found


@pytest.mark.skipif(not tape.COMPILED, reason="the walk is not compiled here")
def test_both_forms_say_the_same(plain: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(11)
    streams = [sample.forge() for sample in (*HOSTILE, *HARMLESS)]
    streams += [changed(chance, chance.choice(streams)) for _ in range(400)]
    streams += [soup(random.Random(seed)) for seed in range(600)]
    compiled = [told(data) for data in streams]
    small = [told(data, Limits(opcodes=20, memo=3)) for data in streams[:300]]
    monkeypatch.setattr(state, "Tape", plain.Tape)
    for data, expected in zip(streams, compiled, strict=True):
        assert told(data) == expected, data
    for data, expected in zip(streams, small, strict=False):
        assert told(data, Limits(opcodes=20, memo=3)) == expected, data


@pytest.mark.parametrize("index", [0, 255, 256, 65535, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_wide_numbers_keep_their_sign(index: int) -> None:
    machine = Machine(
        BytesSource(b"Nr" + index.to_bytes(4, "little") + b"0j" + index.to_bytes(4, "little") + b"."), Budget()
    )
    machine.run()
    assert (machine.broken, machine.stopped, machine.tape.memo_count) == (None, True, 1)


@pytest.mark.parametrize("length", [2**24, 2**31, 2**32 - 1])
@pytest.mark.parametrize("code", [b"X", b"B", b"\x8d", b"\x8e"])
def test_a_length_beyond_the_end_is_the_end(code: bytes, length: int) -> None:
    width = 4 if code in b"XB" else 8
    data = b"N0" + code + length.to_bytes(width, "little") + b"abc."
    machine = Machine(BytesSource(data), Budget())
    machine.run()
    assert (machine.broken, machine.broken_at, machine.stopped) == ("ends before STOP", 2, False)
