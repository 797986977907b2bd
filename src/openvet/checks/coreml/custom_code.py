"""A Core ML model needs code or another model that is not in it.

What it finds:
    Custom layers and custom models with the class that the application has to bring, models that are linked from other
    files, and operations of ML programs that Core ML tools do not have.

Why it matters:
    The class is looked up by its name in the application and gets the parameters of the model. What it does is not in the
    model, and a model that is linked is examined by nobody.

Example:
    A layer ``custom`` with the class name ``MySwish``.

Remedy:
    Find out which library brings the class, and whether you trust it; examine the linked model as well.

What it cannot see:
    What the class does.

References:
    https://developer.apple.com/documentation/coreml/mlcustomlayer ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="coreml/custom-code",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("coreml", "coreml-mil"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each model and each kind of thing that it lacks."""
    from openvet.formats._device import known_names

    remedy = "Find out which library brings the code, and whether you trust it."
    for component in ctx.components():
        where = Location(component.place)
        facts = component.metadata
        operations = sorted(set(facts.get("operations", {})) - known_names("coreml", "operations"))
        for what, names in (
            ("needs code of the application", facts.get("custom_code", ())),
            ("needs operations that Core ML does not publish", operations),
            ("is made of models in other files", facts.get("linked_models", ())),
        ):
            if names:
                yield ctx.finding(
                    where, f"{what}: {', '.join(names[:8])}", remedy, evidence={"names": list(names[:100])}
                )
