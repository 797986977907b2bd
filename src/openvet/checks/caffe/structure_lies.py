"""A Caffe network says two things at once.

What it finds:
    Messages of a network with a field twice that they have once.

Why it matters:
    Readers of protocol buffers differ in which one counts, so that a tool shows another network than the one that runs.

Example:
    A layer with the type ``ReLU`` and then the type ``Python``.

Remedy:
    Export the model again; do not use it as it is.

What it cannot see:
    Which one a given runtime takes.

References:
    https://protobuf.dev/programming-guides/encoding/#last-one-wins ; CWE-436.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="caffe/structure-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(436,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that the reader recorded for this rule."""
    yield from ctx.anomalies("Export the model again; do not use it as it is.")
