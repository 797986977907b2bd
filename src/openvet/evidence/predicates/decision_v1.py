"""The decision predicate: what a policy pack makes of the evidence about a model on a day, line by line. The spec page is ``decision_v1.md``.

It is a pure function of what it names by digest, and of the day: there is no time in it at which somebody computed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.answers_v1 import day_of
from openvet.evidence.predicates.fields import FieldError, Fields, approvers_of, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "LEVELS", "OUTCOMES", "PREDICATE_TYPE", "VERDICTS", "AdvisoriesNamed", "Basis", "DecisionV1", "Line", "PackNamed", "StepValue", "UsedAnswer", "Waived", "worst",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/decision/v1"
OUTCOMES: Final = (
    "satisfied-by-evidence", "satisfied-by-attestation", "violated", "not-applicable", "indeterminate", "not-yet-in-force",
)  # fmt: skip
LEVELS: Final = ("computed", "presence", "attested")
#: The best first.
VERDICTS: Final = ("admit", "review", "reject")
_SHA256: Final = pattern(r"[0-9a-f]{64}")
_SEVERITIES: Final = ("note", "low", "medium", "high", "critical")


def _sha(text: str, found: Fields) -> str:
    if not _SHA256.fullmatch(text):
        raise FieldError(f"{found.at} has something else than a SHA-256")
    return text


def _sha_or_none(found: Fields, name: str) -> str:
    text = found.take(name, str)
    return _sha(text, found) if text else ""


@dataclass(frozen=True, slots=True)
class PackNamed:
    """The pack: ``id``, ``version``, the law that it was written from, what it extends (``id@version``), and its files by their SHA-256."""

    id: str
    version: str
    title: str
    law: str
    extends: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "version": self.version, "title": self.title, "law": self.law, "extends": list(self.extends), "files": list(self.files),
        }  # fmt: skip

    @classmethod
    def take(cls, found: Fields) -> PackNamed:
        made = cls(
            found.take("id", str), found.take("version", str), found.take("title", str), found.take("law", str), found.texts("extends"),
            tuple(_sha(each, found) for each in found.texts("files")),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Basis:
    """A statement that the decision rests on: its kind, and the SHA-256 of its canonical JSON."""

    kind: str
    type: str
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "predicateType": self.type, "sha256": self.sha256}

    @classmethod
    def take(cls, found: Fields) -> Basis:
        made = cls(found.take("kind", str), found.take("predicateType", str), _sha(found.take("sha256", str), found))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class AdvisoriesNamed:
    """The published problems that the decision rests on: the snapshot's day, how many there are, and the SHA-256 of its records.

    ``judged_again`` says that the model was held against them for this decision, from the facts of an earlier statement: the input of that kind is
    then a statement that nobody has signed, and who has this snapshot can make it again.
    """

    date: str
    records: int
    sha256: str
    judged_again: bool = False

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"date": self.date, "records": self.records, "sha256": self.sha256}
        return {**body, "judgedAgain": True} if self.judged_again else body

    @classmethod
    def take(cls, found: Fields) -> AdvisoriesNamed:
        made = cls(
            found.take("date", str), count_of(found, "records"), _sha(found.take("sha256", str), found), found.may("judgedAgain", bool) or False,
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class UsedAnswer:
    """An answer that counts, or does not and why (``problem``). ``statement`` is the SHA-256 of the statement that it stands in."""

    question: str
    by: str
    said: str
    statement: str
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        body = {"question": self.question, "by": self.by, "said": self.said, "statement": self.statement}
        return {**body, "problem": self.problem} if self.problem else body

    @classmethod
    def take(cls, found: Fields) -> UsedAnswer:
        made = cls(
            found.take("question", str), found.take("by", str), day_of(found, "said"), _sha(found.take("statement", str), found), found.may("problem", str) or "",
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class StepValue:
    """A step: its value as text for people, or why there is none."""

    id: str
    text: str
    value: str | None
    missing: tuple[str, ...] = ()
    because: str = ""

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "id": self.id,
                "text": self.text,
                "value": self.value,
                "missing": list(self.missing) or None,
                "because": self.because or None,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> StepValue:
        made = cls(
            found.take("id", str), found.take("text", str), found.may("value", str), found.may_texts("missing") or (), found.may("because", str) or "",
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that takes a line out of the verdict: who answers for it, why, and its last day."""

    owner: str
    reason: str
    expires: str

    def to_json(self) -> dict[str, Any]:
        return {"owner": self.owner, "reason": self.reason, "expires": self.expires}

    @classmethod
    def take(cls, found: Fields) -> Waived:
        made = cls(found.take("owner", str), found.take("reason", str), day_of(found, "expires"))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement.

    Attributes:
        clause, source: where it is asked for: a place, and the title of what it stands in.
        level: one of :data:`LEVELS`.
        outcome: one of :data:`OUTCOMES`.
        verdict: what the line leads to.
        why: a sentence.
        missing: names without a value, of ``indeterminate``.
        offenders: what does not hold, where the pack can name it.
        kinds: kinds of statements that it was computed from.
        answers: questions whose answers it was computed from.
        since: the day from which it is in force; '' where it always was, or nobody can say.
        foreseen: of ``not-yet-in-force``, what it would be on that day by what is known now.
        waived: the waiver, where one holds.
        remedy: what to do, where it is violated or indeterminate.
        approvers: people who have to approve the model because of this line; 0 where the pack asks for none.
    """

    id: str
    title: str
    clause: str
    source: str
    level: str
    severity: str
    outcome: str
    verdict: str
    why: str
    missing: tuple[str, ...] = ()
    offenders: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    since: str = ""
    foreseen: str = ""
    waived: Waived | None = None
    remedy: str = ""
    approvers: int = 0

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "id": self.id,
                "title": self.title,
                "clause": self.clause,
                "source": self.source,
                "level": self.level,
                "severity": self.severity,
                "outcome": self.outcome,
                "verdict": self.verdict,
                "why": self.why,
                "missing": list(self.missing) or None,
                "offenders": list(self.offenders) or None,
                "kinds": list(self.kinds) or None,
                "answers": list(self.answers) or None,
                "since": self.since or None,
                "foreseen": self.foreseen or None,
                "waived": None if self.waived is None else self.waived.to_json(),
                "remedy": self.remedy or None,
                "approvers": self.approvers or None,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Line:
        waived = found.may_below("waived")
        made = cls(
            id=found.take("id", str),
            title=found.take("title", str),
            clause=found.take("clause", str),
            source=found.take("source", str),
            level=found.word("level", LEVELS),
            severity=found.word("severity", _SEVERITIES),
            outcome=found.word("outcome", OUTCOMES),
            verdict=found.word("verdict", VERDICTS),
            why=found.take("why", str),
            missing=found.may_texts("missing") or (),
            offenders=found.may_texts("offenders") or (),
            kinds=found.may_texts("kinds") or (),
            answers=found.may_texts("answers") or (),
            since=day_of(found, "since") if found.may_be("since") else "",
            foreseen=found.word("foreseen", OUTCOMES) if found.may_be("foreseen") else "",
            waived=None if waived is None else Waived.take(waived),
            remedy=found.may("remedy", str) or "",
            approvers=approvers_of(found),
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class DecisionV1:
    """The body of a decision statement.

    Attributes:
        tool: what computed it.
        pack: by what.
        as_of: the day that is asked about.
        inputs: statements that it was computed from, in the order of their kinds.
        configuration: SHA-256 of the team's configuration, whose acceptances count; '' where there was none.
        answers: answers to the pack's questions.
        steps, lines: in the order of the pack.
        verdict: the worst of the lines'.
        advisories: the published problems that were looked through; ``None`` where no statement of that kind was there.
    """

    tool: Tool
    pack: PackNamed
    as_of: str
    inputs: tuple[Basis, ...]
    verdict: str
    lines: tuple[Line, ...]
    steps: tuple[StepValue, ...] = ()
    answers: tuple[UsedAnswer, ...] = ()
    configuration: str = ""
    advisories: AdvisoriesNamed | None = None
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def count(self, outcome: str) -> int:
        """How many lines have an outcome."""
        return sum(each.outcome == outcome for each in self.lines)

    @property
    def approvers(self) -> int:
        """How many people have to approve the model by the pack, 0 where it asks for none."""
        return max((each.approvers for each in self.lines), default=0)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "pack": self.pack.to_json(),
            "asOf": self.as_of,
            "inputs": [each.to_json() for each in self.inputs],
            "configuration": self.configuration,
            **({} if self.advisories is None else {"advisories": self.advisories.to_json()}),
            "answers": [each.to_json() for each in self.answers],
            "steps": [each.to_json() for each in self.steps],
            "requirements": [each.to_json() for each in self.lines],
            "verdict": self.verdict,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DecisionV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, has a field that this kind does not have, or its verdict is better than a line's.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        advisories = found.may_below("advisories")
        made = cls(
            tool=tool,
            pack=PackNamed.take(found.below("pack")),
            as_of=day_of(found, "asOf"),
            inputs=tuple(map(Basis.take, found.objects("inputs"))),
            configuration=_sha_or_none(found, "configuration"),
            advisories=None if advisories is None else AdvisoriesNamed.take(advisories),
            answers=tuple(map(UsedAnswer.take, found.objects("answers"))),
            steps=tuple(map(StepValue.take, found.objects("steps"))),
            lines=tuple(map(Line.take, found.objects("requirements"))),
            verdict=found.word("verdict", VERDICTS),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        if VERDICTS.index(made.verdict) < VERDICTS.index(worst(each.verdict for each in made.lines)):
            raise FieldError("/verdict is better than a line's")
        return made


def worst(verdicts: Any) -> str:
    """The worst of some verdicts; ``admit`` of none."""
    return max(verdicts, key=VERDICTS.index, default=VERDICTS[0])
