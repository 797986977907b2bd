"""The header of a NumPy array states a shape that is impossible.

What it finds:
    Negative extents, more than 64 of them, or a size beyond 64 bits.

Why it matters:
    ``numpy.save`` never writes such a header. Readers in other languages may multiply the extents without looking
    and allocate too little.

Example:
    ``{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}``

Remedy:
    Do not load the file; make it again from its source with ``numpy.save``.

What it cannot see:
    What the numbers do.

References:
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html ; CWE-1284.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="npy/header-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1284,),
    needs=("npy",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each impossible header."""
    yield from ctx.anomalies("Do not load it; save the array again with numpy.save.")
