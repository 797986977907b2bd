"""The links of a group: symbol tables of old files, messages and fractal heaps of new ones.

Specification: sections III.A (B-trees), III.B, III.C (symbol tables), III.D (local heaps), IV.A.2.g (links).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError, UnsupportedError
from openvet.formats.hdf5._bytes import Block, HdfBytes

__all__ = ["EXTERNAL", "HARD", "SOFT", "Link", "LocalHeap", "read_link", "symbol_table", "tree"]

HARD, SOFT, EXTERNAL, OTHER = "hard", "soft", "external", "other"
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a group: its name, its kind, and where it leads (an address, a path, or a file and a path)."""

    name: bytes
    kind: str
    address: int | None = None
    path: bytes = b""
    file: bytes = b""


class LocalHeap:
    """The texts of a group or of a list of external files."""

    def __init__(self, file: HdfBytes, address: int) -> None:
        head = file.block(address, 8 + 2 * file.wide[1] + file.wide[0])
        if head.take(4) != b"HEAP":
            raise MalformedError("no local heap stands where one should", offset=head.start)
        head.take(4)
        self._size = head.length()
        head.length()
        self._address = head.address()
        self._file = file

    def text(self, offset: int) -> bytes:
        if self._address is None or offset >= self._size:
            raise MalformedError("a name lies outside the heap of its group")
        size = min(self._size - offset, _LONGEST)
        data = self._file.upto(self._address + offset, min(size, 256)).data
        if b"\0" not in data and size > 256:
            data = self._file.upto(self._address + offset, size).data
        text = data.partition(b"\0")[0]
        self._file.pay(3 * len(text))  # names may lie over each other, and are kept
        return text


def tree(file: HdfBytes, address: int, kind: int, key: int, seen: set[int]) -> Iterator[tuple[bytes, int]]:
    """The leaves of a version 1 B-tree: the key before each, and its address. ``seen`` are nodes that were read."""
    stack = [(address, -1)]
    while stack:
        address, expected = stack.pop()
        if address in seen:
            raise MalformedError("a node stands in a B-tree twice", offset=file.base + address)
        seen.add(address)
        file.budget.check_time()
        head = file.block(address, 8 + 2 * file.wide[0])
        if head.take(4) != b"TREE" or head.number(1) != kind:
            raise MalformedError("no B-tree node stands where one should", offset=head.start)
        level, count = head.number(1), head.number(2)
        if expected >= 0 and level != expected:
            raise MalformedError("the levels of a B-tree do not fit", offset=head.start)
        body = file.block(address + head.at + 2 * file.wide[0], count * (key + file.wide[0]))
        children = [(body.take(key), body.address()) for _ in range(count)]
        if level:
            stack.extend((child, level - 1) for _, child in reversed(children) if child is not None)
        else:
            yield from ((before, child) for before, child in children if child is not None)


def symbol_table(file: HdfBytes, body: Block, seen: set[int]) -> Iterator[Link]:
    """The entries of an old group, by its message."""
    root, heap = body.address(), body.address()
    if root is None or heap is None:
        return
    texts = LocalHeap(file, heap)
    for _, address in tree(file, root, 0, file.wide[1], seen):
        if address in seen:
            raise MalformedError("two groups share a symbol table", offset=file.base + address)
        seen.add(address)
        head = file.block(address, 8)
        if head.take(4) != b"SNOD":
            raise MalformedError("no symbol table node stands where one should", offset=head.start)
        head.take(2)
        count = head.number(2)
        nodes = file.block(address + 8, count * (2 * file.wide[0] + 24))
        for _ in range(count):
            name, target = nodes.number(file.wide[0]), nodes.address()
            cache = nodes.number(4)
            nodes.take(4)
            scratch = nodes.take(16)
            if cache == 2:
                path = texts.text(int.from_bytes(scratch[:4], "little"))
                yield Link(texts.text(name), SOFT, path=path)
            else:
                yield Link(texts.text(name), HARD, address=target)


def read_link(body: Block) -> Link:
    """A link message."""
    if body.number(1) != 1:
        raise UnsupportedError("a link of an unknown version", offset=body.start)
    flags = body.number(1)
    kind = body.number(1) if flags & 8 else 0
    body.take((8 if flags & 4 else 0) + (1 if flags & 0x10 else 0))
    name = body.take(body.number(1 << (flags & 3)))
    if kind == 0:
        return Link(name, HARD, address=body.address())
    value = body.take(body.number(2))
    if kind == 1:
        return Link(name, SOFT, path=value)
    if kind == 64:
        file, _, path = value[1:].partition(b"\0")
        return Link(name, EXTERNAL, path=path.partition(b"\0")[0], file=file)
    return Link(name, OTHER)
