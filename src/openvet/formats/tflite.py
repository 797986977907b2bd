"""TensorFlow Lite (LiteRT): a FlatBuffer with operators, tensors and buffers, for phones and small devices.

::

    root offset[4], "TFL3", the buffer
    buffers of large models, which the buffer names by offset and size
    a zip with vocabularies and labels, which the metadata library appends

Specification: ``tensorflow/compiler/mlir/lite/schema/schema.fbs`` of TensorFlow.

An operator is built in, an operation of TensorFlow (``Flex...``), or custom code that the application brings.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._flatbuffers import Table, Walk

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="tflite",
    title="TensorFlow Lite model",
    extensions=(".tflite", ".lite"),
    media_types=(),
    can_tell=(
        "every operator, tensor and buffer, and that they lie where the file says",
        "which operators are TensorFlow's own or custom code",
        "the files that are appended",
    ),
    cannot_tell=("what the numbers do", "what a custom operator of the application does", "what a delegate does"),
    refines=("zip",),
)

_CUSTOM = 32
_NAMES = 2_000
_VALUES = 1_000


def probe(head: Head) -> Likeness:
    from openvet.formats._flatbuffers import has_identifier

    return Likeness.STRONG if has_identifier(head, b"TFL3") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Verify the buffer, then take operators, tensors and buffers from it, and account for what follows.

    Raises:
        MalformedError: an offset or a size leads out of the file.
        LimitError: more tables or tensors than are followed.
    """
    from openvet.formats._flatbuffers import Walk, schema

    walk = Walk(source, schema("tflite"), facts)
    model = walk.root
    facts.note("version", model.number("version"))
    facts.note("description", model.text("description"))
    ends = [walk.end]
    buffers = _buffers(model, facts, walk.end, ends)
    names = _operator_codes(model, walk)
    used: Counter[str] = Counter()
    for number, graph in enumerate(model.items("subgraphs")):
        if number == 0:  # the one that an interpreter runs; others stand in its branches and loops
            _values(graph, walk, facts)
        _tensors(graph, walk, buffers, facts)
        _indices(graph, facts)
        _operators(graph, names, used, facts, ends)
    from openvet.formats._tflite_loops import LOOPS, tell_loops

    if LOOPS.intersection(names):
        tell_loops(model, names, buffers, facts)
    from openvet.formats._tflite_graphs import tell_graphs

    tell_graphs(model, names, buffers, facts)
    kinds: dict[str, dict[str, int]] = {"builtin": {}, "flex": {}, "custom": {}}
    for name, count in sorted(used.items()):
        group, _, rest = name.partition(":")
        if len(kinds[group]) < _NAMES:
            kinds[group][rest] = count
    facts.note("operators", kinds)
    _external(model, facts)
    _fields(model, facts)
    _after(source, facts, max(ends))


def _operator_codes(model: Table, walk: Walk) -> list[str]:
    """For each operator code its kind and name, as in ``builtin:ADD`` or ``custom:Mine``."""
    known = walk.schema.enums["BuiltinOperator"]
    names = []
    for code in model.items("operator_codes"):
        # the old field has eight bits; the larger of the two counts, as in GetBuiltinCode
        number = max(code.number("deprecated_builtin_code"), code.number("builtin_code"))
        custom = code.text("custom_code")
        if number == _CUSTOM or (custom and number == 0):
            names.append(f"flex:{custom[4:]}" if custom.startswith("Flex") else f"custom:{custom}")
        else:
            names.append(f"builtin:{known[number]}" if 0 <= number < len(known) else f"builtin:number {number}")
        if len(names) > model.walk.facts.limits.records:
            raise LimitError("records", model.walk.facts.limits.records, "more operator codes than are read")
    return names


def _operators(graph: Table, names: list[str], used: Counter[str], facts: Facts, ends: list[int]) -> None:
    for operator in graph.items("operators"):
        index = operator.number("opcode_index")
        if index >= len(names):
            facts.anomaly("flatbuffer/structure-lies", f"an operator has the code {index} of {len(names)}", operator.at)
            continue
        name = names[index]
        if name == "builtin:STABLEHLO_CUSTOM_CALL":
            call = operator.table("builtin_options2")
            name = f"custom:{call.text('call_target_name') if call is not None else ''} (StableHLO)"
        used[name] += 1
        _place(
            operator.number("large_custom_options_offset"),
            operator.number("large_custom_options_size"),
            "the options of an operator",
            operator,
            facts,
            ends,
        )


