r"""A pickle breaks before its end.

What it finds:
    A stream in which a loader fails: an opcode that does not exist, a value that is not there, an end without STOP.

Why it matters:
    Everything before the break runs. Payloads are put in front of a deliberate break, because many scanners give up at it and
    report nothing (nullifAI).

Example:
    ``cos\nsystem\n(S'echo'\ntR`` followed by a byte that is no opcode.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). If it should be whole, download it again and compare its digest with the publisher's.

What it cannot see:
    What a lenient loader of another language makes of the rest.

References:
    CWE-502; CWE-1286; ReversingLabs, nullifAI (2025).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import NEEDS
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/broken-stream",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each place that the reader noted."""
    yield from ctx.anomalies("Do not load it; download it again and compare its digest with the publisher's.")
