"""A script runs what it downloads.

What it finds:
    Lines that hand a download to an interpreter.

Why it matters:
    What is run is then decided by whoever holds the address, at any time after the model was vetted.

Example:
    ``curl -sSL https://example.org/install | sh``.

Remedy:
    Download first, look, then run; or install from a package with a known digest.

What it cannot see:
    Downloads that are stored and run later.

References:
    CWE-494.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(id="shell/runs-download", severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, since="0.1.0", cwe=(494,))


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each that the reader recorded."""
    yield from ctx.anomalies("Download first, look, then run.")
