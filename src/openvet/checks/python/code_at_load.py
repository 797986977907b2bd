"""Python code that comes with the model runs computed text as code as soon as it is imported or constructed.

What it finds:
    Calls of ``exec``, ``eval``, ``runpy`` and their kind at module level, in class bodies, in functions that those
    call, and in constructors, where the text is not a constant. A constant text is read as if it stood there, and
    only what it does counts.

Why it matters:
    What such a call runs cannot be read beforehand, so that nobody can say what importing the file does.

Example:
    ``exec(open('notes.txt').read())`` at the top of ``modeling_x.py``.

Remedy:
    Do not load the model with its code before you know what text is run.

What it cannot see:
    What modules from elsewhere, or other files of the repository, do when this file calls them; names that only
    come about while the code runs.

References:
    https://docs.python.org/3/reference/import.html ; CWE-95, CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.python._uses import found
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._python_told import DESCRIBED

RULE = Rule(
    id="python/code-at-load",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(95, 506),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {"import": (Severity.HIGH, Confidence.MEDIUM), "construction": (Severity.HIGH, Confidence.MEDIUM),
           "inference": (Severity.HIGH, Confidence.MEDIUM)}  # fmt: skip


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    for finding in found(
        ctx, "code", "runs computed text as code", "Find out what text is run before you run this code.", _GRADES
    ):
        described = finding.evidence["detail"] == DESCRIBED
        yield replace(finding, severity=Severity.MEDIUM) if described else finding
