"""The entities of an XML text blow up a parser.

What it finds:
    Entities that expand to more than a mebibyte, that hold themselves, or that are very many.

Why it matters:
    A parser that expands them takes all memory or never ends.

Example:
    The billion laughs: ten entities, each of which names the one before ten times.

Remedy:
    Do not load it. Python's parsers stop by themselves with expat 2.4.1 and later; other parsers must be told.

What it cannot see:
    Attributes that are merely long.

References:
    CWE-776. CVE-2013-0340.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="xml/entity-bomb", severity=Severity.HIGH, confidence=Confidence.HIGH, since="0.1.0", cwe=(776,), recorded=True
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each that the reader recorded."""
    yield from ctx.anomalies("Do not load it; ask for a model without a document type.")
