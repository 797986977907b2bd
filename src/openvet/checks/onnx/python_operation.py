"""An ONNX model calls Python, or an operator of PyTorch that opens files.

What it finds:
    ``PythonOp``, ``PythonOpGrad``, ``PyOp`` and ``PyCustomOp`` nodes that are no functions of the model itself; ``PyCustomOpDef`` nodes of
    onnxruntime-extensions, which call a function that the loading program has registered (medium); and ``ATen`` nodes whose operator
    reads or writes files or leaves the runtime.

Why it matters:
    ONNX Runtime's builds for training and its language interop import the module that such a node names and call what they find
    there, with the rights of the process. ``ATen`` hands the name of an operator on to PyTorch.

Example:
    A ``PythonOp`` node whose ``func_name`` is ``os.system``.

Remedy:
    Do not run the model. Ask for one that was exported without Python functions. The ordinary build of ONNX Runtime refuses
    these operations in every version; those for training and interop run them.

What it cannot see:
    Whether the build that loads the model knows the operation, and what the Python function does.

References:
    https://onnxruntime.ai/docs/extensions/ ; ``onnxruntime/core/language_interop_ops`` of ONNX Runtime; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.torch._scripts import kind_of
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="onnx/python-operation",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(829,),
    needs=("onnx", "onnx-tensor"),
)

_REMEDY = "Do not run it; ask for a model that was exported without Python functions."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each node that calls Python, and for each operator of PyTorch that is more than arithmetic."""
    for finding in ctx.anomalies(_REMEDY):
        yield replace(finding, severity=Severity.MEDIUM) if finding.evidence.get("kind") == "registered" else finding
    for component in ctx.components():
        for operator, at in component.metadata.get("aten", {}).items():
            name = operator.replace("::", ".")
            name = name if "." in name else f"aten.{name}"
            if kind_of(name, frozenset()) in ("files", "escapes"):
                message = f"the operation ATen calls {name}, which opens files or leaves the runtime"
                yield ctx.finding(Location(component.place, at), message, _REMEDY, evidence={"operator": operator})
