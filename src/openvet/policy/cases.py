"""Cases of a pack: values in, what the pack has to make of them out. ``docs/guide/write-a-pack.md`` says how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.decision_v1 import OUTCOMES, VERDICTS, Line, StepValue, UsedAnswer, worst
from openvet.policy.compiled import CompiledPack
from openvet.policy.decide import decide_values
from openvet.policy.evidence_facts import Values
from openvet.policy.given import Answers
from openvet.policy.pack import Question
from openvet.policy.yaml_reader import Mapped, Node, documents, each_of

__all__ = ["Case", "read_cases", "run_case"]

_UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``expected`` is by what it is about (``verdict``, ``step X``, ``outcome of X`` ...), each with the text that has to come."""

    name: str
    where: str
    as_of: date
    facts: Values
    answers: Values
    digests: Mapping[str, str]
    expected: tuple[tuple[str, str, str], ...]


def read_cases(data: bytes, file: str, pack: CompiledPack) -> tuple[Case, ...]:
    """The cases in a file.

    Raises:
        PackError: one makes no sense, or names what the pack does not have.
    """
    return each_of(documents(data, file), lambda each: _case(each, pack))


def _case(node: Node, pack: CompiledPack) -> Case:
    top = node.mapped()
    name, day = top.take("name").text(), top.take("as_of").day()
    facts, answers, digests = top.may("facts"), top.may("answers"), top.may("subject")
    values = (
        {}
        if facts is None
        else {key: _value(each, _type(each, key, pack.types)) for key, each in facts.mapped().rest()}
    )
    given: Values = {}
    questions = {each.id: each for each in pack.questions}
    for key, each in () if answers is None else answers.mapped().rest():
        if key not in questions:
            each.refuse(f"the pack does not ask {key[:60]!r}")
        given |= _answer(each, questions[key], day)
    expected = _expected(top.take("expect").mapped(), pack)
    subject = {} if digests is None else {key: each.text() for key, each in digests.mapped().rest()}
    top.end("name", "as_of", "facts", "answers", "subject", "expect")
    return Case(name, f"{node.file}:{node.line}", day, values, given, subject, tuple(expected))


def _type(node: Node, name: str, types: Mapping[str, str]) -> str:
    if name not in types or name.startswith(("answers.", "steps.")):
        node.refuse(f"there is no fact {name[:60]!r}")
    return types[name]


def _value(node: Node, kind: str) -> Any:
    if kind == "bool":
        return node.truth()
    if kind == "int":
        return node.whole()
    if kind == "double":
        return node.number()
    if kind == "timestamp":
        return _midnight(node.day())
    if kind == "list(string)":
        return list(node.texts())
    if kind == "list(map)":
        return [{key: each.text() for key, each in one.mapped().rest()} for one in node.items()]
    if kind == "map(string, double)":
        return {key: each.number() for key, each in node.mapped().rest()}
    if kind == "map(string, string)":
        return {key: each.text() for key, each in node.mapped().rest()}
    return node.text()


def _answer(node: Node, question: Question, day: date) -> Values:
    """An answer; that of a document may be ``{date: DAY}``, a document of that day."""
    if question.type == "document" and isinstance(node.value, dict):
        fields = node.mapped()
        dated = fields.take("date").day()
        fields.end("date")
        return {
            question.name: True,
            f"{question.name}.date": _midnight(dated),
            f"{question.name}.age_days": (day - dated) / timedelta(days=1),
        }
    value = _value(node, question.names[question.name])
    for each in value if isinstance(value, list) else [value]:
        if question.choices and each not in question.choices:
            node.refuse(f"{str(each)[:60]!r} is none of the choices of {question.id}: {', '.join(question.choices)}")
    return {question.name: value}


def _expected(expect: Mapped, pack: CompiledPack) -> list[tuple[str, str, str]]:
    """(part, name, text) of each thing that has to come."""
    out = []
    verdict = expect.may("verdict")
    if verdict is not None:
        out.append(("verdict", "", verdict.word(VERDICTS)))
    steps = {each.step.id for each in pack.steps}
    lines = {each.requirement.id for each in pack.requirements}
    parts = (
        ("steps", steps),
        ("outcomes", lines),
        ("missing", lines),
        ("dates", lines),
        ("verdicts", lines),
        ("foreseen", lines),
        ("approvers", lines),
    )
    for part, known in parts:
        found = expect.may(part)
        for name, each in () if found is None else found.mapped().rest():
            if name not in known:
                each.refuse(f"{name[:60]!r} is none of the pack's {'steps' if part == 'steps' else 'requirements'}")
            if part in ("outcomes", "foreseen"):
                text = each.word(OUTCOMES)
            elif part == "verdicts":
                text = each.word(VERDICTS)
            elif part == "dates":
                text = each.day().isoformat()
            elif part == "approvers":
                text = str(each.whole())
            elif part == "missing":
                text = "\n".join(each.texts())
            else:
                text = ", ".join(each.texts()) if isinstance(each.value, list) else each.text()
            out.append((part, name, text))
    expect.end("verdict", "steps", "outcomes", "missing", "dates", "verdicts", "foreseen", "approvers")
    if not out:
        expect.node.refuse("nothing is expected")
    return out


def run_case(case: Case, pack: CompiledPack) -> tuple[str, ...]:
    """What did not come as expected, as sentences; none where all did."""
    said = case.as_of.isoformat()
    questions = {name.split(".")[1] for name in case.answers}
    answers = Answers(case.answers, tuple(UsedAnswer(each, "the case", said, "") for each in sorted(questions)))
    lines, steps = decide_values(pack, case.facts, answers, case.as_of, case.digests)
    by_line = {each.id: each for each in lines}
    by_step = {each.id: each for each in steps}
    out = []
    for part, name, wanted in case.expected:
        if part == "verdict":
            found: str | None = worst(each.verdict for each in lines)
        elif part == "steps":
            found = _step(by_step[name], wanted)
        else:
            found = _line(by_line[name], part, wanted)
        if found is not None and found != wanted:
            of = f" of {name}" if name else ""
            out.append(
                f"{case.where}: {case.name}: {part}{of}: {found!r} came, {wanted!r} was expected{_why(by_line.get(name), by_step.get(name))}"
            )
    return tuple(out)


def _step(step: StepValue, wanted: str) -> str:
    if step.value is None:
        return _UNKNOWN
    try:
        if abs(float(step.value) - float(wanted)) <= 1e-5 * abs(float(wanted)):
            return wanted
    except ValueError:
        pass
    return step.value


def _line(line: Line, part: str, wanted: str) -> str:
    if part == "outcomes":
        return line.outcome
    if part == "verdicts":
        return line.verdict
    if part == "dates":
        return line.since
    if part == "foreseen":
        return line.foreseen
    if part == "approvers":
        return str(line.approvers)
    named = [each for each in wanted.split("\n") if each in line.missing or each in line.why]
    return wanted if len(named) == len(wanted.split("\n")) else "\n".join(line.missing) or line.why


def _why(line: Line | None, step: StepValue | None) -> str:
    if line is not None:
        return f" ({line.why})"
    if step is not None and step.value is None:
        return f" (missing: {', '.join((*step.missing, *filter(None, [step.because])))})"
    return ""


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
