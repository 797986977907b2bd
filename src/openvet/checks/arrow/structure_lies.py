"""An Arrow table says where its batches or buffers lie, and they do not.

What it finds:
    Buffers outside the body of their batch, batches of a file's footer that begin where no message does, and footers that
    describe other columns than the stream.

Why it matters:
    Arrow's readers do not check every buffer unless they are asked to, and read other memory of the process. Where footer and
    stream differ, two readers see two tables.

Example:
    A record batch of 64 bytes with a buffer at offset 2^40.

Remedy:
    Write the table again with PyArrow; call ``Table.validate(full=True)`` on tables of strangers.

What it cannot see:
    Offsets inside a column, such as those of texts.

References:
    https://arrow.apache.org/docs/format/Security.html ; CWE-125.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="arrow/structure-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(125,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that the reader recorded for this rule."""
    yield from ctx.anomalies("Write the table again, and validate tables of strangers.")