def _buffers(model: Table, facts: Facts, end: int, ends: list[int]) -> list[tuple[int | None, int | None]]:
    """For each buffer where it lies and how long it is."""
    found: list[tuple[int | None, int | None]] = []
    for number, buffer in enumerate(model.items("buffers")):
        start, count = buffer.vector("data")
        offset, size = buffer.number("offset"), buffer.number("size")
        if count or offset <= 1:  # 0 and 1 stand for a buffer that is inline, or none
            found.append((start, count) if count else (None, 0))
        else:
            found.append((offset, size))
            _place(offset, size, f"buffer {number}", buffer, facts, ends)
            if offset < end:
                message = f"buffer {number} lies at {offset}, over the description of the model"
                facts.anomaly("tflite/buffer-outside", message, buffer.at, offset_said=offset)
    return found


def _place(offset: int, size: int, what: str, table: Table, facts: Facts, ends: list[int]) -> None:
    if offset <= 1:
        return
    if offset + size > table.walk.source.size:
        message = f"{what} lies at {offset} and is {size} bytes long, in a file of {table.walk.source.size}"
        facts.anomaly("tflite/buffer-outside", message, table.at)
    else:
        ends.append(offset + size)


def _tensors(graph: Table, walk: Walk, buffers: list[tuple[int | None, int | None]], facts: Facts) -> None:
    types = walk.schema.enums["TensorType"]
    for tensor in graph.items("tensors"):
        if len(facts.tensors) >= facts.limits.tensors:
            raise LimitError("tensors", facts.limits.tensors, "the model describes more tensors")
        index, kind = tensor.number("buffer"), tensor.number("type")
        if index >= len(buffers) and buffers:
            message = f"a tensor names buffer {index} of {len(buffers)}"
            facts.anomaly("flatbuffer/structure-lies", message, tensor.at)
        offset, size = buffers[index] if index < len(buffers) else (None, 0)
        if not size:  # an input, an output or what is between
            continue
        dtype = _DTYPES.get(types[kind], types[kind]) if 0 <= kind < len(types) else f"TFLITE_{kind}"
        extents = tensor.numbers("shape", 64)
        shape = tuple(max(extent, 0) for extent in extents)
        _hold(tensor, dtype, extents, size, facts)
        facts.tensors.append(Tensor(tensor.text("name"), dtype, shape, offset, size))


def _hold(tensor: Table, dtype: str, extents: tuple[int, ...], size: int, facts: Facts) -> None:
    """Hold the extents of a tensor to its buffer: runtimes for microcontrollers do not, and read on behind it."""
    bits = _BITS.get(dtype)
    if bits is None or tensor.has("sparsity"):
        return
    if any(extent < 0 for extent in extents):
        message = f"the tensor {shorten(tensor.text('name'), 100)} has an extent of {min(extents)}"
        facts.anomaly("flatbuffer/structure-lies", message, tensor.at)
        return
    needed = (math.prod(extents) * bits + 7) // 8
    if needed > size:
        message = f"the tensor {shorten(tensor.text('name'), 100)} needs {needed} bytes, and its buffer has {size}"
        facts.anomaly("flatbuffer/structure-lies", message, tensor.at, needs=str(needed), has=size)


def _indices(graph: Table, facts: Facts) -> None:
    """Hold the tensors that the graph and its operators name to those that there are; -1 stands for an input that is left out."""
    _, count = graph.vector("tensors")
    for table, names in chain([(graph, ("inputs", "outputs"))], ((each, _NAMED) for each in graph.items("operators"))):
        for name in names:
            least = -1 if table is not graph and name != "outputs" else 0
            wrong = next((index for index in table.numbers(name, _VALUES) if not least <= index < count), None)
            if wrong is not None:
                what = "the graph" if table is graph else "an operator"
                message = f"the {name} of {what} name the tensor {wrong} of {count}"
                facts.anomaly("flatbuffer/structure-lies", message, table.at)
                return


