"""A file's name holds characters that do not show as themselves.

What it finds:
    Control characters, direction overrides, zero-width characters or bytes that are no text, in the name of a file.
    Reports show them escaped.

Why it matters:
    A name with a direction override shows as ``model-exe.txt`` and ends in ``.exe``; one with terminal escapes
    rewrites the screen of whoever lists the folder.

Example:
    ``weights\u202etxt.exe``

Remedy:
    Do not use it under this name. Ask the publisher for a name that shows what it is.

What it cannot see:
    Letters of other alphabets that look alike.

References:
    CWE-451; Unicode Technical Report 36.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.file._kinds import ending_of, name_rules
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/name-hides", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", cwe=(451,), recorded=True
)


#: Marks that turn the direction of what follows, as reports show them.
_TURNS = ("\\u202d", "\\u202e", "\\u2066", "\\u2067")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name that hides something; a program or a script whose ending is turned around is worse."""
    started = name_rules()["disguise"]["started"]
    for finding in ctx.anomalies(
        "Do not use the file under this name; ask the publisher for one that shows what it is."
    ):
        name = str(finding.evidence.get("name", ""))
        turned = any(each in name for each in _TURNS) and ending_of(name) in started
        yield replace(finding, severity=Severity.HIGH) if turned else finding
