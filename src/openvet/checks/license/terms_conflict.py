"""Two models that were merged have terms that cannot both be kept.

What it finds:
    A merge of a model whose licence lets no terms be added (share-alike, copyleft), with one whose licence adds some, such as
    restrictions on use. Each finding has the clauses of both.

Why it matters:
    Nobody can pass such a merge on and keep both licences.

Example:
    A merge of a model under CC-BY-SA-4.0 with one under an OpenRAIL licence.

Remedy:
    Do not pass it on before both licensors agreed; ask the publisher whether they did.

What it cannot see:
    Whether the terms really touch each other in the case at hand. Other agreements.

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
    id="license/terms-conflict",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(ctx, "Do not pass it on before both licensors agreed; ask the publisher whether they did.")
