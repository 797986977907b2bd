"""A MessagePack file says things about its arrays that are not so.

What it finds:
    Arrays of Flax whose bytes do not fit shape and dtype, dtypes that do not exist, keys that stand twice, texts that
    are not UTF-8.

Why it matters:
    Loaders differ in what they make of it, so that two of them may see two models, and native code may read beyond
    the bytes that are there.

Example:
    An array of the shape (1000, 1000) with twelve bytes.

Remedy:
    Download it again; if that does not help, do not load it.

What it cannot see:
    Values that are well-formed and wrong.

References:
    https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html ; CWE-130.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="msgpack/header-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(130,),
    needs=("msgpack",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that a reader recorded for this rule."""
    yield from ctx.anomalies("Download it again; if that does not help, do not load it.")
