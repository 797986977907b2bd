"""The architecture's head is made for another task than the card names.

What it finds:
    A ``pipeline_tag`` that the head in ``architectures`` of ``config.json`` cannot serve. Heads that serve many tasks are
    judged by the few that they cannot.

Why it matters:
    Loaders pick the head by the task. A head that is not in the file is made of random numbers, and answers.

Example:
    ``pipeline_tag: token-classification`` and ``LlamaForCausalLM``.

Remedy:
    Ask the publisher which task the weights are for.

What it cannot see:
    Heads that our table does not know, and custom code.

References:
    https://huggingface.co/docs/transformers/main/en/main_classes/pipelines
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/task-contradicted",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    needs=("markdown",),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Ask the publisher which task the weights are for.")
