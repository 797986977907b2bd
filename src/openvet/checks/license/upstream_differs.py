"""A copy of weights names another licence than their publisher.

What it finds:
    Weights that are only converted or quantized from a model under a permissive licence, and a licence of their own that is another
    permissive one.

Why it matters:
    The licence of the weights goes on with them, with its notices; the other one was not the publisher's to give.

Example:
    A package with all-MiniLM-L6-v2 in another form that says MIT, where the model is under Apache-2.0.

Remedy:
    Take the licence of the publisher as the one that counts, and keep its notices.

What it cannot see:
    Whether the licence is that of the code in the package alone. What the publisher said since the day of our table.

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
    id="license/upstream-differs",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(ctx, "Take the licence of the publisher as the one that counts, and keep its notices.")
