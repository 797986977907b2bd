"""The card predicate: what a model's cards declare, what they leave out, and what the files say against them. Spec page: ``card_v1.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, location_of
from openvet.evidence.predicates.inventory_v1 import BASES
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "DOCUMENTS", "MISSING", "PREDICATE_TYPE", "STATES", "CardDocument", "CardFact", "CardV1", "Missing", "Problem", "Section",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/card/v1"

#: Kinds of documents; ``files`` is none: it stands for a card that is not there, and has what the files say in its place.
DOCUMENTS: Final = ("model-card", "dataset-card", "eval-results", "croissant", "citation", "files")
#: What became of a section: something stands in it; only what the template left; nothing.
STATES: Final = ("filled", "open", "empty")
#: What is missing: a field of metadata, a section of the prose, a property that a specification requires.
MISSING: Final = ("metadata", "section", "property")
_WORD: Final = pattern(r"[a-z]+(?:-[a-z]+)*", re.ASCII)
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)


def _word(found: Fields, name: str) -> str:
    word = found.take(name, str)
    if not _WORD.fullmatch(word):
        raise FieldError(f"{found.at}/{name} is no word")
    return word


@dataclass(frozen=True, slots=True)
class CardFact:
    """One statement: ``license`` is ``mit``, says who (``basis``), read where.

    Attributes:
        name: the document's own key, with dots below it (``dataset_info.splits``), or a stable word where it was derived.
        value: JSON value, text printable and shortened, never null.
        basis: ``declared`` or ``derived``; see :data:`~openvet.evidence.predicates.inventory_v1.BASES`.
        source: the place, the JSON Pointer or the key, and the line where it is known.
    """

    name: str
    value: Any
    basis: str
    source: Location

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "basis": self.basis, "source": self.source.to_json()}

    @classmethod
    def take(cls, found: Fields) -> CardFact:
        return cls(
            found.take("name", str),
            found.take("value", object),
            found.word("basis", BASES),
            location_of(found.below("source")),
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the hub's template that the prose has: its name there, its state, its heading, and the beginning of its text."""

    name: str
    state: str
    source: Location
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        out = {"name": self.name, "state": self.state, "source": self.source.to_json()}
        return {**out, "text": self.text} if self.text else out

    @classmethod
    def take(cls, found: Fields) -> Section:
        name, state = found.take("name", str), found.word("state", STATES)
        where, text = location_of(found.below("source")), found.may("text", str)
        if text == "":
            raise FieldError(f"{found.at}/text is empty")
        return cls(name, state, where, text or "")


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a document is expected to have and has not: of which kind (:data:`MISSING`), and its name."""

    of: str
    name: str

    def to_json(self) -> dict[str, Any]:
        return {"of": self.of, "name": self.name}

    @classmethod
    def take(cls, found: Fields) -> Missing:
        return cls(found.word("of", MISSING), found.take("name", str))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something malformed, ambiguous or contradicted.

    Attributes:
        kind: the name of the rule below ``card/`` that reports it.
        message: a sentence without its end.
        source: where.
        evidence: what anybody needs to see it again.
    """

    kind: str
    message: str
    source: Location
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "message": self.message,
            "source": self.source.to_json(),
            "evidence": dict(self.evidence),
        }

    @classmethod
    def take(cls, found: Fields) -> Problem:
        return cls(
            _word(found, "kind"),
            found.take("message", str),
            location_of(found.below("source")),
            found.take("evidence", dict),
        )


@dataclass(frozen=True, slots=True)
class CardDocument:
    """One document that says something about the model or data set.

    Attributes:
        kind: one of :data:`DOCUMENTS`.
        place: of its file; ``""`` for ``files``.
        specification: the version that it names, ``""`` where it names none.
        facts, sections, missing, problems: in a fixed order.
        left_out: how many facts and problems were too many to be listed.
    """

    kind: str
    place: str
    specification: str
    facts: tuple[CardFact, ...]
    sections: tuple[Section, ...] = ()
    missing: tuple[Missing, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_out: int = 0

    def fact(self, name: str) -> CardFact | None:
        """The first fact called ``name``, if there is one."""
        return next((each for each in self.facts if each.name == name), None)

    @property
    def unread(self) -> Problem | None:
        """The problem for which nothing of the metadata was read; ``None`` where it was read, or where there is none."""
        return next((each for each in self.problems if each.evidence.get("unread") is True), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "place": self.place,
            "specification": self.specification,
            "facts": [each.to_json() for each in self.facts],
            "sections": [each.to_json() for each in self.sections],
            "missing": [each.to_json() for each in self.missing],
            "problems": [each.to_json() for each in self.problems],
            "left_out": self.left_out,
        }

    @classmethod
    def take(cls, found: Fields) -> CardDocument:
        left_out = found.take("left_out", int)
        if left_out < 0:
            raise FieldError(f"{found.at}/left_out is no count")
        return cls(
            found.word("kind", DOCUMENTS),
            found.take("place", str),
            found.take("specification", str),
            tuple(map(CardFact.take, found.objects("facts"))),
            tuple(map(Section.take, found.objects("sections"))),
            tuple(map(Missing.take, found.objects("missing"))),
            tuple(map(Problem.take, found.objects("problems"))),
            left_out,
        )


@dataclass(frozen=True, slots=True)
class CardV1:
    """The body of a card statement. Without any document there is nothing that a card could say."""

    tool: Tool
    documents: tuple[CardDocument, ...]
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return {"tool": self.tool.to_json(), "documents": [each.to_json() for each in self.documents]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CardV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind. Fields that it cannot have are left to the caller, who compares.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        return cls(
            tool,
            tuple(map(CardDocument.take, found.objects("documents"))),
        )
