"""MXNet parameters (``.params``): a list of arrays and a list of their names.

::

    0x112 u64, reserved u64, arrays u64
    array     magic u32, storage i32, (shape of a sparse storage), shape, device i32 i32, kind i32, (kinds and shapes of indices), data
              0xF993FACA version 3, 0xF993FAC9 version 2, 0xF993FAC8 version 1 (no storage); else the number of extents (u32 each)
    shape     extents u32, i64 each
    names     names u64, for each its length u64 and text

Reference: ``src/ndarray/ndarray.cc`` of https://github.com/apache/mxnet
"""

from __future__ import annotations

import struct

from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="mxnet",
    title="MXNet parameters",
    extensions=(".params", ".nd"),
    media_types=(),
    can_tell=("every array with its name, kind, shape and place, to the last byte of the file",),
    cannot_tell=("what the numbers do",),
)

_MAGIC = (0x112).to_bytes(8, "little")
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_KINDS = {0: ("F32", 4), 1: ("F64", 8), 2: ("F16", 2), 3: ("U8", 1), 4: ("I32", 4), 5: ("I8", 1), 6: ("I64", 8),
          7: ("BOOL", 1), 8: ("I16", 2), 9: ("U16", 2), 10: ("U32", 4), 11: ("U64", 8), 12: ("BF16", 2)}  # fmt: skip
_INDICES = {-1: 0, 0: 0, 1: 1, 2: 2}
_EXTENTS = 64
#: What its bytes begin with.
STARTS = (_MAGIC,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(_MAGIC) and head.size >= 32 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every array, then the names.

    Raises:
        MalformedError: something goes beyond the end.
        LimitError: more arrays than are listed.
        UnsupportedError: a kind of number or storage that is not known.
    """
    from openvet.formats._trailing import account_for_rest

    cursor = source.cursor(16)
    count = _number(cursor, "<Q")
    if count > facts.limits.tensors:
        raise LimitError("tensors", facts.limits.tensors, f"describes {count} arrays", offset=16)
    arrays = [_array(cursor) for _ in range(count)]
    names = _number(cursor, "<Q")
    if names not in {0, count}:
        raise MalformedError(f"has {names} names for {count} arrays", offset=cursor.position)
    for index, (word, shape, at, size) in enumerate(arrays):
        name = str(index)
        if names:
            length = _number(cursor, "<Q")
            if length > facts.limits.member_name:
                raise LimitError(
                    "member_name", facts.limits.member_name, "a name is longer than is read", offset=cursor.position
                )
            name = printable(cursor.read(length).decode("utf-8", "backslashreplace"))
        facts.tensors.append(Tensor(name, word, shape, at, size))
    account_for_rest(source, facts, cursor.position, "the names")


def _number(cursor: Cursor, code: str) -> int:
    return int(struct.unpack(code, cursor.read(struct.calcsize(code)))[0])


def _shape(cursor: Cursor, code: str = "<q", count: int | None = None) -> tuple[int, ...]:
    if count is None:
        count = _number(cursor, "<i")
    if count > _EXTENTS:
        raise MalformedError(f"an array has {count} extents", offset=cursor.position)
    shape = tuple(_number(cursor, code) for _ in range(max(count, 0)))
    if any(extent < 0 for extent in shape):
        raise MalformedError("an extent is negative", offset=cursor.position)
    return shape


def _array(cursor: Cursor) -> tuple[str, tuple[int, ...], int, int]:
    """Kind, shape, offset and size of one array."""
    magic = _number(cursor, "<I")
    stored: tuple[int, ...] | None = None
    indices = 0
    if magic in {_V2, _V3}:
        storage = _number(cursor, "<i")
        if storage not in _INDICES:
            raise UnsupportedError(f"an array has the storage {storage}, which is not known", offset=cursor.position)
        indices = _INDICES[storage]
        stored = _shape(cursor) if indices else None
        shape = _shape(cursor)
    else:
        shape = _shape(cursor) if magic == _V1 else _shape(cursor, "<I", magic)
    if not shape and magic != _V3:
        return "NONE", (), cursor.position, 0
    cursor.skip(8)
    word, width = _kind(cursor)
    extra = [(_kind(cursor)[1], _shape(cursor)) for _ in range(indices)]
    at = cursor.position
    size = width * _product(shape if stored is None else stored)
    cursor.skip(size)
    for index_width, index_shape in extra:
        cursor.skip(index_width * _product(index_shape))
    return word, shape, at, size


def _kind(cursor: Cursor) -> tuple[str, int]:
    kind = _number(cursor, "<i")
    if kind not in _KINDS:
        raise UnsupportedError(f"an array has the kind {kind}, which is not known", offset=cursor.position - 4)
    return _KINDS[kind]


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for extent in shape:
        product *= extent
    return product
