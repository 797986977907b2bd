"""R data holds a variable that is a function in disguise.

What it finds:
    Active bindings in environments.

Why it matters:
    Reading the variable calls a function; listing or printing the environment is enough.

Example:
    ``makeActiveBinding("weights", function() system("id"), env)``, saved with its environment.

Remedy:
    Look at the function. Honest R6 classes have active bindings too; a model needs none.

What it cannot see:
    Why the author chose one.

References:
    CWE-502. ``?makeActiveBinding`` of R.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="rds/active-binding",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("rds",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file with active bindings."""
    for component in ctx.components():
        seen = component.metadata.get("active_bindings")
        if seen:
            yield ctx.finding(
                Location(component.place, seen["first"]),
                f"{seen['count']} variables are functions that run when they are read",
                "Look at the functions before you load it.",
                evidence={"bindings": seen["count"]},
            )
