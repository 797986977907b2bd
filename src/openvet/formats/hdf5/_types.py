"""Datatypes and dataspaces: what the elements of a dataset or attribute are, and how many.

Specification: sections IV.A.2.b and IV.A.2.d of the HDF5 file format.
"""

from __future__ import annotations

from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError, UnsupportedError
from openvet.formats.hdf5._bytes import Block

__all__ = ["Datatype", "Shape", "read_dataspace", "read_datatype"]

FIXED, FLOAT, TIME, STRING, BITFIELD, OPAQUE, COMPOUND, REFERENCE, ENUM, VLEN, ARRAY, COMPLEX = range(12)
_DEEPEST = 32
_MOST_MEMBERS = 4096
_FLOATS = {2: "F16", 4: "F32", 8: "F64"}
_NAMES = {TIME: "TIME", STRING: "STRING", BITFIELD: "BITFIELD", OPAQUE: "OPAQUE", REFERENCE: "REFERENCE"}


@dataclass(frozen=True, slots=True)
class Datatype:
    """One datatype.

    Attributes:
        kind: its class in the specification.
        size: bytes of one element.
        word: how it is called in a listing.
        base: of an array, an enumeration or a sequence of variable length.
        text: whether it is a string of variable length.
        members: (name, offset, type) of a compound.
    """

    kind: int
    size: int
    word: str
    base: Datatype | None = None
    text: bool = False
    members: tuple[tuple[bytes, int, Datatype], ...] = field(default=())

    def holds(self, kinds: frozenset[int]) -> bool:
        """Whether it is, or has inside, one of ``kinds``."""
        if self.kind in kinds:
            return True
        if self.base is not None and self.base.holds(kinds):
            return True
        return any(each.holds(kinds) for _, _, each in self.members)


@dataclass(frozen=True, slots=True)
class Shape:
    """Extents; ``None`` for a dataspace that holds nothing."""

    extents: tuple[int, ...] | None

    @property
    def elements(self) -> int:
        product = 0 if self.extents is None else 1
        for extent in self.extents or ():
            product *= extent
        return product


def read_dataspace(block: Block) -> Shape:
    version, rank, flags = block.number(1), block.number(1), block.number(1)
    if version == 1:
        block.take(5)
        kind = 1
    elif version == 2:
        kind = block.number(1)
    else:
        raise UnsupportedError(f"a dataspace of version {version}", offset=block.start)
    if rank > 32:
        raise MalformedError(f"a dataspace of {rank} dimensions, and 32 are allowed", offset=block.start)
    extents = tuple(block.length() for _ in range(rank))
    if flags & 1:
        block.take(rank * block.wide[1])
    return Shape(None if kind == 2 else extents)


def read_datatype(block: Block, depth: int = 0) -> Datatype:
    """The datatype at the front of ``block``.

    Raises:
        MalformedError: it ends early, or has too many parts inside parts.
        UnsupportedError: a class that no specification describes.
    """
    start = block.start + block.at
    if depth > _DEEPEST:
        raise MalformedError("a datatype is nested too deeply", offset=start)
    head = block.number(1)
    kind, version = head & 15, head >> 4
    bits, size = block.number(3), block.number(4)
    if not 1 <= version <= 5:
        raise UnsupportedError(f"a datatype of version {version}", offset=start)
    if kind in (FIXED, BITFIELD):
        block.take(4)
        word = _NAMES.get(kind) or f"{'I' if bits & 8 else 'U'}{8 * size}"
        return Datatype(kind, size, word)
    if kind == FLOAT:
        order = block.take(12)
        exact = _FLOATS.get(size, f"F{8 * size}")
        # sign, exponent and fraction of bfloat16 as they stand in the properties
        return Datatype(kind, size, "BF16" if size == 2 and order[5] == 8 else exact)
    if kind in (STRING, REFERENCE, TIME, OPAQUE):
        tag = bits & 0xFF
        block.take({TIME: 2, OPAQUE: tag + -tag % 8}.get(kind, 0))
        return Datatype(kind, size, _NAMES[kind])
    if kind == COMPOUND:
        return _compound(block, version, bits & 0xFFFF, size, depth)
    if kind == ENUM:
        return _enum(block, version, bits & 0xFFFF, size, depth)
    if kind == ARRAY:
        _array_extents(block, version)
    if kind in (VLEN, ARRAY, COMPLEX):
        base = read_datatype(block, depth + 1)
        text = kind == VLEN and bits & 15 == 1
        if kind == COMPLEX:
            return Datatype(kind, size, {8: "C64", 16: "C128"}.get(size, "COMPLEX"))
        word = f"{'VLEN' if kind == VLEN else 'ARRAY'}({base.word})"
        return Datatype(kind, size, "STRING" if text else word[:80], base, text)
    raise UnsupportedError(f"a datatype of the unknown class {kind}", offset=start)


def _array_extents(block: Block, version: int) -> None:
    """Extents of an array; the size of the datatype has their product already."""
    rank = block.number(1)
    if version < 3:
        block.take(3)
    block.take(4 * rank if version >= 3 else 8 * rank)


def _compound(block: Block, version: int, count: int, size: int, depth: int) -> Datatype:
    if count > _MOST_MEMBERS:
        raise UnsupportedError(f"a compound of {count} members", offset=block.start)
    members = []
    for _ in range(count):
        name = block.text(8 if version < 3 else 1)
        offset = block.number(4 if version < 3 else max((size.bit_length() + 7) // 8, 1))
        times = 1
        if version == 1:
            rank = block.number(1)
            block.take(11)
            extents = [block.number(4) for _ in range(4)]
            for extent in extents[: min(rank, 4)]:
                times *= extent
        inner = read_datatype(block, depth + 1)
        if times != 1:
            inner = Datatype(ARRAY, inner.size * times, f"ARRAY({inner.word})"[:80], inner)
        members.append((name, offset, inner))
    words = [each.word for _, _, each in members]
    # NumPy's complex numbers and truth values are written as a compound and an enumeration
    if words in (["F32", "F32"], ["F64", "F64"]) and [name for name, _, _ in members] == [b"r", b"i"]:
        return Datatype(COMPOUND, size, "C64" if size == 8 else "C128")
    return Datatype(COMPOUND, size, "COMPOUND", members=tuple(members))


def _enum(block: Block, version: int, count: int, size: int, depth: int) -> Datatype:
    base = read_datatype(block, depth + 1)
    names = [block.text(8 if version < 3 else 1) for _ in range(count)]
    block.take(count * base.size)
    return Datatype(ENUM, size, "BOOL" if names == [b"FALSE", b"TRUE"] else base.word, base)
