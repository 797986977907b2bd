r"""A pickle runs text or byte code that it carries when it is loaded.

What it finds:
    A call of ``exec``, ``eval``, ``compile``, ``types.FunctionType``, ``timeit``, ``pdb``, ``cProfile``, ``torch.fx``,
    ``cloudpickle`` and other callables that run code which they are given, or a name of a module that runs on import.

Why it matters:
    Whatever is given to such a callable runs in the loading process.

Example:
    ``cbuiltins\nexec\n(S'print(1)'\ntR.``

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    Code that the model's own classes run.

References:
    CWE-94; CWE-502; GHSA-v7x6-rv5q-mhwc; GHSA-f4x7-rfwp-v3xw; GHSA-6ggj-6f2q-f7mx.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/runs-code",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(94, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches."""
    yield from dangers(ctx, "code", DO_NOT_LOAD)
