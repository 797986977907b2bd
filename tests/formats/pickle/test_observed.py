"""Who follows data while the machine walks hears the same from the tape as from the machine that does every opcode by hand."""

from __future__ import annotations

import io
import random
import zipfile
from typing import Any

import pytest
from tests.formats.pickle.test_deceived import ByHand, stream_of
from tests.formats.pickle.test_tape import plain

from openvet.core.limits import Budget
from openvet.formats._format import Facts
from openvet.formats._torch import Tensors
from openvet.formats.pickle import state
from openvet.formats.pickle.machine import Machine
from openvet.formats.pickle.references import Ref, freeze
from openvet.formats.pickle.semantics import Semantics
from openvet.formats.pickle.values import REF, RESULT, a_of, offset_of, tag_of
from openvet.io.source import BytesSource
from openvet.testing.forge_soup import mutated
from openvet.testing.forge_views import Stored, Strided, zip_file

__all__ = ["plain"]  # the fixture


class Everything:
    """Writes down what it is told, and follows what calls and persistent ids gave."""

    def __init__(self) -> None:
        self.followed: set[int] = set()
        self.told: list[Any] = []

    def called(self, machine: Semantics, ref: Ref, items: list[int], result: int) -> None:
        self.told.append(("called", ref.qualified, tuple(items), result))
        if tag_of(result) == RESULT:
            self.followed.add(offset_of(result))

    def placed(self, machine: Semantics, container: int, key: int, child: int) -> None:
        if offset_of(child) in self.followed:  # of others one may be told as well
            self.told.append(("placed", container, key, child))

    def persistent(self, machine: Semantics, identifier: int, result: int) -> int | None:
        self.told.append(("persistent", identifier, result))
        self.followed.add(offset_of(result))
        items = machine.items(identifier) or []
        return items[1] if len(items) > 1 and tag_of(items[1]) == REF and a_of(items[1]) % 2 else None


def told(kind: type[Machine], stream: bytes) -> Any:
    observer = Everything()
    machine = kind(BytesSource(stream), Budget(), observer=observer)
    machine.run()
    return observer.told, machine.opcodes, machine.broken, freeze(machine.references, machine.bags), machine.mutations


def tensors(kind: type[Machine], stream: bytes) -> Any:
    facts = Facts("a", "a", Budget())
    observer = Tensors(facts, "a")
    machine = kind(BytesSource(stream), Budget(), observer=observer)
    machine.run()
    observer.finish(machine, lambda storage: 0)
    return facts.tensors, facts.anomalies, facts.metadata, observer.storages, freeze(machine.references, machine.bags)


def state_dict(seed: int) -> bytes:
    """The pickle of a state dict, some of whose tensors share a storage, are parameters, or lie in lists, tuples and objects."""
    chance = random.Random(seed)
    stores = [Stored(bytes(4 * chance.randint(1, 40))) for _ in range(8)]
    value: dict[str, Any] = {}
    for at in range(chance.randint(20, 40)):
        extents = (chance.randint(0, 300), chance.choice((1, 2, 70_000)))
        view = Strided(
            chance.choice(stores), extents, (extents[1], 1), chance.choice((0, 0, 3)), parameter=chance.random() < 0.3
        )
        value[f"layer.{at}"] = chance.choice(
            (
                view,
                [view, view],
                (view, at),
                {"w": view, "step": (view,)},
                [(view,), 5],
                ((view, 1), 5),
                [5, ((view,),)],
            )
        )
    with zipfile.ZipFile(io.BytesIO(zip_file(value, protocol=chance.choice((2, 4))))) as archive:
        stream = archive.read("archive/data.pkl")
    return mutated(stream, chance) if seed % 2 else stream


@pytest.mark.parametrize("seed", range(0, 600, 20))
def test_every_word_is_the_same(seed: int) -> None:
    for each in range(seed, seed + 20):
        for stream in (state_dict(each), stream_of(each)):
            assert told(Machine, stream) == told(ByHand, stream), each


@pytest.mark.parametrize("seed", range(0, 300, 20))
def test_tensors_are_the_same(seed: int) -> None:
    for each in range(seed, seed + 20):
        stream = state_dict(each)
        assert tensors(Machine, stream) == tensors(ByHand, stream), each


def test_the_tape_does_most_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a tensor's forty opcodes only those of the first few are done by hand."""
    by_hand: list[int] = []
    inner = Machine._by_hand

    def counted(self: Machine, code: int, offset: int) -> int | None:
        by_hand.append(code)
        return inner(self, code, offset)

    monkeypatch.setattr(Machine, "_by_hand", counted)
    shared = Stored(bytes(400))
    value = {f"layer.{at}": Strided(shared, (10, 10), (10, 1)) for at in range(500)}
    with zipfile.ZipFile(io.BytesIO(zip_file(value))) as archive:
        stream = archive.read("archive/data.pkl")
    made = tensors(Machine, stream)
    assert len(made[0]) == 500
    assert len([code for code in by_hand if code not in b"c"]) < 60  # names are not in the memo here


def test_the_source_as_well(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [state_dict(seed) for seed in range(60)]
    expected = [tensors(Machine, stream) for stream in streams]
    monkeypatch.setattr(state, "Tape", plain.Tape)
    assert [tensors(Machine, stream) for stream in streams] == expected
