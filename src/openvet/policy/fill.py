"""Evidence and answers in, a filled document out: line by line, with what each value rests on. A pure function, like a decision.

What only a person can write stays open until one has answered, whatever evidence stands beside it. An answer that there is no such document is shown, and
leaves the line open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.answers_v1 import AnswersV1, GivenAnswer
from openvet.evidence.predicates.decision_v1 import DecisionV1, Line, StepValue, UsedAnswer
from openvet.evidence.predicates.inventory_v1 import InventoryV1
from openvet.evidence.predicates.lineage_v1 import THIS, LineageV1
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.policy.compiled import CompiledPack, CompiledRequirement, CompiledStep
from openvet.policy.document import Document, Item
from openvet.policy.given import Evidence, Held, count_answers, facts_of
from openvet.policy.pack import Question
from openvet.policy.paper import BASES, Asked, Left, Paper, PaperLine, Reference, Said
from openvet.policy.vocabulary import VOCABULARY

__all__ = ["Placed", "checklist", "fill"]

_BILLS = ("cyclonedx", "spdx")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where statements lie.

    Attributes:
        lines: SHA-256 of a statement -> its line in the dossier.
        signatures: the believed signatures over the model's bytes.
        signed: there is a dossier.
    """

    lines: Mapping[str, int]
    signatures: tuple[Reference, ...] = ()
    signed: bool = True


def fill(
    document: Document,
    pack: CompiledPack,
    questions: Mapping[str, Question],
    evidence: Evidence,
    decision: DecisionV1,
    placed: Placed,
) -> Paper:
    """``document`` with everything that ``evidence`` says on the day of ``decision``.

    Args:
        questions: all that there are, by id; those that the document itself asks come in here.
        decision: what the document's pack makes of the same evidence: its steps are values here.
    """
    own = {each.id: each for each in document.questions}
    asked = {
        each: questions[each] for each in (name.split(".")[1] for name in document.names if name.startswith("answers."))
    } | own
    # an answer below a step is cited too
    asked |= {
        name.split(".")[1]: questions[name.split(".")[1]]
        for step in pack.steps
        for name in step.names
        if name.startswith("answers.")
    }
    known = _Known(pack, asked, evidence, decision, placed)
    lines: list[PaperLine] = []
    left: list[Left] = []
    outcomes = {line.id: (compiled, line) for compiled, line in zip(pack.requirements, decision.lines, strict=True)}
    for each in document.items:
        if each.requirement:
            lines.append(_requirement(*outcomes[each.requirement], each.section, known))
        elif each.when and known.steps[each.when].value == "false":
            left.append(Left(each.id, each.label, f"it does not hold: {known.steps[each.when].text or each.when}"))
        else:
            lines.append(_item(document, each, known))
    source = document.source
    sure = "" if source.confidence == "high" else f"; confidence of this account: {source.confidence}"
    return _paper(document.id, document.title, document.clause, f"{source.title} ({source.day.isoformat()}){sure}", document.filled_by, known, lines, left, (document.file.sha256,))  # fmt: skip


def checklist(pack: CompiledPack, evidence: Evidence, decision: DecisionV1, placed: Placed) -> Paper:
    """Every requirement of a pack with its outcome, and the facts and answers that this rests on."""
    known = _Known(pack, {each.id: each for each in pack.questions}, evidence, decision, placed)
    lines = [
        _requirement(compiled, line, line.source, known)
        for compiled, line in zip(pack.requirements, decision.lines, strict=True)
    ]
    read = "" if pack.pack.snapshot_day is None else f"sources read on {pack.pack.snapshot_day.isoformat()}"
    title = f"{pack.pack.title}: checklist"
    return _paper(f"checklist-{pack.pack.id}", title, f"{len(lines)} requirements of {pack.pack.name}", read, "whoever answers for it", known, lines, [], ())  # fmt: skip


