"""The frames of a pickle contradict its opcodes, so that two unpicklers read two programs.

What it finds:
    A frame that ends inside an opcode, begins inside another one, goes beyond the end of the file or on behind STOP.

Why it matters:
    CPython's unpickler in C goes on where the one in Python stops, and the other way round. Where a frame ends inside an
    argument, the one in C even forgets what is left of the frame and reads on behind it, so that it sees other names than whoever
    reads the bytes in order. No pickler writes such frames.

Example:
    ``GLOBAL os xsystem`` in a frame that ends behind the ``x``: read from memory that is ``os.xsystem``, and ``os.system`` when
    ``torch.load`` reads it out of a zip.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get it again from the publisher.

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
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each place that the reader noted."""
    yield from ctx.anomalies("Do not load it; get the file again from its publisher.")
