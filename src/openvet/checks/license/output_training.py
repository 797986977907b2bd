"""A model learned from outputs of one whose licence forbids that.

What it finds:
    A model that says that it was distilled from another one, and a licence of that one which lets outputs not be used to improve
    other models.

Why it matters:
    The teacher's licensor may object to every model that was trained so.

Example:
    A model that says that it was distilled from Llama 2, under another name.

Remedy:
    Ask the publisher whether the teacher's licensor allowed it.

What it cannot see:
    Training on outputs that nobody declares. Whether this model is one that the clause leaves out.

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
    id="license/output-training",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(ctx, "Ask the publisher whether the teacher's licensor allowed it.")
