"""The diff predicate: what changed from one model (A) to the one that the statement is about (B). The spec page is ``diff_v1.md``.

Numbers that are no counts are decimal text of four digits, so that every reader has the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final, TypeVar

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "CHANGES",
    "KINDS",
    "PREDICATE_TYPE",
    "SIDES",
    "STATUSES",
    "TEXTS",
    "DiffV1",
    "FileChange",
    "ModelChange",
    "NotCompared",
    "Side",
    "TensorChange",
    "TensorGroup",
    "TextChange",
    "ValueChange",
    "WordsChange",
]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/diff/v1"
#: What became of a file or a value.
CHANGES: Final = ("added", "removed", "moved", "changed")
_OF_VALUES: Final = ("added", "removed", "changed")
#: Kinds of tensors, by their names.
KINDS: Final = ("embedding", "attention", "mlp", "norm", "other")
#: What became of a tensor, in the order in which they are told.
STATUSES: Final = (
    "equal",
    "cast",
    "quantized",
    "pruned",
    "changed",
    "reshaped",
    "added",
    "removed",
    "unread",
)
#: Kinds of texts and of programs.
TEXTS: Final = ("chat-template", "code", "card", "license", "program", "text")
SIDES: Final = ("a", "b", "")
_NUMBER: Final = pattern(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-][0-9]{2,3})?\Z")
_T = TypeVar("_T")


def _may_number(found: Fields, name: str) -> str | None:
    text = found.may(name, str)
    if text is not None and not _NUMBER.match(text):
        raise FieldError(f"{found.at}/{name} is no number in decimal")
    return text


def _may_count(found: Fields, name: str) -> int | None:
    value = found.may(name, int)
    if value is not None and value < 0:
        raise FieldError(f"{found.at}/{name} is less than zero")
    return value


def _extents(found: Fields, name: str) -> tuple[int, ...] | None:
    values = found.may(name, list)
    if values is None:
        return None
    if any(not isinstance(each, int) or isinstance(each, bool) or each < 0 for each in values):
        raise FieldError(f"{found.at}/{name} holds something else than extents")
    return tuple(values)


def _made(found: Fields, made: _T) -> _T:
    found.end()
    return made


@dataclass(frozen=True, slots=True)
class Side:
    """A file as one of the two models has it: where, how long, and its SHA-256 where every byte was read."""

    place: str
    size: int
    sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none({"place": self.place, "size": self.size, "sha256": self.sha256})

    @classmethod
    def take(cls, found: Fields, name: str) -> Side | None:
        value = found.may(name, dict)
        if value is None:
            return None
        inner = Fields(value, f"{found.at}/{name}", found.extensions)
        return _made(inner, cls(inner.take("place", str), count_of(inner, "size"), inner.may("sha256", str)))


def _sides(a: Side | None, b: Side | None) -> dict[str, Any]:
    return {"a": None if a is None else a.to_json(), "b": None if b is None else b.to_json()}


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that is not the same on both sides. ``change`` is one of :data:`CHANGES`; a side that has none is ``None``."""

    change: str
    a: Side | None
    b: Side | None

    def to_json(self) -> dict[str, Any]:
        return without_none({"change": self.change, **_sides(self.a, self.b)})

    @classmethod
    def take(cls, found: Fields) -> FileChange:
        change = found.word("change", CHANGES)
        return _made(found, cls(change, Side.take(found, "a"), Side.take(found, "b")))


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value of a configuration, of a card's front matter or of a header.

    Attributes:
        change: ``added``, ``removed`` or ``changed``.
        place: the file, as B has it, or A where B has none.
        pointer: JSON Pointer, or the key of a header.
        a, b: the value as JSON, shortened; ``None`` where there is none.
    """

    change: str
    place: str
    pointer: str
    a: str | None
    b: str | None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {"change": self.change, "place": self.place, "pointer": self.pointer, "a": self.a, "b": self.b}
        )

    @classmethod
    def take(cls, found: Fields) -> ValueChange:
        made = cls(
            found.word("change", _OF_VALUES), found.take("place", str), found.take("pointer", str), found.may("a", str),
            found.may("b", str),
        )  # fmt: skip
        return _made(found, made)


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text or a program that differs.

    Attributes:
        kind: one of :data:`TEXTS`.
        a, b: the places; ``None`` where a side has none.
        gained, lost: what B does and A does not, and the other way, as far as readers tell: calls, imports, suspicious constructs.
        judged: whether its behaviour was read on both sides, so that empty lists say that it is the same.
        lines: a unified diff; empty where the text was not read.
        cut: whether lines, or items of the lists, are left off.
    """

    kind: str
    a: str | None
    b: str | None
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    judged: bool = False
    lines: tuple[str, ...] = ()
    cut: bool = False

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "kind": self.kind,
                "a": self.a,
                "b": self.b,
                "gained": list(self.gained),
                "lost": list(self.lost),
                "judged": self.judged,
                "lines": list(self.lines),
                "cut": self.cut,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> TextChange:
        made = cls(
            found.word("kind", TEXTS), found.may("a", str), found.may("b", str), found.texts("gained"),
            found.texts("lost"), found.take("judged", bool), found.texts("lines"), found.take("cut", bool),
        )  # fmt: skip
        return _made(found, made)