def _requirement(compiled: CompiledRequirement, line: Line, section: str, known: _Known) -> PaperLine:
    """A requirement with its outcome, and the facts and answers that this rests on."""
    values = [found for name in compiled.all_names if (found := known.say(name)) is not None]
    notes = [line.why]
    if line.since:
        notes.append(f"in force from {line.since}")
    if line.foreseen:
        notes.append(f"by what is known today it would be {line.foreseen}")
    if line.offenders:
        notes.append(f"named: {', '.join(line.offenders)}")
    if line.waived is not None:
        notes.append(f"waived until {line.waived.expires} by {line.waived.owner}: {line.waived.reason}")
    if line.remedy:
        notes.append(f"to do: {line.remedy}")
    open_ = tuple(dict.fromkeys(name.split(".")[1] for name in line.missing if name.startswith("answers.")))
    missing = tuple(VOCABULARY[name].label for name in line.missing if name in VOCABULARY)
    return PaperLine(
        line.id, section, line.title, line.clause, compiled.requirement.text, line.level, line.level == "attested", line.outcome, tuple(values),
        questions=open_ if line.outcome == "indeterminate" else (), missing=missing, notes=tuple(notes),
    )  # fmt: skip


def _paper(
    id_: str, title: str, clause: str, source: str, by: str, known: _Known, lines: Sequence[PaperLine], left: Sequence[Left], files: tuple[str, ...]
) -> Paper:  # fmt: skip
    decision, evidence = known.decision, known.evidence
    rests = dict.fromkeys(one for each in lines for said in (*each.values, *each.beside) for one in said.references)
    return Paper(
        id=id_, title=title, clause=clause, source=source, pack=decision.pack.name, law=decision.pack.law, subject=evidence.subject.name,
        digest=dict(sorted(evidence.subject.digest.items())), as_of=decision.as_of, tool=decision.tool, filled_by=by, lines=tuple(lines), left=tuple(left),
        asked=known.asked_by(lines), references=tuple(sorted(rests, key=lambda each: (each.line, each.kind, each.sha256))), signed=known.placed.signed,
        files=(*files, *decision.pack.files),
    )  # fmt: skip


def _item(document: Document, item: Item, known: _Known) -> PaperLine:
    own = document.question_of(item)
    groups = (*item.fills, *([] if own is None else [(own.name,)]))
    said = {name: found for group in groups for name in group if (found := known.say(name)) is not None}
    beside = [found for name in item.beside if (found := known.say(name)) is not None]
    waiting = [group for group in groups if all(name not in said or _there_is_none(said[name]) for name in group)]
    state = "filled" if not waiting else "open" if len(waiting) == len(groups) else "in-part"
    wanted = dict.fromkeys(name for group in waiting for name in group)
    asks = tuple(dict.fromkeys(name.split(".")[1] for name in wanted if name.startswith("answers.")))
    missing = tuple(VOCABULARY[name].label for name in wanted if name in VOCABULARY)
    notes = []
    if item.when and known.steps[item.when].value is None:
        notes.append(
            f"only where this holds, of which nobody can say yet whether it does: {known.steps[item.when].text or item.when}"
        )
    return PaperLine(
        item.id, item.section, item.label, item.clause, item.asks, str(item.level), item.human, state, tuple(said.values()), tuple(beside), asks, missing,
        tuple(notes), item.choices if state == "open" else (),
    )  # fmt: skip


def _there_is_none(each: Said) -> bool:
    """Somebody said that there is no such document."""
    return each.type == "document" and each.value is False


