"""An ONNX model contradicts itself.

What it finds:
    Tensors whose extents are negative or overflow 64 bits, tensors with more or fewer bytes than their extents need, functions
    that call themselves, fields that stand there twice where a model has one. Constants of which operations make more elements than a
    machine holds (``ConstantOfShape``, ``Tile``, ``Range``, ``Resize`` ...), and loops over constants that never end.

Why it matters:
    A loader that believes the extents reads or writes beyond the bytes that there are. Where fields stand there twice, two
    readers see two models. Functions in a circle never end where a loader puts them in place of their calls. Extents that lead out
    of the data, and circles, are high: no exporter writes them.

Example:
    An initializer of ``4294967296 x 4294967296`` elements with eight bytes of data.

Remedy:
    Do not load the model. Get it again from its publisher, or export it again.

What it cannot see:
    Whether the shapes that nodes give each other fit; sizes that depend on what the model is given.

References:
    https://github.com/onnx/onnx/blob/main/onnx/onnx.proto ; CWE-190, CWE-125, CWE-400, CWE-674, CWE-789, CWE-835.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="onnx/structure-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(190, 125, 400, 674, 789, 835),
    needs=("onnx", "onnx-tensor"),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each contradiction."""
    for finding in ctx.anomalies("Do not load it; get the model again from its publisher, or export it again."):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("beyond") else finding
