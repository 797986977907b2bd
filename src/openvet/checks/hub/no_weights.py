"""A configuration describes a model, and no weights are here.

What it finds:
    A ``config.json`` that names an architecture where no file of the subject is anything but text.

Why it matters:
    The report says nothing about weights that are not here: those that a loader fetches later were not examined.

Example:
    A folder with ``config.json`` and ``tokenizer.json`` only.

Remedy:
    Check the folder again once the weights are in it.

What it cannot see:
    Weights that are here and belong to another model.

References:
    https://huggingface.co/docs/transformers/main/en/main_classes/configuration
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._walk import documents
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/no-weights",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1059,),
    needs=("json",),
)

_TEXTS = frozenset({"text", "json", "yaml", "toml", "markdown", "jinja", "python", "notebook", "shell", "git-config", "empty",
                    "requirements", "png", "jpeg", "gif", "webp", "sentencepiece"})  # fmt: skip


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for the first configuration."""
    if not all(component.formats and _TEXTS.issuperset(component.formats) for component in ctx.inventory.walk()):
        return
    for component in documents(ctx):
        document = component.document
        if (
            component.basename == "config.json"
            and isinstance(document, dict)
            and ("architectures" in document or "model_type" in document)
        ):
            yield ctx.finding(
                Location(component.place),
                "describes a model whose weights are not here, and so were not examined",
                "Check the folder again once the weights are in it.",
            )
            return
