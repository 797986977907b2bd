"""A tensor begins as a program does.

What it finds:
    Tensors of safetensors, GGUF, NumPy, HDF5 and Flax files, and storages of PyTorch, whose first bytes are those of a program for
    Linux, Windows, macOS or Android, of a WebAssembly module or of LLVM bitcode.

Why it matters:
    Weights are numbers, and no training writes a program. Nothing runs it where it stands: it is a payload that waits for a line of
    code elsewhere to write it to a file and start it, while scanners pass the file as one that cannot hold code.

Example:
    A tensor of the type U8 in ``model.safetensors`` that begins with ``7f 45 4c 46``.

Remedy:
    Ask the publisher what it is for, or use the model without this tensor.

What it cannot see:
    Programs that begin in the middle of a tensor, in its low bits, encrypted, compressed by chunks of HDF5, or spread over several
    tensors. Only the start of each tensor is looked at. No loader of weights, in any version, runs what stands there.

References:
    CWE-506; MITRE ATT&CK T1027.009 (embedded payloads); EvilModel, arXiv 2107.08590.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/program-in-weights",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each tensor."""
    yield from ctx.anomalies("Ask the publisher what it is for, or use the model without this tensor.")