@dataclass(frozen=True, slots=True)
class WordsChange:
    """A vocabulary, or a list of merges, that differs.

    Attributes:
        what: ``vocabulary`` or ``merges``.
        a, b: the places.
        in_a, in_b: how many words each has.
        added, removed: words that only B has, and only A.
        renumbered: words with another number; of merges, those with another rank.
        examples: some of them, as ``+ word 5``, ``- word 5``, ``~ word 5 6``.
    """

    what: str
    a: str
    b: str
    in_a: int
    in_b: int
    added: int
    removed: int
    renumbered: int
    examples: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "a": self.a,
            "b": self.b,
            "inA": self.in_a,
            "inB": self.in_b,
            "added": self.added,
            "removed": self.removed,
            "renumbered": self.renumbered,
            "examples": list(self.examples),
        }

    @classmethod
    def take(cls, found: Fields) -> WordsChange:
        made = cls(
            found.word("what", ("vocabulary", "merges")), found.take("a", str), found.take("b", str), count_of(found, "inA"),
            count_of(found, "inB"), count_of(found, "added"), count_of(found, "removed"), count_of(found, "renumbered"),
            found.texts("examples"),
        )  # fmt: skip
        return _made(found, made)


@dataclass(frozen=True, slots=True)
class TensorChange:
    """One tensor that is not equal.

    Attributes:
        status: one of :data:`STATUSES`, but ``equal``.
        name: as B calls it, or A where B has none; ``name_a`` where A calls it otherwise.
        dtype_a, dtype_b, shape_a, shape_b: ``None`` where that side has none.
        original: the side that the other was made of, where that is known; else ''.
        note: a few words: why it was not read, how it was turned before it was compared, what of it is equal.
        values: how many each side has that were compared.
        changed: how many are not the same number.
        measured: values that the figures below are of; fewer than ``values`` where every eighth block was measured.
        norm_a, norm_b, difference: Euclidean norms.
        largest: the largest difference.
        relative: the difference by the norm of A.
        steps: of a quantization, the largest error in steps of its block.
        outside: values that are farther from a quantized one than rounding puts them.
        not_finite: values of A and of B that are infinite or no number, among those that were measured.
    """

    status: str
    name: str
    name_a: str | None = None
    dtype_a: str | None = None
    dtype_b: str | None = None
    shape_a: tuple[int, ...] | None = None
    shape_b: tuple[int, ...] | None = None
    original: str = ""
    note: str = ""
    values: int | None = None
    changed: int | None = None
    measured: int | None = None
    norm_a: str | None = None
    norm_b: str | None = None
    difference: str | None = None
    largest: str | None = None
    relative: str | None = None
    steps: str | None = None
    outside: int | None = None
    not_finite: tuple[int, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "status": self.status,
                "name": self.name,
                "nameA": self.name_a,
                "dtypeA": self.dtype_a,
                "dtypeB": self.dtype_b,
                "shapeA": None if self.shape_a is None else list(self.shape_a),
                "shapeB": None if self.shape_b is None else list(self.shape_b),
                "original": self.original,
                "note": self.note,
                "values": self.values,
                "changed": self.changed,
                "measured": self.measured,
                "normA": self.norm_a,
                "normB": self.norm_b,
                "difference": self.difference,
                "largest": self.largest,
                "relative": self.relative,
                "steps": self.steps,
                "outside": self.outside,
                "notFinite": None if self.not_finite is None else list(self.not_finite),
            }
        )

    @classmethod
    def take(cls, found: Fields) -> TensorChange:
        made = cls(
            found.word("status", STATUSES[1:]), found.take("name", str), found.may("nameA", str), found.may("dtypeA", str),
            found.may("dtypeB", str), _extents(found, "shapeA"), _extents(found, "shapeB"), found.word("original", SIDES),
            found.take("note", str), _may_count(found, "values"), _may_count(found, "changed"), _may_count(found, "measured"),
            _may_number(found, "normA"), _may_number(found, "normB"), _may_number(found, "difference"),
            _may_number(found, "largest"), _may_number(found, "relative"), _may_number(found, "steps"),
            _may_count(found, "outside"), _extents(found, "notFinite"),
        )  # fmt: skip
        if made.not_finite is not None and len(made.not_finite) != 2:
            raise FieldError(f"{found.at}/notFinite has not one number for each side")
        return _made(found, made)


