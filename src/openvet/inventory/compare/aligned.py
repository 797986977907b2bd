"""Tensors of two safetensors files that lie in the same order: which bytes of both can be read together.

This is only a plan, made of what the headers say before anybody has judged them. What comes of it counts where a reader of the format found the same
types, shapes and places later.

Source: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any, Final, TypeGuard

from openvet.core.dataclass import dataclass
from openvet.errors import ReadError
from openvet.inventory.compare.dtypes import WIDTHS
from openvet.inventory.compare.swept import STEP, Sweep, can_sweep
from openvet.io.source import Source
from openvet.io.twins import SPAN, Spans

__all__ = ["Lies", "Pair", "look", "pair_up", "read_table"]

_HEADER: Final = 16 * 1024 * 1024
#: Of each file, so much has to have a counterpart: threads would wait for each other where only one file is read.
_SHARE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Lies:
    """Where a tensor lies in its file, from ``start`` to before ``end``."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two tensors of one name, and what is found of them while their bytes go by."""

    a: Lies
    b: Lies
    sweep: Sweep


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Values of a pair in two spans: ``count`` from ``first`` on, which begin at ``at`` in each span."""

    pair: Pair
    first: int
    count: int
    at: tuple[int, int]


def read_table(source: Source) -> dict[str, Lies]:
    """The tensors of a safetensors file; none where it is no such file, and without those that a plan can do nothing with."""
    try:
        size = int.from_bytes(source.read(0, 8), "little")
        header = json.loads(source.read(8, size)) if 2 <= size <= _HEADER else None
    except (ReadError, ValueError, RecursionError):
        return {}
    if not isinstance(header, dict):
        return {}
    out = {}
    for name, said in header.items():
        found = _lies(said, 8 + size)
        if found is not None and found.end <= source.size:
            out[name] = found
    return out


def _lies(said: Any, base: int) -> Lies | None:
    if not isinstance(said, dict):
        return None
    dtype, shape, offsets = said.get("dtype"), said.get("shape"), said.get("data_offsets")
    if dtype not in WIDTHS or not _whole(shape) or not _whole(offsets) or len(offsets) != 2:
        return None
    start, end = offsets
    if end - start != prod(shape) * WIDTHS[dtype] or start == end:
        return None
    return Lies(dtype, tuple(shape), base + start, base + end)


def _whole(numbers: Any) -> TypeGuard[list[int]]:
    return (
        isinstance(numbers, list)
        and len(numbers) <= 64
        and all(type(each) is int and 0 <= each < 2**63 for each in numbers)
    )


def pair_up(a: Mapping[str, Lies], b: Mapping[str, Lies], sizes: tuple[int, int]) -> tuple[list[Pair], list[Spans]]:
    """What of two files is read together.

    Args:
        sizes: of both files in bytes.

    Returns:
        The tensors that are compared on the way, and the spans; both empty where too little lies beside its counterpart.
    """
    pairs: list[Pair] = []
    end_a = end_b = 0
    for name, one in sorted(a.items(), key=lambda item: item[1].start):
        other = b.get(name)
        if other is None or one.shape != other.shape or not can_sweep(one.dtype, other.dtype):
            continue
        if one.start >= end_a and other.start >= end_b:
            pairs.append(Pair(one, other, Sweep(one.dtype, other.dtype, prod(one.shape))))
            end_a, end_b = one.end, other.end
    for size, read in zip(sizes, zip(*((each.a, each.b) for each in pairs), strict=True), strict=False):
        if sum(each.end - each.start for each in read) < size * _SHARE:
            return [], []
    if not pairs:
        return [], []
    laying = _Laying()
    for each in pairs:
        laying.go_to(each.a.start, each.b.start)
        laying.lay(each)
    laying.go_to(*sizes)
    laying.close()
    return pairs, laying.spans


class _Laying:
    """Spans under way: the last one is from ``begun`` to before ``at``, on each side."""

    def __init__(self) -> None:
        self.spans: list[Spans] = []
        self._begun = [0, 0]
        self._at = [0, 0]
        self._pieces: list[_Piece] = []

    def close(self) -> None:
        if self._at != self._begun:
            starts, ends = (self._begun[0], self._begun[1]), (self._at[0], self._at[1])
            self.spans.append(Spans(starts, ends, self._pieces or None))
            self._begun = list(self._at)
            self._pieces = []

    def go_to(self, *ends: int) -> None:
        """Leave out what lies before ``ends``: it is hashed, and not compared."""
        while True:
            for side, end in enumerate(ends):
                self._at[side] = min(end, self._begun[side] + SPAN)
            if self._at == list(ends):
                return
            self.close()

    def lay(self, pair: Pair) -> None:
        widths = (WIDTHS[pair.a.dtype], WIDTHS[pair.b.dtype])
        first, values = 0, pair.sweep.values
        while first < values:
            at = (self._at[0] - self._begun[0], self._at[1] - self._begun[1])
            room = min((SPAN - at[side]) // widths[side] for side in (0, 1))
            count = min(values - first, room if values - first <= room else room // STEP * STEP)
            if not count:
                self.close()
                continue
            self._pieces.append(_Piece(pair, first, count, at))
            self._at = [self._at[side] + count * widths[side] for side in (0, 1)]
            first += count


def look(pieces: list[_Piece], left: memoryview, right: memoryview) -> None:
    """Compare what lies in two spans."""
    for each in pieces:
        sides = []
        for data, lies, at in ((left, each.pair.a, each.at[0]), (right, each.pair.b, each.at[1])):
            width = WIDTHS[lies.dtype]
            part = data[at : at + each.count * width]
            sides.append(memoryview(bytes(part)) if at % width else part)
        each.pair.sweep.feed(each.first, each.count, *sides)
