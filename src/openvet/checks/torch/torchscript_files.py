"""TorchScript code reads or writes files.

What it finds:
    Operators such as ``aten::save`` and ``aten::from_file`` in the code of a TorchScript archive or in the bytecode of the lite
    interpreter, however they are written: ``torch.save``, ``ops.aten.save``, ``getattr(torch, "save")``, ``x.save(...)``.

Why it matters:
    TorchScript is held to be safe to load, but a model that calls these when it runs, or in its ``__setstate__`` when it is
    loaded, writes any file that its process may write and reads secrets into tensors.

Example:
    ``torch.save(x, "/home/user/.bashrc")`` in ``code/__torch__.py``

Remedy:
    Do not load or run this model. ``torch.jit.load`` is hit in every version, and so is LibTorch.

What it cannot see:
    Whether the code is reached, and what path it is given where that is computed.

References:
    CWE-73; https://pytorch.org/docs/stable/jit.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.torch._scripts import NEEDS, findings
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="torch/torchscript-files",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(73,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operator."""
    remedy = "Do not load or run this model, and report it to where you got it."
    yield from findings(ctx, "files", "TorchScript code reads or writes files by", remedy)
