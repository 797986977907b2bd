"""Our ``dataclass`` gives the classes that the standard library's gives."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from openvet.core import dataclass as ours

KINDS = [
    {"slots": True},
    {"slots": True, "frozen": True},
    {"slots": True, "frozen": True, "eq": False},
    {"slots": True, "frozen": True, "order": True},
]


def make(decorator: Callable[..., Any], options: dict[str, bool]) -> tuple[Any, Any]:
    """The same two classes by either decorator, the second of which refines the first."""

    @decorator(**options)
    class Base:
        """A base."""

        number: int
        text: str = "x"
        items: list[int] = field(default_factory=list, compare=False, repr=False)

        def doubled(self) -> int:
            return self.number * 2

    @decorator(**options)
    class Refined(Base):
        """A refinement."""

        kind: str = field(init=False, default="refined")
        length: int = field(init=False, default=0)
        flag: bool = field(default=False, kw_only=True)

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", len(self.text))

        def __repr__(self) -> str:
            return f"<{self.number}>"

    return Base, Refined


def outcome(call: Callable[[], object]) -> object:
    """What a call gives, or how it fails."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - the kind of error is compared
        return type(error), str(error)


QUESTIONS: dict[str, Callable[[Any, Any], object]] = {
    "an instance of the refinement alone": lambda _, b: (b(3, "abc", flag=True).length, b(3).kind, b(3).doubled()),
    "repr": lambda a, b: (repr(a(1)).split(".")[-1], repr(b(2))),
    "equality": lambda a, b: (a(1) == a(1), a(1) == a(2), a(1, items=[1]) == a(1), a(1) == b(1), a(1) != a(1)),
    "hash": lambda a, _: outcome(lambda: hash(a(1)) == hash(a(1))),
    "hash of a list": lambda a, _: outcome(lambda: bool(hash(a([])))),
    "order": lambda a, _: outcome(lambda: (a(1) < a(2), a(2) <= a(1), a(1) > a(2), a(1) >= a(1))),
    "missing": lambda a, _: outcome(a),
    "too many": lambda a, _: outcome(lambda: a(1, 2, 3, 4)),
    "wrong name": lambda a, _: outcome(lambda: a(1, nothing=2)),
    "replace": lambda a, b: (
        dataclasses.replace(a(1), text="y") == a(1, "y"),
        outcome(lambda: dataclasses.replace(b(1), length=2)),
    ),
    "asdict": lambda a, b: (dataclasses.asdict(a(1, items=[2])), dataclasses.asdict(b(1))),
    "fields": lambda a, b: [(f.name, f.kw_only, f.init, f.compare) for f in dataclasses.fields(b(1))] + [a(1) and 0],
    "own list": lambda a, _: a(1).items is not a(1).items,
    "match": lambda a, _: (a(1).__match_args__, a.__doc__, a.__qualname__, a.__module__),
    "slots": lambda a, b: (a.__slots__, b.__slots__, hasattr(a(1), "__dict__")),
    "set": lambda a, _: outcome(lambda: setattr(a(1), "number", 2)),
    "delete": lambda a, _: outcome(lambda: delattr(a(1), "number")),
    "copy": lambda a, b: (copy.copy(a(1)) == a(1), copy.deepcopy(b(1, items=[2])).items, b(1).__class__ is b),
}


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_class_is_as_the_standard_library_makes_it(question: str, options: dict[str, bool]) -> None:
    """Each question is asked of classes that nobody has asked before."""
    if options.get("eq") is False and question in {"replace", "copy", "hash"}:
        pytest.skip("without equality it says nothing")
    ask = QUESTIONS[question]
    assert ask(*make(ours.dataclass, options)) == ask(*make(dataclasses.dataclass, options))


def test_an_unknown_name_of_a_frozen_instance() -> None:
    """The standard library raises a ``TypeError`` here, which is a known fault of slots that are frozen."""
    base, _ = make(ours.dataclass, {"slots": True, "frozen": True})
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'nothing'"):
        base(1).nothing = 2


@ours.dataclass(frozen=True, slots=True)
class Pickled:
    """A class that can be found by its name."""

    number: int
    text: str = ""


def test_an_instance_is_pickled_and_read_where_none_was_made() -> None:
    data = pickle.dumps(Pickled(1, "a"))
    assert pickle.loads(data) == Pickled(1, "a")
    cls, _ = make(ours.dataclass, {"slots": True, "frozen": True})
    fresh: Any = object.__new__(cls)
    fresh.__setstate__([1, "a", []])
    assert fresh == cls(1, "a")


def test_a_class_without_slots_is_refused() -> None:
    with pytest.raises(TypeError, match="without slots"):
        ours.dataclass(slots=False)


def test_threads_that_make_the_first_instance_at_once() -> None:
    for _ in range(50):
        _, cls = make(ours.dataclass, {"slots": True, "frozen": True})
        start = threading.Barrier(8)
        made: list[object] = []

        def first(start: threading.Barrier = start, cls: type = cls, made: list[object] = made) -> None:
            start.wait()
            made.append(cls(1, "abc"))

        threads = [threading.Thread(target=first) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert made == [cls(1, "abc")] * 8


def test_nothing_is_written_before_the_first_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the start of every command pays for it."""
    asked: list[object] = []
    real = dataclasses.dataclass

    def spy(**options: bool) -> Any:
        asked.append(options)
        return real(**options)

    monkeypatch.setattr(dataclasses, "dataclass", spy)
    base, _ = make(ours.dataclass, {"slots": True, "frozen": True})
    assert not asked
    base(1)
    assert len(asked) == 1