@dataclass(frozen=True, slots=True)
class TensorGroup:
    """Tensors of one kind in one layer.

    Attributes:
        layer: its number; ``None`` outside of the layers.
        kind: ``attention mlp embedding norm other``, by their names.
        tensors: how many of each status; statuses that none has are left out.
        values: values that were compared on both sides.
        changed: how many of them are not the same number.
        relative: the norm of all differences by the norm of all of A, where that was measured; the equal ones count nothing.
    """

    layer: int | None
    kind: str
    tensors: Mapping[str, int]
    values: int
    changed: int
    relative: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "layer": self.layer,
                "kind": self.kind,
                "tensors": {status: self.tensors[status] for status in STATUSES if status in self.tensors},
                "values": self.values,
                "changed": self.changed,
                "relative": self.relative,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> TensorGroup:
        layer, kind = _may_count(found, "layer"), found.word("kind", KINDS)
        inner = found.below("tensors")
        tensors = {}
        for status in STATUSES:
            count = _may_count(inner, status)
            if count is not None:
                tensors[status] = count
        inner.end()
        return _made(
            found,
            cls(
                layer,
                kind,
                tensors,
                count_of(found, "values"),
                count_of(found, "changed"),
                _may_number(found, "relative"),
            ),
        )


@dataclass(frozen=True, slots=True)
class ModelChange:
    """The tensors of one model of A beside those of one of B.

    Attributes:
        a, b: where they lie: a folder or a file, '' for the subject itself.
        groups: by layer and kind, in order.
        tensors: those that are not equal, in the order of B's files; those that only A has come last.
        left_off: how many more there are than are listed.
    """

    a: str
    b: str
    groups: tuple[TensorGroup, ...]
    tensors: tuple[TensorChange, ...]
    left_off: int = 0

    def counts(self) -> dict[str, int]:
        """Tensors by status, in the order of :data:`STATUSES`."""
        total: dict[str, int] = {}
        for status in STATUSES:
            count = sum(each.tensors.get(status, 0) for each in self.groups)
            if count:
                total[status] = count
        return total

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.a,
            "b": self.b,
            "groups": [each.to_json() for each in self.groups],
            "tensors": [each.to_json() for each in self.tensors],
            "leftOff": self.left_off,
        }

    @classmethod
    def take(cls, found: Fields) -> ModelChange:
        made = cls(
            found.take("a", str), found.take("b", str), _each(found, "groups", TensorGroup),
            _each(found, "tensors", TensorChange), count_of(found, "leftOff"),
        )  # fmt: skip
        return _made(found, made)


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Something of which nobody can say whether it differs. ``side`` is ``a`` or ``b``, or '' for both."""

    side: str
    place: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"side": self.side, "place": self.place, "reason": self.reason}

    @classmethod
    def take(cls, found: Fields) -> NotCompared:
        return _made(found, cls(found.word("side", SIDES), found.take("place", str), found.take("reason", str)))


def _each(found: Fields, name: str, kind: Any) -> tuple[Any, ...]:
    return tuple(kind.take(each) for each in found.objects(name))


@dataclass(frozen=True, slots=True)
class DiffV1:
    """The body of a diff statement.

    Attributes:
        tool: what compared them.
        name_a: what A is called.
        digest_a: what A is, as subjects are named; empty where not all of it was hashed.
        same_files: how many files are the same, byte for byte, under the same name.
        files, values, texts, words, models: what differs.
        not_compared: what may differ.
        left_off: how many entries there are beyond those that are listed, by the name of the list.
    """

    tool: Tool
    name_a: str
    digest_a: Mapping[str, str]
    same_files: int
    files: tuple[FileChange, ...] = ()
    values: tuple[ValueChange, ...] = ()
    texts: tuple[TextChange, ...] = ()
    words: tuple[WordsChange, ...] = ()
    models: tuple[ModelChange, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    left_off: Mapping[str, int] = field(default_factory=dict)
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    @property
    def differs(self) -> bool:
        """Whether anything is known to differ."""
        tensors = any(each.counts().keys() - {"equal", "unread"} for each in self.models)
        return tensors or bool(self.files or self.values or self.texts or self.words)

    @property
    def verdict(self) -> str:
        """``same``, ``differs``, or ``cannot-tell`` where nothing is known to differ and not everything was compared."""
        if self.differs:
            return "differs"
        return "cannot-tell" if self.not_compared else "same"

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "a": {"name": self.name_a, "digest": dict(self.digest_a)},
            "verdict": self.verdict,
            "sameFiles": self.same_files,
            "files": [each.to_json() for each in self.files],
            "values": [each.to_json() for each in self.values],
            "texts": [each.to_json() for each in self.texts],
            "words": [each.to_json() for each in self.words],
            "models": [each.to_json() for each in self.models],
            "notCompared": [each.to_json() for each in self.not_compared],
            "leftOff": dict(sorted(self.left_off.items())),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DiffV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have, or its verdict is not what it lists.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        a = found.below("a")
        verdict = found.word("verdict", ("same", "differs", "cannot-tell"))
        left = found.may_map("leftOff", int)
        if left is None or min(left.values(), default=0) < 0:
            raise FieldError("/leftOff is not there, or counts less than nothing")
        digest = a.may_map("digest", str)
        if digest is None:
            raise FieldError("/a/digest is not there")
        made = cls(
            tool,
            a.take("name", str),
            digest,
            count_of(found, "sameFiles"),
            _each(found, "files", FileChange),
            _each(found, "values", ValueChange),
            _each(found, "texts", TextChange),
            _each(found, "words", WordsChange),
            _each(found, "models", ModelChange),
            _each(found, "notCompared", NotCompared),
            left,
        )
        _end(a, found)
        if made.verdict != verdict:
            raise FieldError(f"/verdict says {verdict}, and what is listed says {made.verdict}")
        return made


def _end(*parts: Fields) -> None:
    objects: Sequence[Fields] = parts
    for each in objects:
        each.end()
    extensions = objects[-1].extensions
    if extensions:
        raise FieldError(f"{next(iter(extensions))} is no field of this kind")
