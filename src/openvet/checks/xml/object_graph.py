"""An XML text has a reader build objects or call methods.

What it finds:
    Texts for Java XMLDecoder, gadgets of XStream and Spring, style sheets that call Java, PHP or .NET, and commands in scripts of a model.

Why it matters:
    Reading such a text is running it: the classes that it names start programs.

Example:
    ``<java class="java.beans.XMLDecoder"><object class="java.lang.ProcessBuilder">``.

Remedy:
    Do not load it with XStream in any service. XStream 1.4.18 and later allow only classes that are listed.

What it cannot see:
    Classes that are dangerous and not in the list.

References:
    CWE-502. CVE-2013-7285, CVE-2021-39144 (XStream).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="xml/object-graph",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(502,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each that the reader recorded."""
    yield from ctx.anomalies("Do not load it.")
