"""The header of a 7z archive: which packed streams there are, how folders decode them, and which file is which part.

Every number is bounded by the bytes that are left, since each thing counted needs at least a bit of them.
"""

from __future__ import annotations

from dataclasses import field
from itertools import accumulate

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits
from openvet.errors import LimitError, MalformedError, UnsupportedError

__all__ = ["Coder", "Folder", "Header", "Item", "parse_header", "parse_streams"]

(
    _END,
    _HEADER,
    _PROPERTIES,
    _ADDITIONAL,
    _MAIN,
    _FILES,
    _PACK,
    _UNPACK,
    _SUBSTREAMS,
    _SIZE,
    _CRC,
    _FOLDER,
    _UNPACK_SIZE,
) = range(13)
_COUNT, _EMPTY, _EMPTY_FILE, _ANTI, _NAMES = 13, 14, 15, 16, 17
_ATTRIBUTES, _ENCODED = 0x15, 0x17


@dataclass(slots=True)
class Coder:
    """One step of decoding."""

    method: bytes
    properties: bytes = b""
    inputs: int = 1
    outputs: int = 1


@dataclass(slots=True)
class Folder:
    """Packed streams and the steps that make one stream of them."""

    coders: list[Coder]
    bonds: list[tuple[int, int]]
    packed: list[int]
    sizes: list[int] = field(default_factory=list)
    crc: int | None = None
    first: int = 0  # index of its first packed stream
    begin: int = 0  # where that stream begins, behind the start header
    parts: list[tuple[int, int | None]] = field(default_factory=list)  # size and checksum of each file in it

    @property
    def size(self) -> int:
        """Bytes of the stream that no other step takes."""
        taken = {output for _, output in self.bonds}
        return next((size for index, size in enumerate(self.sizes) if index not in taken), 0)


@dataclass(slots=True)
class Item:
    """A file as the header lists it."""

    name: str = ""
    has_data: bool = True
    is_dir: bool = False
    attributes: int = 0


@dataclass(slots=True)
class Header:
    encoded: bool = False
    position: int = 0
    sizes: list[int] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


