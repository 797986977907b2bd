"""Python code is written in an encoding that shows another text than the one that runs.

What it finds:
    A coding line (PEP 263) that names anything but UTF-8, ASCII or Latin-1, for instance ``utf-7`` or
    ``unicode_escape``.

Why it matters:
    The interpreter decodes the file before it reads it. In such an encoding, what looks like a comment can be a
    statement; nobody writes code that way today for an honest reason, save in old files of East Asian origin.

Example:
    ``# -*- coding: utf-7 -*-`` and then ``# +AAo-import os``.

Remedy:
    Decode the file and read what comes out before you run it. OpenVet's other rules look at the decoded text.

What it cannot see:
    Encodings that an installed package registers; such a file is reported as unread.

References:
    https://peps.python.org/pep-0263/ ; CWE-176, CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/unusual-encoding",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(176, 506),
    needs=("python",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such source."""
    yield from ctx.anomalies("Read the decoded text before you run this code.")
