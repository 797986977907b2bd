"""A JSON or YAML text gives one key two values.

What it finds:
    An object that has the same key twice with different values.

Why it matters:
    Python's readers take the last value, others the first, and some refuse the file. What a person or a scanner reads
    need not be what the loader uses.

Example:
    ``{"auto_map": null, "auto_map": {"AutoModel": "x.Model"}}``.

Remedy:
    Ask the publisher for a file with each key once. OpenVet's other rules look at the last value.

What it cannot see:
    Keys inside vocabularies and other long runs of plain pairs.

References:
    https://www.rfc-editor.org/rfc/rfc8259#section-4 ; CWE-436.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="json/duplicate-key",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(436,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such key."""
    yield from ctx.anomalies("Ask the publisher for a file that has each key once.")
