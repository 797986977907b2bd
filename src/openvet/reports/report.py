"""What a check gives back: for every subject its evidence and the decision computed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from openvet.core.coverage import Unknown
from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.evidence.predicates.inventory_v1 import Fact, InventoryV1
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.statement import Predicate, ResourceDescriptor, Statement
from openvet.policy.decision import Decision, Verdict
from openvet.reports.config_use import ConfigName, ConfigUse

if TYPE_CHECKING:
    from openvet.evidence.predicates.decision_v1 import DecisionV1

__all__ = ["REPORT_TYPE", "ModelReport", "NotChecked", "Report", "RuleText"]

REPORT_TYPE = "https://openvet/report/v1"
_BADNESS = (Verdict.ADMIT, Verdict.REVIEW, Verdict.REJECT)


@dataclass(frozen=True, slots=True)
class RuleText:
    """What reports print about a rule: its identity, its axes, and its documentation by section."""

    id: str
    severity: str
    confidence: str
    since: str
    cwe: tuple[int, ...]
    summary: str
    sections: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ModelReport:
    """One subject.

    Attributes:
        path: what the user named, printable.
        subject: its name and digests.
        scan, inventory: the evidence. ``inventory`` is ``None`` where it was not asked for.
        facts: what the model is, as the inventory says it; ``None`` where only safety was asked for.
        decision: computed from ``scan`` and the team's terms alone.
        config: the team's configuration, if there is one.
        answers: what the rooms say that each answer one question, by the name of the statement: ``profile`` ...
        policies: what policy packs make of all that, where some were asked.
    """

    path: str
    subject: ResourceDescriptor
    scan: Scan
    inventory: InventoryV1 | None
    decision: Decision
    config: ConfigName | None = None
    facts: tuple[Fact, ...] | None = None
    answers: Mapping[str, Predicate] = field(default_factory=dict)
    policies: tuple[DecisionV1, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the built-in decision and of the packs'."""
        return max((self.decision.verdict, *(Verdict(each.verdict) for each in self.policies)), key=_BADNESS.index)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, of the whole model and of each file (``scan.findings`` are only those of the whole model)."""
        return tuple(self.scan.all_findings())

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """Everything that was not read, of the whole model and of each file."""
        return tuple(self.scan.all_unknowns())

    def statements(self) -> tuple[Statement, ...]:
        """The evidence as unsigned in-toto statements."""
        predicates: list[Predicate] = [self.scan]
        if self.inventory is not None:
            predicates += [self.inventory, *self.answers.values()]
        return tuple(Statement(self.subject, each) for each in predicates)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "subject": self.subject.to_json(),
            "decision": self.decision.to_json(),
            "config": None if self.config is None else self.config.to_json(),
            "statements": [each.to_json() for each in self.statements()],
            **({"policies": [each.to_json() for each in self.policies]} if self.policies else {}),
        }


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A path that the user named and that could not be checked at all: it is not there, or may not be opened."""

    path: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "message": self.message}


@dataclass(frozen=True, slots=True)
class Report:
    """All subjects of one command, in the order in which they were named.

    Attributes:
        tool: what made it.
        models: the subjects that were checked.
        rules: documents the rules that were run.
        errors: the paths that could not be checked.
        config: what came of the team's configuration; ``None`` where there is none.
    """

    tool: Tool
    models: tuple[ModelReport, ...]
    rules: tuple[RuleText, ...] = ()
    errors: tuple[NotChecked, ...] = ()
    config: ConfigUse | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst decision: reject before review before admit. A path that could not be checked is at best a review."""
        verdicts = {model.verdict for model in self.models}
        for each in (Verdict.REJECT, Verdict.REVIEW):
            if each in verdicts:
                return each
        return Verdict.REVIEW if self.errors else Verdict.ADMIT

    def to_json(self) -> dict[str, Any]:
        return {
            "type": REPORT_TYPE,
            "tool": self.tool.to_json(),
            "models": [each.to_json() for each in self.models],
            "errors": [each.to_json() for each in self.errors],
            "config": None if self.config is None else self.config.to_json(),
        }
