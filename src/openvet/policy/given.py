"""What a decision is computed from: statements that are believed, and answers that count on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.answers_v1 import AnswersV1, GivenAnswer
from openvet.evidence.predicates.decision_v1 import Basis, UsedAnswer
from openvet.evidence.statement import Predicate, ResourceDescriptor
from openvet.policy.decision import Decision
from openvet.policy.evidence_facts import FACTS_OF, Values
from openvet.policy.figure_facts import Said, figure_facts
from openvet.policy.pack import Question

__all__ = ["Answers", "Evidence", "Held", "count_answers", "facts_of"]


@dataclass(frozen=True, slots=True)
class Held:
    """A statement that is believed: what it says, the SHA-256 of its canonical JSON, and of the key that signed it ('' where nobody did)."""

    kind: str
    predicate: Predicate
    sha256: str
    by: str = ""

    @property
    def basis(self) -> Basis:
        """As a decision names it."""
        return Basis(self.kind, self.predicate.predicate_type, self.sha256)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is believed about one model.

    Attributes:
        subject: the model.
        held: the statement of each kind that counts; answers and figures are apart.
        answers: answers, in the order in which they were put down.
        safety: the built-in decision on the scan, with the team's acceptances; ``None`` where there is no scan.
        signers: who signed the model's bytes; ``None`` where no signature was looked at.
        configuration: SHA-256 of the team's configuration, or ''.
        judged_again: the advisories were made again for this decision, and nobody has signed them.
        figures: what was measured of these bytes: of those kinds every statement counts.
    """

    subject: ResourceDescriptor
    held: Mapping[str, Held]
    answers: tuple[Held, ...] = ()
    safety: Decision | None = None
    signers: tuple[str, ...] | None = None
    configuration: str = ""
    judged_again: bool = False
    figures: tuple[Held, ...] = ()

    def of(self, kind: str) -> tuple[Held, ...]:
        """The statements of a kind that count."""
        found = self.held.get(kind)
        return (found,) if found is not None else tuple(each for each in self.figures if each.kind == kind)


def facts_of(evidence: Evidence, as_of: date) -> Values:
    """The values of the vocabulary that the evidence settles."""
    kinds = set(evidence.held)
    out: Values = {"as_of": _midnight(as_of), "subject.name": evidence.subject.name}
    if evidence.subject.digest:
        out["subject.digest"] = [f"{name}:{each}" for name, each in sorted(evidence.subject.digest.items())]
    bills: list[str] = []
    for kind, held in evidence.held.items():
        if kind in FACTS_OF:
            said = FACTS_OF[kind](held.predicate)
            bills += said.get("bom.formats", [])
            out |= said
    for kind in sorted({each.kind for each in evidence.figures}):
        kinds.add(kind)
        out |= figure_facts(kind, [Said(each.predicate, each.by) for each in evidence.of(kind)])
    if bills:
        out["bom.formats"] = sorted(bills)
    if evidence.safety is not None:
        verdicts: dict[str, list[str]] = {"reject": [], "review": []}
        for reason in evidence.safety.reasons:
            verdicts.setdefault(str(reason.verdict), []).append(reason.code.removeprefix("rule:"))
        out["scan.verdict"] = str(evidence.safety.verdict)
        out["scan.rejected"] = sorted(set(verdicts["reject"]))
        out["scan.reviewed"] = sorted(set(verdicts["review"]))
    if evidence.signers is not None:
        out["signature.signers"] = sorted(set(evidence.signers))
        kinds.add("signature")
    out["evidence.kinds"] = sorted(kinds)
    return out


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers on a day.

    Attributes:
        values: name in conditions -> value.
        used: every answer that was looked at, and why it does not count where it does not.
    """

    values: Values = field(default_factory=dict)
    used: tuple[UsedAnswer, ...] = ()


def count_answers(held: Sequence[Held], questions: Iterable[Question], as_of: date) -> Answers:
    """The answers to ``questions`` that count on ``as_of``.

    Of several the latest counts. Two of the same day that differ do not: somebody has to say which. What is over, not yet said on that day, or not
    of the question's type does not count either, and is told.
    """
    values: Values = {}
    used: list[UsedAnswer] = []
    given = [(each, one) for one in held for each in _body(one).answers]
    for question in questions:
        good: list[tuple[GivenAnswer, Held]] = []
        for answer, one in given:
            if answer.question != question.id:
                continue
            problem = _problem(answer, question, as_of)
            if problem:
                used.append(_used(answer, one, problem))
            else:
                good.append((answer, one))
        if not good:
            continue
        latest = max(answer.said for answer, _ in good)
        newest = [each for each in good if each[0].said == latest]
        agree = all(answer.value == newest[0][0].value for answer, _ in newest)
        used += [_used(answer, one, "a later answer counts") for answer, one in good if answer.said != latest]
        used += [_used(answer, one, "" if agree else "two answers of the same day differ") for answer, one in newest]
        if agree:
            values |= _values(newest[-1][0], question, as_of)
    return Answers(values, tuple(used))


def _body(held: Held) -> AnswersV1:
    if not isinstance(held.predicate, AnswersV1):
        raise TypeError(f"{held.kind} holds no answers")
    return held.predicate


def _used(answer: GivenAnswer, held: Held, problem: str) -> UsedAnswer:
    by = _body(held).by
    who = f"{by['name']} ({by['role']})" if by.get("role") else by["name"]
    return UsedAnswer(answer.question, who, answer.said, held.sha256, problem)


def _problem(answer: GivenAnswer, question: Question, as_of: date) -> str:
    said = date.fromisoformat(answer.said)
    if said > as_of:
        return "it was not given yet"
    if answer.until and date.fromisoformat(answer.until) < as_of:
        return f"it counted until {answer.until}"
    if question.valid_days and (as_of - said).days > question.valid_days:
        return f"it is older than {question.valid_days} days"
    if answer.type != question.type:
        return f"it is of type {answer.type}, and the question is of type {question.type}"
    chosen = answer.value if isinstance(answer.value, tuple) else (answer.value,)
    if question.choices and not all(each in question.choices for each in chosen):
        return "it is none of the choices"
    return ""


def _values(answer: GivenAnswer, question: Question, as_of: date) -> Values:
    value: Any = answer.value
    if question.type == "number":
        value = float(answer.value)  # type: ignore[arg-type]
    elif question.type == "date":
        value = _midnight(date.fromisoformat(str(answer.value)))
    elif question.type == "many-of":
        value = list(answer.value)  # type: ignore[arg-type]
    out: Values = {question.name: value}
    if question.type == "document" and answer.document is not None:
        dated = (answer.document.annotations or {}).get("date")
        try:
            day = date.fromisoformat(str(dated))
        except ValueError:
            return out
        out[f"{question.name}.date"] = _midnight(day)
        out[f"{question.name}.age_days"] = float((as_of - day).days)
    return out


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
