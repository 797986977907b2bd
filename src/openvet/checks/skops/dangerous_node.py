"""A node of a skops file makes a loader do more than build an estimator.

What it finds:
    Types, functions and methods with a dangerous capability in the schema of a ``.skops`` file, and nodes that say of another
    type what they are: an ``OperatorFuncNode`` whose module is not ``operator``, a ``MethodNode`` whose class is not that of its
    object.

Why it matters:
    skops asks its user to trust the types that a file names. A node that names a harmless one and calls another gets past that
    question, and then the file runs code on loading.

Example:
    ``{"__loader__": "OperatorFuncNode", "__module__": "builtins", "__class__": "call"}``

Remedy:
    Do not load this file. ``skops.io.load`` is safe from such nodes from skops 0.12.0 on (from 0.13.0 on for ``Card.get_model``), but the file was made to harm.

What it cannot see:
    What an estimator of a known package does with its parameters.

References:
    CVE-2025-54412; CVE-2025-54413; CVE-2025-54886; CWE-502; CWE-351.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.skops._nodes import UNKNOWN, nodes
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="skops/dangerous-node",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502, 351),
    needs=("skops",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each kind of node."""
    for location, node, kind, why in nodes(ctx):
        if kind != UNKNOWN:
            yield ctx.finding(
                location,
                f"a {node.loader} {why}",
                "Do not load this file, and report it to where you got it.",
                evidence=node.to_json(),
            )
