"""An ONNX model brings a compiled model, or loads one from another file.

What it finds:
    EPContext nodes, whose context is the path of a file or a compiled model in the node; a path that leads out of the
    model's folder is high.

Why it matters:
    The driver of a device loads the file as it is. Compiled models are code for that device, and nothing here can
    read them.

Example:
    ``ep_cache_context`` set to ``../../engine.bin``.

Remedy:
    Build the compiled model yourself from the ONNX model; refuse paths that lead outside.

What it cannot see:
    What the compiled model does.

References:
    https://onnxruntime.ai/docs/execution-providers/EP-Context-Design.html ; CWE-22, CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="onnx/compiled-context",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22, 829),
    needs=("onnx", "onnx-tensor", "ort"),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each path."""
    remedy = "Build the compiled model yourself from the ONNX model."
    for each in ctx.anomalies(remedy):
        outside = each.evidence.get("outside")
        yield ctx.finding(
            each.location,
            each.message,
            remedy,
            severity=Severity.HIGH if outside else None,
            evidence=each.evidence,
        )
