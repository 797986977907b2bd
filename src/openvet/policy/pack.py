"""A policy pack: requirements as data, as ``pack.yaml`` says them. How one is written says ``docs/guide/write-a-pack.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.rule import Severity
from openvet.policy.decision import Verdict

__all__ = [
    "ANSWER_TYPES", "CONFIDENCES", "DEFAULT_VERDICTS", "Level", "Pack", "PackFile", "Phase", "Question", "Requirement", "Source", "Step", "Verdicts",
    "Waiver",
]  # fmt: skip


class Level(StrEnum):
    """Who can say that a requirement is met."""

    COMPUTED = "computed"
    PRESENCE = "presence"
    ATTESTED = "attested"


#: Types of answers, and the type that each has in conditions.
ANSWER_TYPES: Final[Mapping[str, str]] = {
    "yes-no": "bool",
    "one-of": "string",
    "many-of": "list(string)",
    "text": "string",
    "number": "double",
    "date": "timestamp",
    "document": "bool",
}
#: How sure a source is: an official text or our own measurement; two good accounts of it that agree; one weak account.
CONFIDENCES: Final = ("high", "medium", "low")

#: Outcome -> severity -> what it leads to.
Verdicts = Mapping[str, Mapping[Severity, Verdict]]
DEFAULT_VERDICTS: Final[Verdicts] = {
    "violated": {
        Severity.CRITICAL: Verdict.REJECT,
        Severity.HIGH: Verdict.REJECT,
        Severity.MEDIUM: Verdict.REVIEW,
        Severity.LOW: Verdict.ADMIT,
        Severity.NOTE: Verdict.ADMIT,
    },
    "indeterminate": {
        Severity.CRITICAL: Verdict.REVIEW,
        Severity.HIGH: Verdict.REVIEW,
        Severity.MEDIUM: Verdict.REVIEW,
        Severity.LOW: Verdict.ADMIT,
        Severity.NOTE: Verdict.ADMIT,
    },
}


@dataclass(frozen=True, slots=True)
class Source:
    """What requirements cite. ``confidence`` is one of :data:`CONFIDENCES`; ``day`` that of the source."""

    key: str
    title: str
    day: date
    confidence: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked.

    Attributes:
        id: the name of the answer is ``answers.<id>``.
        type: one of :data:`ANSWER_TYPES`.
        choices: value -> words for people, of ``one-of`` and ``many-of``.
        why: why somebody wants to know, with the clause.
        valid_days: days after which an answer does not count any more; 0 is never.
        where: file and line.
    """

    id: str
    ask: str
    type: str
    choices: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    valid_days: int = 0
    where: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """Its name in conditions."""
        return f"answers.{self.id}"

    @property
    def names(self) -> dict[str, str]:
        """All names that it brings, with their types."""
        out = {self.name: ANSWER_TYPES[self.type]}
        if self.type == "document":
            out[f"{self.name}.date"] = "timestamp"
            out[f"{self.name}.age_days"] = "double"
        return out


@dataclass(frozen=True, slots=True)
class Step:
    """A named value between.

    Attributes:
        values: conditions of one type; the first that has a value counts.
        undecided: a condition under which it has none, for the reason ``because``.
    """

    id: str
    values: tuple[str, ...]
    text: str = ""
    clause: str = ""
    undecided: str = ""
    because: str = ""
    where: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """Its name in conditions."""
        return f"steps.{self.id}"


@dataclass(frozen=True, slots=True)
class Phase:
    """From which day something is in force, where ``when`` holds ('' always does)."""

    start: date
    when: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of a pack.

    Attributes:
        clause: where the source asks for it.
        source: a key of the pack's sources.
        applies, passes, undecided, offenders: conditions; '' where there is none. An empty ``applies`` always does.
        because: why it is unknown where ``undecided`` holds.
        phases: the first whose ``when`` holds counts; none is always in force.
        until: the first day on which it is in force no longer.
        needs: further kinds of statements that have to be at hand.
        on: what its outcomes lead to, where that is not the pack's.
        approvers: people who have to approve a model that it stops; 0 leaves that to the gate.
    """

    id: str
    title: str
    clause: str
    source: str
    level: Level
    passes: str
    severity: Severity
    remedy: str
    applies: str = ""
    text: str = ""
    undecided: str = ""
    because: str = ""
    offenders: str = ""
    phases: tuple[Phase, ...] = ()
    until: date | None = None
    needs: tuple[str, ...] = ()
    on: Mapping[str, Verdict] = field(default_factory=dict)
    approvers: int = 0
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A requirement that does not count for a while.

    Attributes:
        subject: ``algorithm:hex`` of a model's digest, or ``*``.
        start, expires: the first and the last day.
    """

    requirement: str
    subject: str
    reason: str
    owner: str
    start: date
    expires: date
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PackFile:
    """A file that a pack was read from. ``sha256`` is of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack, with everything of the packs that it extends.

    Attributes:
        law_snapshot: which state of which law; '' where it is of no law.
        snapshot_day: when its sources were last read.
        uses: of the model, that licences are asked about.
        extends: ``id@version`` of the packs below, the nearest first.
        files: what it was read from, its own first: the packs that it extends, and the catalogue of questions.
        questions: those of its own and those of the catalogue that it uses.
    """

    id: str
    version: str
    title: str
    requirements: tuple[Requirement, ...]
    law_snapshot: str = ""
    snapshot_day: date | None = None
    uses: tuple[str, ...] = ()
    extends: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    questions: tuple[Question, ...] = ()
    verdicts: Verdicts = field(default_factory=lambda: DEFAULT_VERDICTS)
    waivers: tuple[Waiver, ...] = ()
    files: tuple[PackFile, ...] = ()

    def verdict_of(self, requirement: Requirement, outcome: str) -> Verdict:
        """What an outcome of a requirement leads to."""
        if outcome in requirement.on:
            return requirement.on[outcome]
        found = self.verdicts.get(outcome)
        return Verdict.ADMIT if found is None else found[requirement.severity]

    @property
    def name(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"
