"""The sizes in a file of weights lead its reader out of the memory that it took for them.

What it finds:
    Files of fastText, CTranslate2 and old GGML whose sizes contradict each other in a way that no writer makes and no download that
    was cut short has: extents whose product does not fit 64 bits or that are below zero, more bytes of an array than its shape has,
    more words than a dictionary has entries, a matrix with fewer rows than words or of another width than the model says, and more
    dimensions of a tensor than readers have room for. The evidence names the lie in one word.

Why it matters:
    The readers of these formats are native code and believe the sizes: they take memory by one of them and write or read by the
    other, behind the end of it. That is how a file of numbers comes to run code.

Example:
    A variable of 2 x 3 floats in ``model.bin`` of CTranslate2 with 65536 bytes of data.

Remedy:
    Do not load it with any program; delete the file and report it to whoever published it.

What it cannot see:
    Sizes that fit each other and are wrong. What a file lacks at its end is ``file/malformed`` or ``file/incomplete``.

References:
    https://github.com/OpenNMT/CTranslate2/issues/2068 ; https://github.com/OpenNMT/CTranslate2/issues/2091 ;
    https://github.com/ggml-org/whisper.cpp/issues/3944 ; CWE-125, CWE-190, CWE-787.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="file/outside-memory",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(125, 190, 787),
    needs=("fasttext", "ctranslate2", "ggml"),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each lie that a reader recorded."""
    yield from ctx.anomalies("Do not load it with any program; delete the file and report it to whoever published it.")
