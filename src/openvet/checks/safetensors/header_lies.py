"""A safetensors header breaks the rules of its own format.

What it finds:
    Everything that the reference implementation refuses: duplicate names, unknown dtypes, shapes that overflow,
    data_offsets that leave a hole, overlap, or do not fit the shape, entries with missing, additional or ill-typed
    fields, metadata that is not text, anything behind the header's object. The evidence names the lie in one word. What
    leads a reader that believes it out of the file, or gives two readers two tensors, is of high severity.

Why it matters:
    No honest writer produces such a file. Readers differ in what they make of it: a strict one refuses, a lenient
    one gives another tensor than the next reader does. A hole in the data is a place to hide bytes that no tensor
    shows.

Example:
    ``{"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}`` leaves the first eight bytes of data to
    nobody.

Remedy:
    Do not load the file. Get it again from its publisher; where the publisher's copy is the same, convert the
    original weights with the safetensors library.

What it cannot see:
    What the numbers in a well-formed file do. A header beyond 12 MiB is not read and reported as unread.

References:
    https://github.com/huggingface/safetensors#format ; CWE-1284.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="safetensors/header-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1284,),
    needs=("safetensors",),
    recorded=True,
)

#: No writer gets there by a mistake.
_OUTSIDE = frozenset({"bad-offsets", "duplicate-key", "header-length", "overflow", "overlap", "size-mismatch"})


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each lie of a header."""
    for finding in ctx.anomalies(
        "Do not load it; get the file again from its publisher, or convert the original weights with the safetensors library."
    ):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("lie") in _OUTSIDE else finding
