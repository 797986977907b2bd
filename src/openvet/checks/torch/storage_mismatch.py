"""A PyTorch file claims more tensor data than it holds.

What it finds:
    A storage that is missing or smaller than the pickle says, that is claimed with two sizes or types, or a tensor that reaches
    beyond its storage, or has a negative offset, size or stride.

Why it matters:
    PyTorch before 2.10 could be made to read and write outside of its memory that way (CVE-2026-24747), also with
    ``weights_only=True``. A tensor that leads out of its storage is high: no honest program writes one, and a download that
    was cut short has no end by which an archive is read. A storage that is missing or larger than claimed is medium.

Example:
    ``_rebuild_tensor_v2`` with the size ``(1000000,)`` over a storage of four elements.

Remedy:
    Do not load the file with PyTorch before 2.10. Get it again from the publisher and compare the digest.

What it cannot see:
    Whether the version that loads it is affected.

References:
    CVE-2026-24747; CWE-125; CWE-787.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="torch/storage-mismatch",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(125, 787),
    needs=("torch-zip", "torch-legacy", "torch-tar", "torch-export", "torch-package"),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each contradiction that the reader noted."""
    for finding in ctx.anomalies("Do not load it with PyTorch before 2.10; get the file again and compare its digest."):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("beyond") else finding
