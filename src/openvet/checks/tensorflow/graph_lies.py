"""A TensorFlow graph breaks the rules of its own format.

What it finds:
    Two nodes or two functions of one name, a field twice that a message has once, and constants whose bytes do not fit
    their shape and type. Constants of which operations make more elements than a machine holds (``Fill``, ``Tile``, ``Range`` ...)
    are high, and so are loops over constants that never end, functions that always call themselves, and calls that multiply. The evidence names the lie in one word.

Why it matters:
    TensorFlow refuses some of it and takes the last of two others; another reader takes the first. One file is then two
    models: the one that was looked at, and the one that runs.

Example:
    A node with the operation ``Identity`` and, once more in the same message, ``WriteFile``. Both are judged.

Remedy:
    Do not load it. Get the model again from its publisher, or export it again.

What it cannot see:
    Whether a graph that is well formed does what it should.

References:
    https://protobuf.dev/programming-guides/encoding/#last-one-wins ; CWE-436, CWE-789, CWE-835.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="tensorflow/graph-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(436, 789, 835),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each lie of a graph."""
    for finding in ctx.anomalies("Do not load it; get the model again from its publisher, or export it again."):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("beyond") else finding
