"""A folder holds a fifo, a socket or a device in place of a file.

What it finds:
    Anything that is neither a regular file nor a folder nor a link. It was not opened.

Why it matters:
    Reading a fifo waits for ever, and reading a device reads hardware. No publisher ships one.

Example:
    A fifo named ``config.json``.

Remedy:
    Remove it, and find out how it came there.

What it cannot see:
    What stands at the other end.

References:
    CWE-67; open(2), fifo(7).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/special", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", cwe=(67,), recorded=True
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each special file."""
    yield from ctx.anomalies("Remove it: a model consists of regular files.")
