"""What Git keeps beside its objects: the index, the tables of packs, the graph of commits, bitmaps.

Each begins with a mark and a version and ends with the hash of everything before it; both are held to. The table of a pack
(``.idx``) is held to its size as well: 256 counts, the names, checksums and places of the objects.

Nothing of it is loaded by anything but Git.

Specification: https://git-scm.com/docs/index-format , https://git-scm.com/docs/pack-format ,
https://git-scm.com/docs/commit-graph-format
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats.git_pack import checksum_fits
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="git-index",
    title="Git index",
    extensions=(".idx", ".rev", ".bitmap", ".graph"),
    media_types=(),
    can_tell=("that it is one of Git's own tables, and that its checksum fits",),
    cannot_tell=("what the repository's other revisions hold", "an index that was written without a checksum"),
)

#: Mark -> the versions that exist.
_KINDS = {
    b"DIRC": {b"\0\0\0\2", b"\0\0\0\3", b"\0\0\0\4"},
    b"\xfftOc": {b"\0\0\0\2"},
    b"RIDX": {b"\0\0\0\1"},
    b"BITM": {b"\0\1\0\x01", b"\0\1\0\x05", b"\0\1\0\x11", b"\0\1\0\x15"},
    b"CGPH": set(),
    b"MIDX": set(),
}
#: What its bytes begin with.
STARTS = (*_KINDS, b"CGPH", b"MIDX")


def probe(head: Head) -> Likeness:
    """A mark, and a version that exists."""
    mark, version = head.data[:4], head.data[4:8]
    if mark in {b"CGPH", b"MIDX"}:  # version and kind of hash, one byte each
        return Likeness.STRONG if version[:1] in {b"\1", b"\2"} and version[1:2] in {b"\1", b"\2"} else Likeness.NO
    return Likeness.STRONG if version in _KINDS.get(mark, ()) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold the file to its checksum.

    Raises:
        MalformedError: neither kind of checksum fits, or a table has another size than its counts say.
    """
    if not any(source.size > size and checksum_fits(source, facts, source.size - size) for size in (20, 32)):
        raise MalformedError("the checksum at the end does not fit", offset=max(source.size - 20, 0))
    if source.read(0, 4) == b"\xfftOc":
        _pack_table(source, facts)
    facts.coverage = Coverage.INERT


def _pack_table(source: Source, facts: Facts) -> None:
    counts = source.read(8, 1024)
    fan = [int.from_bytes(counts[at : at + 4], "big") for at in range(0, 1024, 4)]
    if fan != sorted(fan):
        raise MalformedError("its counts are not in order", offset=8)
    facts.note("objects", fan[-1])
    for size in (20, 32):
        wide = source.size - 1032 - fan[-1] * (size + 8) - 2 * size
        if 0 <= wide <= 8 * fan[-1] and wide % 8 == 0:
            return
    raise MalformedError("its size does not follow from its counts", offset=1028)
