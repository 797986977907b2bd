"""A TensorFlow graph writes or reads a checkpoint at a place that it chooses itself.

What it finds:
    ``Save``, ``SaveV2``, ``MergeV2Checkpoints`` (high) and ``Restore``, ``RestoreV2`` (low) whose path is a constant that
    leads out of the model's folder: an absolute path, ``..``, an address. A path that is put together out of constants by
    decoding or replacing is told as well. Saving to a path that the caller gives is how every SavedModel works, and is not
    reported.

Why it matters:
    Whoever calls the function writes a file where the model says. Restoring from a fixed place loads weights that are not
    the ones that were checked.

Example:
    A function ``serving_default`` with ``SaveV2`` to ``/etc/cron.d/job``.

Remedy:
    Do not load a graph that saves to a fixed place. For one that restores from a fixed place, make sure that nothing is there.

What it cannot see:
    Paths that are only known when the graph runs.

References:
    https://github.com/tensorflow/tensorflow/blob/master/SECURITY.md ; CWE-73.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.tensorflow._uses import NEEDS, found, outside, uses
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="tensorflow/checkpoint-path",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(73,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operation with another path."""
    remedy = "Do not run it: the model chooses where the file is written."
    for program, use in uses(ctx, "save"):
        path = outside(use)
        if path:
            yield found(ctx, program, use, f"the graph writes a checkpoint to {path}", remedy)
        elif use.computed:
            message = "the graph writes a checkpoint to a place that it puts together itself"
            yield found(ctx, program, use, message, remedy, Severity.MEDIUM)
    for program, use in uses(ctx, "restore"):
        path = outside(use)
        if path:
            remedy = "Make sure that nothing is at this place before you load the model."
            yield found(ctx, program, use, f"the graph reads a checkpoint from {path}", remedy, Severity.LOW)
