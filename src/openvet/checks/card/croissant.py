"""A Croissant description is malformed, or the files say otherwise.

What it finds:
    Descriptions that are no Dataset, of versions that are not known, with resources, record sets and fields that lack what the
    specification asks for, references that lead nowhere, and digests or sizes that are not those of the files beside it.

Why it matters:
    Loaders fetch and parse data by the description. A digest that is not the file's means that the data is other data.

Example:
    A ``FileObject`` without ``contentUrl``.

Remedy:
    Correct the description; fetch the data anew where a digest differs.

What it cannot see:
    Whether data behind links is what it describes: nothing is fetched. Descriptions of version 0.8.

References:
    https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/croissant",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("json",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Correct the description; fetch the data anew where a digest differs.")
