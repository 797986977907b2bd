"""An OpenVINO network needs layers that OpenVINO does not have.

What it finds:
    Layers whose version is none of the operation sets.

Why it matters:
    The network works only with a library that adds the layers, and ``Core.add_extension`` loads native code.

Example:
    ``<layer type="MyOp" version="extension">``.

Remedy:
    Find out which library is meant, and build it from source that you have read.

What it cannot see:
    What the layers do.

References:
    CWE-829. https://docs.openvino.ai/2025/documentation/openvino-extensibility.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="openvino/custom-layer",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("xml",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each network with such layers."""
    for component in ctx.components():
        custom = component.metadata.get("custom_layers", ())
        if custom:
            yield ctx.finding(
                Location(component.place),
                f"needs layers of a library: {', '.join(custom[:8])}",
                "Find out which library is meant, and build it from source that you have read.",
                evidence={"layers": list(custom[:100])},
            )
