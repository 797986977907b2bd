"""A card names a language by something that is no code.

What it finds:
    Values of ``language`` that are neither ISO 639-1 codes, nor of the form of an ISO 639-2 or 639-3 code, nor ``code`` or
    ``multilingual``. Tags such as ``pt-BR`` belong into ``language_bcp47``.

Why it matters:
    Whoever looks for models by language does not find it.

Example:
    ``language: english``.

Remedy:
    Write the code of the language.

What it cannot see:
    Codes of three letters that no language has: only their form is looked at.

References:
    https://www.loc.gov/standards/iso639-2/php/code_list.php
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/language-code",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    needs=("markdown",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Write the code of the language.")
