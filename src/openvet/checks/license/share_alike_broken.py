"""A model is not under the licence that what it was made from asks derivatives to have.

What it finds:
    A model made from one under a share-alike or copyleft licence, and a licence of its own that is none of those that it
    accepts. Each finding has the clauses of both.

Why it matters:
    What is passed on under other terms is passed on without a right.

Example:
    ``license: mit`` on a fine-tune of a model under CC-BY-SA-4.0.

Remedy:
    Ask the publisher under which licence the model may be passed on; until then that of the base counts.

What it cannot see:
    Whether weights are a derivative in the sense of the licence, which is contested for some. Other agreements.

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
    id="license/share-alike-broken",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(
        ctx, "Ask the publisher under which licence the model may be passed on; until then that of the base counts."
    )
