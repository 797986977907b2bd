"""A decision: admit, review or reject, with the reasons that lead there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from openvet.core.location import Location

__all__ = ["Decision", "Reason", "Verdict"]


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
class Decision:
    """The outcome of one policy on one subject's evidence. ``policy`` is ``name@version``."""

    verdict: Verdict
    policy: str
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": str(self.verdict),
            "policy": self.policy,
            "reasons": [each.to_json() for each in self.reasons],
        }
