"""RIFF: chunks of four letters, a 32-bit length and an even number of bytes, inside one outer chunk.

``RIFX`` is the same with big-endian lengths. ``RF64`` and ``BW64`` are for more than 4 GiB: a length of 0xFFFFFFFF stands in a first
chunk ``ds64``: length of the file, of the samples, count of samples (64 bits each), then a table of other chunks (name, 64 bits).

Specifications: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991); EBU Tech 3306; ITU-R BS.2088.
"""

from __future__ import annotations

from typing import Literal

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import MalformedError
from openvet.formats._format import Facts
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["LONG", "walk_riff"]

#: The marks of files whose lengths may have 64 bits.
LONG = (b"RF64", b"BW64")
_ELSEWHERE = 0xFFFFFFFF
_MOST_LONG = 1 << 20


def walk_riff(source: Source, facts: Facts, needed: tuple[bytes, ...], what: str) -> None:
    """Walk every chunk; one of ``needed`` must be there.

    Raises:
        MalformedError: a chunk goes beyond the one around it, or none of ``needed`` is there.
    """
    mark = source.read(0, 4)
    order: Literal["little", "big"] = "big" if mark == b"RIFX" else "little"
    long = _long_sizes(source) if mark in LONG else {}
    stated = int.from_bytes(source.read(4, 4), order)
    streamed = (
        mark not in LONG and stated == _ELSEWHERE and source.size <= _ELSEWHERE
    )  # who writes to a pipe learns no length
    end = source.size if streamed else 8 + _length(long, mark, stated)
    if end > source.size:
        raise MalformedError(f"says that it is {end} bytes long, and {source.size} are there", offset=4)
    at = 12
    found = False
    while at + 8 <= end:
        facts.budget.check_time()
        start = source.read(at, 8)
        length = _length(long, start[:4], int.from_bytes(start[4:], order))
        if streamed and length == _ELSEWHERE and start[:4] in needed:
            length = end - at - 8
        name = printable(start[:4].decode("latin-1"))
        if at + 8 + length > end:
            raise MalformedError(f"the chunk {name} goes beyond the end", offset=at)
        found = found or start[:4] in needed
        if start[:4] not in needed:
            look_inside(facts, source.upto(at + 8, min(length, 4096)), f"the chunk {name}", at)
        at += 8 + length + (length & 1)
    if not found:
        raise MalformedError(f"holds no {' or '.join(each.decode().strip() for each in needed)} chunk", offset=12)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, min(max(at, 12), source.size), what)


def _long_sizes(source: Source) -> dict[bytes, int]:
    """The 64-bit lengths that ``ds64`` gives, of the whole and of its chunks."""
    start = source.read(12, 8)
    size = int.from_bytes(start[4:], "little")
    if start[:4] != b"ds64" or not 28 <= size <= _MOST_LONG:
        raise MalformedError("has no ds64 chunk in front, which gives the lengths", offset=12)
    data = source.read(20, size)
    sizes = dict.fromkeys(LONG, int.from_bytes(data[:8], "little")) | {b"data": int.from_bytes(data[8:16], "little")}
    count = int.from_bytes(data[24:28], "little")
    if count > (size - 28) // 12:
        raise MalformedError("its ds64 chunk lists more chunks than it has room for", offset=20)
    for at in range(28, 28 + 12 * count, 12):
        sizes.setdefault(data[at : at + 4], int.from_bytes(data[at + 4 : at + 12], "little"))
    return sizes


def _length(long: dict[bytes, int], name: bytes, stated: int) -> int:
    return long.get(name, stated) if stated == _ELSEWHERE else stated
