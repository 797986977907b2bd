"""What a reader of archives hands back beside the entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.errors import ReadError

__all__ = ["ArchiveAnomaly", "Remarks"]


@dataclass(frozen=True, slots=True)
class ArchiveAnomaly:
    """A contradiction or oddity in an archive. Text of the archive in it is already printable.

    Attributes:
        rule: id of the rule that reports it.
        message: one sentence.
        offset: byte in the archive, where that is known.
        evidence: JSON values that let anybody check it again.
    """

    rule: str
    message: str
    offset: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Remarks:
    """Collects anomalies and problems of one archive, up to the limit ``records`` of each; the rest is only counted."""

    __slots__ = ("anomalies", "budget", "dropped", "problems")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.anomalies: list[ArchiveAnomaly] = []
        self.problems: list[ReadError] = []
        self.dropped = 0

    def anomaly(self, rule: str, message: str, offset: int | None = None, **evidence: Any) -> None:
        if len(self.anomalies) < self.budget.limits.records:
            self.anomalies.append(ArchiveAnomaly(rule, message, offset, evidence))
        else:
            self.dropped += 1

    def problem(self, error: ReadError) -> None:
        if len(self.problems) < self.budget.limits.records:
            self.problems.append(error)
        else:
            self.dropped += 1
