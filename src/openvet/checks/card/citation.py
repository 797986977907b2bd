"""A citation file is not of its format.

What it finds:
    ``CITATION.cff`` that is no YAML, without ``authors``, ``cff-version``, ``message`` or ``title``, or with values of another
    form.

Why it matters:
    Programs cannot read how the model wants to be cited.

Example:
    A title with a colon and without quotes.

Remedy:
    Correct the file; quote texts that hold a colon.

What it cannot see:
    Whether what it says is true.

References:
    https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema-guide.md
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/citation",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("citation",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Correct the file; quote texts that hold a colon.")
