"""Folder settings of macOS (``.DS_Store``): blocks of powers of two, and a root block that lists them.

::

    0x00000001 "Bud1" place of the root[4] its size[4] the place again[4] 0[16]      places count from byte 4
    root: count of blocks[4] 0[4], for each of them: place + power of its size[4] (filled up to multiples of 256 entries) ...

Specification: none; https://metacpan.org/dist/Mac-Finder-DSStore/view/DSStoreFormat.pod
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="ds-store",
    title="macOS folder settings",
    extensions=(".ds_store",),
    media_types=(),
    can_tell=("that it is a list of blocks up to its last byte",),
    cannot_tell=("names of files that once were in the folder, which it may hold", "what its free blocks hide"),
)
#: What its bytes begin with.
STARTS = (b"\0\0\0\1Bud1",)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if head.data.startswith(b"\0\0\0\1Bud1") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold the blocks to the file.

    Raises:
        MalformedError: the root or a block lies outside of the file.
    """
    start = source.read(8, 12)
    place, size, again = (int.from_bytes(start[at : at + 4], "big") for at in (0, 4, 8))
    if place != again or size < 8 or size > 1024 * 1024:
        raise MalformedError("its root is not where it says", offset=8)
    root = source.read(4 + place, size)
    count = int.from_bytes(root[:4], "big")
    if not 0 < count <= (size - 8) // 4:
        raise MalformedError(f"counts {count} blocks", offset=4 + place)
    end = 4 + place + size
    for at in range(8, 8 + 4 * count, 4):
        address = int.from_bytes(root[at : at + 4], "big")
        if address:
            end = max(end, 4 + (address & ~31) + (1 << (address & 31)))
    if end > source.size:
        raise MalformedError("a block goes beyond the end", offset=source.size)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, end, "the last block")
