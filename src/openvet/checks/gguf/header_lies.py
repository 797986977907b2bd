"""A GGUF header breaks the rules of its own format.

What it finds:
    Counts that the file has no room for, empty or repeated names of keys and tensors, more than four dimensions,
    rows that do not fill whole blocks, an alignment that is no power of two, tensors that overlap, leave holes or
    lie off the alignment, padding that is not zero, templates that are not UTF-8, and arrays of the tokenizer whose items are of
    another type than readers take for granted or are fewer than the tokens. The evidence names the lie in
    one word. High are more than four dimensions, types of tensors that no fork has, an alignment of zero, arrays that stand in each
    other more than eight deep, and a tensor that lies behind the end of the file beyond a gap of a mebibyte or more.

Why it matters:
    The reference reader refuses most of these; others do not look. Repeated keys let two readers see two models in
    one file; a hole or padding hides bytes that no tensor shows. Readers that believed the number of dimensions wrote the extents
    behind an array of four; those that believe a type look it up behind the end of a table, those that believe an alignment divide
    by zero, those that follow arrays into arrays exhaust the stack, and those that map the file read at an offset outside of it. A
    download that was cut short has none of these: its tensors follow one another.

Example:
    A tensor at offset 40 in a file whose alignment is 32, or two tensors whose data share bytes.

Remedy:
    Do not load the file. Get it again from its publisher, or convert the original weights with llama.cpp's own
    scripts.

What it cannot see:
    What the numbers do. Sizes of tensor types that only a fork of ggml knows; they are reported as unread.

References:
    https://github.com/ggml-org/ggml/blob/master/docs/gguf.md ; https://github.com/ggml-org/llama.cpp/pull/26690 ; CWE-125, CWE-129, CWE-369, CWE-674, CWE-1284.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="gguf/header-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(1284,),
    needs=("gguf",),
    recorded=True,
)

#: Lies that lead a reader which believes them out of its memory or into work without end, or give two readers two models.
_OUTSIDE = frozenset(
    {"dimensions", "tensor-type", "alignment-zero", "nested", "outside", "tensor-duplicate", "key-duplicate"}
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each lie of a header."""
    for finding in ctx.anomalies(
        "Do not load it; get the file again from its publisher, or convert the original weights."
    ):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("lie") in _OUTSIDE else finding
