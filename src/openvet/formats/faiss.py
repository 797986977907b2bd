"""Faiss indexes: vectors to be searched, as ``faiss.write_index`` writes them.

::

    index     kind[4], dimensions i32, vectors i64, two numbers that mean nothing i64, trained u8, metric i32[, its argument f32], parts
    vector    count u64, items

What the parts are depends on the kind; indexes hold other indexes. All is numbers but in ``ilod``, which names a file with the lists:
that, and every kind that is not known here, is not read.

Specification: ``faiss/impl/index_read.cpp`` of Faiss 1.15.
"""

from __future__ import annotations

from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Cursor, Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="faiss",
    title="Faiss index",
    extensions=(".faiss", ".index"),
    media_types=(),
    can_tell=("the kinds of index, and that their parts cover the file to its end",),
    cannot_tell=("what the vectors stand for; texts lie in another file, which is often a pickle",),
)

_KINDS = frozenset(
    {b"IxFI", b"IxF2", b"IxFl", b"IwFl", b"IwPQ", b"IwSq", b"IxPq", b"IxSQ", b"IxPT", b"IxMp", b"IxM2", b"IxHe", b"IxRF",
     b"IHNf", b"IHNp", b"IHNs", b"IHN2", b"IBxF"}
)  # fmt: skip
#: Kinds that begin in the same way and are not read.
_OTHERS = frozenset({b"IPfs", b"INSf", b"ISpl", b"IvFl", b"IwPf", b"IwQR", b"IxHE", b"IxRq"})
_DEPTH = 16
_TRANSFORMS = 256


class _Unread(Exception):  # noqa: N818 - no error: a part that is not known
    pass


#: What its bytes begin with.
STARTS = tuple(sorted(_KINDS | _OTHERS))


