"""A file of serialized objects of .NET, which ``BinaryFormatter`` rebuilds.

What it finds:
    Streams of ``BinaryFormatter`` and the classes that they name. Classes of chains that are known to run commands, load code or remove
    files while they are rebuilt (``TextFormattingRunProperties``, ``ObjectDataProvider``, delegates, ``WindowsIdentity`` ...) are critical;
    others want a review.

Why it matters:
    ``BinaryFormatter.Deserialize`` looks for each class and calls its code before anybody has seen the object. Microsoft says that it
    cannot be made safe, and took it out of .NET 9.

Example:
    ``Microsoft.VisualStudio.Text.Formatting.TextFormattingRunProperties`` with a ``ForegroundBrush`` in XAML.

Remedy:
    Do not load it. Ask for weights in a format that holds no objects, as ML.NET's zip or ONNX.

What it cannot see:
    What classes of others do; classes in streams inside of the stream.

References:
    CWE-502; https://learn.microsoft.com/dotnet/standard/serialization/binaryformatter-security-guide
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
    id="dotnet/serialized-object",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("dotnet-objects",),
    recorded=True,
)

_REMEDY = "Do not load it; ask for weights in a format that holds no objects."
_SHOWN = 5


@cache
def _gadgets() -> tuple[frozenset[str], tuple[str, ...]]:
    names = read_table("dotnet_classes")["gadgets"]
    return frozenset(names), tuple(each[:-1] for each in names if each.endswith("*"))


def _is_gadget(name: str) -> bool:
    names, prefixes = _gadgets()
    return name.partition(",")[0] in names or name.startswith(prefixes)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        classes = [str(each) for each in anomaly.evidence.get("classes", ())]
        known = [each for each in classes if _is_gadget(each)]
        told = known or classes
        shown = shorten(", ".join(told[:_SHOWN]) + (" and others" if len(told) > _SHOWN else ""), 300)
        what = "makes .NET rebuild objects" + (f" of {shown}" if told else "")
        if known:
            what = f"makes .NET rebuild objects of classes by which commands are run: {shown}"
        yield ctx.finding(
            anomaly.location,
            what,
            _REMEDY,
            severity=Severity.CRITICAL if known else None,
            evidence={"classes": classes[:100], "known": known[:100]},
        )
