"""The metadata of a card is not of the form that the hub takes.

What it finds:
    Front matter that is no map; fields of the wrong kind (``tags`` as a text, a map as ``license``, ``no`` for Norwegian, which
    YAML reads as false); relations that there are not; base models and data sets that are no ids of a hub, or links in the place of ids; keys that
    are nearly one of the hub's (``licence``).

Why it matters:
    What is malformed is not shown, not searched and not compared: a licence in a field of the wrong kind is no licence to a
    program.

Example:
    ``language: no`` or ``base_model: ./checkpoint-500``.

Remedy:
    Correct the field; quote words that YAML takes for something else.

What it cannot see:
    Fields of its own that a publisher added: the hub names no kind for them.

References:
    https://github.com/huggingface/hub-docs/blob/main/modelcard.md ;
    https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/malformed-metadata",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Correct the field; quote words that YAML takes for something else.")
