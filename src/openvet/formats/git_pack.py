"""Git packs (``.git/objects/pack/*.pack``): the objects of a repository's history, each one compressed.

::

    "PACK", version[4] 2 or 3, number of objects[4]           big-endian
    for each: kind and size (7 bits a byte, the first has 4)  kinds 1 to 4: commit, tree, file, tag; 6 and 7: a difference
              [distance back, or the name of another object]  for kinds 6 and 7
              zlib stream of exactly that size
    SHA-1[20] or SHA-256[32] of everything before

Every stream is decompressed and its size compared; what it holds are other revisions, which no loader of models sees before
somebody checks them out.

Specification: https://git-scm.com/docs/pack-format
"""

from __future__ import annotations

import hashlib
import zlib

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import say_trailing
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "checksum_fits", "inflate", "probe", "read"]

FORMAT = Format(
    id="git-pack",
    title="Git pack",
    extensions=(".pack",),
    media_types=("application/x-git-packed-objects",),
    can_tell=("that every object in it is whole, and that its checksum fits",),
    cannot_tell=("whether the files of other revisions are harmless: check them when they are checked out",),
)

_HASHES = ((20, "sha1"), (32, "sha256"))
_BLOCK = 256 * 1024
#: What its bytes begin with.
STARTS = (b"PACK",)


def probe(head: Head) -> Likeness:
    """The mark and a version that exists."""
    data = head.data
    return Likeness.STRONG if data[:4] == b"PACK" and data[4:8] in {b"\0\0\0\2", b"\0\0\0\3"} else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the objects.

    Raises:
        MalformedError: an object is of no kind, or its stream does not give what it says, or the checksum is wrong.
        LimitError: the objects expand too much.
    """
    cursor = source.cursor(8)
    count = int.from_bytes(cursor.read(4), "big")
    facts.note("objects", count)
    for _ in range(count):
        start = cursor.position
        kind, size = _header(cursor)
        if kind == 6:
            while cursor.read(1)[0] & 0x80:
                pass
        elif kind == 7:
            cursor.skip(20)
        elif kind not in {1, 2, 3, 4}:
            raise MalformedError(f"there is no object of the kind {kind}", offset=start)
        end, decoded = inflate(source, facts, cursor.position)
        if decoded != size:
            raise MalformedError(f"an object says {size} bytes and has {decoded}", offset=start)
        cursor = source.cursor(end) if end - cursor.position > 32 * 1024 else _moved(cursor, end)
    if not checksum_fits(source, facts, cursor.position):
        say_trailing(source, facts, cursor.position, "the objects")
        raise MalformedError("the checksum at the end does not fit", offset=cursor.position)
    facts.coverage = Coverage.INERT


def _moved(cursor: Cursor, end: int) -> Cursor:
    cursor.skip(end - cursor.position)
    return cursor


def _header(cursor: Cursor) -> tuple[int, int]:
    byte = cursor.read(1)[0]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        byte = cursor.read(1)[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise MalformedError("an object has an impossible size", offset=cursor.position)
    return kind, size


def inflate(source: Source, facts: Facts, at: int) -> tuple[int, int]:
    """Where the zlib stream at ``at`` ends, and how many bytes it gives.

    Raises:
        MalformedError: it is no such stream, or does not end.
        LimitError: it expands too much.
    """
    decoder = zlib.decompressobj()
    given, position, step = 0, at, 1024
    facts.budget.check_time()
    try:
        while not decoder.eof:
            block = source.upto(position, step)
            if not block:
                raise MalformedError("a compressed object does not end", offset=at)
            position += len(block)
            step = _BLOCK
            while block and not decoder.eof:
                data = decoder.decompress(block, 1024 * 1024)
                block = decoder.unconsumed_tail
                given += len(data)
                facts.budget.add_decoded(len(data), given, max(position - at, 1))
    except zlib.error:
        raise MalformedError("an object cannot be decompressed", offset=at) from None
    return position - len(decoder.unused_data), given


def checksum_fits(source: Source, facts: Facts, end: int) -> bool:
    """Whether exactly one hash stands at ``end``, and is that of everything before."""
    for size, algorithm in _HASHES:
        if source.size - end == size:
            hasher = hashlib.new(algorithm, usedforsecurity=False)
            for block in source.chunks(0, end):
                facts.budget.check_time()
                hasher.update(block)
            return hasher.digest() == source.read(end, size)
    return False
