"""TorchScript code never ends, or needs more memory than any machine has.

What it finds:
    Loops of an absurd constant count, loops whose condition is always true and that nothing leaves, and tensors or lists of at least
    2**35 elements that are made out of constants, in the code of a TorchScript archive.

Why it matters:
    Whoever calls the model, and with ``__setstate__`` whoever loads it, waits for ever or runs out of memory: a server that
    loads what others upload stands still.

Example:
    ``return torch.zeros([1099511627776])``.

Remedy:
    Do not load or run this model.

What it cannot see:
    Counts and sizes that depend on what the model is given, and bytecode of the lite interpreter.

References:
    CWE-400, CWE-789, CWE-835; https://pytorch.org/docs/stable/jit.html
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.torch._scripts import NEEDS
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="torch/torchscript-exhausts",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(400, 789, 835),
    needs=NEEDS,
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each loop or tensor."""
    yield from ctx.anomalies("Do not load or run this model.")
