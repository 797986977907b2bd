"""The line that the base's licence asks for stands in no notice.

What it finds:
    Models made from one whose licence asks for a line of attribution in a "Notice" file, without that line in any notice, licence or
    page.

Why it matters:
    The line is a condition of the licence, and says to the next one where the model comes from.

Example:
    A fine-tune of Gemma without "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms".

Remedy:
    Add a file called Notice with the line; ``openvet licenses --use redistribute MODEL`` prints it.

What it cannot see:
    Notices elsewhere, such as on a web page. Pages beyond what is kept of them.

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
    id="license/notice-missing",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each drift of the kind."""
    yield from drifts(
        ctx, "Add a file called Notice with the line; `openvet licenses --use redistribute MODEL` prints it."
    )
