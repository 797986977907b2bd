"""A pickle opens, writes or removes files when it is loaded.

What it finds:
    A call of ``open``, ``shutil``, ``os.remove``, ``io.FileIO``, ``numpy.save``, ``pathlib`` methods and others that touch files; of
    classes of well-known packages that open what they are told to (``pyarrow.OSFile``, ``xgboost.Booster`` with a path); and of
    functions whose name says so (``save_…``, ``write_…``; with medium confidence). Such a class that is rebuilt from its parts, as
    honest pickles do, or only carried as a value, opens nothing.

Why it matters:
    It can read secrets, overwrite programs that run later, or delete data.

Example:
    ``io.FileIO("/home/me/.bashrc", "a").write(b"...")``

Remedy:
    Do not load the file. ``pickle.load`` and ``joblib.load`` are hit in every version; ``torch.load`` with
    ``weights_only=True`` refuses it from PyTorch 2.6 on (CVE-2025-32434), and 2.10 repairs the last known fault of that
    guard (CVE-2026-24747). Get the weights as safetensors from the publisher, or from somebody you trust; report this
    file to where you got it.

What it cannot see:
    Files that the model's own classes open.

References:
    CWE-73; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, dangers
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="pickle/touches-files",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(73, 502),
    needs=NEEDS,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable with this capability that loading reaches."""
    yield from dangers(ctx, "file", DO_NOT_LOAD)
