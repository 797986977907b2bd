"""A tensor as a view of bytes somewhere, and its elements in row-major order, in memory that does not grow with it.

Three cases. A contiguous view is a run of bytes and is copied as it stands. For every other one the output is made in chunks,
and the bytes for one chunk are read in boxes: an axis with a large stride is walked, what lies close together is read at once.
Elements are moved by slices of :class:`memoryview` with a step, along the longest axis, which is a loop in C.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Final, Literal

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError, UnsupportedError
from openvet.io.source import Source

__all__ = ["WIDTHS", "Storage", "View"]

#: What safetensors can carry -> bytes of one element. Complex numbers are newer than most of its readers.
WIDTHS: Final = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1,
    "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip

#: Bytes that are handed on at once where nothing has to be gathered.
_BLOCK: Final = 4 * 1024 * 1024
#: Bytes of output that are gathered at once, and bytes that are read for them at once.
_CHUNK: Final = 32 * 1024 * 1024
_BOX: Final = 16 * 1024 * 1024
#: Below this distance it is cheaper to read what lies between than to read twice.
_NEAR: Final = 4096
_SPARSE: Final = 4
_CODES: Final[dict[int, Literal["B", "H", "I", "Q"]]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
_MOST: Final = 2**63

Axis = tuple[int, int, int]
"""Elements, elements between two of them in the storage, and in the output."""


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A run of bytes that tensors are views of.

    Attributes:
        source: what holds it; open until the file is written.
        offset: of its first byte there.
        nbytes: how long it is.
        swapped: whether the bytes of each element are the other way round than safetensors wants them (little-endian).
        place: where that is, for people.
    """

    source: Source
    offset: int
    nbytes: int
    swapped: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """Elements of a storage.

    Raises:
        UnsupportedError: safetensors cannot carry the dtype.
        MalformedError: it reaches beyond its storage, or its size overflows.
    """

    storage: Storage
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int = 0

    def __post_init__(self) -> None:
        if self.dtype not in WIDTHS:
            raise UnsupportedError(f"safetensors cannot carry elements of the type {self.dtype}")
        if len(self.shape) != len(self.strides) or min((*self.shape, *self.strides, self.start), default=0) < 0:
            raise MalformedError("its shape and strides do not fit together")
        if self.nbytes >= _MOST or self.reach * self.width >= _MOST:
            raise MalformedError("its size overflows 64 bits")
        if self.reach * self.width > self.storage.nbytes:
            raise MalformedError(
                f"it reaches {self.reach * self.width} bytes into a storage of {self.storage.nbytes} bytes"
            )

    @property
    def width(self) -> int:
        return WIDTHS[self.dtype]

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * self.width

    @property
    def reach(self) -> int:
        """Elements of the storage up to the last one that is needed."""
        if not self.elements:
            return 0
        return self.start + 1 + sum((e - 1) * s for e, s in zip(self.shape, self.strides, strict=True))

    @property
    def contiguous(self) -> bool:
        return not self.elements or self._axes() in ([], [(self.elements, 1)])

    def key(self) -> tuple[object, ...]:
        """What two views share that are the same elements in the same order."""
        axes = tuple(self._axes()) if self.elements else ()
        return (id(self.storage), self.dtype, self.shape, axes, self.start if self.elements else 0)

    def blocks(self) -> Iterator[bytes | memoryview]:
        """The elements in row-major order, little-endian, block by block."""
        if not self.elements:
            return
        blocks = self._run() if self.contiguous else self._gathered()
        if not self.storage.swapped or self.width == 1:
            yield from blocks
            return
        for block in blocks:
            turned = array(_CODES[self.width])
            turned.frombytes(block)
            turned.byteswap()
            yield turned.tobytes()

    def _axes(self) -> list[tuple[int, int]]:
        """Extents and strides without axes of one element, neighbours joined where they are one run."""
        out: list[tuple[int, int]] = []
        for extent, stride in zip(self.shape, self.strides, strict=True):
            if extent == 1:
                continue
            if out and out[-1][1] == extent * stride:
                out[-1] = (out[-1][0] * extent, stride)
            else:
                out.append((extent, stride))
        return out

    def _run(self) -> Iterator[bytes]:
        source, offset = self.storage.source, self.storage.offset + self.start * self.width
        end = offset + self.nbytes
        while offset < end:
            block = source.read(offset, min(_BLOCK, end - offset))
            offset += len(block)
            yield block

    def _gathered(self) -> Iterator[memoryview]:
        axes = self._axes()
        room = max(_CHUNK // self.width, 1)
        inner, depth = 1, len(axes)
        while depth and inner * axes[depth - 1][0] <= room:
            depth -= 1
            inner *= axes[depth][0]
        outer, rest = axes[: max(depth - 1, 0)], axes[depth:]
        extent, stride = axes[depth - 1] if depth else (1, 0)
        group = min(max(room // inner, 1), extent)
        for index in product(*(range(each) for each, _ in outer)):
            start = self.start + sum(at * step for at, (_, step) in zip(index, outer, strict=True))
            for first in range(0, extent, group):
                count = min(group, extent - first)
                yield self._chunk(start + first * stride, [(count, stride), *rest])

    def _chunk(self, start: int, axes: list[tuple[int, int]]) -> memoryview:
        """The elements of one box in row-major order."""
        steps: list[Axis] = []
        size = 1
        for extent, stride in reversed(axes):
            if extent > 1:
                steps.append((extent, stride, size))
            size *= extent
        out = memoryview(bytearray(size * self.width))
        target = out.cast(_CODES[self.width])
        steps.sort(key=lambda axis: -axis[1])
        _read_box(self._load, self.width, target, steps, start, 0)
        return out

    def _load(self, start: int, count: int) -> memoryview:
        data = self.storage.source.read(self.storage.offset + start * self.width, count * self.width)
        return memoryview(data).cast(_CODES[self.width])


def _read_box(
    load: Callable[[int, int], memoryview], width: int, out: memoryview, axes: list[Axis], start: int, to: int
) -> None:
    """Read the elements of ``axes``, the largest stride first, and put each where it belongs in ``out``."""
    span = 1 + sum((extent - 1) * stride for extent, stride, _ in axes)
    needed = prod(extent for extent, stride, _ in axes if stride)
    if not axes or (span * width <= _BOX and (span * width <= _NEAR or span <= needed * _SPARSE)):
        _scatter(load(start, span), out, axes, to)
        return
    (extent, stride, step), rest = axes[0], axes[1:]
    inner = 1 + sum((e - 1) * s for e, s, _ in rest)
    close = stride * width <= _NEAR or stride <= prod(e for e, s, _ in rest if s) * _SPARSE
    group = min(max((_BOX // width - inner) // stride + 1, 1), extent) if close else 1
    for first in range(0, extent, group):
        count = min(group, extent - first)
        at, there = start + first * stride, to + first * step
        if group == 1:
            _read_box(load, width, out, rest, at, there)
        else:
            _scatter(load(at, (count - 1) * stride + inner), out, [(count, stride, step), *rest], there)


def _scatter(data: memoryview, out: memoryview, axes: list[Axis], to: int) -> None:
    """Move elements from ``data``, whose first is the box's first, to ``out`` from ``to`` on."""
    if not axes:
        out[to] = data[0]
        return
    longest = max(axes, key=lambda axis: (axis[0], axis[1] == 1 and axis[2] == 1))
    extent, stride, step = longest
    others = [axis for axis in axes if axis is not longest]
    last_in, last_out = (extent - 1) * stride + 1, (extent - 1) * step + 1
    for index in product(*(range(axis[0]) for axis in others)):
        at, there = 0, to
        for number, (_, s, t) in zip(index, others, strict=True):
            at += number * s
            there += number * t
        if stride:
            out[there : there + last_out : step] = data[at : at + last_in : stride]
        else:
            same = memoryview(bytes(data[at : at + 1]) * extent).cast(data.format)  # type: ignore[call-overload]
            out[there : there + last_out : step] = same
