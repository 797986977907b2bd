"""An HDF5 file describes data that it does not have.

What it finds:
    Datasets whose data would lie beyond the end of the file, datasets whose storage is smaller than their shape needs, and
    shapes of gigabytes in a file a thousand times smaller.

Why it matters:
    Readers differ in what they do then: some fail, some read what stands there, older libraries read beyond their memory.
    A huge shape makes a loader allocate all of it. The file is damaged or made to attack.

Example:
    A dataset of a million floats in a file of four kilobytes.

Remedy:
    Do not load the file. Get it again from its publisher. Keras 3.12.1 and 3.13.1 refuse huge shapes.

What it cannot see:
    Chunks that lie wrong; only datasets in one piece are compared.

References:
    CVE-2026-0897 (Keras); https://support.hdfgroup.org/documentation/hdf5/latest/_s_p_e_c.html ; CWE-1284, CWE-770.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="hdf5/header-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1284, 770),
    needs=("hdf5",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each dataset."""
    yield from ctx.anomalies("Do not load it; get the file again from its publisher.")
