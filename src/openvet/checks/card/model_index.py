"""The evaluation results in a model card are not complete.

What it finds:
    A ``model-index`` that is no list; results without a type of task, without data set, without metrics; metrics without type
    or value; sources without a link.

Why it matters:
    A result that does not say on what it was measured cannot be compared with anything, and the hub's own library refuses the
    card.

Example:
    A metric ``{type: accuracy}`` without ``value``.

Remedy:
    Complete the result, or move it to ``.eval_results``.

What it cannot see:
    Whether the results are true, and whether they are this model's.

References:
    https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/model-index",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Complete the result, or move it to .eval_results.")
