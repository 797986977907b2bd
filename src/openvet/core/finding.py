"""A finding: what a rule says about one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.rule import Confidence, Severity

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found.

    Attributes:
        rule: id of the rule.
        severity: how bad if true.
        confidence: how sure.
        location: where.
        message: one sentence: what is there. Text of the subject in it is already printable.
        remedy: one sentence: what to do next.
        evidence: what anybody needs to check it again (callable, arguments, key, expected and seen values);
            JSON values only, text already printable.
        digests: SHA-256 (hex) of what the finding is about: the file, and the member where that has one; or of the whole
            model, where more than one file makes the finding. An acceptance names one of them.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    location: Location
    message: str
    remedy: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    digests: tuple[str, ...] = ()

    def sort_key(self) -> tuple[Any, ...]:
        """Worst first, then by place: the order of every report."""
        where = self.location
        return (
            -self.severity,
            -self.confidence,
            where.place,
            where.offset or 0,
            where.line or 0,
            where.pointer or "",
            self.rule,
            self.message,
        )

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "rule": self.rule,
            "severity": str(self.severity),
            "confidence": str(self.confidence),
            "location": self.location.to_json(),
            "message": self.message,
            "remedy": self.remedy,
        }
        if self.evidence:
            out["evidence"] = dict(self.evidence)
        if self.digests:
            out["digests"] = list(self.digests)
        return out

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Finding:
        return cls(
            rule=value["rule"],
            severity=Severity[value["severity"].upper()],
            confidence=Confidence[value["confidence"].upper()],
            location=Location.from_json(value["location"]),
            message=value["message"],
            remedy=value["remedy"],
            evidence=value.get("evidence", {}),
            digests=tuple(value.get("digests", ())),
        )
