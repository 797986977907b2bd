"""A file names another base model than the card.

What it finds:
    ``base_model_name_or_path`` of an adapter and ``general.base_model.N.repo_url`` of GGUF files, where they are ids of a hub,
    that are none of the card's base models.

Why it matters:
    An adapter on another base than the one it was trained on does something else, and another licence may hold.

Example:
    ``base_model: org/a`` in the card, ``org/b`` in ``adapter_config.json``.

Remedy:
    Ask the publisher which one it was trained on; a quantized copy of the same model is a usual reason.

What it cannot see:
    Two names of one model, and paths on the publisher's disk.

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
    id="card/base-model-differs",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    needs=("markdown",),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(
        ctx, "Ask the publisher which one it was trained on; a quantized copy of the same model is a usual reason."
    )
