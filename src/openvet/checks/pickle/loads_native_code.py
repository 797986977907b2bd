"""A pickle loads or calls native code when it is loaded.

What it finds:
    A call of ``ctypes``, ``cffi``, ``numpy.ctypeslib``, ``torch.ops.load_library`` and others that load a shared library; and an
    attribute ``__array_interface__`` that the file sets, by which NumPy reads and writes memory at an address that it is told, or a dtype of
    objects without its flags, by which it takes bytes for objects.

Why it matters:
    Native code has no limits at all; a library beside the model is enough.

Example:
    ``ctypes.CDLL("./payload.so")``

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    Libraries that an honest package loads on import.

References:
    CWE-114; CWE-502; GHSA-4675-36f9-wf6r.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers, programs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/loads-native-code",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(114, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches, and for each address of memory."""
    yield from dangers(ctx, "native", DO_NOT_LOAD)
    for program in programs(ctx):
        for each in program.computed:
            if each.kind == "address":
                yield ctx.finding(
                    program.at(each.offset),
                    f"makes NumPy use memory at an address of the file's choosing: {each.detail}",
                    DO_NOT_LOAD,
                    evidence={"opcode": each.opcode, "detail": each.detail},
                )
