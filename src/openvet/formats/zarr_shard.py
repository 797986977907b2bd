"""Shards of Zarr 3: parts of an array, and an index behind them that accounts for every byte.

The layout stands in ``_zarr_shard``. A shard has no mark: it is told by its index, which fits the file to the byte and has the right
checksum. Parts that are no plain numbers, unpacked too, become members.

Specification: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html
"""

from __future__ import annotations

import struct
from functools import partial

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._numbers import are_numbers
from openvet.formats._zarr_shard import shard_parts
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="zarr-shard",
    title="Zarr shard",
    extensions=(),
    media_types=(),
    can_tell=("that its index accounts for every byte", "parts that are no plain numbers"),
    cannot_tell=("what the numbers mean",),
    refines=("zstd", "gzip", "zlib"),
)

_LEAST = 21
_NONE = (1 << 64) - 1


def probe(head: Head) -> Likeness:
    """An index that fits to the byte. Most files have a last entry that is none, which the bytes at hand tell."""
    if len(head.tail) < _LEAST:
        return Likeness.NO
    offset, size = struct.unpack("<QQ", head.tail[-20:-4])
    if (offset, size) != (_NONE, _NONE) and (not size or offset + size > head.size - 20):
        return Likeness.NO
    return Likeness.NO if shard_parts(head.source) is None else Likeness.STRONG


def read(source: Source, facts: Facts) -> None:
    """Look at each part.

    Raises:
        MalformedError: there is no index.
        LimitError: unpacking costs more than the budget has.
    """
    parts = shard_parts(source)
    if parts is None:
        raise MalformedError("has no index of parts", offset=max(source.size - 20, 0))
    facts.note("parts", len(parts))
    facts.coverage = Coverage.INERT
    for number, (start, size) in enumerate(parts):
        facts.budget.check_time()
        part = source.window(start, size)
        if not are_numbers(part, facts):
            facts.coverage = Coverage.READ
            facts.add_members([Member(f"part-{number}", size, partial(_same, part), start)])


def _same(part: Source) -> Source:
    return part
