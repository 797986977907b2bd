"""A skops file names a type that is neither scikit-learn's nor one that only holds data.

What it finds:
    Types and functions in the schema of a ``.skops`` file that no package known to OpenVet has, and loaders that skops does not
    have.

Why it matters:
    Loading imports the module of each and makes an instance, once its user has said that the type is trusted.

Example:
    ``my_project.transformers.Cleaner``

Remedy:
    Read the code of the type before you put it on the list of trusted ones.

What it cannot see:
    What the type does.

References:
    CWE-502; https://skops.readthedocs.io/en/stable/persistence.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.skops._nodes import UNKNOWN, nodes
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="skops/unknown-type",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("skops",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each type."""
    for location, node, kind, why in nodes(ctx):
        if kind == UNKNOWN:
            yield ctx.finding(
                location,
                f"a {node.loader or 'node'} {why}",
                "Read the code of the type before you trust it.",
                evidence=node.to_json(),
            )
