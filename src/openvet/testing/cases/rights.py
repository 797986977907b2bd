"""Derivatives that drop what their base asks for: nothing in them runs, so each stays admitted, with its notes."""

from __future__ import annotations

from openvet.testing.case import Case
from openvet.testing.forge_rights import RIGHTS

__all__ = ["CASES"]

CASES: tuple[Case, ...] = tuple(
    Case(
        id=f"license/{name}",
        technique=each.technique,
        forge=each.data,
        decision="admit",
        formats=("markdown",) if "README.md" in each.files else ("gguf",),
    )
    for name, each in RIGHTS.items()
)
