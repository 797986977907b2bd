"""The profile predicate: what a model is and needs, computed from its files. The spec page is ``profile_v1.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.evidence.predicates.tool import Tool

__all__ = ["CACHES", "PREDICATE_TYPE", "Cache", "Comparison", "ModelPart", "Problem", "ProfileV1"]

PREDICATE_TYPE = f"{PREDICATE_BASE}/profile/v1"

#: What a layer keeps of a sequence: keys and values of every token; one compressed vector of every token (MLA); keys and values of
#: the encoder's output; a state that does not grow.
CACHES = ("kv", "latent", "cross", "state")


@dataclass(frozen=True, slots=True)
class Cache:
    """What the layers of one kind keep of a sequence, and what looking it up costs.

    Attributes:
        kind: one of :data:`CACHES`.
        layers: how many there are.
        elements: numbers that each layer keeps, for each token; of a ``state``, for each sequence.
        window: tokens that are kept at most; ``None`` means all.
        flop: floating-point operations of one new token for each token that is kept, in each layer.
        prompt_flop: the same of a prompt, where another way to compute it is cheaper there; ``None`` means ``flop``.
    """

    kind: str
    layers: int
    elements: int
    window: int | None = None
    flop: int = 0
    prompt_flop: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "layers": self.layers,
            "elements": self.elements,
            "window": self.window,
            "flop": self.flop,
            **({} if self.prompt_flop is None else {"promptFlop": self.prompt_flop}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Cache:
        if value["kind"] not in CACHES:
            raise ValueError(f"a cache of the kind {value['kind']!r} is none of {', '.join(CACHES)}")
        return cls(
            value["kind"], value["layers"], value["elements"], value["window"], value["flop"], value.get("promptFlop")
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two statements about the same thing.

    Attributes:
        what: what they are about: a name of a fact.
        one, other: the statements; the first is the one with the better basis.
        agree: whether they can both be true.
        note: in words, why not, or how near they are.
    """

    what: str
    one: Fact
    other: Fact
    agree: bool
    note: str

    def to_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "one": self.one.to_json(),
            "other": self.other.to_json(),
            "agree": self.agree,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparison:
        return cls(
            value["what"],
            Fact.from_json(value["one"]),
            Fact.from_json(value["other"]),
            value["agree"],
            value["note"],
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """What cannot be true of a model, or keeps it from being profiled, and where that stands."""

    message: str
    location: Location

    def to_json(self) -> dict[str, Any]:
        return {"message": self.message, "location": self.location.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Problem:
        return cls(value["message"], Location.from_json(value["location"]))


@dataclass(frozen=True, slots=True)
class ModelPart:
    """One model of a subject: the only one, a part of a pipeline, or one of several packagings.

    Attributes:
        name: where it lies below the subject: a folder or a file, '' for the subject itself.
        facts: about it; every name at most once.
        caches: what a sequence costs; empty where that is not known or nothing is kept.
        comparisons: where two statements are about the same thing.
        problems: what is wrong with one statement by itself.
        missing: what a careful person would have liked to say and could not, in words.
    """

    name: str
    facts: tuple[Fact, ...]
    caches: tuple[Cache, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()

    def fact(self, name: str) -> Fact | None:
        """The fact called ``name``, if there is one."""
        return next((each for each in self.facts if each.name == name), None)

    def count(self, name: str) -> int | None:
        """The fact called ``name`` as a whole number, if it is one."""
        fact = self.fact(name)
        if fact is None or isinstance(fact.value, bool):
            return None
        if isinstance(fact.value, str) and fact.value.isascii() and fact.value.isdigit():
            return int(fact.value)
        return fact.value if isinstance(fact.value, int) else None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "facts": [each.to_json() for each in self.facts],
            "caches": [each.to_json() for each in self.caches],
            "comparisons": [each.to_json() for each in self.comparisons],
            "problems": [each.to_json() for each in self.problems],
            "missing": list(self.missing),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ModelPart:
        return cls(
            name=value["name"],
            facts=tuple(Fact.from_json(each) for each in value["facts"]),
            caches=tuple(Cache.from_json(each) for each in value["caches"]),
            comparisons=tuple(Comparison.from_json(each) for each in value["comparisons"]),
            problems=tuple(Problem.from_json(each) for each in value["problems"]),
            missing=tuple(value["missing"]),
        )


@dataclass(frozen=True, slots=True)
class ProfileV1:
    """The body of a profile statement. ``parts`` are in order of their names; ``left_off`` counts further ones that are not there."""

    tool: Tool
    parts: tuple[ModelPart, ...]
    left_off: int = 0
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return {"tool": self.tool.to_json(), "parts": [each.to_json() for each in self.parts], "leftOff": self.left_off}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ProfileV1:
        parts = tuple(ModelPart.from_json(each) for each in value["parts"])
        return cls(Tool.from_json(value["tool"]), parts, value["leftOff"])
