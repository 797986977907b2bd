"""Members of a zip share bytes with one another: a bomb, or one content under two descriptions.

What it finds:
    Zip archives in which the records of two members, or of a member and the directory, cover the same bytes. One
    finding counts all of them.

Why it matters:
    A kernel of compressed zeros that every member quotes makes some ten megabytes expand to 281 terabytes, and the
    size of each single member looks harmless. No tool that packs archives writes overlapping members.

Example:
    Ten thousand directory records that lead to overlapping local headers in one stream of compressed data.

Remedy:
    Do not extract the archive. OpenVet reads it within its limits; what it did not reach is listed as not read.
    Python's ``zipfile`` refuses such an archive from 3.11.8 and 3.12.2 on (CVE-2024-0450).

What it cannot see:
    Bombs that nest archives in archives: the limits ``depth``, ``ratio`` and ``decoded_bytes`` stop those, and what
    they stop is listed as not read.

References:
    CWE-409. David Fifield, A better zip bomb, WOOT 2019, https://www.bamsoftware.com/hacks/zipbomb/. CVE-2024-0450.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/overlapping-members",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(409,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each archive whose members overlap."""
    return ctx.anomalies("Do not extract the archive; ask its publisher for one that an ordinary tool wrote.")
