"""An archive holds a link; when it points outside of the archive, extracting it reaches files of yours.

What it finds:
    Symbolic and hard links in tar archives, and members of zip archives that are marked as symbolic links. A link to
    an absolute path or one that climbs out of the archive is high, also where it only does so by way of other links of
    the archive; a link that stays inside is only noted.

Why it matters:
    After ``cache -> /home/you/.ssh`` is extracted, a later member ``cache/authorized_keys`` is written there. A link
    can also make a loader read a file of yours as if it were part of the model.

Example:
    A tar with the symbolic link ``weights`` to ``/etc`` followed by the file ``weights/passwd``.

Remedy:
    Do not extract the archive with a tool that follows links. With Python use ``tarfile`` with ``filter="data"``; ask
    the publisher for an archive without links. Python's filters themselves are safe from 3.12.11, 3.13.4 and 3.14 on
    (CVE-2025-4517).

What it cannot see:
    Where a link leads through links that exist on the disk already, or that were put there by another archive.

References:
    CWE-59, CWE-61. PEP 706, https://peps.python.org/pep-0706/. CVE-2025-4517 (a filter of ``tarfile`` bypassed by
    long paths through links), CVE-2025-4138.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/link-escape",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(59, 61),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each link, as bad as where it leads."""
    for finding in ctx.anomalies(
        "Do not extract the archive with a tool that follows links; ask for one without them."
    ):
        if finding.evidence.get("escapes", True):
            yield finding
        else:
            yield replace(
                finding, severity=Severity.NOTE, remedy="Nothing to do: the link stays inside of the archive."
            )
