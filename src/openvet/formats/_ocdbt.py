"""Manifests and nodes of OCDBT: the trees in which TensorStore keeps keys and values, and the places that they lead to.

::

    magic u32 (big-endian), length u64 of all of it, version 0, packing (0 none, 1 Zstandard), body, CRC-32C u32
    body of a manifest: uuid[16], settings, files, versions, nodes of versions
    body of a node of the tree: height u8, files, count, entries        of versions: arity u8, height u8, files, entries
    files: count, shared beginnings, lengths, lengths of the base, then the ends of the paths

Numbers are varints, and stand by columns: first all of one field, then all of the next.

Specification: https://google.github.io/tensorstore/kvstore/ocdbt/index.html#storage-format
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts
from openvet.io.source import BytesSource, Cursor, Source

__all__ = ["MANIFEST", "NODE", "VERSIONS", "Entry", "Place", "framed", "read_manifest", "read_node", "unpacked"]

MANIFEST, NODE, VERSIONS = (number.to_bytes(4, "big") for number in (0x0CDB3A2A, 0x0CDB20DE, 0x0CDB1234))
_HEAD, _CHECKSUM = 14, 4
_LONGEST_PATH = 65535


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies: the path of a file from the root of the data base, an offset and a length in bytes."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, or the node below it: at a place, or here."""

    key: bytes
    place: Place | None
    value: bytes = b""
    node: bool = False


def framed(source: Source, at: int) -> int:
    """The length of the manifest or node at ``at``; 0 where none fits there."""
    head = source.upto(at, _HEAD)
    if len(head) < _HEAD or head[:4] not in {MANIFEST, NODE, VERSIONS} or head[12] or head[13] > 1:
        return 0
    length = int.from_bytes(head[4:12], "little")
    return length if _HEAD + _CHECKSUM < length <= source.size - at else 0


def unpacked(source: Source, at: int, facts: Facts) -> Cursor:
    """The body of what stands at ``at``, decoded.

    Raises:
        MalformedError: it is not framed as it should be, or its packing breaks off.
        LimitError: it is larger than is read.
    """
    length = framed(source, at)
    if not length:
        raise MalformedError("is no manifest and no node", offset=at)
    body = source.window(at + _HEAD, length - _HEAD - _CHECKSUM)
    most = facts.limits.header
    if not source.read(at + 13, 1)[0]:
        if body.size > most:
            raise LimitError("header", most, f"a node of {body.size} bytes is not read", offset=at)
        return BytesSource(body.read(0, body.size)).cursor()
    from openvet.io.archive.compressed import Decoding
    from openvet.io.archive.zstd import ZstdCoding

    decoding = Decoding(body, ZstdCoding(facts.budget).coding, facts.budget)
    out = bytearray()
    for block in decoding:
        out += block
        if len(out) > most:
            raise LimitError("header", most, f"a node of more than {most} bytes is not read", offset=at)
    if decoding.error is not None:
        raise decoding.error
    if decoding.consumed != body.size:
        raise MalformedError("bytes follow the packed body of a node", offset=at + _HEAD + decoding.consumed)
    return BytesSource(bytes(out)).cursor()


def _number(cursor: Cursor) -> int:
    value = shift = 0
    while shift < 70:
        byte = cursor.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
    raise MalformedError("a number has more than ten bytes", offset=cursor.position)


class _Columns:
    """Counts entries and reads columns of them."""

    def __init__(self, cursor: Cursor, facts: Facts) -> None:
        self.cursor, self.facts = cursor, facts

    def count(self) -> int:
        number = _number(self.cursor)
        if number > self.cursor.left:  # each entry has some bytes
            raise MalformedError(f"counts {number} entries, which do not fit", offset=self.cursor.position)
        self.facts.budget.check_time()
        return number

    def numbers(self, count: int) -> list[int]:
        return [_number(self.cursor) for _ in range(count)]

    def texts(self, shared: list[int], lengths: list[int], most: int) -> list[bytes]:
        """Texts that share their beginnings with the one before."""
        out: list[bytes] = []
        for begin, length in zip(shared, lengths, strict=True):
            last = out[-1] if out else b""
            if begin > len(last) or begin + length > most:
                raise MalformedError("a key shares more than there is", offset=self.cursor.position)
            out.append(last[:begin] + self.cursor.read(length))
        return out

    def files(self) -> list[str]:
        count = self.count()
        shared, lengths = [0, *self.numbers(max(count - 1, 0))][:count], self.numbers(count)
        self.numbers(count)  # of the base paths
        return [path.decode("utf-8", "surrogateescape") for path in self.texts(shared, lengths, _LONGEST_PATH)]

    def places(self, files: list[str], ids: list[int], offsets: list[int], sizes: list[int]) -> list[Place]:
        out = []
        for number, offset, size in zip(ids, offsets, sizes, strict=True):
            if number >= len(files):
                raise MalformedError(f"names the file {number} of {len(files)}", offset=self.cursor.position)
            out.append(Place(files[number], offset, size))
        return out


