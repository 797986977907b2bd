"""A TensorFlow Lite model needs custom code.

What it finds:
    Operators that are neither built in nor published with a runtime, by their names.

Why it matters:
    The application has to register code for each of them before the model runs. The code is not in the model, and its
    kernels take the operator's options as they are.

Example:
    A custom operator named ``MyFancyOp``.

Remedy:
    Find out which library brings the operator, and whether you trust it.

What it cannot see:
    What the operator does, and whether a library registers something else under a known name.

References:
    https://ai.google.dev/edge/litert/models/ops_custom ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="tflite/custom-op",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("tflite",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operator that nobody publishes; a note for those that are published."""
    from openvet.formats._device import known_names

    remedy = "Find out which library brings the operator, and whether you trust it."
    for component in ctx.components():
        operators = component.metadata.get("operators", {})
        for name, count in operators.get("custom", {}).items():
            known = name in known_names("tflite", "custom")
            yield ctx.finding(
                Location(component.place),
                f"needs code for the custom operator {name or 'without a name'}",
                remedy,
                severity=Severity.NOTE if known else None,
                evidence={"operator": name, "times": count},
            )
        for name, count in operators.get("builtin", {}).items():
            if name.startswith("number "):
                message = f"needs the built-in operator of {name}, which is newer than what is known"
                yield ctx.finding(
                    Location(component.place), message, remedy, evidence={"operator": name, "times": count}
                )
