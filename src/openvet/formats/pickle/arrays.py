"""The raw arrays that joblib puts between the opcodes of a pickle.

After BUILD of a ``NumpyArrayWrapper`` joblib's unpickler reads the array from the file: one byte that says how much padding follows,
where the wrapper has an alignment; the padding; and the elements. Arrays of objects are a pickle of their own instead. How many bytes
that is stands in the wrapper's state alone, so that a state that says it in an unusual way is not followed: what is behind it then
is not read, and said to be unread. Whoever loads the file with ``pickle`` instead of joblib reads the raw bytes as opcodes; they are
walked in that way as well.

Reference: ``joblib/numpy_pickle.py`` of joblib; ``arraydescr_setstate`` in ``numpy/_core/src/multiarray/descriptor.c`` of NumPy, by
which the state of a dtype may change its size and whether it holds objects.
"""

from __future__ import annotations

from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.formats._format import Tensor
from openvet.formats.pickle.semantics import Semantics
from openvet.formats.pickle.values import DICT, REF, RESULT, TUPLE, a_of, offset_of, tag_of

__all__ = ["WRAPPERS", "RawArray", "raw_array"]

WRAPPERS: Final = frozenset(
    {("joblib.numpy_pickle", "NumpyArrayWrapper"), ("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper")}
)
#: The three classes that joblib takes out of a pickle, under the names that they had over the years.
_CLASSES: Final = frozenset(
    {
        "numpy.ndarray", "numpy.memmap", "numpy.core.memmap.memmap", "numpy._core.memmap.memmap",
        "numpy.matrix", "numpy.core.defmatrix.matrix", "numpy.matrixlib.defmatrix.matrix",
    }
)  # fmt: skip
_CODE: Final = pattern(r"[<>=|]?([?bBiufcmMSUVOa])([0-9]{0,9})")
#: Words of the safetensors vocabulary for kinds and sizes of elements.
_WORDS: Final = {
    "f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "u1": "U8", "u2": "U16",
    "u4": "U32", "u8": "U64", "b1": "BOOL", "c8": "C64", "c16": "C128",
}  # fmt: skip
_FIELDS: Final = frozenset({"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"})
_REFCOUNT: Final = 0x01  # NPY_ITEM_REFCOUNT: the elements are objects


@dataclass(frozen=True, slots=True)
class RawArray:
    """What follows a wrapper.

    Attributes:
        pickled: whether a pickle of the array follows instead of its elements.
        padded: whether a byte with the length of a padding comes first.
        nbytes: of the elements.
        tensor: the array as it is described; its offset is not known yet.
    """

    pickled: bool
    padded: bool
    nbytes: int
    tensor: Tensor


def raw_array(m: Semantics, state: int, name: str) -> RawArray | None:
    """What follows a wrapper with this state; ``None`` where that is not certain."""
    items = m.sure(state) if tag_of(state) == DICT else None
    if items is None:
        return None
    fields: dict[str, int] = {}
    for at in range(0, len(items) - 1, 2):
        key = m.text(items[at])
        if key not in _FIELDS:  # joblib writes no others, and a method may hide under one
            return None
        fields[key] = items[at + 1]
    shape = _shape(m, fields.get("shape"))
    dtype = _dtype(m, fields.get("dtype"))
    kind = fields.get("subclass")
    if (
        shape is None
        or dtype is None
        or kind is None
        or tag_of(kind) != REF
        or m.refs[a_of(kind)].qualified not in _CLASSES
    ):
        return None
    word, width, objects = dtype
    count = 1
    for extent in shape:
        count *= extent
    alignment = fields.get("numpy_array_alignment_bytes")
    padded = alignment is not None
    if alignment is not None and m.integer(alignment) is None:
        return None  # None as a value means that nothing is padded; joblib does not write that
    return RawArray(objects, padded and not objects, count * width, Tensor(name, word, shape, None, count * width))


def _shape(m: Semantics, value: int | None) -> tuple[int, ...] | None:
    items = m.sure(value) if value is not None and tag_of(value) == TUPLE else None
    if items is None:
        return None
    extents = [m.integer(item) for item in items]
    return None if any(each is None or each < 0 for each in extents) else tuple(each or 0 for each in extents)


def _dtype(m: Semantics, value: int | None) -> tuple[str, int, bool] | None:
    """Word, bytes of one element, and whether they are objects."""
    if value is None or tag_of(value) != RESULT:
        return None
    made = m.dtypes.get(offset_of(value))
    match = None if made is None else _CODE.fullmatch(made.code)
    if made is None or match is None:
        return None
    kind, digits = match.group(1), match.group(2)
    width = int(digits) if digits else {"?": 1, "b": 1, "B": 1, "O": 8}.get(kind, -1)
    if kind == "U":
        width *= 4
    flags = 0
    if made.state is not None:
        items = m.sure(made.state) if tag_of(made.state) == TUPLE else None
        if items is None or len(items) < 8:
            return None
        size, given = m.integer(items[5]), m.integer(items[7])
        if size is None or given is None:
            return None
        flags = given
        if kind in "SUVa":
            width = size if size >= 0 else -1
        elif size not in (-1, width):
            return None
    if width < 0:
        return None
    word = _WORDS.get(f"{kind}{width}", "BOOL" if kind == "?" else f"{kind}{width}")
    return word, width, kind == "O" or bool(flags & _REFCOUNT)
