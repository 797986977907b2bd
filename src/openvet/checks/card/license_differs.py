"""A file names another licence than the card.

What it finds:
    Licences in GGUF keys, safetensors metadata, ``config.json``, ``CITATION.cff`` and the names of licence files that are not
    the card's. Both are declarations, and they are shown side by side.

Why it matters:
    One of the two is wrong, and the wrong one may be the one that somebody relies on. Conversions often keep the licence of the
    base model.

Example:
    ``license: mit`` in the card, ``general.license`` ``apache-2.0`` in the GGUF file.

Remedy:
    Ask the publisher which one counts.

What it cannot see:
    Licences in texts: only ids and names are compared. Names that cannot be brought to one id are not compared.

References:
    https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/license-differs",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Ask the publisher which of the two licences counts.")
