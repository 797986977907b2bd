"""The fingerprint predicate: a small sketch of a model's weights, by which it is known again. The spec page is ``fingerprint_v1.md``.

What is long is base64 (RFC 4648, with padding) of little-endian numbers. Nothing here needs NumPy: a body is carried, signed and
checked as it is; ``openvet.lineage`` takes the numbers out.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = ["PREDICATE_TYPE", "RECIPE", "FingerprintV1", "NotSketched", "TensorSketch", "Vectors", "pack", "unpack"]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/fingerprint/v1"
#: Which values are taken, and how: seeds and lengths. Sketches of two recipes are not compared.
RECIPE: Final = "openvet-sketch-1"
_BASE64: Final = pattern(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)\Z")
_SHARE: Final = pattern(r"(?:0|1|0\.[0-9]{1,6})\Z")
_SHA256: Final = pattern(r"[0-9a-f]{64}\Z")


def pack(data: bytes) -> str:
    """Bytes as they stand in a body."""
    return base64.b64encode(data).decode("ascii")


def unpack(text: str) -> bytes:
    """The bytes of a field that was checked before.

    Raises:
        FieldError: it is no base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise FieldError(f"is no base64: {error}") from None


def _packed(found: Fields, name: str) -> str:
    text = found.take(name, str)
    if not _BASE64.match(text):
        raise FieldError(f"{found.at}/{name} is empty, or no base64")
    return text


@dataclass(frozen=True, slots=True)
class Vectors:
    """Rows or columns of one tensor: each less its mean, by its standard deviation, cut at four of them, in steps of 4/127.

    Attributes:
        index: which ones, 4-byte unsigned numbers.
        mean, scale: of each, 32-bit floats; the scale is the standard deviation.
        values: signed bytes, one vector after the other.
    """

    index: str
    mean: str
    scale: str
    values: str

    def to_json(self) -> dict[str, Any]:
        return {"index": self.index, "mean": self.mean, "scale": self.scale, "values": self.values}

    @classmethod
    def take(cls, found: Fields) -> Vectors:
        made = cls(_packed(found, "index"), _packed(found, "mean"), _packed(found, "scale"), _packed(found, "values"))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class TensorSketch:
    """One tensor of two or more extents.

    Attributes:
        name, dtype, shape: as its file describes it, outermost extent first.
        ggml: whether the name is llama.cpp's.
        zeros: share of exact zeros in the rows that were looked at, decimal text.
        not_finite: values in them that are infinite or no number.
        probe: values at places that only the shape decides, as 32-bit floats.
        rows, columns: of the tensor as a matrix; ``None`` where they are too short to say anything.
        norms: binary logarithms of the Euclidean norms of rows that only the shape decides, 32-bit floats.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    ggml: bool
    zeros: str
    not_finite: int
    probe: str
    rows: Vectors | None = None
    columns: Vectors | None = None
    norms: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "name": self.name,
                "dtype": self.dtype,
                "shape": list(self.shape),
                "ggml": self.ggml,
                "zeros": self.zeros,
                "notFinite": self.not_finite,
                "probe": self.probe,
                "rows": None if self.rows is None else self.rows.to_json(),
                "columns": None if self.columns is None else self.columns.to_json(),
                "norms": self.norms,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> TensorSketch:
        shape = found.take("shape", list)
        if len(shape) < 2 or not all(
            isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in shape
        ):
            raise FieldError(f"{found.at}/shape is no list of two extents or more")
        zeros = found.take("zeros", str)
        if not _SHARE.match(zeros):
            raise FieldError(f"{found.at}/zeros is no share")
        rows, columns = found.may_below("rows"), found.may_below("columns")
        made = cls(
            found.take("name", str), found.take("dtype", str), tuple(shape), found.take("ggml", bool), zeros,
            count_of(found, "notFinite"), _packed(found, "probe"), None if rows is None else Vectors.take(rows),
            None if columns is None else Vectors.take(columns), _packed(found, "norms") if found.may_be("norms") else None,
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class NotSketched:
    """Something that holds numbers, or may hold some, and that the sketch says nothing of."""

    place: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"place": self.place, "reason": self.reason}

    @classmethod
    def take(cls, found: Fields) -> NotSketched:
        made = cls(found.take("place", str), found.take("reason", str))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class FingerprintV1:
    """The body of a fingerprint statement.

    Attributes:
        tool: what made it.
        recipe: see :data:`RECIPE`.
        tensors: in order of their names.
        digests: SHA-256 of what can only be the same or not: ``names`` and ``shapes`` of tensors, ``config``, ``tokenizer``,
            ``vocabulary``, ``chat-template``, as far as they are there.
        not_sketched: what is missing.
        left_off: further tensors that would have been too many.
    """

    tool: Tool
    recipe: str
    tensors: tuple[TensorSketch, ...]
    digests: Mapping[str, str] = field(default_factory=dict)
    not_sketched: tuple[NotSketched, ...] = ()
    left_off: int = 0
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "recipe": self.recipe,
            "tensors": [each.to_json() for each in self.tensors],
            "digests": dict(self.digests),
            "notSketched": [each.to_json() for each in self.not_sketched],
            "leftOff": self.left_off,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FingerprintV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        digests = found.may_map("digests", str)
        if digests is None or not all(map(_SHA256.match, digests.values())):
            raise FieldError("/digests is not there, or one of the digests is none")
        recipe = found.take("recipe", str)
        if not recipe:
            raise FieldError("/recipe is empty")
        made = cls(
            tool,
            recipe,
            tuple(map(TensorSketch.take, found.objects("tensors"))),
            digests,
            tuple(map(NotSketched.take, found.objects("notSketched"))),
            count_of(found, "leftOff"),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