class _Known:
    """Values by name, each with what it rests on."""

    def __init__(
        self,
        pack: CompiledPack,
        asked: Mapping[str, Question],
        evidence: Evidence,
        decision: DecisionV1,
        placed: Placed,
    ) -> None:
        self.evidence = evidence
        self.decision = decision
        self.placed = placed
        day = date.fromisoformat(decision.as_of)
        self._questions = asked
        answers = count_answers(evidence.answers, asked.values(), day)
        self._values = {**facts_of(evidence, day), **answers.values}
        self._used: dict[str, list[UsedAnswer]] = {}
        for each in answers.used:
            self._used.setdefault(each.question, []).append(each)
        self._compiled: dict[str, CompiledStep] = {each.step.name: each for each in pack.steps}
        self.steps: dict[str, StepValue] = {f"steps.{each.id}": each for each in decision.steps}

    def say(self, name: str) -> Said | None:
        """The value of a name, if it has one."""
        if name.startswith("answers."):
            return self._answer(name)
        if name.startswith("steps."):
            return self._step(name)
        if name not in self._values or name not in VOCABULARY:
            return None
        fact, value = VOCABULARY[name], _plain(self._values[name])
        if value in ([], ""):
            return None if name not in ("scan.rules", "advisories.affected") else Said(name, fact.label, "none", "string", self._basis(name), references=self._references(name))  # fmt: skip
        return Said(name, fact.label, value, fact.type, self._basis(name), references=self._references(name))

    def _answer(self, name: str) -> Said | None:
        id_, _, part = name.removeprefix("answers.").partition(".")
        counts = [each for each in self._used.get(id_, ()) if not each.problem]
        if name not in self._values or not counts:
            return None
        used = counts[-1]
        given = _given(self.evidence.answers, used)
        question = self._questions[id_]
        references = tuple(self._reference("answers", each.statement) for each in counts)
        if part:
            label = {"date": "its day", "age_days": "its age in days"}[part]
            return Said(name, f"{question.ask} ({label})", _plain(self._values[name]), "date", "attested", used.by, used.said, given.until, references=references)  # fmt: skip
        value: Any = list(given.value) if isinstance(given.value, tuple) else given.value
        if question.choices:
            value = (
                [question.choices.get(each, each) for each in value]
                if isinstance(value, list)
                else question.choices.get(str(value), value)
            )
        document = None if given.document is None else given.document.to_json()
        return Said(
            name,
            question.ask.rstrip("."),
            value,
            given.type,
            "attested",
            used.by,
            used.said,
            given.until,
            given.note,
            document,
            references,
        )

    def _step(self, name: str) -> Said | None:
        found = self.steps[name]
        if found.value is None:
            return None
        below = [each for each in map(self.say, self._compiled[name].names) if each is not None]
        references = tuple(dict.fromkeys(one for each in below for one in each.references))
        basis = "attested" if any(each.basis == "attested" for each in below) else "derived"
        by = "; ".join(dict.fromkeys(f"{each.by}, {each.said}" for each in below if each.by))
        return Said(
            name, found.text or found.id.replace("_", " "), found.value, "step", basis, by, references=references
        )

    def _basis(self, name: str) -> str:
        """How a fact is known: as its statement says it of this very fact, or as all facts of that name are."""
        kind, _, short = name.partition(".")
        found = self.evidence.held.get(kind)
        predicate = None if found is None else found.predicate
        said: set[str] = set()
        if isinstance(predicate, ProfileV1):
            spelled = short.replace("_", " ")
            said = {fact.basis for part in predicate.parts if (fact := part.fact(spelled)) is not None}
        elif isinstance(predicate, InventoryV1):
            fact = predicate.fact({"architectures": "architecture"}.get(short, short))
            said = set() if fact is None else {fact.basis}
        elif isinstance(predicate, LineageV1) and short in ("bases", "relations"):
            said = {each.basis for each in predicate.origins(THIS)}
        if name == "signature.signers":
            return "attested"
        return min(said, key=BASES.index) if said else "declared" if VOCABULARY[name].declared else "derived"

    def _references(self, name: str) -> tuple[Reference, ...]:
        kind = VOCABULARY[name].kind
        if kind == "signature":
            return self.placed.signatures
        kinds = _BILLS if kind == "bom" else (kind or "scan",)
        return tuple(self._reference(each.kind, each.sha256) for kind in kinds for each in self.evidence.of(kind))

    def _reference(self, kind: str, sha256: str) -> Reference:
        return Reference(kind, sha256, self.placed.lines.get(sha256, 0))

    def asked_by(self, lines: Iterable[PaperLine]) -> tuple[Asked, ...]:
        """The open questions of some lines, each once."""
        waiting: dict[str, list[str]] = {}
        for line in lines:
            for id_ in line.questions:
                waiting.setdefault(id_, []).append(line.id)
        return tuple(self._ask(self._questions[id_], items) for id_, items in waiting.items())

    def _ask(self, each: Question, items: Sequence[str]) -> Asked:
        problems = [f"{used.by}, {used.said}: {used.problem}" for used in self._used.get(each.id, ()) if used.problem]
        choices = tuple(f"{value}: {said}" for value, said in each.choices.items())
        return Asked(each.id, each.ask, each.type, choices, each.why, tuple(items), "; ".join(problems))


def _given(held: Sequence[Held], used: UsedAnswer) -> GivenAnswer:
    """The answer that counts, in its statement."""
    for one in held:
        if one.sha256 == used.statement and isinstance(one.predicate, AnswersV1):
            for each in one.predicate.answers:
                if each.question == used.question:
                    return each
    raise KeyError(used.question)


def _plain(value: Any) -> Any:
    """A value of conditions as JSON."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
