"""A Parquet table takes a column from a file outside its folder.

What it finds:
    Column chunks whose ``file_path`` is absolute, an address, or climbs out of the folder.

Why it matters:
    Readers of ``_metadata`` files open the path that it says, whatever it is.

Example:
    A column chunk in ``../../../etc/passwd``.

Remedy:
    Do not read it; write the table again into one folder.

What it cannot see:
    Files beside the table that are links to somewhere else.

References:
    ``parquet.thrift``, ``ColumnChunk.file_path``; CWE-22.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="parquet/outside-path",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that the reader recorded for this rule."""
    yield from ctx.anomalies("Do not read it; write the table again into one folder.")
