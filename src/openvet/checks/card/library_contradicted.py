"""The files are of another library than the card names.

What it finds:
    A ``library_name`` that cannot be, or that is only the framework beneath (``pytorch``), beside a file that only another library writes: ``model_index.json``,
    ``adapter_config.json``, ``config_sentence_transformers.json`` or a ``config.json`` with architectures.

Why it matters:
    The hub shows code to load the model by the library's name; it does not work, or loads something else.

Example:
    ``library_name: transformers`` beside a ``model_index.json`` of diffusers.

Remedy:
    Ask the publisher to correct the library.

What it cannot see:
    Folders that serve several libraries, and libraries without a file of their own.

References:
    https://huggingface.co/docs/hub/model-cards#specifying-a-library
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/library-contradicted",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    needs=("markdown",),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Ask the publisher to correct the library.")
