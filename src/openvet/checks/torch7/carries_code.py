"""A Torch7 file carries functions as bytecode.

What it finds:
    Functions of Lua in ``.t7`` files, at any depth.

Why it matters:
    ``torch.load`` turns the bytecode into code. LuaJIT does not verify it, so that a changed one leaves the interpreter, and the
    model calls what it holds.

Example:
    A table ``{forward = function(self, x) os.execute("echo x") end}``.

Remedy:
    Do not load it; take the weights from a file without functions.

What it cannot see:
    What the bytecode does.

References:
    ``File.lua`` of https://github.com/torch/torch7 ; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="torch7/carries-code",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(502,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each function."""
    yield from ctx.anomalies("Do not load it; take the weights from a file without functions.")