class _Bytes:
    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.at = 0
        self.limits = limits

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise MalformedError(f"the 7z header ends in the middle of a field of {size} bytes")
        self.at += size
        return self.data[self.at - size : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """A number whose first byte says how many more there are."""
        first = self.byte()
        value, mask = 0, 0x80
        for index in range(8):
            if not first & mask:
                return value + ((first & (mask - 1)) << 8 * index)
            value |= self.byte() << 8 * index
            mask >>= 1
        return value

    def count(self, what: str) -> int:
        value = self.number()
        if value > self.limits.members:
            raise LimitError("members", self.limits.members, f"the 7z header has {value} {what}")
        return value

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[index >> 3] & 0x80 >> (index & 7)) for index in range(count)]

    def all_or_bits(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def checksums(self, count: int) -> list[int | None]:
        return [int.from_bytes(self.take(4), "little") if known else None for known in self.all_or_bits(count)]

    def inside(self) -> None:
        if self.byte():
            raise UnsupportedError("a part of the 7z header lies in another stream, which is not read")

    def expect(self, kind: int) -> None:
        found = self.byte()
        if found != kind:
            raise MalformedError(f"the 7z header has part {found} where {kind} is due")


def parse_header(data: bytes, limits: Limits) -> Header:
    """The header, or the description of the stream that it is packed in (``encoded``)."""
    take = _Bytes(data, limits)
    kind = take.byte()
    if kind == _ENCODED:
        header = parse_streams(take)
        header.encoded = True
        return header
    if kind != _HEADER:
        raise MalformedError(f"the 7z header begins with part {kind}")
    header = Header()
    kind = take.byte()
    if kind == _PROPERTIES:
        while take.byte():
            take.take(take.number())
        kind = take.byte()
    if kind == _ADDITIONAL:
        raise UnsupportedError("the 7z archive has additional streams, which are not read")
    if kind == _MAIN:
        header = parse_streams(take)
        kind = take.byte()
    if kind == _FILES:
        header.items = _files(take)
        kind = take.byte()
    if kind != _END:
        raise MalformedError(f"the 7z header has an unknown part {kind}")
    return header


def parse_streams(take: _Bytes) -> Header:
    """Packed streams, folders and the parts of each."""
    header = Header()
    kind = take.byte()
    if kind == _PACK:
        header.position = take.number()
        count = take.count("packed streams")
        kind = take.byte()
        if kind == _SIZE:
            header.sizes = [take.number() for _ in range(count)]
            kind = take.byte()
        if kind == _CRC:
            take.checksums(count)
            kind = take.byte()
        if kind != _END:
            raise MalformedError(f"the list of packed streams has an unknown part {kind}")
        kind = take.byte()
    if kind == _UNPACK:
        header.folders = _folders(take)
        kind = take.byte()
    starts = [*accumulate(header.sizes, initial=header.position)]
    for folder in header.folders:
        folder.begin = starts[min(folder.first, len(header.sizes))]
        folder.parts = [(folder.size, folder.crc)]
    if kind == _SUBSTREAMS:
        _substreams(take, header.folders)
        kind = take.byte()
    if kind != _END:
        raise MalformedError(f"the list of streams has an unknown part {kind}")
    return header


def _folders(take: _Bytes) -> list[Folder]:
    take.expect(_FOLDER)
    count = take.count("folders")
    take.inside()
    folders: list[Folder] = []
    first = 0
    for _ in range(count):
        folder = _folder(take)
        folder.first = first
        first += len(folder.packed)
        folders.append(folder)
    take.expect(_UNPACK_SIZE)
    for folder in folders:
        folder.sizes = [take.number() for _ in range(sum(coder.outputs for coder in folder.coders))]
    kind = take.byte()
    if kind == _CRC:
        for folder, crc in zip(folders, take.checksums(count), strict=True):
            folder.crc = crc
        kind = take.byte()
    if kind != _END:
        raise MalformedError(f"the list of folders has an unknown part {kind}")
    return folders


def _folder(take: _Bytes) -> Folder:
    count = take.number()
    if not 1 <= count <= 32:
        raise MalformedError(f"a folder has {count} steps")
    coders: list[Coder] = []
    for _ in range(count):
        flags = take.byte()
        coder = Coder(take.take(flags & 15))
        if flags & 0x10:
            coder.inputs, coder.outputs = take.number(), take.number()
        if flags & 0x20:
            coder.properties = take.take(take.number())
        if flags & 0xC0 or coder.inputs > 32 or coder.outputs > 32:
            raise MalformedError("a step of a folder is of no known shape")
        coders.append(coder)
    inputs, outputs = sum(each.inputs for each in coders), sum(each.outputs for each in coders)
    bonds = [(take.number(), take.number()) for _ in range(outputs - 1)]
    bound = {one for one, _ in bonds}
    free = inputs - len(bonds)
    if free < 1:
        raise MalformedError("a folder takes no packed stream")
    packed = (
        [take.number() for _ in range(free)] if free > 1 else [each for each in range(inputs) if each not in bound][:1]
    )
    return Folder(coders, bonds, packed)


def _substreams(take: _Bytes, folders: list[Folder]) -> None:
    counts = [1] * len(folders)
    kind = take.byte()
    if kind == _COUNT:
        counts = [take.count("files in a folder") for _ in folders]
        if sum(counts) > take.limits.members:
            raise LimitError("members", take.limits.members, f"the folders have {sum(counts)} files")
        kind = take.byte()
    explicit = kind == _SIZE
    for folder, count in zip(folders, counts, strict=True):
        if not count:
            folder.parts = []
            continue
        sizes = [take.number() for _ in range(count - 1)] if explicit else [0] * (count - 1)
        rest = folder.size - sum(sizes)
        if rest < 0:
            raise MalformedError(f"the files of a folder have more than its {folder.size} bytes")
        folder.parts = [(size, folder.crc if count == 1 else None) for size in [*sizes, rest]]
    if explicit:
        kind = take.byte()
    if kind == _CRC:
        wanted = [(folder, index) for folder in folders for index, (_, crc) in enumerate(folder.parts) if crc is None]
        for (folder, index), crc in zip(wanted, take.checksums(len(wanted)), strict=True):
            folder.parts[index] = (folder.parts[index][0], crc)
        kind = take.byte()
    if kind != _END:
        raise MalformedError(f"the list of parts has an unknown part {kind}")


def _files(take: _Bytes) -> list[Item]:
    items = [Item() for _ in range(take.count("files"))]
    empty: list[Item] = []
    while True:
        kind = take.byte()
        if kind == _END:
            return items
        part = _Bytes(take.take(take.number()), take.limits)
        if kind == _EMPTY:
            for item, is_empty in zip(items, part.bits(len(items)), strict=True):
                item.has_data = not is_empty
                item.is_dir = is_empty
            empty = [item for item in items if not item.has_data]
        elif kind in {_EMPTY_FILE, _ANTI}:
            for item, is_file in zip(empty, part.bits(len(empty)), strict=True):
                item.is_dir = item.is_dir and not is_file
        elif kind == _NAMES:
            part.inside()
            names = part.data[1:].decode("utf-16-le", "surrogatepass").split("\0") if len(part.data) % 2 else []
            if len(names) != len(items) + 1:
                raise MalformedError(f"names {max(len(names) - 1, 0)} of {len(items)} files")
            for item, name in zip(items, names, strict=False):
                if len(name) > take.limits.member_name:
                    raise LimitError("member_name", take.limits.member_name, f"a name has {len(name)} characters")
                item.name = name
        elif kind == _ATTRIBUTES:
            known = part.all_or_bits(len(items))
            part.inside()
            for item, is_known in zip(items, known, strict=True):
                item.attributes = int.from_bytes(part.take(4), "little") if is_known else 0
