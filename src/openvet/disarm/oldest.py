"""PyTorch's oldest container, a tar of three streams; its layout is described in :mod:`openvet.formats.torch_tar`.

Objects refer to tensors by number, tensors to storages by number, and a storage may be a part of another. Whatever the machine that
wrote them, elements are little-endian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from openvet.disarm.graph import Graph, NotPlainError
from openvet.disarm.view import Storage, View
from openvet.errors import LimitError, MalformedError
from openvet.formats._torch import DTYPES
from openvet.formats.pickle.values import REF, a_of, tag_of
from openvet.io.source import Source

__all__ = ["Walker", "read_storages", "read_tensors"]

#: Walks the pickle at an offset of a stream.
Walker = Callable[[Source, int], Graph]

_COUNT: Final = 100_000
_DIMENSIONS: Final = 64


class _Stored(NamedTuple):
    """A storage and its type: the word, and bytes of one element."""

    storage: Storage
    dtype: str
    width: int


def read_storages(source: Source, place: str, walk: Walker) -> dict[int, _Stored]:
    """Every storage and every part of one, by number."""
    graph = walk(source, 0)
    count, at = _count(graph), graph.end
    out: dict[int, _Stored] = {}
    for _ in range(count):
        graph = walk(source, at)
        key, _, kind = _fields(graph, 3)
        dtype, width = _type(graph, kind, "Storage")
        numel = int.from_bytes(source.read(graph.end, 8), "little", signed=True)
        start = graph.end + 8
        if numel < 0 or start + numel * width > source.size:
            raise MalformedError("a storage goes beyond the end of its stream", offset=graph.end)
        _keep(out, _number(graph, key), _Stored(Storage(source, start, numel * width, place=place), dtype, width))
        at = start + numel * width
    parts = walk(source, at)
    for each in parts.children(parts.result):
        key, root, offset, size = (_number(parts, item) for item in _items(parts, each, 4))
        base = out.get(root)
        if base is None or offset < 0 or size < 0 or (offset + size) * base.width > base.storage.nbytes:
            raise MalformedError("a storage is a part of another and goes beyond it", offset=at)
        inner = Storage(source, base.storage.offset + offset * base.width, size * base.width, place=place)
        _keep(out, key, _Stored(inner, base.dtype, base.width))
    if parts.end < source.size:
        raise MalformedError("bytes behind the last storage", offset=parts.end)
    return out


def read_tensors(source: Source, storages: dict[int, _Stored], walk: Walker) -> dict[int, Callable[[], View]]:
    """What makes the view of each tensor, by number; called for those that are used, so that one that is not spoils nothing."""
    graph = walk(source, 0)
    count, at = _count(graph), graph.end
    out: dict[int, Callable[[], View]] = {}
    for _ in range(count):
        graph = walk(source, at)
        key, stored, kind = _fields(graph, 3)
        dtype, _ = _type(graph, kind, "Tensor")
        dimensions = int.from_bytes(source.read(graph.end, 4), "little", signed=True)
        if not 0 <= dimensions <= _DIMENSIONS:
            raise MalformedError(f"a tensor with {dimensions} dimensions", offset=graph.end)
        start = graph.end + 8
        raw = source.read(start, 16 * dimensions + 8)
        at = start + len(raw)
        numbers = [int.from_bytes(raw[each : each + 8], "little", signed=True) for each in range(0, len(raw), 8)]
        number = _number(graph, key)
        if number in out:
            raise MalformedError("a tensor is there twice", offset=graph.start)
        out[number] = _maker(storages.get(_number(graph, stored)), dtype, numbers, dimensions)
    if at < source.size:
        raise MalformedError("bytes behind the last tensor", offset=at)
    return out


def _maker(stored: _Stored | None, dtype: str, numbers: list[int], dimensions: int) -> Callable[[], View]:
    def make() -> View:
        if stored is None or stored.dtype != dtype:
            raise MalformedError("its storage is not in the archive, or of another type")
        shape, strides = tuple(numbers[:dimensions]), tuple(numbers[dimensions:-1])
        return View(stored.storage, dtype, shape, strides, numbers[-1])

    return make


def _keep(out: dict[int, _Stored], key: int, stored: _Stored) -> None:
    if key in out:
        raise MalformedError("a storage is there twice", offset=stored.storage.offset)
    out[key] = stored


def _count(graph: Graph) -> int:
    count = graph.integer(graph.result)
    if count is None or count < 0:
        raise MalformedError("a stream does not say how many records it has", offset=graph.start)
    if count > _COUNT:
        raise LimitError("records", _COUNT, "a stream has too many records", offset=graph.start)
    return count


def _fields(graph: Graph, count: int) -> list[int]:
    return _items(graph, graph.result, count)


def _items(graph: Graph, value: int, count: int) -> list[int]:
    try:
        items = graph.children(value)
    except NotPlainError:
        items = []
    if len(items) != count:
        raise MalformedError("a record is not what it has to be", offset=graph.start)
    return items


def _number(graph: Graph, value: int) -> int:
    number = graph.integer(value)
    if number is None:
        raise MalformedError("a record without a number", offset=graph.start)
    return number


def _type(graph: Graph, value: int, kind: str) -> tuple[str, int]:
    ref = graph.refs[a_of(value)] if tag_of(value) == REF else None
    name = ref.name if ref is not None and ref.module.startswith("torch") and ref.name.endswith(kind) else ""
    dtype, width = DTYPES.get(name.removesuffix(kind) + "Storage", ("?", 0))
    if not width:
        raise MalformedError("a record of a type that is not known", offset=graph.start)
    return dtype, width
