"""The type of a column is a pickle, which older PyArrow loads as soon as it reads the table.

What it finds:
    Columns of the extension type ``arrow.py_extension_type`` in Arrow and Feather files and in the schema that Parquet files
    carry. The pickle is examined as one.

Why it matters:
    PyArrow from 0.14.0 to 14.0.0 unpickles it when it reads the schema: opening a data set runs what the pickle says.

Example:
    A Parquet file with a column whose ``ARROW:extension:metadata`` is a pickle that calls ``os.system``.

Remedy:
    ``pyarrow.ipc``, ``pyarrow.parquet`` and what is built on them (pandas, datasets) are hit from PyArrow 0.14.0 to 14.0.0. Read it
    with 14.0.1 or later, which leaves such types alone, or write the table again without them.

What it cannot see:
    Values of columns that a program unpickles by itself.

References:
    CVE-2023-47248; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="arrow/pickled-type",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each column; what its pickle does is told by the rules for pickles."""
    yield from ctx.anomalies("Read it with PyArrow 14.0.1 or later, or write the table again without such types.")
