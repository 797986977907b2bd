"""R data carries functions that call what is not known to be harmless.

What it finds:
    Functions, bytecode and promises in environments that name functions outside the list of those that only compute.

Why it matters:
    A method of the model runs them with all rights of the process. Many honest models carry functions (link functions,
    preprocessing); somebody has to look at them.

Example:
    A list with ``predict = function(x) helper(x)``.

Remedy:
    Look at the functions that are named, or ask for a model without functions.

What it cannot see:
    What a function of that name does in the session that loads the model: names can be redefined.

References:
    CWE-502. "R Internals", section 1.8.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.rds._calls import calls, harmless, kind_of
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="rds/carries-code", severity=Severity.LOW, confidence=Confidence.HIGH, since="0.1.0", cwe=(502,), needs=("rds",)
)

_RUN = ("function", "bytecode", "promise", "active-binding")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file, with the functions that it names."""
    for component in ctx.components():
        unknown: dict[str, int] = {}
        for where, name, offset in calls(component):
            if where in _RUN and not harmless(name) and kind_of(where, name) is None:
                unknown.setdefault(name, offset)
        if unknown:
            names = ", ".join(list(unknown)[:8])
            yield ctx.finding(
                Location(component.place, min(unknown.values())),
                f"carries code that calls {names}{' and others' if len(unknown) > 8 else ''}",
                "Look at the functions, or ask for a model without them.",
                evidence={"functions": sorted(unknown)[:100]},
            )
