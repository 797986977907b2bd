"""The answers predicate: what a person says about a model, or about a system that it is part of, question by question.

What is in it is somebody's word. Who that is says the signature; ``by`` is what they say of themselves. The spec page is ``answers_v1.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import Descriptor, FieldError, Fields, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = ["PREDICATE_TYPE", "TYPES", "AnswersV1", "GivenAnswer", "day_of"]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/answers/v1"
_NUMBER: Final = pattern(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
TYPES: Final = ("yes-no", "one-of", "many-of", "text", "number", "date", "document")


def day_of(found: Fields, name: str) -> str:
    """The field ``name``, a day such as ``2026-11-28``.

    Raises:
        FieldError: it is none.
    """
    text = found.take(name, str)
    try:
        if len(text) != 10:
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise FieldError(f"{found.at}/{name} is no day") from None
    return text


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One answer.

    Attributes:
        question: its id.
        asked: the question's words, as the person saw them.
        type: one of :data:`TYPES`.
        value: true or false; text; a list of texts; a number as decimal text; a day as text.
        said: the day on which it was given.
        until: the last day on which it counts; '' for ever.
        document: what was attached, by its digest, to a ``document``; its ``annotations`` may hold ``date``.
        note: the person's own words beside it.
    """

    question: str
    asked: str
    type: str
    value: bool | str | tuple[str, ...]
    said: str
    until: str = ""
    document: Descriptor | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "question": self.question,
                "asked": self.asked,
                "type": self.type,
                "value": list(self.value) if isinstance(self.value, tuple) else self.value,
                "said": self.said,
                "until": self.until or None,
                "document": None if self.document is None else self.document.to_json(),
                "note": self.note or None,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> GivenAnswer:
        kind = found.word("type", TYPES)
        value: bool | str | tuple[str, ...]
        if kind in ("yes-no", "document"):
            value = found.take("value", bool)
        elif kind == "many-of":
            value = found.texts("value")
        elif kind == "date":
            value = day_of(found, "value")
        else:
            value = found.take("value", str)
        if kind == "number":
            _check_number(found, str(value))
        document = found.may_below("document")
        made = cls(
            question=found.take("question", str),
            asked=found.take("asked", str),
            type=kind,
            value=value,
            said=day_of(found, "said"),
            until=day_of(found, "until") if found.may_be("until") else "",
            document=None if document is None else Descriptor.take(document),
            note=found.may("note", str) or "",
        )
        found.end()
        return made


def _check_number(found: Fields, text: str) -> None:
    if not _NUMBER.fullmatch(text) or not abs(float(text)) < float("inf"):
        raise FieldError(f"{found.at}/value is no number in decimal")


@dataclass(frozen=True, slots=True)
class AnswersV1:
    """The body of an answers statement.

    Attributes:
        tool: what wrote them down.
        by: name and role of the person, as they say; perhaps the organisation.
        about: the system that the answers are about, in the person's words; '' is the model as such.
        answers: in the order of the questions, each question at most once.
    """

    tool: Tool
    by: Mapping[str, str]
    answers: tuple[GivenAnswer, ...]
    about: str = ""
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "by": dict(self.by),
            "about": self.about,
            "answers": [each.to_json() for each in self.answers],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AnswersV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind; a question is answered twice.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        made = cls(
            tool,
            found.may_map("by", str) or {},
            tuple(map(GivenAnswer.take, found.objects("answers"))),
            found.take("about", str),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        if len({each.question for each in made.answers}) != len(made.answers):
            raise FieldError("/answers has a question twice")
        if not made.by.get("name"):
            raise FieldError("/by/name is not there")
        return made
