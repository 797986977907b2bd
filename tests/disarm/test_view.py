"""Views give their elements in row-major order, whatever their strides; expected bytes come from plain loops."""

from __future__ import annotations

import random
from itertools import product

import pytest

from openvet.disarm import view as room
from openvet.disarm.view import WIDTHS, Storage, View
from openvet.errors import MalformedError, UnsupportedError
from openvet.io.source import BytesSource

BY_WIDTH = {1: "U8", 2: "BF16", 4: "F32", 8: "I64"}


def expected(view: View) -> bytes:
    """One element after the other."""
    out = bytearray()
    data, width = view.storage.source.read(0, view.storage.source.size), view.width
    for index in product(*(range(extent) for extent in view.shape)):
        at = view.start + sum(number * stride for number, stride in zip(index, view.strides, strict=True))
        at = view.storage.offset + at * width
        element = data[at : at + width]
        out += element[::-1] if view.storage.swapped else element
    return bytes(out)


def storage(elements: int, width: int, *, offset: int = 3, swapped: bool = False) -> Storage:
    data = random.Random(elements).randbytes(offset + elements * width + 5)
    return Storage(BytesSource(data), offset, elements * width, swapped)


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    out, step = [], 1
    for extent in reversed(shape):
        out.append(step)
        step *= extent
    return tuple(reversed(out))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize(
    ("shape", "strides", "start"),
    [
        ((), (), 5),
        ((0,), (1,), 0),
        ((3, 0, 2), (2, 2, 1), 7),
        ((1,), (9,), 2),
        ((24,), (1,), 0),
        ((4, 6), (6, 1), 0),
        ((6, 4), (1, 6), 0),  # transposed
        ((5,), (0,), 3),  # expanded
        ((3, 4), (0, 1), 1),
        ((4, 3), (1, 0), 1),
        ((2, 3, 2), (0, 2, 0), 0),
        ((3, 2, 4), (1, 12, 3), 0),  # permuted
        ((2, 2, 2, 2), (1, 2, 4, 8), 0),
        ((5, 3), (2, 4), 1),  # overlapping
        ((3, 4), (8, 2), 0),  # every second column
    ],
)
def test_elements_in_order(shape: tuple[int, ...], strides: tuple[int, ...], start: int, width: int, swapped: bool) -> None:  # fmt: skip
    view = View(storage(30, width, swapped=swapped), BY_WIDTH[width], shape, strides, start)
    assert b"".join(view.blocks()) == expected(view)
    assert view.nbytes == len(expected(view))


def test_any_strides_in_any_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks and boxes, so that every way of splitting is taken."""
    numbers = random.Random(7)
    for _ in range(600):
        monkeypatch.setattr(room, "_CHUNK", numbers.choice([8, 16, 40, 1000]))
        monkeypatch.setattr(room, "_BOX", numbers.choice([8, 24, 64, 4000]))
        monkeypatch.setattr(room, "_NEAR", numbers.choice([0, 8, 64]))
        monkeypatch.setattr(room, "_BLOCK", numbers.choice([8, 64]))
        width = numbers.choice([1, 2, 4, 8])
        shape = tuple(numbers.choice([1, 2, 3, 5]) for _ in range(numbers.randrange(5)))
        steps = list(contiguous(shape))
        numbers.shuffle(steps)
        strides = tuple(numbers.choice([step, step, 0, numbers.randrange(7)]) for step in steps)
        start = numbers.randrange(4)
        reach = start + 1 + sum((e - 1) * s for e, s in zip(shape, strides, strict=True))
        view = View(storage(reach, width, swapped=numbers.random() < 0.3), BY_WIDTH[width], shape, strides, start)
        assert b"".join(view.blocks()) == expected(view), (shape, strides, start, width)


def test_a_large_transpose_is_gathered_in_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_CHUNK", 64 * 1024)
    monkeypatch.setattr(room, "_BOX", 32 * 1024)
    rows, columns = 700, 300
    view = View(storage(rows * columns, 4), "F32", (columns, rows), (1, columns))
    blocks = [bytes(block) for block in view.blocks()]
    assert max(map(len, blocks)) <= 64 * 1024
    assert b"".join(blocks) == expected(view)


def test_views_of_the_same_elements_have_one_key() -> None:
    data = storage(24, 4)
    one = View(data, "F32", (2, 1, 3), (3, 3, 1), 4)
    assert one.key() == View(data, "F32", (2, 1, 3), (3, 77, 1), 4).key()
    for other in (
        View(data, "I32", (2, 1, 3), (3, 3, 1), 4),
        View(data, "F32", (2, 3), (3, 1), 4),
        View(data, "F32", (2, 1, 3), (3, 3, 1), 5),
        View(storage(24, 4), "F32", (2, 1, 3), (3, 3, 1), 4),
    ):
        assert one.key() != other.key()


@pytest.mark.parametrize(
    ("shape", "strides", "start"),
    [((31,), (1,), 0), ((30,), (1,), 1), ((2, 2), (29, 1), 0), ((2,), (2**62,), 0), ((-1,), (1,), 0), ((2,), (-1,), 5),
     ((2,), (1,), -1), ((2,), (1, 1), 0), ((2**40, 2**40), (0, 0), 0)],
)  # fmt: skip
def test_what_is_no_view_is_refused(shape: tuple[int, ...], strides: tuple[int, ...], start: int) -> None:
    with pytest.raises(MalformedError):
        View(storage(30, 4), "F32", shape, strides, start)


@pytest.mark.parametrize("dtype", ["C64", "C128", "QI8", "F4_X2", "U4", "?", "STRUCT", "OBJECT"])
def test_types_that_safetensors_cannot_carry_are_refused(dtype: str) -> None:
    assert dtype not in WIDTHS
    with pytest.raises(UnsupportedError, match="cannot carry"):
        View(storage(4, 8), dtype, (1,), (1,))
