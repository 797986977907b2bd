"""A decision: admit, review or reject, with the reasons that lead there."""

from __future__ import annotations

from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.location import Location

__all__ = ["Acceptance", "Accepted", "Decision", "Reason", "Terms", "Verdict"]


class Verdict(StrEnum):
    """What to do with a subject."""

    ADMIT = "admit"
    REVIEW = "review"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of why.

    Attributes:
        verdict: what this reason alone would lead to.
        code: ``rule:<id>`` for findings, ``unknown:<reason>`` for what was not read.
        message: one sentence for a person.
        count: how many findings or unknowns it sums up.
        location: the first of them.
    """

    verdict: Verdict
    code: str
    message: str
    count: int
    location: Location | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": str(self.verdict),
            "code": self.code,
            "message": self.message,
            "count": self.count,
            "location": None if self.location is None else self.location.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The findings of one rule in exactly these bytes do not count.

    Attributes:
        rule: id of the rule.
        digest: SHA-256 (lower-case hex) of the file or member, or of the whole model where more than one file makes the finding.
        reason, owner: why, and who answers for it; printable.
        expires: the last day on which it holds.
        line: where it stands in the team's configuration; 0 where it came from a program.
    """

    rule: str
    digest: str
    reason: str
    owner: str
    expires: date
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An acceptance, and the findings that it took out of the decision."""

    acceptance: Acceptance
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        each = self.acceptance
        return {
            "rule": each.rule,
            "digest": each.digest,
            "reason": each.reason,
            "owner": each.owner,
            "expires": each.expires.isoformat(),
            "findings": [{"location": one.location.to_json(), "message": one.message} for one in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Terms:
    """What a team adds to the built-in policy.

    Attributes:
        acceptances: those that hold today; the policy itself looks at no clock.
        strict: whatever is not proven to be data is rejected.
        code: ids of the rules whose notes mean that loading runs code (only looked at where ``strict``).
    """

    acceptances: tuple[Acceptance, ...] = ()
    strict: bool = False
    code: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one policy on one subject's evidence. ``policy`` is ``name@version``."""

    verdict: Verdict
    policy: str
    reasons: tuple[Reason, ...]
    accepted: tuple[Accepted, ...] = ()

    def acceptance_of(self, finding: Finding) -> Acceptance | None:
        """The acceptance that takes ``finding`` out of this decision, if one does."""
        for each in self.accepted:
            if each.acceptance.rule == finding.rule and each.acceptance.digest in finding.digests:
                return each.acceptance
        return None

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": str(self.verdict),
            "policy": self.policy,
            "reasons": [each.to_json() for each in self.reasons],
            "accepted": [each.to_json() for each in self.accepted],
        }
