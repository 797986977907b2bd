"""The content of a member does not have the checksum that its archive gives for it.

What it finds:
    A wrong CRC-32 of a zip member or gzip stream, a wrong Adler-32 of a zlib stream, a tar header with a wrong sum.
    The content is read and judged all the same.

Why it matters:
    The file was damaged, or somebody changed it after it was packed. Readers that check refuse it, and a scanner
    that refuses it with them misses what torch loads, since torch does not check.

Example:
    A torch checkpoint whose ``data.pkl`` was replaced in place, with the old checksum left in the header.

Remedy:
    Download the file again and compare its digest with the publisher's. Files that torch saved with
    ``set_crc32_options(False)`` have wrong checksums from the start: ask for one saved without that option.
    ``torch.load`` ignores checksums in every version, so that it loads what a scanner gave up on; picklescan did before
    0.0.31.

What it cannot see:
    Stored members above 8 MiB are not compared, for that would read them twice. A changed content with a checksum
    that fits: CRC-32 is no protection against intent.

References:
    CWE-354. CVE-2025-10156 (a scanner stops at a wrong CRC), torch.serialization.set_crc32_options.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/checksum-mismatch",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(354,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each checksum that does not fit."""
    return ctx.anomalies("Download the file again and compare its digest with the one that the publisher gives.")
