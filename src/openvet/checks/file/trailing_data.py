"""Bytes follow after the end that a format's own structure states.

What it finds:
    A well-formed file with something behind it that belongs to no part of the format and is not plain zero padding.

Why it matters:
    It is where a payload or a second file is hidden: every reader of the format stops before it, and whoever knows
    reads on. Some of it is only what a tool left behind, which nobody can tell from outside.

Example:
    A safetensors file with a script behind the last tensor.

Remedy:
    Ask the publisher what the bytes are for. Writing the file again with its own library drops them.

What it cannot see:
    Data hidden inside the format, for instance in the low bits of weights.

References:
    CWE-506; MITRE ATT&CK T1027.009 (embedded payloads).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="file/trailing-data",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    recorded=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each run of bytes behind an end."""
    yield from ctx.anomalies(
        "Ask the publisher what the bytes are for, or write the file again with its own library, which drops them."
    )
