"""Java rebuilds objects of the classes that a file names.

What it finds:
    Serialized Java objects, and of which classes they are. Classes of chains that are known to run commands, load code or reach
    other machines while they are rebuilt (Commons Collections, ``TemplatesImpl``, Groovy, Spring, C3P0, RMI ...), and of Java's own
    for starting programs, are critical; an address (``java.net.URL``) as a key of a table or a member of a set is high; other classes want a review; values and collections of Java itself are only noted.

Why it matters:
    ``ObjectInputStream.readObject`` looks for each class and calls its own code before anybody has seen the object. What
    the file can do depends on what lies in the class path of whoever loads it, as it does with pickles. The hash of an address is
    that of what its host leads to: a table with such a key asks the name server of its author while it is read, in every Java.

Example:
    An ``InvokerTransformer`` of Commons Collections with the method ``exec``.

Remedy:
    Do not load it. Ask for weights in a format that holds no objects; load what must be loaded with a filter
    (``jdk.serialFilter``, JEP 290). ``ObjectInputStream`` of every version of Java does it, and no loader in Python.

What it cannot see:
    What classes of others do; whether a class is in the class path.

References:
    CWE-502; CVE-2015-4852, CVE-2015-7501; https://github.com/frohoff/ysoserial ; https://openjdk.org/jeps/290 ;
    https://github.com/frohoff/ysoserial/blob/master/src/main/java/ysoserial/payloads/URLDNS.java
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.tables import read_table
from openvet.core.text import shorten

__all__ = ["RULE", "check"]

RULE = Rule(
    id="java/serialized-object",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("java-serialized",),
    recorded=True,
)

_REMEDY = "Do not load it; ask for weights in a format that holds no objects."
_SHOWN = 5


@cache
def _table(key: str) -> tuple[frozenset[str], tuple[str, ...]]:
    names = read_table("java_classes")[key]
    return frozenset(names), tuple(each[:-1] for each in names if each.endswith("*"))


def _is(name: str, key: str) -> bool:
    names, prefixes = _table(key)
    return name in names or name.startswith(prefixes)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        classes = [str(each) for each in anomaly.evidence.get("classes", ())]
        gadgets = [each for each in classes if _is(each, "gadgets")]
        others = [each for each in classes if not _is(each, "values")]
        told = gadgets or others or classes
        shown = shorten(", ".join(told[:_SHOWN]) + (" and others" if len(told) > _SHOWN else ""), 300)
        if gadgets:
            severity, what = (
                Severity.CRITICAL,
                f"makes Java rebuild objects of classes by which commands are run: {shown}",
            )
        elif anomaly.evidence.get("hashed") is not None:
            severity, what = (
                Severity.HIGH,
                "makes Java look up the host of an address, which is the key of a table, while it is read",
            )
        elif others:
            severity, what = Severity.MEDIUM, f"makes Java rebuild objects of {shown}"
        else:
            severity, what = Severity.NOTE, f"makes Java rebuild values of {shown}"
        evidence = {"classes": classes[:100], "known": gadgets[:100]}
        yield ctx.finding(anomaly.location, what, _REMEDY, severity=severity, evidence=evidence)
