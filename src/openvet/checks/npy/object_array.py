"""A NumPy file holds Python objects, which only a pickle can carry.

What it finds:
    An array whose dtype is object, alone or as a field. What follows its header is a pickle; the pickle's own
    findings say what that does.

Why it matters:
    ``numpy.load`` refuses such files unless it is called with ``allow_pickle=True``, and then runs the pickle. The
    array itself is no danger; the habit of passing ``allow_pickle=True`` is.

Example:
    ``numpy.save("names.npy", numpy.array([{"a": 1}], dtype=object))``

Remedy:
    Load with ``allow_pickle=False``, which is the default. Ask the publisher for arrays of numbers or fixed-width text,
    or for safetensors. NumPy before 1.16.3 unpickles without being asked (CVE-2019-6446).

What it cannot see:
    What the pickle does: that is for the rules about pickles.

References:
    https://numpy.org/doc/stable/reference/generated/numpy.load.html ; CVE-2019-6446; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="npy/object-array",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("npy",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One note for each array of objects."""
    yield from ctx.anomalies("Keep allow_pickle=False, numpy's default; ask for arrays of numbers instead.")
