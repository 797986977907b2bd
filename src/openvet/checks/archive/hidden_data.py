"""An archive or compressed stream holds bytes that belong to none of its members.

What it finds:
    Bytes before the first record, between records, in what fills up the last block of an entry of a tar, after the end, after the
    compressed data of a member or stream, or in a folder's entry. Padding with zeros is not reported, nor is the comment of an
    archive. Where such bytes begin as a program, a script or a pickle does, they are examined like any other file.

Why it matters:
    Such bytes are a place to hide a program: the file is an archive for one reader and something else for another. A
    self-extracting archive has a program in front, which runs when the file is started.

Example:
    ``model.zip`` begins with a Windows program of 90 kB; or a pickle follows the end of ``weights.gz``.

Remedy:
    Look at what begins there (the evidence shows the first bytes). Extract the members and pack them anew, which
    leaves the rest behind.

What it cannot see:
    Data hidden in comments and extra fields of records, or what the bytes mean.

References:
    CWE-506. APPNOTE.TXT 4.1.9 (self-extracting files).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/hidden-data",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each run of bytes that no member owns."""
    return ctx.anomalies("Look at the first bytes in the evidence, then extract the members and pack them anew.")
