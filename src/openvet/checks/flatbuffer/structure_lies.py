"""A FlatBuffer is not laid out as an honest writer lays it out.

What it finds:
    Tables that are used as two types, fields that share their bytes, texts without an end mark, indices and segments
    that lead nowhere, tensors that need more bytes than their buffer has. Loops over constants that never end, or only after an absurd number of turns, are high; so are
    graphs of TensorFlow Lite that run themselves again by a branch, a loop or a call, and reshapes with more extents than their output.

Why it matters:
    Runtimes on devices often skip the verifier for speed, and follow such offsets into foreign memory. Two readers
    may also see two models in one file. A graph that runs itself exhausts the stack while it is prepared, and extents without room are
    written over what lies behind them.

Example:
    A tensor that names buffer 900 of a model with ten buffers.

Remedy:
    Do not load it with TensorFlow Lite before 2.3.1, and ask the author for a model that a current converter has written.

What it cannot see:
    Offsets that are valid and lead to values that are wrong. What leads out of the file is reported as
    file/malformed.

References:
    https://flatbuffers.dev/internals/ ; CVE-2020-15212, CVE-2020-15211 (TensorFlow Lite before 2.3.1);
    CVE-2021-29591 (before 2.5); https://github.com/tensorflow/tensorflow/issues/124982 ; CWE-20, CWE-125, CWE-674, CWE-787, CWE-835.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="flatbuffer/structure-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(20, 125, 674, 787, 835),
    needs=("tflite", "executorch", "ort"),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that a reader recorded for this rule."""
    for finding in ctx.anomalies("Do not load it; ask the author for a model that a current converter has written."):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("beyond") else finding
