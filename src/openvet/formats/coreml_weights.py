"""Core ML weights: ``weights/weight.bin`` of a package.

::

    blobs u32, version u32 (2), 56 bytes of zeros
    for each blob, from a multiple of 64 on:
        0xDEADBEEF u32, kind u32, bytes u64, offset of the data u64, 40 reserved
        data

Specification: ``mlmodel/src/MILBlob/Blob/StorageFormat.hpp`` of https://github.com/apple/coremltools
"""

from __future__ import annotations

from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="coreml-weights",
    title="Core ML weights",
    extensions=(".bin",),
    media_types=(),
    can_tell=("every blob's kind, size and place, to the last byte of the file",),
    cannot_tell=("what the numbers do", "names of tensors, which stand in the model"),
)

_ALIGNED = 64
_SENTINEL = b"\xef\xbe\xad\xde"
#: kind -> (name, bits of an element)
_KINDS = {
    1: ("F16", 16), 2: ("F32", 32), 3: ("U8", 8), 4: ("I8", 8), 5: ("BF16", 16), 6: ("I16", 16), 7: ("U16", 16),
    8: ("I4", 4), 9: ("U1", 1), 10: ("U2", 2), 11: ("U4", 4), 12: ("U3", 3), 13: ("U6", 6), 14: ("I32", 32),
    15: ("U32", 32), 16: ("F8_E4M3", 8), 17: ("F8_E5M2", 8),
}  # fmt: skip


def probe(head: Head) -> Likeness:
    """Version 2, zeros up to 64, and the first blob's sentinel."""
    data = head.data
    strong = data[4:8] == b"\2\0\0\0" and not data[8:64].strip(b"\0") and data[64:68] == _SENTINEL
    return Likeness.STRONG if strong else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every blob.

    Raises:
        MalformedError: a blob does not begin where the one before ends, or goes beyond the end.
        LimitError: more blobs than are listed.
    """
    from openvet.formats._trailing import account_for_rest, all_zero

    count = int.from_bytes(source.read(0, 4), "little")
    if count > facts.limits.tensors:
        raise LimitError("tensors", facts.limits.tensors, f"describes {count} blobs", offset=0)
    facts.note("blobs", count)
    at = _ALIGNED
    for index in range(count):
        record = source.read(at, _ALIGNED)
        if record[:4] != _SENTINEL:
            raise MalformedError(f"no blob begins at {at}", offset=at)
        kind, size, begin = (int.from_bytes(record[a:b], "little") for a, b in ((4, 8), (8, 16), (16, 24)))
        if begin < at + _ALIGNED or begin - at > 2 * _ALIGNED or begin + size > source.size:
            raise MalformedError(f"the data of a blob lie at {begin} to {begin + size}", offset=at)
        word, bits = _KINDS.get(kind, (f"KIND{kind}", 8))
        facts.tensors.append(Tensor(str(at), word, (size * 8 // bits,), begin, size))
        end = begin + size
        at = end + -end % _ALIGNED
        hidden = not all_zero(source, end, min(at, source.size)) if end % _ALIGNED and index + 1 < count else False
        if hidden:
            facts.unknown("unsupported", "the bytes between two blobs are not zero and were not read", end)
        at = min(at, source.size) if index + 1 == count else at
        last = end
    account_for_rest(source, facts, last if count else _ALIGNED, "the last blob")
