"""The text of another licence lies with the model than the one that is declared.

What it finds:
    Models of which a card, a header or a configuration declares a licence, while the licence files with them hold the texts of others,
    and none that the declaration may mean. Both are shown with their places.

Why it matters:
    One of the two is wrong, and the duties of the wrong one are not those that count. A fine-tune often keeps the file of its base and
    declares a freer licence.

Example:
    ``license: apache-2.0`` in the card, and the Llama 3.1 Community License in ``LICENSE``.

Remedy:
    Ask the publisher which one counts; until then, keep the duties of both.

What it cannot see:
    Licences whose texts are not in our collection, and texts that are only linked. What several licences may be called is held against
    all of them.

References:
    https://huggingface.co/docs/hub/repositories-licenses
    https://spdx.github.io/spdx-spec/v3.0.1/annexes/license-matching-guidelines-and-templates/
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="license/differs",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("text", "markdown"),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each declaration of the model itself that no text agrees with."""
    from openvet.licenses.examine import find_licenses

    seen = ctx.inventory.once(find_licenses)
    if seen.model.state != "differ":
        return
    texts = [each for each in seen.found if each.scope == "model" and each.keys in seen.model.found]
    keys = {key for each in texts for key in each.keys}
    for each in seen.declared:
        if each.scope == "model" and each.keys and keys.isdisjoint(each.keys):
            there = " and ".join(
                dict.fromkeys(f"{' or '.join(text.keys[:4])} ({text.source.place})" for text in texts[:4])
            )
            yield ctx.finding(
                each.source,
                f"declares {each.expression or ' or '.join(each.keys[:4])}, and the text that lies with the model is that of {there}",
                "Ask the publisher which of the two licences counts.",
                evidence={
                    "declared": list(each.keys),
                    "found": sorted(keys),
                    "textLocations": [text.source.to_json() for text in texts[:4]],
                },
            )
