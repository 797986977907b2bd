"""The files show another relation to the base model than the card names.

What it finds:
    ``base_model_relation`` that says fine-tuned or merged where the weights are an adapter or quantized; adapter where whole
    weights are there; quantized where all weights are plain floating-point numbers.

Why it matters:
    The relation decides what a licence asks for and where the model is listed.

Example:
    ``base_model_relation: finetune`` beside ``adapter_config.json``.

Remedy:
    Ask the publisher to correct the relation.

What it cannot see:
    Relations that leave no trace in the files: a merge looks like a fine-tuned model.

References:
    https://huggingface.co/docs/hub/model-cards#specifying-a-base-model
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/relation-contradicted",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    needs=("markdown",),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Ask the publisher to correct the relation.")
