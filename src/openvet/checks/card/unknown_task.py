"""A card names a task that the hub does not know.

What it finds:
    Values of ``pipeline_tag`` and ``task_categories`` that are not among the hub's tasks.

Why it matters:
    Whoever looks for models by task does not find it.

Example:
    ``pipeline_tag: text2text``.

Remedy:
    Write a task of the hub.

What it cannot see:
    Whether the task is the right one.

References:
    https://huggingface.co/tasks
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/unknown-task",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Write a task of the hub.")
