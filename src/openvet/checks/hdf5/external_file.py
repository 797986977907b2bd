"""An HDF5 file takes links or data from another file.

What it finds:
    External links, datasets whose data are stored in other files, and virtual datasets. A path that is absolute, that
    leaves its folder or that is an address weighs more than the name of a file beside it.

Why it matters:
    The library opens the other file when the name is used. A dataset of the model can so be the bytes of any file that the
    loading program may read, and those bytes go wherever the model's weights go: out of a service that gives
    models back, or into another format. What the other file holds was not checked with this one.

Example:
    A weight ``kernel`` whose external storage is ``/etc/passwd``.

Remedy:
    Do not load the file. Ask for one that holds its own data; Keras 3.13.2 and later refuse external data.

What it cannot see:
    What the other file holds, and whether the loading program follows links.

References:
    CVE-2026-1669 (Keras 3.0.0 to 3.13.1); CWE-73, CWE-200.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="hdf5/external-file",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(73, 200),
    needs=("hdf5",),
    recorded=True,
)

_FAR = pattern(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:|[/\\~$%]|\.\.(?:[/\\]|$))|.*[/\\]\.\.(?:[/\\]|$)|.*%")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name that leads out."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        far = _FAR.match(str(anomaly.evidence.get("file", ""))) is not None
        yield ctx.finding(
            anomaly.location,
            anomaly.message,
            "Do not load it; ask for a file that holds its own data.",
            severity=None if far else Severity.MEDIUM,
            evidence=anomaly.evidence,
        )
