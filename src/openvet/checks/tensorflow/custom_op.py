"""A TensorFlow graph needs operations that TensorFlow does not bring.

What it finds:
    Operations that are neither TensorFlow's own nor functions of the graph's library, and operations that hand a program of
    another runtime (TensorRT, XLA custom calls) to it.

Why it matters:
    The graph runs only after somebody loads a native library for it. What the operation does stands in that library, not
    in the model.

Example:
    An operation ``Addons>Gelu`` or ``SentencepieceOp``.

Remedy:
    Find out which package brings the operation (TensorFlow Text, Addons, Recommenders ...), and whether you trust it. Never
    load a library that came with the model unseen.

What it cannot see:
    What the operation does. Operations that TensorFlow gained after the list was made are reported too.

References:
    https://www.tensorflow.org/guide/create_op ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.tensorflow._uses import NEEDS, found, uses
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="tensorflow/custom-op",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each type of operation."""
    said: set[tuple[str, str]] = set()
    remedy = "Find out which package brings the operation, and whether you trust it."
    for program, use in uses(ctx, "", "native"):
        key = (program.location.place, use.op)
        if key not in said:
            said.add(key)
            yield found(
                ctx, program, use, f"the graph needs code for the operation {use.op or 'without a name'}", remedy
            )
