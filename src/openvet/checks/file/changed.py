"""A file changed while it was being read.

What it finds:
    The file's size, time or inode is another than when it was opened, or it gave fewer bytes than it had.

Why it matters:
    What was parsed may not be what was hashed, and neither may be what a loader gets. It may be a download under
    way, or somebody who waits for the check to pass.

Example:
    ``model.bin`` grows while it is being downloaded into the folder that is checked.

Remedy:
    Wait until nothing writes there and check again. Load the copy that was checked, by its digest.

What it cannot see:
    A change that keeps size, time and inode, and a change after the check.

References:
    CWE-367 (time of check, time of use).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/changed", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", cwe=(367,), recorded=True
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file that changed."""
    yield from ctx.anomalies("Check again when nothing writes to the folder; then load the copy that was checked.")
