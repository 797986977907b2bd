"""The contract of a case: one file or folder, and the decision that it deserves.

A family of cases is one module in ``openvet/testing/cases`` with one name, ``CASES``; :func:`all_cases` finds it. A case is
built from text and code when it is asked for, so that no hostile file lies anywhere, and its payload is ``echo`` or less.
Every case states what must come out, exactly: the harmless ones, which other tools take for hostile, count as much as the
hostile ones. ``docs/coverage.md`` is the list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Case", "all_cases", "write_case"]

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
