"""An exported program has an expression that is more than arithmetic.

What it finds:
    Expressions of sizes in the graph of a ``.pt2`` file that take attributes or items, hold texts, or call functions that no such
    expression needs.

Why it matters:
    ``torch.export.load`` gives them to ``sympy.sympify``, which evaluates them as Python: the expression runs when the file is
    loaded.

Example:
    ``"expr_str": "().__class__.__base__.__subclasses__()"``

Remedy:
    Do not load this file with ``torch.export.load``; every version of PyTorch is hit.

What it cannot see:
    Arithmetic that takes very long.

References:
    CWE-95; https://docs.sympy.org/latest/modules/core.html#sympy.core.sympify.sympify
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="torch/export-expression",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(95,),
    needs=("torch-export",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each expression that the reader recorded."""
    yield from ctx.anomalies("Do not load this file, and report it to where you got it.")
