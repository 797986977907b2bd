"""A Parquet table says that pages lie where none can.

What it finds:
    Pages, indexes and filters that lie in front of the file, in its footer or behind its end.

Why it matters:
    A reader that does not check reads other bytes than those of the column. At best the file was put together wrongly.

Example:
    A column whose first page is at 2^40 of a file of a kilobyte.

Remedy:
    Write the table again; do not use it as it is.

What it cannot see:
    What the headers of single pages say.

References:
    https://github.com/apache/parquet-format ; CWE-125.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="parquet/structure-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(125,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that the reader recorded for this rule."""
    yield from ctx.anomalies("Write the table again; do not use it as it is.")
