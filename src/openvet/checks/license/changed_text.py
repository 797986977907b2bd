"""The text of a licence is not as it is published.

What it finds:
    Texts of known licences with words added, removed or replaced, by comparison with the published text. Years, names of holders, what a
    text leaves to be filled in, wrapping and marks of Markdown or HTML are no changes.

Why it matters:
    A word makes another licence: "not", a territory, a number of users. A text that is called MIT and has a clause more is not MIT, and
    programs that know licences by their names do not see it.

Example:
    The MIT licence with "for non-commercial purposes" in its first sentence.

Remedy:
    Read what was changed, which the finding names; it is another licence.

What it cannot see:
    What a change means. Texts of which less than nine in ten words are there are not called by the name of the licence at all.

References:
    https://spdx.github.io/spdx-spec/v3.0.1/annexes/license-matching-guidelines-and-templates/
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="license/changed-text",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("text", "markdown"),
    whole=True,
)
_SHOWN = 5


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each text of a licence with changes, at the first of them."""
    from openvet.licenses.examine import find_licenses

    for each in ctx.inventory.once(find_licenses).found:
        if each.extent == "near" or not each.changes:
            continue
        first = each.changes[0]
        what = f"{first.kind} {first.text or first.published!s}"
        place = each.source
        yield ctx.finding(
            Location(place.place, line=first.line if place.pointer is None else place.line, pointer=place.pointer),
            f"is the text of {' or '.join(each.keys[:4])} with {each.words_added} words added and {each.words_removed} removed, the first: {what}",
            "Read what was changed: it is another licence.",
            evidence={
                "keys": list(each.keys),
                "wordsAdded": each.words_added,
                "wordsRemoved": each.words_removed,
                "changes": [change.to_json() for change in each.changes[:_SHOWN]],
            },
        )
