r"""A pickle starts or signals a process when it is loaded.

What it finds:
    A call of ``os.system``, ``subprocess``, ``multiprocessing``, ``pty`` and their like, under whatever name and through
    whatever module it is reached, with its arguments and the offset of the opcode that makes it.

Why it matters:
    Loading the file runs the attacker's command with the rights of whoever loads it. No model needs that.

Example:
    ``cos\nsystem\n(S'echo pwned'\ntR.`` runs a shell command; ``torch.serialization`` + ``os.system`` is the same function.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    What a class of the model's own code starts when it is built.

References:
    CWE-78; CWE-502; GHSA-g38g-8gr9-h9xp; arXiv 2508.19774.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/runs-process",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(78, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches."""
    yield from dangers(ctx, "process", DO_NOT_LOAD)
