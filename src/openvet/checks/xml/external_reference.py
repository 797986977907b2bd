"""An XML text draws in other files, or hides markup in entities.

What it finds:
    Document types that lie beside the file, or whose public name goes with an unusual address, XInclude of a file of the folder, style sheets, parameter entities and entities that hold markup.

Why it matters:
    What the text means then depends on files that are not part of the model, or on what stands in another place than it seems.

Example:
    ``<xi:include href="part.xml"/>``.

Remedy:
    Look at what is drawn in; ask for a file that stands for itself.

What it cannot see:
    References that only one program understands.

References:
    CWE-829. https://www.w3.org/TR/xinclude/
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="xml/external-reference",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(829,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each that the reader recorded."""
    yield from ctx.anomalies("Look at what is drawn in; ask for a file that stands for itself.")
