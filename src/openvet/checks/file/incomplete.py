"""A file ends before its own header says that it does.

What it finds:
    A header, itself whole, that describes more data than is there; the message says how many bytes are expected and
    how many are present. And a file of no bytes at all under an ending whose formats cannot be empty, such as
    ``.safetensors`` or ``.json``.

Why it matters:
    Mostly a download that was cut short: the model will not load, or loads with wrong weights. A reader that trusts
    the header reads beyond its buffer.

Example:
    ``incomplete: expected 4683073952 bytes, present 201326592 (4.3 %)``

Remedy:
    Download the file again and compare its digest with the publisher's.

What it cannot see:
    A cut inside the header, which is reported as malformed, and a cut in formats that do not state a size.

References:
    CWE-130.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.file._kinds import ending_of, name_rules
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(id="file/incomplete", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", cwe=(130,))


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file that was cut short."""
    remedy = "Download the file again and compare its digest with the publisher's."
    yield from ctx.anomalies(remedy)
    for component in ctx.components():
        if component.formats != ("empty",) or component.role is not None:
            continue
        ending = ending_of(component.basename)
        if ending in name_rules()["filled"]["endings"]:
            yield ctx.finding(
                Location(component.place),
                f"is empty, which no {ending} file is",
                remedy,
                evidence={"ending": ending, "present": 0},
            )
