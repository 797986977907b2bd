"""ONNX models: a graph of operations with its weights, for ONNX Runtime and many others.

A protocol buffer::

    1 IR version   2-6 producer, domain, version, text   7 graph   8 sets of operators   14 metadata
    20 training   25 functions   26 devices
    graph: 1 nodes   5 initializers (the weights)   11-13 inputs, outputs, types   15 sparse initializers
    tensor: 1 extents   2 type   4-7, 9-11 numbers   8 name   13 where its bytes lie outside   14 whether they do

Graphs stand inside of attributes (``If``, ``Loop``, ``Scan``) and functions have nodes of their own; all of them are walked. A
tensor's bytes may lie in a file beside the model (external data), which is then claimed.

Reference: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto , https://onnx.ai/onnx/repo-docs/ExternalData.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.errors import ReadError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._protobuf import Walker

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="onnx",
    title="ONNX model",
    extensions=(".onnx",),
    media_types=("application/onnx",),
    can_tell=(
        "every operation with its domain, also of functions and of the graphs inside nodes",
        "every initializer with its name, type, shape and place, in this file or in the file beside that it names",
        "files that the model names, and where they lead",
    ),
    cannot_tell=("what a custom operation does", "what the numbers do"),
)

#: The wire type of each field of a model.
_WIRES = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_LOOKED_AT = 64
#: Fields of the model that are looked through: as many unknown ones may stand in front of the graph.
_LOOKED_THROUGH = 4096
_ANYWHERE = 1 << 62
_OPERATION = pattern(r"[A-Za-z_][\w.:/-]{0,200}")


def probe(head: Head) -> Likeness:
    """STRONG where the fields are those of a model, and its first graph or function begins with a node, a tensor or a value.

    Fields that no model has are passed over: they must not make a model unreadable.
    """
    from openvet.formats._protobuf import may_begin, probing, schema

    if len(head.data) < 8 or not may_begin(head, 7, 25):
        return Likeness.NO
    walker = probing(head, schema("onnx"))
    try:
        return Likeness.STRONG if _is_model(walker) else Likeness.NO
    except ReadError:
        return Likeness.NO


def _is_model(walker: Walker) -> bool:
    version = sets = 0
    body = False
    for count, field in enumerate(walker.fields(0, _ANYWHERE)):  # a model that was cut off is a model
        if count >= _LOOKED_THROUGH:
            break
        if field.number in _WIRES and _WIRES[field.number] != field.wire:
            continue  # loaders take it for a field that they do not know
        if field.number == 1:
            version = field.value
        elif field.number == 8:
            sets += 1
        elif field.number in (7, 25) and not body:
            body = _is_body(walker, "GraphProto" if field.number == 7 else "FunctionProto", field.at, field.end)
            if not body:
                return False
        if body and (1 <= version <= 100 or sets):
            return True
    return False


def _is_body(walker: Walker, kind: str, at: int, end: int) -> bool:
    """Whether the first known part of a graph or function is what it says: a node with a name of an operation, or a tensor."""
    parts = 0
    for part in walker.message(kind, at, end):
        if part.name == "node":
            operations = [each for each in walker.message("NodeProto", part.at, part.end) if each.name == "op_type"]
            return any(_OPERATION.fullmatch(walker.text(each, 300)) for each in operations)
        if part.spec.type:
            return any(True for _ in walker.message(part.spec.type, part.at, part.end))
        parts += 1
        if parts > _LOOKED_AT:
            break
    return parts > 0 and not walker.unknown


def read(source: Source, facts: Facts) -> None:
    """Walk the model.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more fields, tensors or nesting than is followed.
    """
    from openvet.formats._onnx_graph import OnnxReader

    reader = OnnxReader(source, facts)
    try:
        reader.model()
    finally:
        reader.finish()
