"""Weights of both sides of a derivation: types of numbers, what stayed as it was, and where a model is several files each of them."""

from __future__ import annotations

from typing import Any

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.eval_v1 import may_number, number_of, sha256_of
from openvet.evidence.predicates.fields import Fields, count_of, without_none

__all__ = ["Kept", "Part", "TypeCount", "Weights"]


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Tensors of one type: how many, their elements, and bytes."""

    type: str
    tensors: int
    elements: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return {"type": self.type, "tensors": self.tensors, "elements": self.elements, "bytes": self.bytes}

    @classmethod
    def take(cls, found: Fields) -> TypeCount:
        made = cls(
            found.take("type", str), count_of(found, "tensors"), count_of(found, "elements"), count_of(found, "bytes")
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Weights:
    """One side's weights, as the tool's own readers saw them.

    Attributes:
        format: of the files that were counted.
        bytes: of all files.
        weight_bytes: of the tensors.
        parameters: numbers that were learned; packed ones counted as what they stand for.
        bits: real bits for each parameter, all tensors together.
        zeros: the share of parameters that are zero, where it was counted.
        mix: types, the one with the most bytes first.
    """

    format: str
    bytes: int
    weight_bytes: int
    parameters: int
    bits: str
    mix: tuple[TypeCount, ...]
    zeros: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "format": self.format,
                "bytes": self.bytes,
                "weightBytes": self.weight_bytes,
                "parameters": self.parameters,
                "bitsPerWeight": self.bits,
                "zeros": self.zeros,
                "mix": [each.to_json() for each in self.mix],
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Weights:
        made = cls(
            found.take("format", str), count_of(found, "bytes"), count_of(found, "weightBytes"), count_of(found, "parameters"),
            number_of(found, "bitsPerWeight"), tuple(map(TypeCount.take, found.objects("mix"))), may_number(found, "zeros"),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Kept:
    """What was not compressed: how many tensors, their bytes, and the largest by name."""

    tensors: int
    bytes: int
    largest: tuple[tuple[str, str, int], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "tensors": self.tensors,
            "bytes": self.bytes,
            "largest": [{"name": name, "type": kind, "bytes": size} for name, kind, size in self.largest],
        }

    @classmethod
    def take(cls, found: Fields) -> Kept:
        listed = []
        for each in found.objects("largest"):
            listed.append((each.take("name", str), each.take("type", str), count_of(each, "bytes")))
            each.end()
        made = cls(count_of(found, "tensors"), count_of(found, "bytes"), tuple(listed))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a model that is several: its name, which is the same in both, both digests (SHA-256), and what is in both files.

    Where both digests are the same it came along as it was.
    """

    name: str
    parent: str
    child: str
    before: Weights
    after: Weights
    kept: Kept

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "parent": self.parent,
            "child": self.child,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "notCompressed": self.kept.to_json(),
        }

    @classmethod
    def take(cls, found: Fields) -> Part:
        made = cls(
            found.take("name", str), sha256_of(found, "parent"), sha256_of(found, "child"), Weights.take(found.below("before")),
            Weights.take(found.below("after")), Kept.take(found.below("notCompressed")),
        )  # fmt: skip
        found.end()
        return made
