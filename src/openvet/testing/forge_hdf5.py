"""Forges HDF5 files of the oldest form, which h5py opens as well: superblock 0, symbol tables, version 1 headers.

    hdf5(Group({"model_config": text("{}")}, {"kernel": Data("<f4", (2, 2))}), user_block=b"")

Every structure is written where the file ends, parts before what refers to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from openvet.core.dataclass import dataclass

__all__ = ["Data", "External", "Group", "Value", "fixed", "floats", "hdf5", "opaque", "sequences", "text"]

_UNDEFINED = b"\xff" * 8
_LEAF, _NODE = 64, 16


def _n(value: int, size: int = 8) -> bytes:
    return value.to_bytes(size, "little")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


_FLOAT = bytes([0x11, 0x20, 0x1F, 0]) + _n(4, 4) + bytes([0, 0, 32, 0, 23, 8, 0, 23]) + _n(127, 4)
_BYTE = bytes([0x10, 0, 0, 0]) + _n(1, 4) + bytes([0, 0, 8, 0])
_TEXT = bytes([0x19, 1, 1, 0]) + _n(16, 4) + bytes([0x13, 0, 1, 0]) + _n(1, 4)
_BYTES = bytes([0x19, 0, 0, 0]) + _n(16, 4) + _BYTE


@dataclass(frozen=True, slots=True)
class Value:
    """A type, extents, and the bytes; or, of variable length, one object of the global heap for each element."""

    type: bytes
    extents: tuple[int, ...] = ()
    data: bytes = b""
    objects: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset. ``files`` are (name, bytes) of external storage; ``filters`` are (number, name)."""

    value: Value
    files: tuple[tuple[bytes, int], ...] = ()
    filters: tuple[tuple[int, bytes], ...] = ()
    compact: bool = False
    address: int | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class External:
    """A link into another file; old groups have none, so that its group is written with link messages."""

    file: bytes
    path: bytes


@dataclass(frozen=True, slots=True)
class Group:
    """A group: attributes and members."""

    attributes: Mapping[str, Value] = field(default_factory=dict)
    members: Mapping[str, Group | Data | External] = field(default_factory=dict)


def text(value: str | bytes) -> Value:
    """A string of variable length, as h5py writes ``str``."""
    return Value(_TEXT, objects=(value.encode() if isinstance(value, str) else value,))


def fixed(*values: bytes) -> Value:
    """One string of fixed length, or an array of them."""
    size = max(map(len, values))
    data = b"".join(value.ljust(size, b"\0") for value in values)
    return Value(bytes([0x13, 1, 0, 0]) + _n(size, 4), () if len(values) == 1 else (len(values),), data)


def opaque(data: bytes) -> Value:
    """``numpy.void``: bytes of no type."""
    return Value(bytes([0x15, 0, 0, 0]) + _n(len(data), 4), (), data)


def sequences(*values: bytes) -> Value:
    """An array of byte sequences of variable length, as PyTables writes pickles."""
    return Value(_BYTES, (len(values),), objects=values)


def floats(*extents: int) -> Value:
    count = 1
    for extent in extents:
        count *= extent
    return Value(_FLOAT, extents, bytes(4 * count))


def hdf5(root: Group, user_block: bytes = b"") -> bytes:
    """The file; ``user_block`` is filled up to 512 bytes times a power of two."""
    writer = _Writer()
    address = writer.group(root)
    block = b""
    if user_block:
        size = 512
        while size < len(user_block):
            size *= 2
        block = user_block.ljust(size, b"\0")
    head = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + _n(_LEAF, 2) + _n(_NODE, 2) + bytes(4)
    head += _n(len(block)) + _UNDEFINED + _n(len(block) + len(writer.out)) + _UNDEFINED
    head += bytes(8) + _n(address) + bytes(24)
    return block + head + bytes(writer.out[len(head) :])


