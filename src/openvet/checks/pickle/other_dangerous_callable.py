"""A pickle calls a part of Python's own library that builds no data.

What it finds:
    A call of anything in the standard library that is not on the list of data constructors, and attribute walks out of a
    class through ``__globals__`` and its kin.

Why it matters:
    The library has hundreds of functions that reach a process, a file or code by some way. New ones are found every month, so
    that a list of the bad ones is never complete; a list of the good ones is.

Example:
    ``_osx_support._find_build_tool("x; echo pwned")`` was one that scanners did not know.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    Harmless functions that are missing from the list: tell us, they are one line of data.

References:
    CWE-502; picklescan issue 66.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/other-dangerous-callable",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches."""
    yield from dangers(ctx, "other", DO_NOT_LOAD)
