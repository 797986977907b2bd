"""What honest pickles resolve and call, as the standard library's own unpickler sees it with inert objects for all names."""

from __future__ import annotations

import argparse
import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import io
import ipaddress
import operator
import pathlib
import pickle
import random
import re
import types
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.pickle.reading import calls, facts_of, program_of, programs

from openvet.checks.pickle._callables import Kind, classify
from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.formats.pickle.program import UNBOUND

PROTOCOLS = range(6)

# -- a recorder that takes the place of every global, and executes nothing --------------------------------------------


class Recorded:
    """Stands for a global or for what calling one gave; writes down what the unpickler does with it."""

    def __init__(self, record: Recorder, words: str, *, made: bool = False) -> None:
        self.record, self.words, self.made = record, words, made
        self.__dict__["__new__"] = lambda _cls, *arguments, **keywords: self.called(arguments, keywords)
        self.__dict__["__setstate__"] = lambda _state: record.built.append(words)

    def called(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        words = f"{self.words}()" if self.made else self.words
        given = [*arguments, keywords] if self.record.keywords else list(arguments)
        self.record.calls.append((words, tuple(shown(each) for each in given)))
        # what protocols below 3 write for bytes shows as the text that it was
        return arguments[0] if words == "_codecs.encode" else Recorded(self.record, words, made=True)

    def __call__(self, *arguments: Any) -> Any:
        return self.called(arguments, {})

    def append(self, item: Any) -> None: ...

    def extend(self, items: Any) -> None: ...

    def add(self, item: Any) -> None: ...

    def __setitem__(self, key: Any, value: Any) -> None: ...


class Recorder(pickle._Unpickler):
    """CPython's unpickler in Python, which resolves nothing."""

    proto: int
    keywords = False

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.found: list[str] = []
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.built: list[str] = []

    def find_class(self, module: str, name: str) -> Any:
        import _compat_pickle as compat

        if self.proto < 3:
            module, name = compat.NAME_MAPPING.get((module, name), (compat.IMPORT_MAPPING.get(module, module), name))
        qualified = f"{module}.{name}"
        if qualified not in self.found:
            self.found.append(qualified)
        return Recorded(self, qualified)

    def load_newobj_ex(self) -> None:
        self.keywords = True
        pickle._Unpickler.load_newobj_ex(self)  # type: ignore[attr-defined]
        self.keywords = False

    dispatch: ClassVar[dict[int, Any]] = {**pickle._Unpickler.dispatch, pickle.NEWOBJ_EX[0]: load_newobj_ex}


def shown(value: Any) -> str:
    """What a report shows of an argument."""
    if isinstance(value, Recorded):
        return value.words + ("(…)" if value.made else "")
    if isinstance(value, str):
        return f"'{printable(value)}'"
    if isinstance(value, bytes) and len(value) > 64:
        return "<bytes>"
    if isinstance(value, (tuple, list, dict, set)):
        pairs = isinstance(value, dict)
        left, right = {tuple: ("(", ")"), list: ("[", "]")}.get(type(value), ("{", "}"))
        flat = [each for pair in value.items() for each in pair] if isinstance(value, dict) else list(value)
        items = [shown(each) for each in flat]
        kept = items[:8]
        if pairs:
            kept = [": ".join(kept[at : at + 2]) for at in range(0, len(kept), 2)]
        text = ", ".join(kept + ["…"] * (len(items) > 8))
        return f"{left}{text}{',' if isinstance(value, tuple) and len(items) == 1 else ''}{right}"
    return repr(value)


class Colour(enum.Enum):
    RED = "red"


class Plain:
    def __init__(self) -> None:
        self.weight, self.more = 1.5, [1, 2]


class Slots:
    __slots__ = ("a",)

    def __init__(self) -> None:
        self.a = 1


class Keywords:
    def __getnewargs_ex__(self) -> tuple[tuple[int], dict[str, int]]:
        return (1,), {"size": 2}

    def __new__(cls, first: int, size: int = 0) -> Keywords:
        return super().__new__(cls)


def _filled(deque: Callable[..., Any]) -> Any:
    return deque([1, "a", (2, 3)], 10)


VALUES: dict[str, Any] = {
    "datetime": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    "date, time, timedelta": [datetime.date(2024, 1, 2), datetime.time(1, 2), datetime.timedelta(days=3)],
    "a timezone": datetime.timezone(datetime.timedelta(hours=2), "x"),
    "Decimal": decimal.Decimal("1.5"),
    "Fraction": fractions.Fraction(1, 3),
    "OrderedDict": collections.OrderedDict(a=1, b=[2]),
    "defaultdict": collections.defaultdict(list, a=[1]),
    "Counter": collections.Counter("abca"),
    "deque": _filled(collections.deque),
    "UserDict": collections.UserDict(a=1),
    "ChainMap": collections.ChainMap({"a": 1}),
    "range and slice": [range(1, 10, 2), slice(1, None, 2)],
    "PurePosixPath": pathlib.PurePosixPath("/a/b"),
    "UUID": uuid.UUID(int=5),
    "an IP address": ipaddress.ip_address("127.0.0.1"),
    "a partial of int": functools.partial(int, base=2),
    "a regular expression": re.compile("a+b", re.IGNORECASE),
    "complex": [1 + 2j, complex("nan").imag],
    "an exception": ValueError("wrong", 3),
    "a namespace": types.SimpleNamespace(a=1),
    "arguments": argparse.Namespace(lr=0.1, names=["a"]),
    "array": array.array("d", [1.0, 2.0]),
    "Random": random.Random(1),
    "bytes": [b"", b"abc", bytes(range(40))],
    "bytearray": bytearray(b"abc"),
    "sets": [{1}, frozenset({"a"}), set(), frozenset()],
    "itemgetter": [operator.itemgetter(1), operator.attrgetter("a.b"), operator.methodcaller("join", ["a"])],
    "builtins as values": [int, len, ValueError, type(None), NotImplemented, Ellipsis],
    "an instance": Plain(),
    "an instance with slots": [Slots()],
    "an instance made with keywords": Keywords(1),
    "a member of an enumeration": Colour.RED,
    "shared": [collections.OrderedDict(a=decimal.Decimal(1))] * 3,
}
OWN = ("an instance", "an instance with slots", "an instance made with keywords", "a member of an enumeration")


def dumped(name: str, protocol: int) -> bytes:
    if name in OWN:  # the test's module is not importable by its name
        try:
            return pickle.dumps(VALUES[name], protocol)
        except (pickle.PicklingError, TypeError):
            pytest.skip("cannot be pickled by this protocol")
    if protocol < 2 and name == "an instance with slots":
        pytest.skip("cannot be pickled by this protocol")
    return pickle.dumps(VALUES[name], protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", VALUES)
def test_names_and_calls_as_the_unpickler_sees_them(name: str, protocol: int) -> None:
    data = dumped(name, protocol)
    recorder = Recorder(data)
    recorder.load()
    recorder.calls = [each for each in recorder.calls if each[0] != "functools.partial()"]  # what it calls is followed
    program = program_of(data)
    ours = calls(program)
    resolving = [each.qualified for each in program.references if each.opcode in ("GLOBAL", "STACK_GLOBAL", "INST")]
    assert resolving == recorder.found
    assert len(ours) == len(recorder.calls)
    for (offset, qualified, _, arguments), (words, expected) in zip(ours, recorder.calls, strict=True):
        assert data[offset] in b"R\x81\x92io"
        assert qualified == words
        if "<bytes>" not in expected and "builtins.getattr(…)" not in expected and name != "Random":
            assert arguments == expected
    # BUILD of a partial gives it a function, which is followed
    built = [words for words in recorder.built if words != "functools.partial"]
    assert sum(each.builds for each in program.references) == len(built)
    assert (program.broken, program.computed, program.mutations, program.carried) == (None, (), (), ())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [name for name in VALUES if name not in OWN])
def test_ordinary_objects_raise_no_alarm(name: str, protocol: int) -> None:
    facts = facts_of(dumped(name, protocol))
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.READ, [], [])
    kinds = {
        each.qualified: classify(each.module, each.name, called=bool(each.calls)).kind
        for each in programs(facts)[0].references
        if each.opcode != UNBOUND  # the name of a method, of an object that nobody knows yet
    }
    assert set(kinds.values()) <= {Kind.DATA, Kind.LINKER}, kinds


#: Too short to be a pickle themselves, which Hypothesis otherwise finds among the constants of the sources.
TEXTS, BYTES = st.text(max_size=12), st.binary(max_size=12)
KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | BYTES
DATA = st.recursive(
    KEYS | st.complex_numbers() | BYTES.map(bytearray) | st.dates() | st.decimals() | st.fractions() | st.uuids(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=5)
        | st.sets(KEYS)
        | st.frozensets(KEYS)
        | inner.map(lambda value: [value, value])
    ),
    max_leaves=12,
)


@given(value=DATA, protocol=st.sampled_from(PROTOCOLS))
@settings(deadline=None, max_examples=200)
def test_data_is_data(value: Any, protocol: int) -> None:
    facts = facts_of(pickle.dumps(value, protocol))
    assert (facts.coverage, facts.anomalies, facts.unknowns, facts.tensors, facts.members) == (
        Coverage.READ,
        [],
        [],
        [],
        [],
    )
    (program,) = programs(facts)
    assert [
        each.qualified
        for each in program.references
        if classify(each.module, each.name).kind not in (Kind.DATA, Kind.LINKER)
    ] == []
    assert (program.computed, program.mutations, program.carried, program.persistent) == ((), (), (), 0)
