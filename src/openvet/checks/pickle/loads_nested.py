"""A pickle loads another pickle or document that can run code when it is loaded.

What it finds:
    A call of ``pickle.loads``, ``torch.load``, ``joblib.load``, ``dill``, ``marshal.loads``, ``yaml.load``, ``shelve`` and others.
    ``torch.storage._load_from_bytes`` of literals is how torch pickles a tensor: those literals are walked themselves.

Why it matters:
    What it loads need not be in this file, so no scan of the file can clear it.

Example:
    ``pickle.loads(b"...")`` inside a pickle.

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    What is in a file that it loads.

References:
    CWE-502; GHSA-9gvj-pp9x-gcfr.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/loads-nested",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches."""
    yield from dangers(ctx, "nested", DO_NOT_LOAD)
