"""Evidence, answers, a pack and a day in; a decision out, line by line. A pure function: the same in gives the same out, for ever.

A line is decided in this order. Not applicable where its condition says so, and from the day on that it is in force no longer; not yet in force
before its day; else satisfied, violated or indeterminate. What evidence alone settles is satisfied by evidence; where an answer was needed it is
satisfied by attestation. A name without a value, an error and an exhausted budget are indeterminate, with what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from openvet.conditions.cel import Unknown
from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
from openvet.evidence.predicates.decision_v1 import (
    AdvisoriesNamed,
    DecisionV1,
    Line,
    PackNamed,
    StepValue,
    Waived,
    worst,
)
from openvet.evidence.predicates.tool import Tool
from openvet.policy.compiled import CompiledPack, CompiledRequirement, CompiledStep
from openvet.policy.decision import Verdict
from openvet.policy.evidence_facts import Values
from openvet.policy.given import Answers, Evidence, count_answers, facts_of
from openvet.policy.pack import Waiver
from openvet.policy.vocabulary import VOCABULARY

__all__ = ["decide", "decide_values"]

_EVIDENCE: Final = "satisfied-by-evidence"
_ATTESTED: Final = "satisfied-by-attestation"
_VIOLATED: Final = "violated"
_NOT_APPLICABLE: Final = "not-applicable"
_INDETERMINATE: Final = "indeterminate"
_NOT_YET: Final = "not-yet-in-force"
_UNKNOWN_CASE: Final = ", if it applies"
_MOST_OFFENDERS: Final = 50


def decide(pack: CompiledPack, evidence: Evidence, as_of: date, tool: Tool) -> DecisionV1:
    """What ``pack`` makes of ``evidence`` on ``as_of``."""
    answers = count_answers(evidence.answers, pack.questions, as_of)
    lines, steps = decide_values(pack, facts_of(evidence, as_of), answers, as_of, evidence.subject.digest)
    counted = {each.statement for each in answers.used}
    inputs = [each.basis for _, each in sorted(evidence.held.items())]
    inputs += [each.basis for each in evidence.figures]
    inputs += [each.basis for each in evidence.answers if each.sha256 in counted]
    named = PackNamed(
        pack.pack.id, pack.pack.version, pack.pack.title, pack.pack.law_snapshot, pack.pack.extends,
        tuple(each.sha256 for each in pack.pack.files),
    )  # fmt: skip
    return DecisionV1(
        tool, named, as_of.isoformat(), tuple(inputs), worst(each.verdict for each in lines), lines, steps, answers.used,
        evidence.configuration, _advisories(evidence),
    )  # fmt: skip


def _advisories(evidence: Evidence) -> AdvisoriesNamed | None:
    held = evidence.held.get("advisories")
    if held is None or not isinstance(held.predicate, AdvisoriesV1):
        return None
    about = held.predicate.snapshot
    return AdvisoriesNamed(about.date, about.records, about.sha256, evidence.judged_again)


def decide_values(
    pack: CompiledPack, facts: Values, answers: Answers, as_of: date, digests: Mapping[str, str]
) -> tuple[tuple[Line, ...], tuple[StepValue, ...]]:
    """The lines and the steps, from values by name.

    Args:
        facts: of the vocabulary; ``as_of`` is put in where it is not there.
        digests: of the model, which waivers name.
    """
    return _Decider(pack, facts, answers, as_of, digests).decide()


@dataclass(frozen=True, slots=True)
class _Open:
    """Why there is no value: names of facts and answers, and reasons in words."""

    missing: tuple[str, ...]
    because: str


class _Decider:
    def __init__(
        self, pack: CompiledPack, facts: Values, answers: Answers, as_of: date, digests: Mapping[str, str]
    ) -> None:
        self._pack = pack
        self._as_of = as_of
        start = {"as_of": datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC), **facts}
        self._alone = dict(start)  # what evidence says
        self._values = {**start, **answers.values}  # and what people say
        self._open: dict[str, _Open] = {}
        self._kinds = {*facts.get("evidence.kinds", ()), *(name.partition(".")[0] for name in facts)}
        subjects = {"*", *(f"{algorithm}:{digest}" for algorithm, digest in digests.items())}
        self._waivers = {
            each.requirement: each for each in pack.pack.waivers if each.subject in subjects and each.start <= as_of <= each.expires
        }  # fmt: skip
        self._said = {each.question: each for each in answers.used if not each.problem}

    def decide(self) -> tuple[tuple[Line, ...], tuple[StepValue, ...]]:
        steps = tuple(map(self._step, self._pack.steps))
        return tuple(map(self._line, self._pack.requirements)), steps

    def _step(self, compiled: CompiledStep) -> StepValue:
        step = compiled.step
        at = self._first(compiled, self._values)
        if isinstance(at, int):
            self._values[step.name] = compiled.values[at].evaluate(self._values)
            # what evidence alone says counts as evidence where it is the way that counts
            if self._first(compiled, self._alone) == at:
                self._alone[step.name] = compiled.values[at].evaluate(self._alone)
            return StepValue(step.id, step.text, _shown(self._values[step.name]))
        self._open[step.name] = at
        return StepValue(step.id, step.text, None, at.missing, at.because)

    def _first(self, compiled: CompiledStep, values: Values) -> int | _Open:
        """Which of a step's conditions has a value first, or why none has."""
        stop: Any = False if compiled.undecided is None else compiled.undecided.evaluate(values)
        if stop is True:
            return _Open((), compiled.step.because)
        opened = []
        for at, condition in enumerate(compiled.values):
            found = condition.evaluate(values)
            if not isinstance(found, Unknown):
                return at
            opened.append(self._why_open(found))
        return _Open(
            tuple(dict.fromkeys(name for each in opened for name in each.missing)),
            "; ".join(dict.fromkeys(each.because for each in opened if each.because)),
        )

    def _why_open(self, unknown: Unknown) -> _Open:
        """What is missing below a condition, through its steps."""
        missing: dict[str, None] = {}
        because = [unknown.error] if unknown.error else []
        for name in unknown.missing:
            if name in self._open:
                missing |= dict.fromkeys(self._open[name].missing)
                because.append(self._open[name].because)
            else:
                missing[name] = None
        return _Open(tuple(missing), "; ".join(dict.fromkeys(filter(None, because))))

    def _line(self, compiled: CompiledRequirement) -> Line:
        each = compiled.requirement
        outcome, why, opened, since = self._outcome(compiled)
        foreseen = ""
        if outcome == _NOT_YET:
            foreseen = self._settle(compiled)[0] if opened.because != _UNKNOWN_CASE else _INDETERMINATE
        offenders: tuple[str, ...] = ()
        if outcome == _VIOLATED and compiled.offenders is not None:
            found = compiled.offenders.evaluate(self._values)
            if not isinstance(found, Unknown):
                offenders = tuple(map(str, found[:_MOST_OFFENDERS]))
                if len(found) > _MOST_OFFENDERS:
                    offenders = (*offenders, f"and {len(found) - _MOST_OFFENDERS} more")
        verdict = self._pack.pack.verdict_of(each, outcome)
        waiver = self._waivers.get(each.id) if verdict is not Verdict.ADMIT else None
        if waiver is not None:
            verdict = Verdict.ADMIT
        questions = {name.split(".")[1] for name in compiled.all_names if name.startswith("answers.")}
        return Line(
            id=each.id, title=each.title, clause=each.clause, source=self._pack.pack.sources[each.source].title, level=str(each.level),
            severity=str(each.severity), outcome=outcome, verdict=str(verdict), why=why, missing=opened.missing, offenders=offenders,
            kinds=tuple(kind for kind in compiled.kinds if kind in self._kinds),
            answers=tuple(sorted(questions & self._said.keys())), since=since, foreseen=foreseen, waived=_waived(waiver),
            remedy=each.remedy if outcome in (_VIOLATED, _INDETERMINATE) else "",
            approvers=0 if verdict is Verdict.ADMIT else each.approvers,
        )  # fmt: skip

    def _outcome(self, compiled: CompiledRequirement) -> tuple[str, str, _Open, str]:
        each = compiled.requirement
        nothing = _Open((), "")
        applies: Any = True if compiled.applies is None else compiled.applies.evaluate(self._values)
        if applies is False:
            return _NOT_APPLICABLE, f"does not apply: {_flat(each.applies)}", nothing, ""
        if each.until is not None and self._as_of >= each.until:
            return _NOT_APPLICABLE, f"in force until {each.until.isoformat()}, and no longer", nothing, ""
        since, opened = self._since(compiled)
        if since is not None and self._as_of < since:
            reach = _Open((), _UNKNOWN_CASE) if isinstance(applies, Unknown) else nothing
            return _NOT_YET, f"in force from {since.isoformat()}{reach.because}", reach, since.isoformat()
        day = "" if since is None else since.isoformat()
        if isinstance(applies, Unknown):
            why = self._why_open(applies)
            return _INDETERMINATE, _open_text("whether it applies", why, self._kinds), why, day
        if opened is not None:
            return _INDETERMINATE, _open_text("from when it is in force", opened, self._kinds), opened, ""
        outcome, why_text, why = self._settle(compiled)
        return outcome, why_text, why, day

    def _since(self, compiled: CompiledRequirement) -> tuple[date | None, _Open | None]:
        """From when it is in force; nobody can say where the case is not known and it makes a difference on this day."""
        possible: list[date] = []
        opened: _Open | None = None
        for start, when in compiled.phases:
            holds: Any = True if when is None else when.evaluate(self._values)
            if holds is False:
                continue
            possible.append(start)
            if not isinstance(holds, Unknown):
                break
            opened = opened or self._why_open(holds)
        if not possible:
            return None, None
        if opened is None or self._as_of < min(possible):
            return (possible[0] if opened is None else min(possible)), None
        return (None, None) if self._as_of >= max(possible) else (None, opened)

    def _settle(self, compiled: CompiledRequirement) -> tuple[str, str, _Open]:
        """Whether it holds."""
        each = compiled.requirement
        absent = [kind for kind in each.needs if kind not in self._kinds]
        if absent:
            opened = _Open(tuple(f"statement {kind}" for kind in absent), "")
            return _INDETERMINATE, _open_text("whether it holds", opened, self._kinds), opened
        stop: Any = False if compiled.undecided is None else compiled.undecided.evaluate(self._values)
        if stop is True:
            opened = _Open((), each.because)
            return _INDETERMINATE, each.because, opened
        alone = compiled.passes.evaluate(self._alone)
        if alone is True:
            return _EVIDENCE, "the evidence says so", _Open((), "")
        found = compiled.passes.evaluate(self._values)
        if isinstance(found, Unknown):
            opened = self._why_open(found)
            return _INDETERMINATE, _open_text("whether it holds", opened, self._kinds), opened
        if not found:
            return _VIOLATED, f"does not hold: {_flat(each.passes)}", _Open((), "")
        questions = dict.fromkeys(name.split(".")[1] for name in compiled.names if name.startswith("answers."))
        said = [f"{self._said[one].by}, {self._said[one].said}" for one in questions if one in self._said]
        return _ATTESTED, f"said by {'; '.join(dict.fromkeys(said))}", _Open((), "")


def _waived(waiver: Waiver | None) -> Waived | None:
    return None if waiver is None else Waived(waiver.owner, waiver.reason, waiver.expires.isoformat())


def _open_text(what: str, opened: _Open, at_hand: Collection[str]) -> str:
    parts = []
    if opened.missing:
        parts.append(f"not known: {', '.join(opened.missing)}")
        kinds = {VOCABULARY[name].kind for name in opened.missing if name in VOCABULARY} - set(at_hand)
        if kinds:
            parts.append(f"there is no statement of {', '.join(sorted(kinds))}")
    if opened.because:
        parts.append(opened.because)
    return f"nobody can say {what}: {'; '.join(parts)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _flat(text: str) -> str:
    return " ".join(text.split())
