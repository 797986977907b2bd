"""The weights are an adapter or quantized, and the card names no base model.

What it finds:
    Adapters (``adapter_config.json``) and quantized weights (GGUF, GPTQ, AWQ and others) whose card has no ``base_model``, and
    a relation without one. Kinds of weights that makers publish as their first release, such as FP8, are left out.

Why it matters:
    Licence, limits and advisories of the base model hold for what was made of it. Without its name they cannot be looked up.

Example:
    A folder with ``adapter_config.json`` and a card without ``base_model``.

Remedy:
    Ask the publisher for the base model.

What it cannot see:
    A base model that stands in the prose only.

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
    id="card/base-model-missing",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    needs=("markdown",),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Ask the publisher for the base model.")
