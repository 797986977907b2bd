"""The licence that a card names stands for several licences.

What it finds:
    Ids that name a family, such as ``cc``, ``gpl``, ``bsd`` or ``openrail``.

Why it matters:
    ``cc`` is anything from everything allowed to nothing sold and nothing changed. No one can keep a licence without knowing
    which it is.

Example:
    ``license: cc``.

Remedy:
    Ask the publisher which licence of the family is meant; until then the strictest one counts.

What it cannot see:
    Whether a text beside the card says which one is meant.

References:
    https://huggingface.co/docs/hub/repositories-licenses
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/ambiguous-license",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(
        ctx, "Ask the publisher which licence of the family is meant; until then the strictest one counts."
    )
