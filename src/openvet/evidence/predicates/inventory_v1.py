"""The inventory predicate: what a subject's files contain. The spec page is ``inventory_v1.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.tool import Tool

__all__ = ["BASES", "PREDICATE_TYPE", "Fact", "InventoryV1", "Item", "TensorEntry"]

PREDICATE_TYPE = f"{PREDICATE_BASE}/inventory/v1"

#: Where a fact comes from: the subject says so; we computed it from the subject; we measured it; somebody vouches for it.
BASES = ("declared", "derived", "measured", "attested")


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement about the whole subject, with its basis and the places where it was read.

    Attributes:
        name: stable word (``family parameters dtypes tokenizer license ...``).
        value: JSON value.
        basis: one of :data:`BASES`.
        sources: where it was read.
    """

    name: str
    value: Any
    basis: str
    sources: tuple[Location, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "basis": self.basis,
            "sources": [each.to_json() for each in self.sources],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Fact:
        return cls(
            value["name"], value["value"], value["basis"], tuple(Location.from_json(each) for each in value["sources"])
        )


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor: name, dtype, shape (row-major), and where its ``nbytes`` bytes start, where that is known."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int | None
    nbytes: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "offset": self.offset,
            "nbytes": self.nbytes,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TensorEntry:
        return cls(value["name"], value["dtype"], tuple(value["shape"]), value["offset"], value["nbytes"])


@dataclass(frozen=True, slots=True)
class Item:
    """One file or member.

    Attributes:
        place: printable path; members after ``!/``.
        formats: what it was read as.
        size: bytes (decoded, for a member).
        digest: algorithm -> hex.
        coverage: of itself, its members apart.
        metadata: small facts by the format's own keys.
        tensors: as its header describes them.
        programs: what a loader would execute or interpret.
    """

    place: str
    formats: tuple[str, ...]
    size: int
    digest: Mapping[str, str]
    coverage: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[TensorEntry, ...] = ()
    programs: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "place": self.place,
            "formats": list(self.formats),
            "size": self.size,
            "digest": dict(self.digest),
            "coverage": self.coverage,
            "metadata": dict(self.metadata),
            "tensors": [each.to_json() for each in self.tensors],
            "programs": [each.to_json() if hasattr(each, "to_json") else dict(each) for each in self.programs],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Item:
        return cls(
            place=value["place"],
            formats=tuple(value["formats"]),
            size=value["size"],
            digest=dict(value["digest"]),
            coverage=value["coverage"],
            metadata=dict(value["metadata"]),
            tensors=tuple(TensorEntry.from_json(each) for each in value["tensors"]),
            programs=tuple(value["programs"]),
        )


@dataclass(frozen=True, slots=True)
class InventoryV1:
    """The body of an inventory statement. ``items`` are in order, each file before its members."""

    tool: Tool
    facts: tuple[Fact, ...]
    items: tuple[Item, ...]
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def fact(self, name: str) -> Fact | None:
        """The first fact called ``name``, if there is one."""
        return next((each for each in self.facts if each.name == name), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "facts": [each.to_json() for each in self.facts],
            "items": [each.to_json() for each in self.items],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> InventoryV1:
        return cls(
            tool=Tool.from_json(value["tool"]),
            facts=tuple(Fact.from_json(each) for each in value["facts"]),
            items=tuple(Item.from_json(each) for each in value["items"]),
        )
