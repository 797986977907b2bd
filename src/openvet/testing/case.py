"""The contract of a case: one file or folder, and the decision that it deserves.

A family of cases is one module in ``openvet/testing/cases`` with one name, ``CASES``; :func:`all_cases` finds it. A case is
built from text and code when it is asked for, so that no hostile file lies anywhere, and its payload is ``echo`` or less.
Every case states what must come out, exactly: the harmless ones, which other tools take for hostile, count as much as the
hostile ones. ``docs/coverage.md`` is the list of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from openvet.core.dataclass import dataclass

__all__ = ["Answer", "Case", "all_cases", "run_case", "write_case"]

Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to examine.

    Attributes:
        id: ``family/what-it-is``, in lower case; unique and stable.
        technique: one sentence, which the coverage page prints.
        forge: gives the bytes of one file, or the files of a folder by their relative names.
        decision: what must be decided.
        rules: ids of the rules above ``note`` that must report it, exactly.
        formats: ids of the formats that the technique is about, outermost first.
        advisories: CVE, GHSA and arXiv ids, or the project and number of an issue, where it was reported.
        name: what the file is called where ``forge`` gives one; a folder is called ``model``.
    """

    id: str
    technique: str
    forge: Callable[[], bytes | Files]
    decision: Literal["admit", "review", "reject"]
    rules: frozenset[str] = frozenset()
    formats: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()
    name: str = "model.bin"

    @property
    def hostile(self) -> bool:
        return self.decision == "reject"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an examination said of a case, and where that is not what the case states.

    Attributes:
        decision: ``admit``, ``review`` or ``reject``.
        rules: ids of the rules above ``note`` that reported something.
        reasons: the reasons of the decision, a sentence each.
        problem: what differs from the case, in one sentence; ``None`` where all is as stated.
    """

    decision: str
    rules: frozenset[str]
    reasons: tuple[str, ...]
    problem: str | None


def run_case(case: Case, folder: Path | None = None) -> Answer:
    """Build ``case`` below ``folder`` (a temporary one without it), examine it, and compare with what it states.

    Raises:
        openvet.errors.OpenVetError: it could not be examined at all.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="openvet-case-") as made:
            return run_case(case, Path(made))
    import openvet
    from openvet.core.rule import Severity

    model = openvet.check(write_case(case, folder)).models[0]
    rules = frozenset(each.rule for each in model.scan.all_findings() if each.severity > Severity.NOTE)
    decision, reasons = str(model.decision.verdict), tuple(each.message for each in model.decision.reasons)
    return Answer(decision, rules, reasons, _problem(case, decision, rules))


def _problem(case: Case, decision: str, rules: frozenset[str]) -> str | None:
    differences = []
    if decision != case.decision:
        differences.append(f"the decision is {decision}, not {case.decision}")
    if rules != case.rules:
        differences += [f"{rule} reports something" for rule in sorted(rules - case.rules)]
        differences += [f"{rule} reports nothing" for rule in sorted(case.rules - rules)]
    return f"{case.id}: {'; '.join(differences)}" if differences else None


def write_case(case: Case, folder: Path) -> Path:
    """Write the case below ``folder``; gives the path of its file or folder."""
    made = case.forge()
    if isinstance(made, bytes):
        path = folder / case.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made)
        return path
    root = folder / "model"
    for name, data in made.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def all_cases() -> tuple[Case, ...]:
    """Every case of every family, in order of family and place."""
    from openvet.core.registry import load_kind

    return tuple(case for module in load_kind("openvet.testing.cases", ("CASES",)).modules for case in module.CASES)