class _Writer:
    def __init__(self) -> None:
        self.out = bytearray(96)

    def put(self, data: bytes) -> int:
        self.out += bytes(-len(self.out) % 8)
        self.out += data
        return len(self.out) - len(data)

    def heap(self, texts: list[bytes]) -> tuple[int, list[int]]:
        """A local heap: its address, and where each text begins."""
        data = bytearray(8)
        starts = []
        for each in texts:
            starts.append(len(data))
            data += _padded(each + b"\0")
        data += _n(1) + _n(16)  # one free block at the end
        segment = self.put(bytes(data))
        return self.put(b"HEAP" + bytes(4) + _n(len(data)) + _n(len(data) - 16) + _n(segment)), starts

    def group(self, group: Group) -> int:
        attributes = [self.attribute(*item) for item in group.attributes.items()]
        if any(isinstance(each, External) for each in group.members.values()):
            links = [self.link(*item) for item in group.members.items()]
            return self.header([*links, (2, b"\0\0" + _UNDEFINED * 2), (10, b"\0\0"), *attributes])
        names = sorted(group.members)
        targets = [self.member(group.members[name]) for name in names]
        heap, starts = self.heap([name.encode() for name in names])
        nodes, keys = [], [0]
        for at in range(0, len(names), 2 * _LEAF):
            entries = b"".join(
                _n(start) + _n(target) + bytes(24)
                for start, target in zip(starts[at : at + 2 * _LEAF], targets[at : at + 2 * _LEAF], strict=True)
            )
            count = len(entries) // 40
            nodes.append(self.put((b"SNOD\1\0" + _n(count, 2) + entries).ljust(8 + 80 * _LEAF, b"\0")))
            keys.append(starts[at + count - 1])
        body = _n(0) + b"".join(_n(node) + _n(key) for node, key in zip(nodes, keys[1:], strict=True))
        tree = b"TREE\0\0" + _n(len(nodes), 2) + _UNDEFINED * 2 + body
        return self.header([(17, _n(self.put(tree.ljust(24 + 16 * 2 * _NODE + 8, b"\0"))) + _n(heap)), *attributes])

    def member(self, each: Group | Data | External) -> int:
        if isinstance(each, Data):
            return self.dataset(each)
        return self.group(each) if isinstance(each, Group) else 0

    def link(self, name: str, each: Group | Data | External) -> tuple[int, bytes]:
        raw = name.encode()
        if isinstance(each, External):
            value = b"\0" + each.file + b"\0" + each.path + b"\0"
            return 6, b"\1\x08\x40" + _n(len(raw), 1) + raw + _n(len(value), 2) + value
        return 6, b"\1\0" + _n(len(raw), 1) + raw + _n(self.member(each))

    def dataset(self, data: Data) -> int:
        value = data.value
        content = self.content(value)
        messages = [(1, self.space(value)), (3, value.type), (5, b"\2\1\0\0")]
        if data.files:
            heap, starts = self.heap([name for name, _ in data.files])
            slots = b"".join(_n(start) + _n(0) + _n(size) for start, (_, size) in zip(starts, data.files, strict=True))
            count = _n(len(data.files), 2)
            messages += [(7, b"\1\0\0\0" + count * 2 + _n(heap) + slots), (8, b"\3\1" + _UNDEFINED + _n(len(content)))]
        elif data.compact:
            messages.append((8, b"\3\0" + _n(len(content), 2) + content))
        elif data.filters:
            chunk = b"".join(_n(extent, 4) for extent in (*value.extents, 4))
            messages.append((8, b"\3\2" + _n(len(value.extents) + 1, 1) + _UNDEFINED + chunk))
            each = b"".join(
                _n(number, 2) + _n(len(_padded(name)), 2) + _n(1, 2) + _n(0, 2) + _padded(name)
                for number, name in data.filters
            )
            messages.append((11, b"\1" + _n(len(data.filters), 1) + bytes(6) + each))
        else:
            address = self.put(content) if data.address is None else data.address
            messages.append((8, b"\3\1" + _n(address) + _n(len(content))))
        messages += [self.attribute(*item) for item in data.attributes.items()]
        return self.header(messages)

    def attribute(self, name: str, value: Value) -> tuple[int, bytes]:
        raw, space = name.encode() + b"\0", self.space(value)
        sizes = _n(len(raw), 2) + _n(len(value.type), 2) + _n(len(space), 2)
        return 12, b"\1\0" + sizes + _padded(raw) + _padded(value.type) + _padded(space) + self.content(value)

    def content(self, value: Value) -> bytes:
        """The bytes of a value; its objects go into a heap of their own."""
        if not value.objects:
            return value.data
        objects = b"".join(
            _n(index, 2) + _n(1, 2) + bytes(4) + _n(len(each)) + _padded(each)
            for index, each in enumerate(value.objects, 1)
        )
        size = max(16 + len(objects) + 16, 4096)
        free = bytes(8) + _n(size - 16 - len(objects))
        heap = self.put((b"GCOL\1\0\0\0" + _n(size) + objects + free).ljust(size, b"\0"))
        return b"".join(_n(len(each), 4) + _n(heap) + _n(index, 4) for index, each in enumerate(value.objects, 1))

    @staticmethod
    def space(value: Value) -> bytes:
        return bytes([1, len(value.extents), 0]) + bytes(5) + b"".join(map(_n, value.extents))

    def header(self, messages: list[tuple[int, bytes]]) -> int:
        body = b"".join(_n(kind, 2) + _n(len(_padded(data)), 2) + bytes(4) + _padded(data) for kind, data in messages)
        return self.put(b"\1\0" + _n(len(messages), 2) + _n(1, 4) + _n(len(body), 4) + bytes(4) + body)
