"""A name looks like a known publisher's and is another one.

What it finds:
    An account of the hub that the model was fetched from, or one that a configuration or card names, that looks like the account of a
    known publisher: other characters that show alike, digits for letters, other separators, words such as ``official`` around it, a
    slip of typing. A heuristic: it compares spellings with the accounts that openvet/data/publishers.toml lists.

Why it matters:
    Who mistypes a name, or reads it in a hurry, loads somebody else's model. Hubs let anybody register a name that is free.

Example:
    ``hf:mistrala1/Mistral-7B-v0.1``; ``"_name_or_path": "meta-1lama/Llama-3.1-8B"`` in ``config.json``.

Remedy:
    Compare the account letter by letter with the one that the publisher's own site links to, and fetch the model from there.

What it cannot see:
    Accounts of publishers that the table does not list, and names that resemble none of them. Whether the other account is honest:
    some are. Short names (below six characters) are compared by looks only and not by slips, since they have honest neighbours.

References:
    Unicode Technical Standard 39, Security Mechanisms; ``openvet origin --format json``.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.origin._suspects import suspects
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="origin/look-alike",
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(1007,),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name that looks like another; a note where it is not the account that the model came from."""
    yield from suspects(
        ctx,
        ("look-alike-account", "look-alike-name", "hidden-characters"),
        "Compare the account letter by letter with the one that the publisher's own site links to.",
    )
