"""Darknet weights (``.weights`` of YOLO): a header and nothing but numbers.

::

    major i32 (0), minor i32, revision i32, images seen u64 (u32 before 0.2), float32 to the end of the file

Which number belongs to which layer stands in the ``.cfg`` beside it.

Reference: ``src/parser.c``, ``load_weights_upto``, of https://github.com/pjreddie/darknet
"""

from __future__ import annotations

import struct

from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="darknet",
    title="Darknet weights",
    extensions=(".weights",),
    media_types=(),
    can_tell=("its version, and that nothing but numbers follows",),
    cannot_tell=("what the numbers do", "which numbers belong to which layer"),
)

_VERSIONS = {(0, 1): 16, (0, 2): 20}
_REVISIONS = {0, 1, 2, 3, 4, 5}
_LARGEST = 1e12
#: What its bytes begin with.
STARTS = (bytes(4),)


def probe(head: Head) -> Likeness:
    """A version that exists, whole numbers, and the first thousand of them are none that a network cannot have."""
    if head.size < 24:
        return Likeness.NO
    major, minor, revision = struct.unpack_from("<3i", head.data)
    begin = _VERSIONS.get((major, minor), 0)
    if not begin or revision not in _REVISIONS or (head.size - begin) % 4:
        return Likeness.NO
    some = head.data[begin : begin + 4000]
    numbers = struct.unpack(f"<{len(some) // 4}f", some[: len(some) // 4 * 4])
    plausible = all(abs(number) < _LARGEST for number in numbers) and any(
        1e-6 < abs(number) < 1e6 for number in numbers
    )
    if not plausible:
        return Likeness.NO
    return Likeness.STRONG if head.suffix in FORMAT.extensions else Likeness.WEAK


def read(source: Source, facts: Facts) -> None:
    """Take the numbers as one tensor."""
    major, minor, revision = struct.unpack("<3i", source.read(0, 12))
    begin = _VERSIONS.get((major, minor), 16)
    facts.note("version", f"{major}.{minor}.{revision}")
    facts.note("images_seen", str(int.from_bytes(source.read(12, begin - 12), "little")))
    facts.tensors.append(Tensor("weights", "F32", ((source.size - begin) // 4,), begin, source.size - begin))
