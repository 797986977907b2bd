"""TorchScript code needs an operator or a class of a library that OpenVet does not know.

What it finds:
    Operators outside of the namespaces that PyTorch, torchvision and torchaudio register, and classes in C++ of others
    (``torch.classes.tensorrt.Engine``).

Why it matters:
    The model runs native code of a library that you have to load first. What that does with what the model gives it is
    the library's affair: an engine of TensorRT is a compiled program.

Example:
    ``ops.mycompany.fast_attention(q, k, v)``

Remedy:
    Find out which library registers the operator, and load the model only with one that you trust.

What it cannot see:
    What the operator does.

References:
    CWE-829; https://pytorch.org/tutorials/advanced/cpp_custom_ops.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.torch._scripts import NEEDS, findings
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="torch/torchscript-custom-operator",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operator."""
    remedy = "Find out which library registers it, and load the model only with one that you trust."
    yield from findings(ctx, "custom", "TorchScript code needs", remedy)
