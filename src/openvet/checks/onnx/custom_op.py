"""An ONNX model needs custom code.

What it finds:
    Operations of domains that ONNX Runtime does not bring, and operations of the standard domain that ONNX never had, where
    they are no functions of the model itself. Libraries that Microsoft publishes with the runtime, and the plugins that come
    with TensorRT, are a note.

Why it matters:
    Whoever runs the model has to load a library for them, which is native code.

Example:
    A node of the domain ``my.domain``.

Remedy:
    Find out which library brings the domain, and whether you trust it. Never load a library that came with the model
    unseen.

What it cannot see:
    What the operation does, and operations that a build of the runtime adds to a known domain.

References:
    https://onnxruntime.ai/docs/reference/operators/add-custom-op.html ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.tables import read_table
from openvet.core.text import shorten

__all__ = ["RULE", "check"]

RULE = Rule(
    id="onnx/custom-op",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("onnx", "onnx-tensor", "ort"),
)


#: Domains under which the plugins of TensorRT are written.
_PLUGINS = frozenset({"ai.onnx", "trt.plugins"})


@cache
def _standard(table: str) -> frozenset[str]:
    """Names in the standard domain: those that ONNX has or had, or those of TensorRT's plugins."""
    data = read_table("onnx_ops")
    return frozenset(data[table]["ai.onnx"].split())


def _named(operations: list[str]) -> str:
    """Some of the operations by name: what to look for in a library."""
    more = f" and {len(operations) - 3} more" if len(operations) > 3 else ""
    return f"{'the operation' if len(operations) == 1 else 'the operations'} {shorten(', '.join(operations[:3]), 200)}{more}"


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each domain of each model."""
    from openvet.formats._device import known_names

    brought, published = known_names("onnx", "domains"), known_names("onnx", "published")
    for component in ctx.components():
        own = set(component.metadata.get("functions", ()))
        domains: dict[str, list[str]] = {}
        for name in component.metadata.get("operations", {}):
            domain, _, operation = name.rpartition(":")
            foreign = domain not in brought
            if domain == "ai.onnx" and {"onnx", "onnx-tensor"} & set(component.formats):
                foreign = operation not in _standard("ops")
            if foreign and name not in own:
                domains.setdefault(domain, []).append(operation)
        for domain, operations in domains.items():
            plugins = domain in _PLUGINS and _standard("published").issuperset(operations)
            yield ctx.finding(
                Location(component.place),
                f"needs code for {_named(operations)} of the domain {domain}",
                "Find out which library brings the domain, and whether you trust it.",
                severity=Severity.NOTE if domain in published or plugins else None,
                evidence={"operations": operations[:20]},
            )
