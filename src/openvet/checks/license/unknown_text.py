"""A licence file has terms of no licence that is known.

What it finds:
    Licence files whose text, or a paragraph beside a known text, speaks of rights and is of no licence in our collection; and texts that
    use the words of a known licence under another title.

Why it matters:
    Nobody but a person can say what such terms ask for. A known text with further terms below it is not that licence alone.

Example:
    ``LICENSE`` with the MIT licence, and below it "products with more than 100 million users must show the model's name".

Remedy:
    Read the terms; ask the publisher for a licence with a name where they are unclear.

What it cannot see:
    Paragraphs of fewer than twenty words, and ones that speak of rights in other languages than English.

References:
    https://spdx.github.io/spdx-spec/v3.0.1/annexes/license-matching-guidelines-and-templates/
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="license/unknown-text",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    needs=("text", "markdown"),
    whole=True,
)
_REMEDY = "Read the terms: nothing is known of what they ask for."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each licence file with such terms."""
    from openvet.licenses.examine import find_licenses

    seen = ctx.inventory.once(find_licenses)
    like = {each.source.place: each for each in seen.found if each.extent == "near"}
    for where in seen.unknown_texts:
        near = like.get(where.place)
        message = "has terms of no licence that is known"
        evidence = {}
        if near is not None:
            message += f"; they use words of {' or '.join(near.keys[:4])} under another title"
            evidence = {"like": list(near.keys), "matched": near.matched, "ofText": near.of_text}
        yield ctx.finding(where, message, _REMEDY, evidence=evidence)
