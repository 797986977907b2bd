"""An XML text declares an entity that stands for another file or address.

What it finds:
    Entities and parameter entities with a SYSTEM or PUBLIC identifier, also those that a parameter entity of the file declares;
    a document type that is fetched from an unusual address, which may declare any entity; and XInclude of an address or of a file
    outside of the folder.

Why it matters:
    A parser that resolves them reads files of the machine, sends them away or calls addresses inside the network.
    A parser that loads document types (lxml with ``load_dtd``, many of Java) does the same for what a fetched one declares.

Example:
    ``<!ENTITY x SYSTEM "file:///etc/passwd">`` in a PMML model.

Remedy:
    Do not load it. Parsers that are told to refuse document types are safe: defusedxml, JPMML 1.6 and later.

What it cannot see:
    What an external document type declares; one that lies beside the file is told by ``xml/external-reference``.

References:
    CWE-611. OWASP, XML External Entity Prevention.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="xml/external-entity",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(611,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each that the reader recorded."""
    yield from ctx.anomalies("Do not load it; no model needs entities from outside.")
