"""What a rule is: an identity, a severity, a confidence, and what it needs.

Severity (how bad if true) and confidence (how sure) are two axes. ``SARIF`` maps both to SARIF 2.1.0 in one table.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from types import ModuleType

from openvet.core.dataclass import dataclass

__all__ = ["SARIF_LEVEL", "SARIF_SECURITY_SEVERITY", "Confidence", "Outcome", "Rule", "Severity", "rule_of"]


class Severity(IntEnum):
    """How bad it is if the finding is true."""

    NOTE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        return self.name.lower()


class Confidence(IntEnum):
    """How sure the rule is that the finding is true."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    def __str__(self) -> str:
        return self.name.lower()


class Outcome(StrEnum):
    """What became of one rule on one subject (OpenSSF Scorecard's idea: outcomes that are not booleans)."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NOT_AVAILABLE = "not_available"
    NOT_SUPPORTED = "not_supported"
    ERROR = "error"


# SARIF 2.1.0 section 3.27.10 (level), and GitHub's `security-severity` property (a CVSS-like number as text).
SARIF_LEVEL = {
    Severity.NOTE: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
SARIF_SECURITY_SEVERITY = {
    Severity.NOTE: "0.0",
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Its prose is the docstring of its module; its id is its path under ``openvet.checks``.

    Attributes:
        id: ``family/name``, for instance ``pickle/runs-process``.
        severity: of its findings, unless a finding says otherwise.
        confidence: likewise.
        since: the release that brought it.
        cwe: CWE numbers, if one fits.
        needs: ids of the formats that it looks at; empty means every file. Where a subject has none of
            them the rule's outcome is ``not_applicable``.
        whole: its findings depend on more files than the one at their place, so that an acceptance names the whole model.
        code: even its notes mean that loading runs code which is not known to build data; a strict team rejects them.
        recorded: its findings are what readers recorded for it (:meth:`Context.anomalies`) and nothing else, so that it is not
            asked, nor imported, where they recorded nothing.
    """

    id: str
    severity: Severity
    confidence: Confidence
    since: str
    cwe: tuple[int, ...] = ()
    needs: tuple[str, ...] = ()
    whole: bool = False
    code: bool = False
    recorded: bool = False


def rule_of(module: ModuleType) -> Rule:
    """The rule of a module; raises :class:`TypeError` where ``RULE`` is none."""
    rule = module.RULE
    if not isinstance(rule, Rule):
        raise TypeError("RULE is not a Rule")
    return rule
