"""TorchScript code leaves its interpreter.

What it finds:
    Operators that call Python (``prim::PythonOp``), load native libraries or compiled models, or run functions on other
    machines (``prim::rpc_sync``), in the code or bytecode of a TorchScript archive.

Why it matters:
    What they call is not in the script and has the rights of the process that runs the model.

Example:
    ``ops.prim.rpc_sync("worker0", f)``

Remedy:
    Do not load or run this model. ``torch.jit.load`` and LibTorch are hit in every version; over the network, PyTorch's
    RPC is hit before 2.2.3 (CVE-2024-5480).

What it cannot see:
    Operators that a library registers under a name of its own; these are told by torch/torchscript-custom-operator.

References:
    CWE-829; CVE-2024-5480.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.torch._scripts import NEEDS, findings
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="torch/torchscript-escape",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(829,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operator."""
    yield from findings(ctx, "escapes", "TorchScript code leaves its interpreter by", "Do not load or run this model.")
