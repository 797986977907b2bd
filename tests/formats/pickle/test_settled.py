"""What the tape calls by itself gives the same program as the machine that calls by hand, one opcode after the other."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import pickle
import random
import uuid
from typing import Any

import pytest

from openvet.core.limits import Budget, Limits
from openvet.formats.pickle.machine import Machine
from openvet.formats.pickle.references import freeze
from openvet.io.source import BytesSource


class Colour(enum.Enum):
    RED = 1


class Plain:
    def __init__(self, value: Any) -> None:
        self.value = value


class Slotted:
    __slots__ = ("left", "right")
    left: Any
    right: Any


def slotted(left: Any, right: Any) -> Slotted:
    made = Slotted()
    made.left, made.right = left, right
    return made


def reduced(callable_: Any, *arguments: Any) -> Any:
    class Reduced:
        def __reduce__(self) -> Any:
            return callable_, arguments

    return Reduced()


def nested(depth: int) -> Any:
    return [nested(depth - 1), (nested(depth - 1), {"a": depth})] if depth else []


VALUES: dict[str, Any] = {
    "dates": [datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=at) for at in range(40)],
    "decimals": [decimal.Decimal(at) for at in range(40)],
    "instances": [Plain(at) for at in range(40)],
    "instances that hold instances": [Plain(Plain(at)) for at in range(40)],
    "instances that hold functions": [Plain(len if at > 20 else at) for at in range(40)],
    "instances that hold each other": [Plain([Plain(None)]) for _ in range(40)],
    "slots": [slotted(at, {"a": at}) for at in range(40)],
    "slots that hold functions": [slotted(at, print if at > 20 else None) for at in range(40)],
    "ordered dictionaries": [collections.OrderedDict(a=at, b=at) for at in range(40)],
    "ordered dictionaries of functions": [collections.OrderedDict(append=print if at > 20 else at) for at in range(40)],
    "default dictionaries": [collections.defaultdict(list, a=[at]) for at in range(40)],
    "counters": [collections.Counter("abc" * at) for at in range(40)],
    "enums": [Colour.RED, *(Plain(Colour.RED) for _ in range(40))],
    "uuids": [uuid.UUID(int=at) for at in range(40)],
    "sets": [{at, datetime.date(2020, 1, 1 + at % 20)} for at in range(40)],
    "nested": nested(6),
    "calls with functions": [reduced(print, len if at > 20 else at) for at in range(40)],
    "calls with lists of functions": [reduced(print, [len] if at > 20 else [at]) for at in range(40)],
    "calls with tuples of lists": [reduced(print, ([at],), (print,)) for at in range(40)],
    "calls with instances": [reduced(print, Plain(at), reduced(len, str(at))) for at in range(40)],
    "calls with programs": [reduced(print, pickle.dumps(reduced(print, at))) for at in range(40)],
    "linkers": [reduced(getattr, len, "__self__" if at < 30 else "__call__") for at in range(40)],
    "long tuples": [reduced(print, tuple(range(70)), *range(at * 3)) for at in range(40)],
}


def walked(data: bytes, *, by_hand: bool, limits: Limits | None = None) -> tuple[Any, ...]:
    machine = Machine(BytesSource(data), Budget(limits or Limits()))
    machine.watched = by_hand
    machine.run()
    return (
        machine.stopped, machine.broken, machine.broken_at, machine.end, machine.opcodes, machine.frames,
        freeze(machine.references, machine.bags), machine.mutations, machine.computed, machine.carried, machine.codes,
        machine.persistent, machine.dropped, machine.result, machine.inner, machine.keyed, machine.tape.called_at,
        machine.tape.depth, machine.tape.marked, machine.tape.memo_count,
    )  # fmt: skip


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("name", VALUES)
def test_by_itself_and_by_hand(name: str, protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if protocol < 2 and name.startswith("slots"):
        pytest.skip("older protocols refuse slots")
    data = pickle.dumps(VALUES[name], protocol)
    assert walked(data, by_hand=False) == walked(data, by_hand=True)


@pytest.mark.parametrize("seed", range(300))
def test_damaged_streams(seed: int) -> None:
    """The same with opcodes exchanged, taken out and put in."""
    numbers = random.Random(seed)
    name = numbers.choice(sorted(VALUES))
    protocol = 2 if name.startswith("slots") else numbers.choice([1, 2, 4])
    data = bytearray(pickle.dumps(VALUES[name], protocol))
    for _ in range(numbers.randint(1, 12)):
        at = numbers.randrange(len(data) // 2, len(data))
        code = numbers.choice(b"R\x81b\x85\x86\x87tesau}]\x8f\x90()0N\x94h2.")
        if numbers.random() < 0.5:
            data[at] = code
        else:
            data.insert(at, code)
    assert walked(bytes(data), by_hand=False) == walked(bytes(data), by_hand=True)


def test_a_function_that_comes_late_is_seen() -> None:
    """After any number of calls with data, one with a callable is noticed."""
    values = [reduced(print, at) for at in range(100)] + [reduced(print, reduced(Plain, eval))]
    machine = Machine(BytesSource(pickle.dumps(values)), Budget())
    machine.run()
    seen = {(each.module, each.name): each for each in freeze(machine.references, machine.bags)}
    assert ("builtins", "eval") in seen
    assert ("builtins", "eval") in seen["tests.formats.pickle.test_settled", "Plain"].passes
    assert ("builtins", "eval") in seen["builtins", "print"].passes
    assert seen["builtins", "print"].calls == 101


def test_a_list_that_is_filled_after_it_became_an_argument() -> None:
    """The tuple of arguments was made of nothing but data; a function came into its list later."""
    calls = b"".join(b"h\x00K\x01\x85R0" for _ in range(20))
    late = b"h\x00]q\x02\x85q\x03h\x02cbuiltins\neval\na0R0"
    data = b"\x80\x02cproject\nrun\nq\x00" + calls + late + b"."
    assert walked(data, by_hand=False) == walked(data, by_hand=True)
    machine = Machine(BytesSource(data), Budget())
    machine.run()
    run = freeze(machine.references, machine.bags)[0]
    assert (run.name, run.calls, run.passes) == ("run", 21, (("builtins", "eval"),))
