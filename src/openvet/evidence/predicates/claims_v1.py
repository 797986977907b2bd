"""The claims predicate: what published figures about a model's training and serving have to do with each other.

Inputs are declared, each by its source; results follow from them by formulas that stand beside them; a verdict has three values. The
spec page is ``claims_v1.md``. Numbers are decimal text, so that every reader has the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = ["PREDICATE_TYPE", "VERDICTS", "Claims", "Input", "Judgement", "Result"]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/claims/v1"
#: Whether a figure agrees with the others, worst last.
VERDICTS: Final = ("consistent", "cannot-tell", "inconsistent")
_NUMBER: Final = pattern(r"(0|[1-9][0-9]{0,79})(\.[0-9]{1,40})?(e[1-9][0-9]{0,3}|e-[1-9][0-9]{0,3})?\Z")


def _number(found: Fields, name: str) -> str:
    text = found.take(name, str)
    if not _NUMBER.match(text):
        raise FieldError(f"{found.at}/{name} is no number in decimal")
    return text


def _may_number(found: Fields, name: str) -> str | None:
    text = found.may(name, str)
    if text is not None and not _NUMBER.match(text):
        raise FieldError(f"{found.at}/{name} is no number in decimal")
    return text


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that was declared.

    Attributes:
        key: ``section.key``, or ``chip.*`` for what the table of chips gave.
        unit: of the number, or ''.
        source: who says so, or ''.
        value, low, high: the number, or the band.
        readings: other numbers that the same words can mean.
        word: in place of a number.
    """

    key: str
    unit: str
    source: str
    value: str | None = None
    low: str | None = None
    high: str | None = None
    readings: tuple[str, ...] | None = None
    word: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "key": self.key,
                "unit": self.unit,
                "source": self.source,
                "value": self.value,
                "low": self.low,
                "high": self.high,
                "readings": None if self.readings is None else list(self.readings),
                "word": self.word,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Input:
        readings = found.may_texts("readings")
        if readings is not None and not all(_NUMBER.match(each) for each in readings):
            raise FieldError(f"{found.at}/readings has something else than numbers in decimal")
        return cls(
            found.take("key", str), found.take("unit", str), found.take("source", str), _may_number(found, "value"),
            _may_number(found, "low"), _may_number(found, "high"), readings, found.may("word", str),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that follows.

    Attributes:
        quantity, unit: what, and in what it is counted.
        reading: which reading of the inputs it is of; '' where there is one.
        low, high: what the stated inputs give.
        least, most: what is possible where something is not stated.
        formula, numbers: how it was computed, in words, and what was put in.
        value: the one number, where no input is a band.
    """

    quantity: str
    unit: str
    reading: str
    low: str
    high: str
    least: str
    most: str
    formula: str
    numbers: str
    value: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "quantity": self.quantity,
                "unit": self.unit,
                "reading": self.reading,
                "value": self.value,
                "low": self.low,
                "high": self.high,
                "least": self.least,
                "most": self.most,
                "formula": self.formula,
                "numbers": self.numbers,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Result:
        return cls(
            found.take("quantity", str), found.take("unit", str), found.take("reading", str), _number(found, "low"),
            _number(found, "high"), _number(found, "least"), _number(found, "most"), found.take("formula", str),
            found.take("numbers", str), _may_number(found, "value"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """One published figure.

    Attributes:
        figure, unit: which.
        low, high: as it was published; the same twice where it is one number.
        verdict: one of :data:`VERDICTS`.
        reason: why, for a person.
        formula: what it was held against, or '' where nothing could be computed.
    """

    figure: str
    unit: str
    low: str
    high: str
    verdict: str
    reason: str
    formula: str

    def to_json(self) -> dict[str, Any]:
        return {
            "figure": self.figure,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
            "verdict": self.verdict,
            "reason": self.reason,
            "formula": self.formula,
        }

    @classmethod
    def take(cls, found: Fields) -> Judgement:
        return cls(
            found.take("figure", str), found.take("unit", str), _number(found, "low"), _number(found, "high"),
            found.word("verdict", VERDICTS), found.take("reason", str), found.take("formula", str),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claims:
    """The body of a claims statement.

    Attributes:
        tool: what computed it.
        name: of the model or the run, as declared.
        inputs: what was declared.
        assumptions: what was taken where nothing was declared.
        results: what follows.
        judgements: the published figures; empty where none was given.
        notes: what whoever wrote the inputs says about them.
        verdict: the worst of the judgements; ``None`` where there is none.
    """

    tool: Tool
    name: str
    inputs: tuple[Input, ...]
    assumptions: tuple[str, ...]
    results: tuple[Result, ...]
    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    @property
    def verdict(self) -> str | None:
        return max((each.verdict for each in self.judgements), key=VERDICTS.index, default=None)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "name": self.name,
            "inputs": [each.to_json() for each in self.inputs],
            "assumptions": list(self.assumptions),
            "results": [each.to_json() for each in self.results],
            "judgements": [each.to_json() for each in self.judgements],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Claims:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        inputs, results, judgements = found.objects("inputs"), found.objects("results"), found.objects("judgements")
        made = cls(
            tool,
            found.take("name", str),
            tuple(map(Input.take, inputs)),
            found.texts("assumptions"),
            tuple(map(Result.take, results)),
            tuple(map(Judgement.take, judgements)),
            found.texts("notes"),
        )
        for each in (*inputs, *results, *judgements, found):
            each.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
