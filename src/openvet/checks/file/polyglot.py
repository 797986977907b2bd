"""A file reads as two formats at once.

What it finds:
    More than one format recognises the bytes without doubt, for instance an image at the front and a zip archive at
    the end.

Why it matters:
    What the file is then depends on who opens it. A scanner that looks at one format admits it, and a loader that
    takes it for the other runs what is inside.

Example:
    A PNG image with a PyTorch archive behind it, named ``model.pt``.

Remedy:
    Do not load it. Ask the publisher what it is meant to be, and for a file that is only that.

What it cannot see:
    A second format that begins neither at the front nor at the end of the file, and that no reader recognises
    there.

References:
    Ange Albertini, "Funky file formats"; CWE-434.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/polyglot", severity=Severity.HIGH, confidence=Confidence.MEDIUM, since="0.1.0", cwe=(434,), recorded=True
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file that is more than one format."""
    yield from ctx.anomalies("Do not load it; no honest model is two formats at once.")
