"""A file breaks the rules of its own format, so it could not be read to its end.

What it finds:
    A reader recognised the format and then met something that the format does not allow: a length beyond the end, a
    wrong mark, a structure that breaks off.

Why it matters:
    Damage and attack look the same here. Many attacks are files that a scanner gives up on and a lenient loader
    still runs; what stood before the break has been read and is reported by the other rules.

Example:
    A pickle that ends in the middle of an opcode, after a call that has already been made.

Remedy:
    Compare the digest with the publisher's and get the file again. If the publisher's copy is the same, do not load
    it.

What it cannot see:
    What stands after the break.

References:
    Design law 1: unread is never clean; CWE-20.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/malformed", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", cwe=(20,), recorded=True
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file that broke its reader."""
    yield from ctx.anomalies("Get the file again from its publisher; if it is the same there, do not load it.")
