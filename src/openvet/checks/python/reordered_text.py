"""Python code is shown in another order than it is run.

What it finds:
    A line of Python with a control character of the Unicode bidirectional algorithm (an embedding, override or isolate) that is not
    closed on that line, or that closes nothing. Overrides and isolates are of high severity; an embedding may come along with a path
    that was copied out of a dialog of Windows.

Why it matters:
    An editor shows what stands behind it in another order: a comment looks like code, a string like two. Whoever reviews the code
    reads something else than what runs.

Example:
    A right-to-left override (U+202E) in a string, before what looks like a comment.

Remedy:
    Show the file with its control characters (``cat -v``), and read it as Python's own interpreter does, of which every version runs
    such a line as it stands.

What it cannot see:
    Letters of other scripts that look alike, and marks that are closed again on their line.

References:
    CVE-2021-42574 (Trojan Source); CWE-1007.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="python/reordered-text",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1007,),
    needs=("python",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file."""
    remedy = "Show the file with its control characters, and read it as the interpreter does."
    for finding in ctx.anomalies(remedy):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence["turned"] else finding
