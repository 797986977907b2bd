"""Python code that comes with the model hides what it runs.

What it finds:
    ``exec`` or ``eval`` of something that is decoded first (base64, hex, zlib, marshal, rot13, or fetched from the
    network); a call through a computed name of ``os``, ``builtins`` or another dangerous module; a search through
    ``object.__subclasses__()``. At any time, also in functions that nothing here calls.

Why it matters:
    There is no honest reason to encode code that one publishes. It is how payloads pass people and scanners.

Example:
    ``exec(base64.b64decode('cHJpbnQoMSk='))``.

Remedy:
    Do not run this code. Decode the text with a tool that does not run it if you want to know what it was for.

What it cannot see:
    What modules from elsewhere, or other files of the repository, do when this file calls them; names that only
    come about while the code runs.

References:
    CWE-506, CWE-656 ; MITRE ATT&CK T1027.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.python._uses import found
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/hidden-code",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506, 656),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {
    "import": (Severity.CRITICAL, Confidence.HIGH),
    "construction": (Severity.CRITICAL, Confidence.HIGH),
    "inference": (Severity.CRITICAL, Confidence.HIGH),
    "call": (Severity.HIGH, Confidence.MEDIUM),
}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    yield from found(ctx, "hidden", "hides what it runs", "Do not run this code: nobody encodes honest code.", _GRADES)
