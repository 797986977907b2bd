"""An XML text holds a script.

What it finds:
    Script elements, event attributes and script links of pictures, and script extensions of PMML.

Why it matters:
    A browser runs the script of an SVG picture that is opened by itself; an engine with extensions runs those of a model.

Example:
    ``<svg onload="fetch(...)">``.

Remedy:
    Delete the picture, or show it only through an image element. Ask for a model without scripts.

What it cannot see:
    What the script does.

References:
    CWE-79, CWE-94. https://www.w3.org/TR/SVG2/interact.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="xml/script", severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, since="0.1.0", cwe=(79,), recorded=True
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each that the reader recorded."""
    yield from ctx.anomalies("Delete it, or ask for a file without scripts.")
