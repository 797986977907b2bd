"""Bytes follow the end of a pickle that belong to nothing.

What it finds:
    Anything but padding behind the last STOP, or behind the last storage of a PyTorch legacy file.

Why it matters:
    Loaders ignore it. It is a place to hide data or a second file for another reader.

Example:
    A zip appended to a pickle.

Remedy:
    Get the file again, or find out what wrote the rest.

What it cannot see:
    What the bytes are.

References:
    CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import NEEDS
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/trailing-data",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    needs=NEEDS,
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each place that the reader noted."""
    yield from ctx.anomalies("Find out what the rest is, or get the file again from its publisher.")
