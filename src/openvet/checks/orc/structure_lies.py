"""An ORC table says where its stripes lie, and they do not, or says a thing twice.

What it finds:
    Stripes that lie over each other, outside of the file or in its footer, and fields of the footer that stand there twice.

Why it matters:
    Two readers may see two tables, and a reader that trusts the numbers reads other bytes than the writer's.

Example:
    A footer with a stripe at offset 2^40.

Remedy:
    Write the table again with PyArrow or another writer of your own.

What it cannot see:
    Lies inside a stripe: its own footer is not read.

References:
    https://orc.apache.org/specification/ORCv1/ ; CWE-125.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="orc/structure-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(125,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that the reader recorded for this rule."""
    yield from ctx.anomalies("Write the table again with a writer of your own.")
