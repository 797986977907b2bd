"""R data holds a promise where a value belongs.

What it finds:
    Unkept promises (an expression and no value yet) as the object itself, in a list, in an attribute, or as a variable that
    ``load()`` defines. Variables of environments are often promises in honest models: there only what the expression calls
    counts, and `rds/dangerous-call` and `rds/carries-code` report it.

Why it matters:
    R runs a promise's expression when somebody first looks at the value. ``readRDS("model.rds")`` is enough when the object
    is a promise, printing or predicting in other places. R itself never writes such a file.

Example:
    ``readRDS`` of a promise with ``system("id")`` as its expression.

Remedy:
    Do not load it. R before 4.4.0 runs it as soon as it is looked at; update R, which refuses promises as the object itself.

What it cannot see:
    What the expression does when its functions' names are computed.

References:
    CVE-2024-27322. CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="rds/promise", severity=Severity.HIGH, confidence=Confidence.HIGH, since="0.1.0", cwe=(502,), needs=("rds",)
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file with such promises."""
    for component in ctx.components():
        seen = component.metadata.get("promises")
        if seen:
            yield ctx.finding(
                Location(component.place, seen["first"]),
                f"{seen['count']} of its values are expressions that R runs when they are looked at",
                "Do not load it; use R 4.4.0 or later, and ask the author for plain values.",
                evidence={"promises": seen["count"]},
            )
