"""The frames of a pickle contradict its opcodes, so that two unpicklers read two programs.

What it finds:
    A frame that ends inside an opcode, begins inside another one, goes beyond the end of the file or on behind STOP.

Why it matters:
    CPython's unpickler in C ignores frames where the one in Python stops, and the other way round. Who looks with one of them
    does not see what the other runs. No pickler writes such frames.

Example:
    A FRAME of length 0 in front of the payload.

Remedy:
    Do not load the file. Get it again from the publisher.

What it cannot see:
    Which of the two unpicklers you use. Both readings are reported.

References:
    CWE-436; PEP 3154, section Framing.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import NEEDS
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/frame-mismatch",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each place that the reader noted."""
    yield from ctx.anomalies("Do not load it; get the file again from its publisher.")