def probe(head: Head) -> Likeness:
    """A kind that is known, plausible dimensions, and a flag that is one."""
    data = head.data
    if data[:4] not in _KINDS | _OTHERS or len(data) < 37:
        return Likeness.NO
    at, flag = (12, 20) if data[:4] == b"IBxF" else (8, 32)
    count, trained = int.from_bytes(data[at : at + 8], "little", signed=True), data[flag]
    dimensions = int.from_bytes(data[4:8], "little", signed=True)
    return Likeness.STRONG if 0 < dimensions < 1 << 24 and 0 <= count < 1 << 48 and trained < 2 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the index and everything in it.

    Raises:
        MalformedError: a part goes beyond the end, or indexes are nested in a way that none is.
    """
    reader = _Reader(source, facts)
    try:
        reader.index(0)
    except _Unread as unread:
        facts.unknown("unsupported", str(unread), reader.cursor.position)
        return
    finally:
        facts.note("indexes", reader.kinds)
    account_for_rest(source, facts, reader.cursor.position, "the index")


class _Reader:
    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.cursor: Cursor = source.cursor(0)
        self.kinds: list[str] = []

    def number(self, size: int) -> int:
        return int.from_bytes(self.cursor.read(size), "little")

    def vector(self, item: int) -> int:
        """Steps over a vector; gives how many items it has."""
        at = self.cursor.position
        count = self.number(8)
        self.skip(count * item, at)
        return count

    def skip(self, size: int, at: int) -> None:
        if size > self.source.size - self.cursor.position:
            raise MalformedError(f"a part of {size} bytes goes beyond the end", offset=at)
        self.cursor.skip(size)

    def index(self, depth: int) -> None:
        """One index, with those that it holds."""
        if depth > _DEPTH:
            raise LimitError("nesting", _DEPTH, "indexes are nested too deeply", offset=self.cursor.position)
        self.facts.budget.check_time()
        at = self.cursor.position
        kind = self.cursor.read(4)
        if kind not in _KINDS:
            self.cursor = self.source.cursor(at)
            raise _Unread(f"an index of the kind {printable(kind.decode('latin-1'))} was not read")
        name = kind.decode()
        self.kinds.append(name)
        dimensions = self.number(4)
        if kind == b"IBxF":
            self.skip(4 + 8 + 1 + 4, at)
            self.vector(1)
            return
        count = self.number(8)
        self.skip(8 + 8 + 1, at)
        if self.number(4) > 1:
            self.skip(4, at)  # the argument of the metric
        if kind in {b"IxFI", b"IxF2", b"IxFl"}:
            begin = self.cursor.position + 8
            items = self.vector(4)
            if items == count * dimensions:
                self.facts.tensors.append(Tensor(name, "F32", (count, dimensions), begin, items * 4))
        elif kind.startswith(b"IHN"):
            self.graph(at)
            self.index(depth + 1)
        elif kind in {b"IxMp", b"IxM2"}:
            self.index(depth + 1)
            self.vector(8)
        elif kind == b"IxRF":
            self.index(depth + 1)
            self.index(depth + 1)
            self.skip(4, at)
        elif kind == b"IxPT":
            transforms = self.number(4)
            if transforms > _TRANSFORMS:
                raise MalformedError(f"{transforms} transforms of one index", offset=at)
            for _ in range(transforms):
                self.transform()
            self.index(depth + 1)
        else:
            self.codes(kind, at, depth)

    def codes(self, kind: bytes, at: int, depth: int) -> None:
        """Indexes of codes, in one run or in lists."""
        if kind == b"IxPq":
            self.quantizer()
            self.vector(1)
            self.skip(4 + 1 + 4, at)
        elif kind == b"IxSQ":
            self.scalars()
            self.vector(1)
        elif kind == b"IxHe":
            self.skip(4 + 1 + 1, at)
            self.vector(4)
            self.skip(4, at)
            self.transform()
            self.vector(1)
        else:
            self.skip(8 + 8, at)
            self.index(depth + 1)
            table = self.number(1)
            self.vector(8)
            if table == 2:
                self.vector(16)
            if kind == b"IwPQ":
                self.skip(1 + 8, at)
                self.quantizer()
            elif kind == b"IwSq":
                self.scalars()
                self.skip(8 + 1, at)
            self.lists()

    def graph(self, at: int) -> None:
        """The graph of HNSW: probabilities, numbers of neighbours, levels, offsets, neighbours, and five settings."""
        for item in (8, 4, 4, 8, 4):
            self.vector(item)
        self.skip(5 * 4, at)

    def quantizer(self) -> None:
        """A product quantizer: dimensions, parts, bits, centroids."""
        self.skip(3 * 8, self.cursor.position)
        self.vector(4)

    def scalars(self) -> None:
        """A scalar quantizer: its type, range and the argument of that, dimensions, bytes of a code, what it learned."""
        self.skip(3 * 4 + 2 * 8, self.cursor.position)
        self.vector(4)

    def transform(self) -> None:
        """A transform of vectors, with its dimensions."""
        at = self.cursor.position
        kind = self.cursor.read(4)
        linear = kind in {b"rrot", b"LTra", b"PcAm", b"Pcam"}
        if kind in {b"PcAm", b"Pcam"}:
            self.skip(4 + (4 if kind == b"Pcam" else 0) + 1 + 4, at)
            for _ in range(3):
                self.vector(4)
        elif kind == b"RmDT" or kind == b"VCnt":
            self.vector(4)
        elif kind == b"VNrm":
            self.skip(4, at)
        elif not linear:
            self.cursor = self.source.cursor(at)
            raise _Unread(f"a transform of the kind {printable(kind.decode('latin-1'))} was not read")
        if linear:
            self.skip(1, at)
            self.vector(4)
            self.vector(4)
        self.skip(4 + 4 + 1, at)

    def lists(self) -> None:
        """Lists of codes and of the numbers of their vectors; those in a file elsewhere are not read."""
        at = self.cursor.position
        kind = self.cursor.read(4)
        if kind == b"il00":
            return
        if kind != b"ilar":
            self.cursor = self.source.cursor(at)
            raise _Unread(f"lists of the kind {printable(kind.decode('latin-1'))} were not read")
        count, size, shape = self.number(8), self.number(8), self.cursor.read(4)
        begin = self.cursor.position
        items = self.number(8)
        if items * 8 > self.source.size - self.cursor.position or shape not in {b"full", b"sprs"}:
            raise MalformedError(f"{items} sizes of {count} lists", offset=begin)
        total = 0
        for index in range(items):
            value = self.number(8)
            if not index % 65536:
                self.facts.budget.check_time()
            total += value if shape == b"full" or index % 2 else 0
        self.skip(total * (size + 8), at)
