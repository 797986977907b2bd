"""A TensorFlow Lite model takes weights from a file outside the model.

What it finds:
    Groups of external buffers whose name is absolute, an address, or climbs out of the folder.

Why it matters:
    The runtime maps the file that the name says, whatever it is, and the model can hand its bytes on.

Example:
    An external buffer group named ``../../../etc/passwd``.

Remedy:
    Do not load it; weights belong beside the model.

What it cannot see:
    Names of files beside the model that are links to somewhere else.

References:
    schema.fbs of TensorFlow, ExternalBufferGroup; CWE-22.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="tflite/outside-path",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22,),
    needs=("tflite",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that the reader recorded for this rule."""
    yield from ctx.anomalies("Do not load it; weights belong beside the model.")
