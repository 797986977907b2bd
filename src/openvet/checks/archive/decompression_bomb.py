"""Compressed data is a bomb: it gives far more than anything that a model holds.

What it finds:
    Streams and members of archives that gave more than 1.25 GiB, and more than 250 bytes for each byte that they take; and many
    that together gave 5 GiB in one model, and more than 100 bytes for each byte. Reading ended there. Archives whose members
    announce as much (zip, npz, PyTorch, Keras 3, 7z) are not unpacked to see it. An array of a thousand million zeros stays below.

Why it matters:
    A loader that unpacks it fills the memory or the disk of the machine. Weights do not compress like that: a deflate stream of
    nothing but zeros reaches 1032 (229 at its fastest level), bzip2 and xz reach a million.

Example:
    A file of 100 KB in bzip2 that holds 108 GB of zeros.

Remedy:
    Do not unpack it. Where it is yours and holds zeros on purpose, store them in a sparse format, or raise ``ratio``.

What it cannot see:
    Bombs that stay below; the limits ``decoded_bytes`` and ``depth`` end those, and what was not read is in the report.

References:
    CWE-409. https://www.bamsoftware.com/hacks/zipbomb/
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="archive/decompression-bomb",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(409,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each."""
    yield from ctx.anomalies("Do not unpack it: no model is compressed like that.")
