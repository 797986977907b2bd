"""A file on a server is not the one whose digest the server names.

What it finds:
    A file that was fetched whole from a hub or a registry, with another digest than its listing or manifest says.

Why it matters:
    Somebody on the way, or the server itself, gives other bytes than were published. Whoever downloads the model gets them as well.

Example:
    ``hf:org/name`` lists ``model.safetensors`` with one SHA-256 and delivers bytes that have another.

Remedy:
    Do not load it. Fetch it from the origin and not from a mirror, and tell whoever runs the server.

What it cannot see:
    A file that was fetched only in part: its report says that the digest was not computed; ``--download`` computes it. A server that
    names the digest of what it replaced.

References:
    CWE-494 (download of code without integrity check), CWE-345 (insufficient verification of data authenticity).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/digest-mismatch",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(345, 494),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file with another digest."""
    yield from ctx.anomalies("Do not load it; fetch the model from its origin and compare the digest again.")
