"""Single values of ONNX: the inputs and outputs that models are tested with (``input_0.pb``), and functions by themselves.

A protocol buffer without a mark: one ``TensorProto``, a sequence or an optional value of such, or one ``FunctionProto``. It is known
by its structure: only fields of the message, an element type that exists, and as many bytes or numbers as the extents need.

Reference: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto and ``onnx-data.proto`` beside it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.errors import ReadError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._protobuf import Field, Walker

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="onnx-tensor",
    title="ONNX tensor, sequence or function",
    extensions=(".pb",),
    media_types=("application/x-protobuf",),
    can_tell=(
        "every tensor with its name, type and shape, and that nothing else is there",
        "files that a tensor names, and where they lead",
        "every operation of a function with its domain",
    ),
    cannot_tell=("what the numbers mean", "an empty sequence, which is two bytes"),
)

#: Numbers of the fields that one of the messages has.
_FIELDS = (2, 4, 5, 6, 7, 9, 10, 11)
_OPERATION = pattern(r"[A-Za-z_][\w.:/-]{0,200}")
_KINDS = ("TensorProto", "SequenceProto", "OptionalProto", "FunctionProto")
_DEPTH = 8
#: Bytes of packed numbers that the probe counts one by one.
_COUNTED = 1 << 15
#: Fields that the probe walks: values have few, since numbers are packed.
_LOOKED_AT = 4_096
_NUMBERS = {"float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data"}
#: Numbers of these types stand in pairs or several to a field; so they are not counted.
_UNEVEN = frozenset({14, 15, 21, 22, 23, 25, 26})


def probe(head: Head) -> Likeness:
    """STRONG where every field is one of the message and the sizes agree."""
    return Likeness.STRONG if head.once(_kind) else Likeness.NO


def _kind(head: Head) -> str:
    """The message that the whole file is, or nothing."""
    from openvet.formats._protobuf import may_begin

    if len(head.data) < 4 or head.data[0] not in b"\x08\x0a\x10" or not may_begin(head, *_FIELDS):
        return ""
    return _kind_of(head.source)


def _kind_of(source: Source) -> str:
    from openvet.core.limits import Budget
    from openvet.formats._protobuf import Walker, schema

    for kind in _KINDS:
        walker = Walker(source, Facts("", "", Budget()), schema("onnx"), most=_LOOKED_AT)
        try:
            if _fits(walker, kind, 0, source.size, 0) and not walker.unknown and not walker.duplicates:
                return kind
        except ReadError:
            continue
    return ""


def _fits(walker: Walker, kind: str, at: int, end: int, depth: int) -> bool:
    if depth > _DEPTH:
        return False
    if kind == "TensorProto":
        return _is_tensor(walker, at, end)
    if kind == "FunctionProto":
        return _is_function(walker, at, end)
    values = types = 0
    for part in walker.message(kind, at, end):
        if walker.unknown:
            return False
        inner = part.spec.type
        if part.name == "elem_type":
            types += 0 < part.value <= 5
        elif inner:
            values += 1
            named = inner in ("MapProto", "SparseTensorProto")
            if not (
                any(True for _ in walker.message(inner, part.at, part.end))
                if named
                else _fits(walker, inner, part.at, part.end, depth + 1)
            ):
                return False
    return values > 0 and types == 1


def _is_tensor(walker: Walker, at: int, end: int) -> bool:
    from openvet.formats._onnx_tensor import DTYPES

    elements, dtype, raw, least, most, outside = 1, 0, -1, 0, 0, False
    for part in walker.message("TensorProto", at, end):
        if walker.unknown or walker.duplicates:
            return False
        if part.name == "dims":
            for extent in walker.numbers(part, 64):
                elements *= max(extent, 0)
        elif part.name == "data_type":
            dtype = part.value
        elif part.name == "raw_data":
            raw = part.size
        elif part.name == "external_data":
            outside = True
        elif part.name in _NUMBERS:
            fewest, highest = _count(walker, part)
            least, most = least + fewest, most + highest
    if dtype not in DTYPES:
        return False
    bits = DTYPES[dtype][1]
    if raw >= 0 and not most:
        return bool(bits) and raw == (elements * bits + 7) // 8
    return outside or least <= elements <= most or (most > 0 and dtype in _UNEVEN)


def _count(walker: Walker, part: Field) -> tuple[int, int]:
    """How many numbers or texts stand in a field: at least, and at most."""
    width = {"float_data": 4, "double_data": 8}.get(part.name)
    if part.name == "string_data" or not part.packed:
        count = 1
    elif width:
        count = part.size // width
    elif part.size > _COUNTED:
        return part.size // 10, part.size
    else:
        count = sum(byte < 0x80 for byte in walker.source.upto(part.at, part.size))
    return count, count


def _is_function(walker: Walker, at: int, end: int) -> bool:
    nodes = sets = named = 0
    for part in walker.message("FunctionProto", at, end):
        if walker.unknown:
            return False
        if part.name == "name":
            named += _OPERATION.fullmatch(walker.text(part, 300)) is not None
        elif part.name == "opset_import":
            sets += 1
        elif part.name == "node" and not nodes:
            operations = [each for each in walker.message("NodeProto", part.at, part.end) if each.name == "op_type"]
            nodes += any(_OPERATION.fullmatch(walker.text(each, 300)) for each in operations)
            if not nodes:
                return False
    return bool(nodes and sets and named)


def read(source: Source, facts: Facts) -> None:
    """Walk the value.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more fields, tensors or nesting than is followed.
    """
    from openvet.formats._onnx_graph import OnnxReader

    reader = OnnxReader(source, facts)
    try:
        reader.value(_kind_of(source) or "TensorProto")
    finally:
        reader.finish()
