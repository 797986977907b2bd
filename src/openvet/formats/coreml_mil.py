"""Compiled Core ML programs: ``model.mil`` in a folder ``.mlmodelc``, the program as text.

::

    program(1.0)
    [buildInfo = dict<...>({{"coremlc-component-MIL", "3304.5.2"}})]
    {
        func main<ios16>(tensor<fp16, [1, 80]> x) {
            tensor<fp16, [4]> w = const()[val = tensor<fp16, [4]>(BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64)))];
            tensor<fp16, [1, 80]> y = relu(x = x)[name = string("op_1")];
        } -> (y);
    }

Reference: ``mlmodel/format/MIL.proto`` of https://github.com/apple/coremltools has the same program as a protocol buffer.
"""

from __future__ import annotations

import re
from collections import Counter

from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="coreml-mil",
    title="compiled Core ML program",
    extensions=(".mil",),
    media_types=(),
    can_tell=("every operation by its name", "which bytes of which files are weights"),
    cannot_tell=("what the numbers do", "what custom code does"),
)

_HEAD = pattern(rb"\s*program\(\d+(?:\.\d+)*\)\s*(?:\[|\{)")
_OPERATION = pattern(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|(?<==) *([A-Za-z_][A-Za-z0-9_.:]{0,100})\(', re.DOTALL)
_BLOB = pattern(
    r'BLOBFILE\(\s*path\s*=\s*(?:\w+(?:<[^<>]*>)?\(\s*)?"((?:[^"\\]|\\.){0,4096})"\s*(?:\)\s*)?'
    r",\s*offset\s*=\s*(?:\w+(?:<[^<>]*>)?\(\s*)?(\d+)"
)


def probe(head: Head) -> Likeness:
    from openvet.formats._decode import is_text

    return Likeness.STRONG if _HEAD.match(head.data) and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Find the operations and the files of weights.

    Raises:
        LimitError: longer than a text may be.
        MalformedError: is no text.
    """
    from openvet.formats._decode import read_text
    from openvet.formats.coreml import blob_path, put_blobs

    text = read_text(source, facts)
    counts: Counter[str] = Counter()
    for match in _OPERATION.finditer(text):
        if match[1] and match[1] not in _VALUES and (match[1] in counts or len(counts) < facts.limits.records):
            counts[match[1]] += 1
    facts.note("operations", {printable(name): count for name, count in sorted(counts.items())})
    blobs: dict[str, set[int]] = {}
    found = 0
    for match in _BLOB.finditer(text):
        found += 1
        if match[1] not in blobs:
            blob_path(facts, match[1], match.start(1))
        if len(blobs) < facts.limits.records and len(match[2]) < 20:
            blobs.setdefault(match[1], set()).add(int(match[2]))
    told = text.count("BLOBFILE")
    if told != found:
        facts.unknown("unsupported", f"{told - found} files of weights are named in another way than is read")
    put_blobs(facts, blobs)


#: Words before a parenthesis that make a value and are no operation.
_VALUES = {"string", "bool", "fp16", "fp32", "fp64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
           "tensor", "dict", "list", "tuple", "BLOBFILE"}  # fmt: skip
