"""A document of Office runs something, or asks for something elsewhere, when it is opened.

What it finds:
    Macros and sheets of macros, fields and links that start another program (DDE), files that were put in, and relations to
    templates, pictures or objects on another machine.

Why it matters:
    Office offers to run macros, and attackers write the document so that people agree. A template or an object from elsewhere is fetched
    on opening, which gives away the password's hash of the reader and has led to code without a click (CVE-2017-0199, CVE-2022-30190).
    No model needs any of this: a document beside one describes it.

Example:
    ``word/vbaProject.bin`` in a ``.docm``, or ``TargetMode="External"`` at the template in ``word/_rels/settings.xml.rels``.

Remedy:
    Do not open it in Office. Ask for the text as PDF or Markdown.

What it cannot see:
    What the macros do. Fields in old documents (``.doc``), and what encrypted documents hold.

References:
    https://attack.mitre.org/techniques/T1137/001/ , https://attack.mitre.org/techniques/T1221/ ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="office/active-content",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("ole", "ooxml"),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each thing that the reader recorded."""
    yield from ctx.anomalies("Do not open it in Office. Ask for the text as PDF or Markdown.")
