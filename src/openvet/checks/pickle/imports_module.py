"""A pickle imports modules by calling the import machinery when it is loaded.

What it finds:
    A call of ``__import__``, ``importlib``, ``pkgutil.resolve_name``, ``pip``, ``ensurepip`` and others that import or install.

Why it matters:
    Importing runs a module's code, and what is imported this way is mostly reached to be called next. An honest pickle names
    what it needs and never imports by a call.

Example:
    ``pkgutil.resolve_name("os:system")("echo pwned")``

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    Modules that are imported because a name of theirs is resolved: every pickle does that.

References:
    CWE-829; CWE-502; GHSA-vvpj-8cmc-gx39; GHSA-xp4f-hrf8-rxw7.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/imports-module",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches."""
    yield from dangers(ctx, "import", DO_NOT_LOAD)
