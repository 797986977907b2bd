"""A JSON text holds what the standard does not have and some readers refuse.

What it finds:
    ``NaN``, ``Infinity`` or a byte order mark.

Why it matters:
    Python reads and writes these words; most other languages refuse the file. It is no danger, only a model that
    loads in one place and not in another.

Example:
    ``{"layer_norm_eps": NaN}``.

Remedy:
    Nothing where Python loads the file; otherwise replace the word.

What it cannot see:
    Whether another reader takes the file nevertheless.

References:
    https://www.rfc-editor.org/rfc/rfc8259#section-6 ; CWE-1286.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="json/not-standard",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1286,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such file."""
    yield from ctx.anomalies("Nothing where Python loads the file; otherwise replace the word.")
