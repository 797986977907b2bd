"""A size in a GGUF header overflows 64-bit arithmetic.

What it finds:
    A count of keys, tensors or array items, a length of text, or a product of extents so large that the
    multiplication or addition which a reader does before it allocates memory wraps around.

Why it matters:
    The reader then allocates a small buffer and writes a large amount into it: the classic heap overflow, and
    several GGUF readers had it. No model has such sizes, so the file is damaged or made to attack.

Example:
    A tensor of 2**33 x 2**33 elements, or a key that says that it is 2**64 - 1 bytes long.

Remedy:
    Do not load the file, not even with a reader that is said to be fixed. Delete it and report it to whoever published
    it. llama.cpp repaired the overflows that Databricks reported in January 2024; Ollama is hit by its own
    (CVE-2026-7482). Treat every version as hit.

What it cannot see:
    Overflows in 32-bit arithmetic, which only old or small readers use.

References:
    CVE-2026-7482 (Ollama, tensor dimensions); Databricks, "GGML GGUF File Format Vulnerabilities" (2024),
    CVE-2024-25664 to CVE-2024-25668; CWE-190, CWE-122.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="gguf/size-overflow",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(190, 122),
    needs=("gguf",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each size that overflows."""
    yield from ctx.anomalies("Do not load it with any program; delete the file and report it to whoever published it.")
