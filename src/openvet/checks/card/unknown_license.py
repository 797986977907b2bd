"""The licence that a card names has no id of the hub.

What it finds:
    Values of ``license`` that are not among the ids that the hub publishes; where another spelling is known, it is named.

Why it matters:
    Whoever looks for models by licence does not find it, and a program cannot tell what it allows.

Example:
    ``license: Apache License 2.0`` in place of ``apache-2.0``.

Remedy:
    Write the hub's id, or ``other`` with ``license_name`` and ``license_link``.

What it cannot see:
    Whether the licence is the right one.

References:
    https://huggingface.co/docs/hub/repositories-licenses
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/unknown-license",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Write the hub's id, or other with license_name and license_link.")
