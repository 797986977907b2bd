"""Two tensors, number by number: what became of one of them is told for what it is, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tests.ggml_reference import QUANTIZERS, quantize, to_bf16  # noqa: E402

from openvet.errors import MalformedError, UnsupportedError  # noqa: E402
from openvet.inventory.compare.dtypes import WIDTHS, bits, decode_plain, encode  # noqa: E402
from openvet.inventory.compare.ggml import BLOCKS, decode  # noqa: E402
from openvet.inventory.compare.numbers import Measured, Stored, Turn, compare_numbers  # noqa: E402
from openvet.inventory.compare.runs import Blocks, Part  # noqa: E402
from openvet.io.source import BytesSource  # noqa: E402

#: Values in a step, so that a few thousand are many steps.
STEP = 512


def stored(dtype: str, shape: tuple[int, ...], data: bytes, *, ggml: bool = False) -> Stored:
    return Stored("x", dtype, shape, "f", ggml, lambda: Part(BytesSource(data), 0, len(data)))


def f32(values: Any) -> Stored:
    return stored("F32", values.shape, np.asarray(values, "<f4").tobytes())


def bf16(values: Any) -> Stored:
    return stored("BF16", values.shape, to_bf16(values))


def f16(values: Any) -> Stored:
    return stored("F16", values.shape, np.asarray(values, np.float32).astype("<f2").tobytes())


def compare(a: Stored, b: Stored, turn: Turn | None = None, step: int = STEP) -> Measured:
    """Both ways; what A is to B has to be what B is to A, and compiled loops find what NumPy does, to the last bit."""
    found, back = (compare_numbers(*each, np, turn, step, swept=False) for each in ((a, b), (b, a)))
    assert compare_numbers(a, b, np, turn, step) == found
    assert compare_numbers(b, a, np, turn, step) == back
    assert (found.status, found.changed, found.steps, found.outside, found.measured) == (
        back.status, back.changed, back.steps, back.outside, back.measured,
    )  # fmt: skip
    assert found.original == {"a": "b", "b": "a", "": ""}[back.original]
    assert (found.norm_a, found.norm_b) == pytest.approx((back.norm_b, back.norm_a))
    assert found.difference == pytest.approx(back.difference)
    assert found.not_finite == back.not_finite[::-1]
    return found


def normal(*shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_equal_is_equal_with_and_without_numpy() -> None:
    values = normal(33, 129)
    assert compare(f32(values), f32(values)) == Measured(values.size)
    assert compare_numbers(f32(values), f32(values), None, step=STEP, swept=False) == Measured(values.size)
    other = values.copy()
    other[-1, -1] += 1
    found = compare_numbers(f32(values), f32(other), None, step=STEP, swept=False)
    assert found == Measured(values.size, "changed", changed=-1)
    with pytest.raises(UnsupportedError, match="openvet\\[numbers\\]"):
        compare_numbers(f32(values), bf16(values), None, swept=False)


def test_norms_are_those_of_all_values() -> None:
    values = normal(7 * STEP)
    other = values.copy()
    other[3 * STEP + 5] += 0.5  # what comes before it is the same, and counts for the norms
    found = compare(f32(values), f32(other))
    assert (found.status, found.changed, found.measured) == ("changed", 1, values.size)
    assert found.norm_a == pytest.approx(np.linalg.norm(values.astype(np.float64)), rel=1e-5)
    assert found.difference == pytest.approx(0.5, rel=1e-5)
    assert found.largest == pytest.approx(0.5, rel=1e-5)


def test_of_many_values_every_eighth_step_is_measured_and_every_value_counted() -> None:
    values = normal(STEP * 64 + 3)
    found = compare(f32(values), f32(values * np.float32(1.01)))
    assert found.changed == values.size
    assert found.measured == STEP * 8 + 3
    assert found.relative == pytest.approx(0.01, rel=1e-3)
    last = values.copy()
    last[-1] = 7
    assert compare(f32(values), f32(last)).changed == 1


@pytest.mark.parametrize("zeros", [1, 100, 4000])
def test_pruned_is_zeros_and_nothing_else(zeros: int) -> None:
    values = normal(4096)
    pruned = values.copy()
    pruned[np.argsort(np.abs(values))[:zeros]] = 0
    found = compare(f32(values), f32(pruned))
    assert (found.status, found.original, found.changed) == ("pruned", "a", zeros)
    pruned[5] = 1e-3
    assert compare(f32(values), f32(pruned)).status == "changed"


EVERY_16 = np.arange(2**16, dtype="<u2")


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_every_number_of_16_bits_is_a_cast_of_what_it_says(dtype: str) -> None:
    wide = decode_plain(np, dtype, EVERY_16)
    narrow = stored(dtype, (2**16,), EVERY_16.tobytes())
    with np.errstate(invalid="ignore"):  # what signals that it is no number
        double = wide.astype("<f8")
    for made, name in ((wide.astype("<f4"), "F32"), (double, "F64")):
        found = compare(stored(name, (2**16,), made.tobytes()), narrow)
        assert (found.status, found.original) == ("cast", "a")


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_every_place_between_two_numbers_of_16_bits_is_rounded_to_the_right_one(dtype: str) -> None:
    """Next to the middle of each pair of neighbours, on it, and on the other side: one bit decides, and the other value is no cast."""
    codes = np.arange(0x7F7F if dtype == "BF16" else 0x7BFF, dtype="<u2")  # up to the largest finite number but one
    low, high = (decode_plain(np, dtype, each).astype(np.float64) for each in (codes, codes + np.uint16(1)))
    middle = (low + high) / 2
    below, above = np.nextafter(middle, low), np.nextafter(middle, high)
    even = np.where(codes % 2 == 0, codes, codes + np.uint16(1)).astype("<u2")
    kind = np.float64 if dtype == "F16" else np.float32  # a bfloat16 is made of 32 bits, in which every middle is exact
    if kind is np.float32:
        middle32 = middle.astype(np.float32)
        below, above = (np.nextafter(middle32, np.asarray(each, np.float32)) for each in (low, high))
    name = "F64" if kind is np.float64 else "F32"
    for values, right in ((below, codes), (middle, even), (above, codes + np.uint16(1))):
        one = stored(name, values.shape, np.asarray(values, kind).tobytes())
        assert compare(one, stored(dtype, right.shape, right.astype("<u2").tobytes())).status == "cast"
        wrong = right.copy()
        wrong[len(wrong) // 2] ^= 1
        assert compare(one, stored(dtype, wrong.shape, wrong.astype("<u2").tobytes())).status == "changed"


def test_a_cast_that_ends_late_is_found_out() -> None:
    values = normal(8 * STEP)
    other = np.frombuffer(to_bf16(values), "<u2").copy()
    other[7 * STEP] ^= 4
    found = compare(f32(values), stored("BF16", values.shape, other.tobytes()))
    assert found.status == "changed"
    assert found.changed >= values.size * 0.9


def test_a_cast_that_cuts_off_is_told() -> None:
    values = normal(2048)
    cut = (values.view(np.uint32) >> 16).astype("<u2")
    found = compare(f32(values), stored("BF16", values.shape, cut.tobytes()))
    assert (found.status, found.how) == ("cast", "truncated")


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=64, max_size=64), st.sampled_from(sorted(WIDTHS)), st.sampled_from(sorted(WIDTHS)))
def test_any_bits_of_any_types_are_compared_and_never_crash(data: bytes, one: str, other: str) -> None:
    counts = [64 // WIDTHS[one], 64 // WIDTHS[other]]
    count = min(counts)
    a = stored(one, (count,), data[: count * WIDTHS[one]])
    b = stored(other, (count,), data[: count * WIDTHS[other]])
    assert compare(a, b).status in {"equal", "cast", "changed", "pruned"}


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2"])
def test_8_bit_floats_are_rounded_to_the_nearest(dtype: str) -> None:
    every = np.arange(256, dtype=np.uint8)
    wide = decode_plain(np, dtype, every)
    assert np.array_equal(encode(np, dtype, wide)[np.isfinite(wide)], every[np.isfinite(wide)])
    values = normal(4096) * 20
    code = encode(np, dtype, values)
    numbers = decode_plain(np, dtype, code)
    finite = np.sort(wide[np.isfinite(wide)])
    nearest = np.abs(values[:, None] - finite[None, :]).min(axis=1)
    assert np.allclose(np.abs(values - numbers), nearest)
    assert compare(f32(values), stored(dtype, values.shape, code.tobytes())).status == "cast"


def test_infinite_and_no_numbers_are_counted_and_count_for_no_norm() -> None:
    values = normal(1000)
    other = values.copy()
    other[:3] = np.inf, -np.inf, np.nan
    found = compare(f32(values), f32(other))
    assert (found.status, found.changed, found.not_finite) == ("changed", 3, (0, 3))
    assert found.difference == 0
    odd = values.copy()
    odd.view(np.uint32)[4] = 0x7F800001  # no number, whose upper half is infinity
    assert compare(f32(odd), bf16(np.where(np.isnan(odd), np.inf, odd))).status == "changed"


def test_very_large_and_very_small_numbers_have_norms() -> None:
    for scale in (1e30, 1e-30):
        values = (normal(1000) * scale).astype(np.float32)
        found = compare(f32(values), f32(values * np.float32(1.5)))
        assert found.relative == pytest.approx(0.5, rel=1e-4)


SHAPES = {
    "normal": lambda random: random.standard_normal((16, 512)),
    "tails": lambda random: random.standard_t(1.5, (16, 512)),
    "laplace": lambda random: random.laplace(size=(16, 512)) * 0.02,
    "positive": lambda random: random.random((16, 512)) + 5,
    "negative": lambda random: -random.random((16, 512)),
    "sparse": lambda random: random.standard_normal((16, 512)) * (random.random((16, 512)) < 0.05),
    "constant": lambda random: np.full((16, 512), 0.3),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", QUANTIZERS)
def test_what_ggml_makes_lies_within_its_bounds_and_another_tensor_does_not(kind: str, shape: str) -> None:
    values = SHAPES[shape](np.random.default_rng(5)).astype(np.float32)
    blocks = stored(kind, values.shape, quantize(kind, values), ggml=True)
    found = compare(f32(values), blocks, step=1024)
    assert (found.status, found.original, found.outside) == ("quantized", "a", 0)
    assert found.steps is not None
    if kind not in {"Q4_0", "Q5_0"} and not kind.endswith("K") and shape != "positive":
        assert found.steps < 0.56
    for source in (bf16(values), f16(values)):  # converted first
        exact = decode_plain(np, source.dtype, bits(np, source.dtype, source.run().take(values.size * 2)))  # type: ignore[misc]
        made = stored(kind, values.shape, quantize(kind, exact), ggml=True)
        assert compare(source, made, step=1024).status in (
            {"quantized"} if shape != "constant" else {"quantized", "cast"}
        )
    if shape != "constant":  # every number of which is at an end of its block
        moved = compare(f32(values * np.float32(1.03)), blocks, step=1024)
        assert moved.status == "changed"
        assert moved.outside > 0


@pytest.mark.parametrize("kind", QUANTIZERS)
def test_one_value_that_is_elsewhere_is_found(kind: str) -> None:
    values = normal(4, 512)
    data = bytearray(quantize(kind, values))
    blocks = stored(kind, values.shape, bytes(data), ggml=True)
    wrong = values.copy()
    # the value nearest to the middle of its block's levels moves by two steps
    decoded = decode(np, kind, bytes(data))
    assert decoded is not None
    flat = (
        np.abs(decoded.places - decoded.most / 2)
        + np.where(np.broadcast_to(decoded.step, decoded.places.shape) == 0, 1e9, 0)
    ).reshape(-1)
    at = int(flat.argmin())
    step = float(np.abs(np.broadcast_to(decoded.step, decoded.places.shape).reshape(-1)[at]))
    wrong.reshape(-1)[at] += 2 * step
    found = compare(f32(wrong), blocks, step=512)
    assert (found.status, found.outside) == ("changed", 1)


@pytest.mark.parametrize("kind", [*QUANTIZERS, "Q2_K", "Q3_K"])
def test_any_blocks_are_decoded_and_what_they_say_is_their_cast(kind: str) -> None:
    data = np.random.default_rng(2).integers(0, 256, 64 * BLOCKS[kind][1], np.uint8).tobytes()
    decoded = decode(np, kind, data)
    assert decoded is not None
    values = decoded.values.reshape(-1)
    found = compare(
        stored("F32", values.shape, values.astype("<f4").tobytes()), stored(kind, values.shape, data, ggml=True)
    )
    assert (found.status, found.original) == ("cast", "b")


def test_blocks_of_an_unknown_type_and_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="IQ2_XXS"):
        compare_numbers(stored("IQ2_XXS", (256,), bytes(66)), stored("F32", (256,), bytes(1024)), np)
    with pytest.raises(MalformedError, match="whole blocks"):
        compare_numbers(stored("Q8_0", (2, 16), bytes(34)), stored("F32", (2, 16), bytes(128)), np)
    with pytest.raises(MalformedError, match="ends"):
        compare_numbers(stored("F32", (9,), bytes(35)), stored("F32", (9,), bytes(36)), np)


def test_rows_of_heads_are_turned() -> None:
    heads, size, columns = 4, 8, 64
    values = normal(heads * size, columns)
    turned = values.reshape(heads, 2, size // 2, columns).swapaxes(1, 2).reshape(values.shape)
    for kind in ("F32", "F16", "Q8_0"):
        data = (
            quantize(kind, turned) if kind in QUANTIZERS else turned.astype("<f4" if kind == "F32" else "<f2").tobytes()
        )
        ours = stored(kind, values.shape, data, ggml=True)
        expected = {"F32": "equal", "F16": "cast", "Q8_0": "quantized"}[kind]
        assert compare(f32(values), ours, Turn(heads=heads)).status == expected
        assert compare(f32(values), ours).status == "changed"
    with pytest.raises(UnsupportedError, match="heads"):
        compare_numbers(f32(values), f32(values), np, Turn(heads=5))


def test_one_is_added_to_the_norms_of_gemma() -> None:
    values = decode_plain(np, "BF16", bits(np, "BF16", to_bf16(normal(512))))
    ours = stored("F32", values.shape, (values + np.float32(1)).astype("<f4").tobytes(), ggml=True)
    assert compare(bf16(values), ours, Turn(plus=1)).status == "cast"
    assert compare(bf16(values), ours).status == "changed"


def test_blocks_of_any_length_are_one_run() -> None:
    run = Blocks(iter([b"abc", memoryview(b"defg"), b"h"]))
    assert (run.take(2), run.take(4), run.take(2)) == (b"ab", b"cdef", b"gh")
    with pytest.raises(MalformedError):
        run.take(1)
