"""Loading R data defines a name that R calls by itself, or that hides a basic function.

What it finds:
    ``.First``, ``.Last`` and other hooks, operators and functions such as ``library`` or ``print`` among the names that
    ``load()`` defines.

Why it matters:
    R loads ``.RData`` from the working folder when it starts and calls ``.First``. A variable named ``library`` or ``<-`` takes
    the place of R's own in everything that is run afterwards.

Example:
    ``.RData`` with ``.First <- function() system("id")``.

Remedy:
    Do not load it; start R with ``--no-restore``.

What it cannot see:
    Methods for classes (``print.lm``), which are names like any other.

References:
    CWE-94. ``?Startup`` of R.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="rds/runs-on-start", severity=Severity.HIGH, confidence=Confidence.HIGH, since="0.1.0", cwe=(94,), needs=("rds",)
)

_NAMES = {
    ".First", ".First.lib", ".First.sys", ".Last", ".Last.lib", ".Last.sys", ".onLoad", ".onAttach", ".Rprofile",
    "library", "require", "print", "predict", "readRDS", "load", "source", "c", "[", "[[", "$", "<-", "(", "{", "if", "cat",
    "paste", "invisible", "function", "eval",
}  # fmt: skip


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such name."""
    for component in ctx.components():
        if not {"functions", "promises", "bytecode"} & set(component.metadata):
            continue  # without code, a variable of that name is only a strange name
        for name in component.metadata.get("objects", ()):
            if name in _NAMES:
                yield ctx.finding(
                    Location(component.place),
                    f"defines {name}, which R calls by itself or everywhere",
                    "Do not load it; start R with --no-restore.",
                    evidence={"name": name},
                )
