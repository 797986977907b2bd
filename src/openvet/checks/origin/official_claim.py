"""A model claims to be a publisher's own, and its account is not known to be that publisher's.

What it finds:
    Models fetched from a hub that are called as a known publisher calls its models, say ``official`` in the name or in the card, name no
    base model, and lie under an account that openvet/data/publishers.toml does not list for that publisher. A heuristic from wording.

Why it matters:
    A copied card under another account is how a replaced model gets trusted.

Example:
    ``hf:llama-official-release/Llama-3.1-8B-Instruct``.

Remedy:
    Fetch the model from the publisher's own account; ``openvet origin`` names those that are known.

What it cannot see:
    Accounts of the publisher that the table does not list yet, which it may take for somebody else's. Claims in other words or
    languages. Models in a local folder, where nothing says which account they came from.

References:
    ``openvet origin``; https://unit42.paloaltonetworks.com/model-namespace-reuse/
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.origin._suspects import suspects
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="origin/official-claim",
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """At most one finding for a model."""
    yield from suspects(
        ctx,
        ("claims-official",),
        "Fetch the model from the publisher's own account; openvet origin names those that are known.",
    )