def read_manifest(cursor: Cursor, facts: Facts) -> list[Place]:
    """The roots and nodes of versions that a manifest leads to.

    Raises:
        MalformedError: a field breaks its form, or bytes are left over.
    """
    cursor.skip(16)
    kind = _number(cursor)
    for _ in range(2):  # the largest value beside its key, and the largest node
        _number(cursor)
    cursor.skip(1)
    if _number(cursor):
        cursor.skip(4)
    if kind:  # its versions lie in files of numbers beside it
        return []
    columns = _Columns(cursor, facts)
    files = columns.files()
    places = _version_leaves(columns, files) + _version_nodes(columns, files, heights=True)
    _ends(cursor)
    return places


def _version_leaves(columns: _Columns, files: list[str]) -> list[Place]:
    count = columns.count()
    columns.numbers(count)  # generations
    columns.cursor.skip(count)  # heights
    ids, offsets, sizes = (columns.numbers(count) for _ in range(3))
    for _ in range(3):  # statistics
        columns.numbers(count)
    columns.cursor.skip(8 * count)  # times
    empty = (1 << 64) - 1  # the offset and the length of a version without a root
    keep = [index for index in range(count) if offsets[index] != empty and sizes[index] != empty]
    return columns.places(files, *([each[index] for index in keep] for each in (ids, offsets, sizes)))


def _version_nodes(columns: _Columns, files: list[str], *, heights: bool) -> list[Place]:
    count = columns.count()
    columns.numbers(count)
    ids, offsets, sizes = (columns.numbers(count) for _ in range(3))
    columns.numbers(count)
    columns.cursor.skip((9 if heights else 8) * count)
    return columns.places(files, ids, offsets, sizes)


def read_node(magic: bytes, cursor: Cursor, facts: Facts) -> list[Entry]:
    """The entries of a node of the tree, or of versions.

    Raises:
        MalformedError: a field breaks its form, or bytes are left over.
    """
    columns = _Columns(cursor, facts)
    if magic == VERSIONS:
        height = cursor.read(2)[1]
        files = columns.files()
        places = _version_nodes(columns, files, heights=False) if height else _version_leaves(columns, files)
        entries = [Entry(b"", place, node=True) for place in places]
    else:
        height = cursor.read(1)[0]
        files = columns.files()
        entries = (_inner if height else _leaf)(columns, files, columns.count())
    _ends(cursor)
    return entries


def _leaf(columns: _Columns, files: list[str], count: int) -> list[Entry]:
    shared, lengths = [0, *columns.numbers(max(count - 1, 0))][:count], columns.numbers(count)
    keys = columns.texts(shared, lengths, _LONGEST_PATH)
    sizes, kinds = columns.numbers(count), columns.numbers(count)
    if any(kind > 1 for kind in kinds):
        raise MalformedError("has a value of an unknown kind", offset=columns.cursor.position)
    far = [index for index in range(count) if kinds[index]]
    ids, offsets = columns.numbers(len(far)), columns.numbers(len(far))
    places = iter(columns.places(files, ids, offsets, [sizes[index] for index in far]))
    return [
        Entry(keys[index], next(places))
        if kinds[index]
        else Entry(keys[index], None, columns.cursor.read(sizes[index]))
        for index in range(count)
    ]


def _inner(columns: _Columns, files: list[str], count: int) -> list[Entry]:
    shared, lengths = [0, *columns.numbers(max(count - 1, 0))][:count], columns.numbers(count)
    columns.numbers(count)  # how much of the key all keys below share
    keys = columns.texts(shared, lengths, _LONGEST_PATH)
    ids, offsets, sizes = (columns.numbers(count) for _ in range(3))
    for _ in range(3):  # statistics
        columns.numbers(count)
    places = columns.places(files, ids, offsets, sizes)
    return [Entry(key, place, node=True) for key, place in zip(keys, places, strict=True)]


def _ends(cursor: Cursor) -> None:
    if cursor.left:
        raise MalformedError(f"{cursor.left} bytes follow the last entry", offset=cursor.position)
