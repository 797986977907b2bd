"""A model's name does not begin as the licence of its base asks.

What it finds:
    Names that the model gives itself (in its card or its keys), where the licence of what it was made from asks derivatives to begin
    their names with a word, such as "Llama" or "EXAONE".

Why it matters:
    The rule is a condition of the licence, and easily kept.

Example:
    ``general.name`` ``My Assistant`` with ``base_model: meta-llama/Llama-3.1-8B``.

Remedy:
    Rename it, or ask the publisher to.

What it cannot see:
    The name under which it is served. The name of the folder or file counts as nobody's statement. Quantized copies are not asked.

References:
    docs/guide/may-we-use-it.md
    https://arxiv.org/abs/2509.09873
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.license._drift import drifts
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="license/name-rule",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(ctx, "Rename it, or ask the publisher to.")
