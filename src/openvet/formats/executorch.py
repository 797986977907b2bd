"""ExecuTorch: a FlatBuffer with a program of PyTorch for devices, and segments of data behind it.

::

    root offset[4], "ET12"[, extended header: "eh00", length[4], size of the program[8], start of the segments[8], ...]
    the program; then segments at the offsets that it names, from the start of the segments

Specification: ``schema/program.fbs`` and ``docs/source/pte-file-format.md`` of ExecuTorch.

An instruction calls an operator of the runtime, or a delegate: a backend that is given a blob of its own.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from openvet.errors import LimitError
from openvet.formats._format import Facts, Format, Head, Likeness, Member, Tensor
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._flatbuffers import Table

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="executorch",
    title="ExecuTorch program",
    extensions=(".pte",),
    media_types=(),
    can_tell=("every operator, backend and tensor, and that the segments lie inside the file",),
    cannot_tell=("what a backend does with the blob that it is given", "what an operator that is not PyTorch's does"),
)

_NAMES = 2_000
#: Beginnings of blobs that a backend would load as native code, or unpickle: they are looked at as files.
_PROGRAMS = (
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"PK\x03\x04",
    b"\x80",
)
_HEADER = 32


def probe(head: Head) -> Likeness:
    from openvet.formats._flatbuffers import has_identifier

    return Likeness.STRONG if has_identifier(head, b"ET12") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Verify the program, then take operators, backends and tensors from it, and check where the segments lie.

    Raises:
        MalformedError: an offset or a size leads out of the file.
        LimitError: more tables or tensors than are followed.
    """
    from openvet.formats._flatbuffers import Walk, schema

    size, base = _extended(source, facts)
    walk = Walk(source.window(0, size), schema("executorch"), facts)
    program = walk.root
    facts.note("version", program.number("version"))
    segments = _segments(source, program, facts, base)
    operators: Counter[str] = Counter()
    backends: Counter[str] = Counter()
    for plan in program.items("execution_plan"):
        for operator in plan.items("operators"):
            operators[operator.text("name")] += 1
        for delegate in plan.items("delegates"):
            backends[delegate.text("id")] += 1
            _blob(program, delegate, facts)
        _tensors(plan, facts)
    facts.note("operators", dict(sorted(operators.items())[:_NAMES]))
    facts.note("backends", dict(sorted(backends.items())[:_NAMES]))
    _suspicious(source, segments, facts)
    account_for_rest(
        source, facts, max([walk.end if not segments else size, *(end for _, end in segments)]), "the program"
    )


def _extended(source: Source, facts: Facts) -> tuple[int, int]:
    """The size of the program and where the segments start, as the extended header says."""
    head = source.upto(0, 8 + _HEADER)
    if len(head) < 32 or head[8:12] != b"eh00":
        return source.size, source.size
    size, base = int.from_bytes(head[16:24], "little"), int.from_bytes(head[24:32], "little")
    if size > source.size or base > source.size or (base and base < size):
        message = f"the header says that the program is {size} bytes long and segments start at {base}"
        facts.anomaly("flatbuffer/structure-lies", message, 16)
        return source.size, source.size
    return size or source.size, base or source.size


def _segments(source: Source, program: Table, facts: Facts, base: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number, segment in enumerate(program.items("segments")):
        start = base + segment.number("offset")
        end = start + segment.number("size")
        if end > source.size:
            message = f"segment {number} lies at {start} and ends at {end}, in a file of {source.size}"
            facts.anomaly("flatbuffer/structure-lies", message, segment.at)
            facts.unknown("absent", f"segment {number} is not there", segment.at)
            start = end = min(start, source.size)
        found.append((start, end))
        if len(found) > facts.limits.records:
            raise LimitError("records", facts.limits.records, "more segments than are read")
    return found


def _blob(program: Table, delegate: Table, facts: Facts) -> None:
    """What a backend is given: looked at as a file where it begins like a program."""
    reference = delegate.table("processed")
    if reference is None or reference.number("location"):
        return  # a segment, which is looked at with the others
    for index, inline in enumerate(program.items("backend_delegate_data")):
        blob = inline.source("data")
        if index == reference.number("index") and blob is not None:
            _offer(blob, f"delegate-{index}", facts)
            return


def _suspicious(source: Source, segments: list[tuple[int, int]], facts: Facts) -> None:
    for number, (start, end) in enumerate(dict.fromkeys(segments)):
        if end > start:
            _offer(source.window(start, end - start), f"segment-{number}", facts)


def _offer(blob: Source, name: str, facts: Facts) -> None:
    if blob.upto(0, 4).startswith(_PROGRAMS):
        facts.add_members([Member(name, blob.size, partial(_same, blob))])


def _same(blob: Source) -> Source:
    return blob


def _tensors(plan: Table, facts: Facts) -> None:
    types = plan.walk.schema.enums["ScalarType"]
    for number, value in enumerate(plan.items("values")):
        tensor = value.table("val") if value.number("val_type") == _TENSOR else None
        if tensor is None or not tensor.number("data_buffer_idx"):
            continue
        if len(facts.tensors) >= facts.limits.tensors:
            raise LimitError("tensors", facts.limits.tensors, "the program describes more tensors")
        kind = tensor.number("scalar_type")
        extra = tensor.table("extra_tensor_info")
        name = extra.text("fully_qualified_name") if extra is not None else ""
        dtype = types[kind] if 0 <= kind < len(types) else f"TYPE_{kind}"
        shape = tuple(max(extent, 0) for extent in tensor.numbers("sizes", 64))
        facts.tensors.append(Tensor(name or f"value {number}", _DTYPES.get(dtype, dtype), shape))


_TENSOR = 5
_DTYPES = {
    "BYTE": "U8", "CHAR": "I8", "SHORT": "I16", "INT": "I32", "LONG": "I64", "HALF": "F16", "FLOAT": "F32",
    "DOUBLE": "F64", "BFLOAT16": "BF16", "UINT16": "U16", "UINT32": "U32", "UINT64": "U64",
}  # fmt: skip
