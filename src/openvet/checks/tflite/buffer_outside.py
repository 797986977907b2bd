"""A TensorFlow Lite model takes data from where there is none of its own.

What it finds:
    Buffers and options of operators whose offset and size lie outside the file, or over the description of the model.

Why it matters:
    Large models keep weights behind the buffer, by offset and size. A runtime that trusts both reads foreign memory.

Example:
    A buffer at 4096 of 2**40 bytes in a file of a megabyte.

Remedy:
    Download it again; if that does not help, do not load it.

What it cannot see:
    Weights that lie inside the file and are other weights than the author's.

References:
    schema.fbs of TensorFlow, Buffer.offset and Operator.large_custom_options_offset; CWE-125.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="tflite/buffer-outside",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(125,),
    needs=("tflite",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly that the reader recorded for this rule."""
    yield from ctx.anomalies("Download it again; if that does not help, do not load it.")