_NAMED = ("inputs", "outputs", "intermediates")
#: Bits of one element, where they are fixed.
_BITS = {
    "F32": 32, "F16": 16, "I32": 32, "U8": 8, "I64": 64, "BOOL": 8, "I16": 16, "I8": 8, "F64": 64, "C64": 64, "COMPLEX128": 128,
    "U64": 64, "U32": 32, "U16": 16, "BF16": 16, "INT4": 4, "UINT4": 4, "INT2": 2,
}  # fmt: skip
_DTYPES = {
    "FLOAT32": "F32", "FLOAT16": "F16", "INT32": "I32", "UINT8": "U8", "INT64": "I64", "INT16": "I16", "INT8": "I8",
    "FLOAT64": "F64", "UINT64": "U64", "UINT32": "U32", "UINT16": "U16", "BFLOAT16": "BF16", "COMPLEX64": "C64",
}  # fmt: skip


def _values(graph: Table, walk: Walk, facts: Facts) -> None:
    """What goes into the graph and what comes out: name, type and extents of each."""
    types = walk.schema.enums["TensorType"]
    wanted = {name: graph.numbers(name, _VALUES) for name in ("inputs", "outputs")}
    last = max((index for indexes in wanted.values() for index in indexes), default=-1)
    found: dict[int, dict[str, Any]] = {}
    for index, tensor in enumerate(islice(graph.items("tensors"), max(last + 1, 0))):
        if any(index in indexes for indexes in wanted.values()):
            kind = tensor.number("type")
            dtype = types[kind] if 0 <= kind < len(types) else f"TFLITE_{kind}"
            # the extents of the signature are those that are not fixed as -1
            extents = tensor.numbers("shape_signature", 64) or tensor.numbers("shape", 64)
            shape = [extent if extent >= 0 else "?" for extent in extents]
            found[index] = {
                "name": printable(tensor.text("name"))[:200],
                "dtype": _DTYPES.get(dtype, dtype),
                "shape": shape,
            }
    for name, indexes in wanted.items():
        facts.note(name, [found[index] for index in indexes if index in found])


def _external(model: Table, facts: Facts) -> None:
    """Weights in other files, which newer models name by groups."""
    groups = [group.text("name") for group in islice(model.items("external_buffer_groups"), facts.limits.records)]
    if groups:
        facts.note("external_files", groups[:_NAMES])
    for name in groups:
        if (
            name.startswith(("/", "\\"))
            or ".." in name.replace("\\", "/").split("/")
            or name[1:2] == ":"
            or "://" in name
        ):
            facts.anomaly("tflite/outside-path", f"weights are taken from {name}, outside the model", path=name)


def _fields(model: Table, facts: Facts) -> None:
    """The description, and what converters and people leave in buffers by a name: the runtime reads none of them."""
    from openvet.formats._encoded import EncodedPickles

    encoded = EncodedPickles(facts)
    encoded.look(model.text("description"))
    buffers = list(islice(model.items("buffers"), _VALUES)) if model.has("metadata") else []
    for each in islice(model.items("metadata"), _NAMES):
        index = each.number("buffer")
        data = buffers[index].source("data") if index < len(buffers) else None
        if data is not None:
            encoded.field(data, f"metadata-{each.at}", each.at)


def _after(source: Source, facts: Facts, end: int) -> None:
    """What stands behind the last buffer: nothing, padding, or the zip of the metadata library."""
    rest = source.size - end
    if rest <= 0:
        return
    head = source.upto(end, 64)
    start = head.find(b"PK\x03\x04")
    if start < 0 or head[:start].strip(b"\0"):
        account_for_rest(source, facts, end, "the model")
        return
    from openvet.formats._listing import put_problem
    from openvet.formats.zip import zip_members
    from openvet.io.archive.zip import read_zip

    listing = read_zip(source, facts.budget)
    ours = 0  # the model itself stands in front of the zip and hides nothing
    for anomaly in listing.anomalies:
        if anomaly.rule == "archive/hidden-data" and anomaly.offset == 0:
            ours = end + start
            hidden = int(anomaly.evidence.get("bytes", 0)) - ours
            if hidden <= 0:
                continue
        facts.anomaly(anomaly.rule, anomaly.message, anomaly.offset, **anomaly.evidence)
    for error in listing.problems:
        put_problem(facts, error)
    facts.dropped += listing.dropped
    if listing.outside > ours:
        facts.unknown("no-reader", f"{listing.outside - ours} bytes that belong to no member were not read")
    facts.add_members(zip_members(source, listing, facts))
    facts.note("associated_files", [printable(entry.name)[:500] for entry in listing.entries][:_NAMES])
