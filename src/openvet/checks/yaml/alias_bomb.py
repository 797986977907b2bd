"""A YAML text becomes larger than any memory when a loader reads it.

What it finds:
    Texts whose aliases (``*a``) name lists or maps that are made of aliases themselves, so that a text of some hundred characters
    stands for a thousand million values; front matter of Markdown too.

Why it matters:
    A loader keeps such a text small until something goes through it: printing it, writing it as JSON, copying it, merging its maps.
    Then the process takes all memory, and the machine stops answering.

Example:
    ``a: &a [x, x, x, x, x, x, x, x, x]``, then ``b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]``, and so on for ten lines.

Remedy:
    Do not load it. No settings of a model need more than some aliases.

What it cannot see:
    What a program does with a text of ordinary size.

References:
    CWE-776; https://yaml.org/spec/1.1/ , anchors and aliases.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="yaml/alias-bomb",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(776,),
    needs=("yaml", "markdown"),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each text."""
    yield from ctx.anomalies("Do not load it.")
