"""A file of evaluation results is not complete.

What it finds:
    Entries of ``.eval_results/*.yaml`` without ``dataset.id``, ``dataset.task_id`` or ``value``, with a source without link, or
    with a date that is none.

Why it matters:
    A result that does not say on what it was measured cannot be compared with anything, and the hub does not show it.

Example:
    ``- value: 0.412`` without a data set.

Remedy:
    Complete the entry.

What it cannot see:
    Whether the results are true. A ``verifyToken`` is told of and not verified: only the hub can.

References:
    https://huggingface.co/docs/hub/eval-results ; https://github.com/huggingface/hub-docs/blob/main/eval_results.yaml
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/eval-results",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("yaml",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Complete the entry.")
