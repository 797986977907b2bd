"""The loops over numbers in their two forms: the compiled one and its own source give the same, on any bits."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from array import array
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.inventory.compare import aligned, sweep, swept
from openvet.io.twins import SPAN

SOURCE = Path(aligned.__file__).with_name("sweep.py")
#: Of 16 and of 32 bits: zeros, the least, the largest, ones that are infinite or no number, and their neighbours.
ODD_16 = [0, 0x8000, 1, 0x3FF, 0x400, 0x401, 0x7BFF, 0x7C00, 0x7C01, 0x7F7F, 0x7F80, 0x7F81, 0x7FC0, 0xFF80, 0xFFFF]
ODD_32 = [0, 1 << 31, 0x33000000, 0x33000001, 0x387FE000, 0x387FF000, 0x38800000, 0x477FEFFF, 0x477FF000, 0x7F7FFFFF, 0x7F800000, 0x7F800001,
          0x7FC00000, 0xFF800000, 0xFFFFFFFF, 0x3F808000, 0x3F818000]  # fmt: skip

pytestmark = pytest.mark.skipif(not sweep.COMPILED, reason="the loops are not compiled here")


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """The source itself."""
    loader = importlib.machinery.SourceFileLoader("openvet.inventory.compare._sweep_as_source", str(SOURCE))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    assert not module.COMPILED
    return module


narrow = st.sampled_from(ODD_16) | st.integers(0, 0xFFFF)
wide = st.sampled_from(ODD_32) | st.integers(0, 0xFFFFFFFF)


def both(plain: ModuleType, name: str, *arguments: Any, out: str = "q", size: int = 4) -> list[Any]:
    """What a loop of the compiled module writes, which has to be what the source does."""
    told = []
    for module in (sweep, plain):
        written = array(out, [0] * size)
        getattr(module, name)(*(memoryview(each) for each in arguments), memoryview(written))
        told.append(list(map(repr, written)))
    assert told[0] == told[1]
    return told[0]


@settings(deadline=None)
@given(st.lists(st.tuples(narrow, narrow), min_size=1, max_size=300), st.data())
def test_bits_are_compared_alike(plain: ModuleType, pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    one = array("H", [each for each, _ in pairs])
    other = array("H", [each if data.draw(st.booleans()) else new for each, new in pairs[:8]] + list(one[8:]))
    for module in (sweep, plain):
        out = array("q", [0, 0, 0])
        module.differ_16(memoryview(one), memoryview(other), 0x7FFF, memoryview(out))
        unlike = [(left, right) for left, right in zip(one, other, strict=True) if left != right]
        assert list(out) == [
            len(unlike), any(left & 0x7FFF for left, _ in unlike), any(right & 0x7FFF for _, right in unlike),
        ]  # fmt: skip


@pytest.mark.parametrize(("code", "name"), [("B", "differ_8"), ("I", "differ_32"), ("Q", "differ_64")])
def test_other_widths_are_counted(plain: ModuleType, code: str, name: str) -> None:
    one = array(code, [number % 200 for number in range(1000)])
    other = array(code, one)
    for at in (0, 127, 128, 999):
        other[at] += 1
    for module in (sweep, plain):
        out = array("q", [0, 0, 0])
        getattr(module, name)(memoryview(one), memoryview(other), 0x7F, memoryview(out))
        assert list(out) == [4, 1, 1]


@settings(deadline=None, max_examples=300)
@given(st.lists(wide, min_size=1, max_size=80), st.lists(narrow, min_size=80, max_size=80), st.booleans())
def test_roundings_are_judged_alike(plain: ModuleType, left: list[int], right: list[int], near: bool) -> None:
    one = array("I", left)
    for name, tables in (("cast_bf16", ()), ("cast_f16", swept._f16())):
        if near:  # what the wide ones are cut off to
            right = [each >> 16 for each in left]
        both(plain, name, one, array("H", right[: len(left)]), *tables)


@settings(deadline=None)
@given(st.lists(st.tuples(wide, wide), min_size=1, max_size=200))
def test_sums_are_the_same_to_the_last_bit(plain: ModuleType, pairs: list[tuple[int, int]]) -> None:
    sides = [memoryview(array("I", column)).cast("B").cast("f") for column in zip(*pairs, strict=True)]
    both(plain, "norms", *sides, array("d", bytes(32 * sweep.LANES)), out="d", size=6)


def test_arrays_of_other_lengths_are_refused(plain: ModuleType) -> None:
    short, long = memoryview(array("H", [1])), memoryview(array("H", [1, 2]))
    numbers, floats = memoryview(array("I", [1, 2])), memoryview(array("f", [1, 2]))
    out, sums = memoryview(array("q", [0] * 4)), memoryview(array("d", [0] * 6))
    lanes = memoryview(array("d", bytes(32 * sweep.LANES)))
    for module in (sweep, plain):
        calls: list[tuple[str, tuple[Any, ...]]] = [
            ("differ_16", (long, short, 1, out)),
            ("differ_16", (long, long, 1, out[:2])),
            ("cast_bf16", (numbers, short, out)),
            ("cast_f16", (numbers, long, numbers, numbers, numbers, out)),
            ("widen", (long, floats, floats)),
            ("norms", (floats, floats[:1], lanes, sums)),
            ("norms", (floats, floats, lanes[:8], sums)),
        ]
        for name, arguments in calls:
            with pytest.raises(ValueError, match="of other lengths"):
                getattr(module, name)(*arguments)


def test_a_plan_covers_every_byte_once_and_every_value() -> None:
    random_sizes = [3, 70_000, 1, 5_000_000, 12]
    a, b = {}, {}
    at_a, at_b = 100, 8
    for number, count in enumerate(random_sizes):
        at_a += number  # gaps, so that nothing is aligned
        a[f"x{number}"] = aligned.Lies("F32", (count,), at_a, at_a + 4 * count)
        b[f"x{number}"] = aligned.Lies("BF16", (count,), at_b, at_b + 2 * count)
        at_a, at_b = at_a + 4 * count, at_b + 2 * count
    sizes = (at_a + 5_000_000, at_b + 7)
    pairs, spans = aligned.pair_up(a, b, sizes)
    assert [each.sweep.values for each in pairs] == random_sizes
    seen = dict.fromkeys(map(id, pairs), 0)
    at = (0, 0)
    for span in spans:
        assert span.starts == at
        at = span.ends
        assert all(0 <= span.ends[side] - span.starts[side] <= SPAN for side in (0, 1))
        for piece in span.what or []:
            assert piece.first == seen[id(piece.pair)]
            assert piece.first % swept.STEP == 0
            seen[id(piece.pair)] += piece.count
            for side, lies, width in ((0, piece.pair.a, 4), (1, piece.pair.b, 2)):
                begin = span.starts[side] + piece.at[side]
                assert begin == lies.start + piece.first * width
                assert begin + piece.count * width <= span.ends[side]
    assert at == sizes
    assert sorted(seen.values()) == sorted(random_sizes)


def test_what_lies_in_another_order_or_is_little_is_not_planned() -> None:
    lies = {f"x{each}": aligned.Lies("F32", (1000,), 4000 * each, 4000 * each + 4000) for each in range(4)}
    turned = {name: aligned.Lies("F32", (1000,), 12000 - each.start, 16000 - each.start) for name, each in lies.items()}
    assert len(aligned.pair_up(lies, lies, (16000, 16000))[0]) == 4
    assert aligned.pair_up(lies, turned, (16000, 16000)) == ([], [])
    assert aligned.pair_up(lies, lies, (16000, 30000)) == ([], [])
    assert aligned.pair_up({}, {}, (0, 0)) == ([], [])
