"""The text of the base's licence, which has to go along, is not there.

What it finds:
    Models made from one whose licence asks for a copy of it with every copy or derivative, without that text. Where the model names the
    very licence, and it restricts nothing, an id counts as enough for silence.

Why it matters:
    Whoever gets the model does not get the terms that bind it.

Example:
    A quantized Llama 3.1 without the Llama 3.1 Community License Agreement.

Remedy:
    Add the text of the base's licence; ``openvet licenses --use redistribute MODEL`` says which.

What it cannot see:
    Texts elsewhere, and copies that were changed so much that they are not recognised.

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
    id="license/copy-missing",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(
        ctx, "Add the text of the base's licence; `openvet licenses --use redistribute MODEL` says which."
    )
