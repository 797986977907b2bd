"""A member's name would place it outside of the folder that the archive is extracted to.

What it finds:
    Members of zip and tar archives whose name is absolute, names a drive, or climbs out with ``..`` parts, in every
    view of the archive: the directory, the local headers, Unicode and long-name fields. Slashes and backslashes both
    count as separators. OpenVet itself never writes under such a name.

Why it matters:
    A tool that extracts the archive without care overwrites files of its user: start-up scripts, keys, libraries that
    Python imports. No honest tool that packs a model writes such names.

Example:
    A ``.nemo`` archive with a member ``../../.bashrc``.

Remedy:
    Do not extract the archive. Ask its publisher for a clean one; if you must look inside, copy the members out one by
    one under names of your own. Python's ``tarfile`` refuses such names with ``filter="data"`` (from 3.12 on, and the
    default from 3.14 on; CVE-2007-4559).

What it cannot see:
    Names that become dangerous only on one file system (short names, normal forms of Unicode, letter case).

References:
    CWE-22. The Zip Slip vulnerability, https://security.snyk.io/research/zip-slip-vulnerability. Python's
    ``tarfile`` before its extraction filters, CVE-2007-4559.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/path-traversal",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name that leaves the folder."""
    return ctx.anomalies("Do not extract the archive; ask its publisher for one whose members stay inside.")
