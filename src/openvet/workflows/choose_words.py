"""One line of what a need asks of one candidate: its outcome, why, by which evidence, and the command that would make what is missing; and the candidate with all of them."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.workflows.candidates import Candidate, Evidence

__all__ = [
    "EXCLUDED",
    "FEASIBLE",
    "MET",
    "NOT_MET",
    "OPEN",
    "UNKNOWN",
    "Line",
    "Weighed",
    "bounded",
    "end_of",
    "path_of",
    "worst_of",
]

#: A requirement, and a candidate.
MET, NOT_MET, UNKNOWN = "met", "not-met", "unknown"
FEASIBLE, EXCLUDED, OPEN = "feasible", "excluded", "open"


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement of one candidate.

    Attributes:
        outcome: ``met``, ``not-met`` or ``unknown``.
        why: in words, with the figure.
        source: the evidence; ``None`` where there is none.
        next: the command that would make what is missing; '' where none would.
    """

    requirement: str
    outcome: str
    why: str
    source: Evidence | None = None
    next: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "requirement": self.requirement, "outcome": self.outcome, "why": self.why, "source": None if self.source is None else self.source.to_json(),
            "next": self.next,
        }  # fmt: skip


@dataclass(slots=True)
class Weighed:
    """One candidate: its lines, and its figures by preference (value, low, high), as far as they are known; more is always better there.

    ``under`` says under which conditions figures were measured; those of others are not compared with them.
    """

    candidate: Candidate
    lines: list[Line] = field(default_factory=list)
    figures: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    under: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def word(self) -> str:
        outcomes = {each.outcome for each in self.lines}
        return EXCLUDED if NOT_MET in outcomes else OPEN if UNKNOWN in outcomes else FEASIBLE


def bounded(
    name: str,
    shown: str,
    span: tuple[float, float],
    bound: float,
    *,
    least: bool,
    source: Evidence,
    command: str,
    note: str = "",
) -> Line:
    """Met where the whole interval is on the right side of a bound, not met where it is on the other."""
    low, high = span
    good, bad = (low >= bound, high < bound) if least else (high <= bound, low > bound)
    if good:
        return Line(name, MET, f"{shown}{note}", source)
    if bad:
        return Line(name, NOT_MET, f"{shown}{note}", source)
    return Line(name, UNKNOWN, f"{shown}: the interval does not say on which side{note}", source, command)


def end_of(value: float) -> str:
    return "?" if math.isinf(value) else f"{value:.4g}"


def path_of(candidate: Candidate) -> str:
    return shlex.quote(candidate.paths[0]) if candidate.paths else "MODEL"


def worst_of(lines: Sequence[Line]) -> Line:
    """Of several statements of the same thing the worst counts, however they were ordered."""
    return min(lines, key=lambda each: (NOT_MET, UNKNOWN, MET).index(each.outcome))
