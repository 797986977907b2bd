"""Code in R data calls a function that starts programs, reaches the network, changes files or runs other code.

What it finds:
    Dangerous functions that promises, functions, bytecode, active bindings, expressions and recorded calls name: ``system``,
    ``pipe``, ``dyn.load``, ``download.file``, ``eval(parse())`` and others, also as ``base::system`` and through ``do.call``,
    ``get`` and ``match.fun``.

Why it matters:
    A promise runs when it is looked at, an active binding when it is read, a function when a method of the model calls it
    (``predict``, ``print``). Statistics have no use for a shell.

Example:
    A model whose ``predict`` function begins with ``system("curl ... | sh")``.

Remedy:
    Do not load it; R 4.4.0 and later refuse promises in a file, and still load functions. Ask the author for coefficients or a model in a format without code.

What it cannot see:
    Names that are put together while the code runs, and what functions of installed packages do.

References:
    CVE-2024-27322. CWE-502, CWE-94.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.rds._calls import calls, kind_of
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="rds/dangerous-call",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(94, 502),
    needs=("rds",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each dangerous function and place."""
    for component in ctx.components():
        for where, name, offset in calls(component):
            kind = kind_of(where, name)
            if kind is not None:
                yield ctx.finding(
                    Location(component.place, offset),
                    f"code in a {where.split('/')[0].replace('-', ' ')} names {name} ({kind})",
                    "Do not load it; ask the author for a model without code.",
                    severity=Severity.CRITICAL if where.startswith(("promise", "active-binding")) else None,
                    evidence={"where": where, "function": name, "kind": kind},
                )
