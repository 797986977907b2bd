"""A model card does not name a licence.

What it finds:
    Model cards with metadata and without ``license``, beside weights. Data sets that are not named either are told in the same
    sentence.

Why it matters:
    Without a licence nothing is allowed that the law does not allow anyway. Without data sets nobody can judge what the model
    has learned.

Example:
    Front matter with ``tags`` only.

Remedy:
    Ask the publisher for a licence. ``openvet card`` lists everything else that the card leaves out.

What it cannot see:
    Licences that stand in the prose or in a file of their own.

References:
    https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/incomplete",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Ask the publisher for a licence; openvet card lists what else is left out.")
