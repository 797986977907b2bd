"""A member of a zip says that it is encrypted.

What it finds:
    Members with the encryption flag, in the directory or in the local header. Where the data can be read as it
    stands, it is read and judged: the flag is then a lie. Where it cannot, the member is listed as not read.

Why it matters:
    What is encrypted cannot be vetted. And a flag that lies stops scanners that believe it, while loaders that
    ignore flags read the plain data.

Example:
    A torch checkpoint with flag bit 0 set on ``data.pkl``: ``zipfile`` asks for a password, other readers do not.

Remedy:
    Ask the publisher for the model without encryption. A model has no need of it: what is secret is kept from others by
    where it is stored. ``torch.load`` ignores the bit in every version; Python's ``zipfile`` refuses the member.

What it cannot see:
    The content of members that truly are encrypted.

References:
    CWE-311. GHSA-w8jq-xcqf-f792 (flag bits that stop a scanner). APPNOTE.TXT 4.4.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/encrypted-member", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", recorded=True
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each member with the flag."""
    return ctx.anomalies("Ask the publisher for the model without encryption.")
