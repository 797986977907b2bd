"""PaddlePaddle parameters: ``.pdiparams``, ``__params__`` and files of one variable.

::

    tensor    version u32 (0), levels u64, for each level its bytes u64 and offsets
              version u32 (0), size i32, TensorDesc (kind, extents; protocol buffer), data
    and so on to the end of the file; names stand in the program

Reference: ``paddle/fluid/framework/lod_tensor.cc`` and ``tensor_util.cc`` of https://github.com/PaddlePaddle/Paddle
"""

from __future__ import annotations

import struct

from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._protobuf import Walker, schema
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="paddle-params",
    title="PaddlePaddle parameters",
    extensions=(".pdiparams",),
    media_types=(),
    can_tell=("every tensor with its kind, shape and place, to the last byte of the file",),
    cannot_tell=("names of tensors, which stand in the program", "what the numbers do"),
)

_KINDS = {
    0: ("BOOL", 1), 1: ("I16", 2), 2: ("I32", 4), 3: ("I64", 8), 4: ("F16", 2), 5: ("F32", 4), 6: ("F64", 8),
    19: ("U64", 8), 20: ("U8", 1), 21: ("I8", 1), 22: ("BF16", 2), 23: ("C64", 8), 24: ("C128", 16), 32: ("F8_E4M3", 1),
    33: ("F8_E5M2", 1), 37: ("U32", 4), 38: ("U64", 8),
}  # fmt: skip
_LEVELS = 64
_DESCRIPTION = 1024
#: What its bytes begin with.
STARTS = (bytes(4),)


def probe(head: Head) -> Likeness:
    """Two versions of zero around the levels, and a description that begins with its kind."""
    data = head.data
    levels = int.from_bytes(data[4:12], "little")
    if len(data) < 24 or data[:4] != bytes(4) or levels > _LEVELS:
        return Likeness.NO
    at = 12
    for _ in range(levels):
        at += 8 + int.from_bytes(data[at : at + 8], "little")
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    fits = data[at : at + 4] == bytes(4) and 2 <= size <= _DESCRIPTION and data[at + 8 : at + 9] == b"\x08"
    return Likeness.STRONG if fits and data[at + 9 : at + 10] and data[at + 9] in _KINDS else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every tensor.

    Raises:
        MalformedError: a tensor goes beyond the end.
        LimitError: more tensors than are listed.
        UnsupportedError: a version or a kind of number that is not known.
    """
    walker = Walker(source, facts, schema("paddle"))
    cursor = source.cursor()
    while cursor.left:
        facts.budget.check_time()
        if len(facts.tensors) >= facts.limits.tensors:
            raise LimitError("tensors", facts.limits.tensors, "has more tensors", offset=cursor.position)
        begin = cursor.position
        version, levels = struct.unpack("<IQ", cursor.read(12))
        if version or levels > _LEVELS:
            raise UnsupportedError(f"what stands at {begin} is no tensor", offset=begin)
        for _ in range(levels):
            cursor.skip(int.from_bytes(cursor.read(8), "little"))
        version, size = struct.unpack("<Ii", cursor.read(8))
        if version or not 2 <= size <= _DESCRIPTION or size > cursor.left:
            raise MalformedError(f"the description of a tensor has {size} bytes", offset=cursor.position)
        kind, shape = 0, []
        for field in walker.message("VarType-TensorDesc", cursor.position, cursor.position + size):
            if field.name == "data_type":
                kind = field.value
            else:
                shape.extend(walker.numbers(field))
        cursor.skip(size)
        if kind not in _KINDS:
            raise UnsupportedError(f"a tensor has the kind {kind}, which is not known", offset=begin)
        if any(extent < 0 for extent in shape):
            raise MalformedError("an extent is negative", offset=begin)
        word, width = _KINDS[kind]
        tensor = Tensor(str(len(facts.tensors)), word, tuple(shape), cursor.position)
        nbytes = tensor.elements * width
        cursor.skip(nbytes)
        facts.tensors.append(Tensor(tensor.name, word, tensor.shape, tensor.offset, nbytes))
    walker.report("paddle/structure-lies", "a tensor of PaddlePaddle")
