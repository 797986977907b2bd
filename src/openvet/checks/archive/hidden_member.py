"""An archive holds a member that most readers do not see.

What it finds:
    Local records of a zip that its directory does not list, and entries of a tar that come after its end or after a
    block where most readers stop. They are read like all other members, so a payload in one has findings of its own.

Why it matters:
    A reader that goes from record to record (a stream, a repair tool, ``tar -i``) gets what a listing never shows.
    An update that some tool appended may also leave an old member behind, which is harmless but not what you see.

Example:
    A ``model.zip`` whose directory lists ``config.json`` and between the two a local record ``data.pkl``.

Remedy:
    Extract the members that you want with a tool that follows the directory and pack them anew; ask the publisher
    how the other one came there.

What it cannot see:
    Records inside the data of a stored member: that is how an archive inside an archive looks.

References:
    CWE-912. APPNOTE.TXT 4.3.6 (the overall format), GNU tar manual, ``--ignore-zeros``.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="archive/hidden-member",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(912,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each member that is not listed."""
    return ctx.anomalies("Pack the listed members anew, and ask the publisher how the hidden one came there.")
