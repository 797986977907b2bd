"""Where the data of a dataset lie, what filters they passed, and the bytes of small ones.

Specification: sections IV.A.2.h (external files), IV.A.2.i (layout), IV.A.2.l (filters), III.A.1 (chunk B-trees).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.dataclass import dataclass
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats.hdf5._bytes import Block, HdfBytes
from openvet.formats.hdf5._groups import LocalHeap, tree

__all__ = ["Filter", "Layout", "content", "external_files", "read_filters", "read_layout"]

COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = range(4)
DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Where data lie: in the message itself, at an address, in chunks, or in datasets elsewhere."""

    kind: int
    data: bytes = b""
    address: int | None = None
    size: int | None = None
    chunk: tuple[int, ...] = ()
    index: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    number: int
    name: bytes
    values: tuple[int, ...]


def read_layout(body: Block) -> Layout:
    """A layout message of any version."""
    version = body.number(1)
    if version in (1, 2):
        rank, kind = body.number(1), body.number(1)
        body.take(5)
        address = body.address() if kind != COMPACT else None
        dims = tuple(body.number(4) for _ in range(rank))
        if kind == COMPACT:
            return Layout(kind, data=body.take(body.number(4)))
        return Layout(kind, address=address, chunk=dims if kind == CHUNKED else ())
    if version not in (3, 4, 5):
        raise UnsupportedError(f"a data layout of version {version}", offset=body.start)
    kind = body.number(1)
    if kind == COMPACT:
        return Layout(kind, data=body.take(body.number(2)))
    if kind == CONTIGUOUS:
        address = body.address()
        return Layout(kind, address=address, size=body.length())
    if kind == VIRTUAL:
        return Layout(kind, address=body.address(), index=body.number(4))
    if kind != CHUNKED:
        raise UnsupportedError(f"a data layout of the unknown class {kind}", offset=body.start)
    if version == 3:
        rank = body.number(1)
        address = body.address()
        return Layout(kind, address=address, chunk=tuple(body.number(4) for _ in range(rank)))
    flags, rank, width = body.number(1), body.number(1), body.number(1)
    chunk = tuple(body.number(width) for _ in range(rank))
    index = body.number(1)
    size = None
    if index == 1 and flags & 2:
        size = body.length()
        body.take(4)
    else:
        body.take({1: 0, 2: 0, 3: 1, 4: 5, 5: 6}.get(index, 0))
    return Layout(kind, address=body.address(), size=size, chunk=chunk, index=index)


def read_filters(body: Block) -> tuple[Filter, ...]:
    """A filter pipeline message."""
    version, count = body.number(1), body.number(1)
    if version not in (1, 2):
        raise UnsupportedError(f"a filter pipeline of version {version}", offset=body.start)
    if version == 1:
        body.take(6)
    out = []
    for _ in range(count):
        number = body.number(2)
        length = body.number(2) if version == 1 or number >= 256 else 0
        body.number(2)
        values = body.number(2)
        name = body.take(length + (-length % 8 if version == 1 else 0)).partition(b"\0")[0]
        out.append(Filter(number, name, tuple(body.number(4) for _ in range(values))))
        if version == 1 and values % 2:
            body.take(4)
    return tuple(out)


def external_files(file: HdfBytes, body: Block) -> Iterator[bytes]:
    """The names of the files that hold a dataset's data."""
    if body.number(1) != 1:
        raise UnsupportedError("a list of external files of an unknown version", offset=body.start)
    body.take(5)
    used, heap = body.number(2), body.address()
    if heap is None:
        return
    texts = LocalHeap(file, heap)
    for _ in range(used):
        yield texts.text(body.length())
        body.take(2 * file.wide[1])


def content(file: HdfBytes, layout: Layout, filters: tuple[Filter, ...], size: int, most: int) -> bytes:
    """The decoded bytes of a dataset of ``size`` bytes; chunks follow each other as they are stored.

    Raises:
        LimitError: there are more than ``most``.
        UnsupportedError: a filter or an index of chunks that is not read.
        MalformedError: a part lies outside the file or does not decode.
    """
    if size > most and layout.kind != CHUNKED:
        raise LimitError("header", most, f"{size} bytes of texts or opaque data were not read")
    if layout.kind == COMPACT:
        return layout.data[:size]
    if layout.address is None or layout.kind == VIRTUAL:
        return b""
    if layout.kind == CONTIGUOUS:
        file.pay(3 * size)  # what is read may be kept
        return file.block(layout.address, size).data
    out = bytearray()
    for address, stored, mask in _chunks(file, layout):
        file.pay(3 * stored)
        part = _decode(file.block(address, stored).data, filters, mask, most)
        file.decoded += len(part)  # of all datasets: they may share their chunks
        file.budget.add_decoded(len(part), file.decoded, file.source.size)
        out += part
        if len(out) > most:
            raise LimitError("header", most, "more texts or opaque data than are read", offset=file.base + address)
    return bytes(out)


def _chunks(file: HdfBytes, layout: Layout) -> Iterator[tuple[int, int, int]]:
    """Address, stored bytes and filter mask of each chunk."""
    if layout.address is None:
        return
    if layout.index == 0:
        for key, address in tree(file, layout.address, 1, 8 + 8 * len(layout.chunk), set()):
            yield address, int.from_bytes(key[:4], "little"), int.from_bytes(key[4:8], "little")
        return
    plain = 1
    for extent in layout.chunk:
        plain *= extent
    if layout.index != 1:
        raise UnsupportedError("texts or opaque data in a new index of chunks were not read")
    yield layout.address, plain if layout.size is None else layout.size, 0


def _decode(data: bytes, filters: tuple[Filter, ...], mask: int, most: int) -> bytes:
    for index in range(len(filters) - 1, -1, -1):
        each = filters[index]
        if mask >> index & 1:
            continue
        if each.number == DEFLATE:
            import zlib

            try:
                stream = zlib.decompressobj()
                data = stream.decompress(data, most + 1)
            except zlib.error as error:
                raise MalformedError("a chunk does not decompress") from error
        elif each.number == SHUFFLE:
            width = each.values[0] if each.values else 1
            if width > 1 and width <= len(data):
                rows = len(data) // width
                plain = bytearray(rows * width)
                for at in range(width):
                    plain[at::width] = data[at * rows : (at + 1) * rows]
                data = bytes(plain) + data[rows * width :]
        elif each.number == FLETCHER32:
            data = data[:-4]
        else:
            raise UnsupportedError(f"texts or opaque data behind the filter {each.number} were not read")
    return data
