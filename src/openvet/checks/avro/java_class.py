"""The schema of an Avro table names a Java class of which readers in Java make an object.

What it finds:
    ``java-class``, ``java-key-class`` and ``java-element-class`` in a schema, with a class that is not one of Java's own for texts,
    numbers and collections.

Why it matters:
    Avro for Java hands a text of the file to the constructor of the class that the schema names. Before 1.11.4 it took any class,
    so that a schema of a stranger ran code of his choice (CVE-2024-47561).

Example:
    ``{"type": "string", "java-class": "org.springframework.context.support.ClassPathXmlApplicationContext"}``

Remedy:
    Read the table with Avro for Java 1.11.4 or newer, or write it again without these properties. Readers in Python do not look at them.

What it cannot see:
    What the class does. Schemas outside of files.

References:
    CVE-2024-47561; https://nvd.nist.gov/vuln/detail/CVE-2024-47561 ; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="avro/java-class",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("avro",),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each class that the reader recorded."""
    yield from ctx.anomalies(
        "Read it with Avro for Java 1.11.4 or newer, or write the table again without the property."
    )
