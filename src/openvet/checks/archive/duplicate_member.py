"""Two members of one archive have the same name, so different readers get different content.

What it finds:
    Members of the directory of a zip, or entries of a tar, whose names are the same once ``./`` and doubled slashes
    are taken away. Where both have the same bytes it is only noted; the bytes are compared, not the checksums.

Why it matters:
    Python's ``tarfile`` and ``zipfile`` give the last of them, other readers the first: a scanner can be shown one
    file and the loader another. A ``.nemo`` checkpoint with two ``model_weights.ckpt`` loads the second one.

Example:
    A tar with ``./model_config.yaml`` and ``model_config.yaml``.

Remedy:
    Look at the findings of both members: both were read. Pack the archive anew with the one that you want, or ask
    the publisher which one is meant.

What it cannot see:
    Names that fall together only on a file system that ignores letter case. Members above 16 MiB are not compared
    and count as different.

References:
    CWE-694. Why Python's tools take the last one: https://docs.python.org/3/library/tarfile.html (``getmember``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/duplicate-member",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(694,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each member whose name was there before."""
    for finding in ctx.anomalies("Find out which of the two is meant and pack the archive anew with that one alone."):
        if finding.evidence.get("identical", False):
            yield replace(finding, severity=Severity.NOTE, remedy="Nothing to do: both have the same bytes.")
        else:
            yield finding
