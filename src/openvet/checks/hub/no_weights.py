"""A configuration describes a model, and no weights are here.

What it finds:
    A ``config.json`` that names an architecture (``architectures``, ``model_type``, or ``_class_name`` as parts of a pipeline have it) where no file of the
    subject is anything but text.

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

#: What says that a configuration is a model's.
_NAMES = frozenset({"architectures", "model_type", "_class_name"})
_NAMED = 6


def check(ctx: Context) -> Iterator[Finding]:
    """One finding, whatever the number of configurations."""
    if not all(component.formats and _TEXTS.issuperset(component.formats) for component in ctx.inventory.walk()):
        return
    models, index = [], None
    for component in documents(ctx):
        if not isinstance(component.document, dict):
            continue
        if component.basename == "config.json" and not _NAMES.isdisjoint(component.document):
            models.append(component)
        elif component.place == "model_index.json":
            index = component
    if not models:
        return
    place, message = models[0].place, "describes a model whose weights are not here, and so were not examined"
    if index is not None or len(models) > 1:
        folders = [each.place.rpartition("/")[0] or each.place for each in models]
        named = ", ".join(folders[:_NAMED]) + (", ..." if len(folders) > _NAMED else "")
        place = index.place if index is not None else place
        message = f"the weights of {len(models)} models are not here, and so were not examined: {named}"
    yield ctx.finding(Location(place), message, "Check the folder again once the weights are in it.")
