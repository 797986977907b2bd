"""A model's licence drops restrictions of what it was made from.

What it finds:
    A model that names a base model, and a licence that lets people do what the base model's licence does not: commerce, use
    without its restrictions, use by more people than it allows, training on outputs, and the like. Both licences have to be
    sure, and the text of the base's licence must not lie beside the model. Each finding has the clauses of both.

Why it matters:
    Whoever takes the model under its own licence does what the licensor of the base never allowed, and finds out late. A third
    of the steps from models to what is built of them lose clauses (arXiv 2509.09873).

Example:
    ``license: apache-2.0`` with ``base_model: meta-llama/Llama-3.1-8B``.

Remedy:
    Ask the publisher; until then what the base asks for counts too. ``openvet licenses --use ... MODEL`` lists it.

What it cannot see:
    Other agreements with the licensor. Whether the base model is really the one that is named. Licences of bases that neither
    files nor the table of known models have. What a court would hold.

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
    id="license/restriction-dropped",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(
        ctx,
        "Ask the publisher; until then what the base asks for counts too. `openvet licenses --use ... MODEL` lists it.",
    )
