"""A card names a licence of its own and does not say which.

What it finds:
    ``license: other`` without ``license_name`` or ``license_link``, and a ``license_link`` to a file that is not here.

Why it matters:
    There is no licence that can be read, kept or compared.

Example:
    ``license: other`` and nothing else.

Remedy:
    Ask the publisher for the licence's name and text.

What it cannot see:
    Whether a link leads to a licence: nothing is fetched.

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
    id="card/unnamed-license",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Ask the publisher for the licence's name and text.")
