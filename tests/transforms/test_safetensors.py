"""Casts and pruning of safetensors: each number as IEEE 754 says, each refusal, and what is copied along."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.transforms import safetensors_cast, safetensors_prune
from openvet.transforms._safetensors import as_f32, from_f32, read_header, tensor
from openvet.transforms._transform import CannotError, Making
from openvet.transforms._zeros import count_zeros
from openvet.transforms.onnx_quantize import blocks_of_four
from openvet.transforms.safetensors_prune import smallest, two_of_four

save_file = pytest.importorskip("safetensors.numpy").save_file
load_file = pytest.importorskip("safetensors.numpy").load_file

FLOATS = st.floats(width=32, allow_nan=False)


def making(source: Path, target: Path, module: Any, **given: Any) -> Making:
    known = {each.name: each.default for each in module.TRANSFORM.settings}
    return Making(
        str(source),
        str(target),
        {**known, **{name.replace("_", "-"): each for name, each in given.items()}},
        {},
        1,
        print,
    )


def bits_of(value: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", value))[0])


# --- BF16 ---


@given(FLOATS)
def test_bf16_is_the_nearest_and_ties_go_to_even(value: float) -> None:
    (made,) = from_f32(np.array([value], "<f4"), "BF16").tolist()
    lower, upper = bits_of(value) >> 16, (bits_of(value) >> 16) + 1
    if bits_of(value) & 0xFFFF == 0:
        assert made == lower
        return

    def exact(bits: int) -> Fraction:
        if bits & 0x7FFF == 0x7F80:  # one step beyond the largest, which is where the rounding to infinity begins
            return Fraction(2) ** 128 * (-1 if bits & 0x8000 else 1)
        return Fraction(struct.unpack("<f", struct.pack("<I", bits << 16))[0])

    far = abs(exact(lower) - Fraction(value)), abs(exact(upper) - Fraction(value))
    expected = lower if far[0] < far[1] or (far[0] == far[1] and lower % 2 == 0) else upper
    assert made == expected


@given(st.integers(0, 0x7F7E))
def test_a_bf16_tie_goes_to_even(upper: int) -> None:
    tie = np.array([upper << 16 | 0x8000], "<u4").view("<f4")
    assert from_f32(tie, "BF16").tolist() == [upper + upper % 2]


def test_bf16_keeps_infinities_zeros_and_nan() -> None:
    values = np.array([np.inf, -np.inf, 0.0, -0.0, np.nan], "<f4")
    back = as_f32(from_f32(values, "BF16"), "BF16")
    assert back[:2].tolist() == [np.inf, -np.inf]
    assert np.signbit(back[2:4]).tolist() == [False, True]
    # a NaN whose bits are all in the lower half must not become infinity
    assert np.isnan(back[4])
    assert np.isnan(as_f32(from_f32(np.array([0x7F800001, 0xFFFFFFFF], "<u4").view("<f4"), "BF16"), "BF16")).all()


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=50))
def test_every_bf16_number_comes_back(bits: list[int]) -> None:
    numbers = np.array([each for each in bits if (each & 0x7F80) != 0x7F80] or [0], "<u2")
    assert from_f32(as_f32(numbers, "BF16"), "BF16").tolist() == numbers.tolist()


# --- casts ---


def test_a_cast_of_a_file_is_that_of_numpy(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = {"w": rng.normal(size=(8, 5)).astype("f4"), "n": np.arange(4), "empty": np.zeros((0, 3), "f4")}
    save_file(parts, tmp_path / "a.safetensors", {"format": "pt"})
    record = safetensors_cast.make(making(tmp_path / "a.safetensors", tmp_path / "b.safetensors", safetensors_cast))
    made = load_file(tmp_path / "b.safetensors")
    assert np.array_equal(made["w"], parts["w"].astype("f2"))
    assert made["w"].dtype == np.float16
    assert np.array_equal(made["n"], parts["n"])
    assert made["empty"].shape == (0, 3)
    assert read_header(str(tmp_path / "b.safetensors")).metadata == {"format": "pt"}
    assert record["cast"] == 2
    assert record["rounded"] == int(np.sum(parts["w"].astype("f2").astype("f4") != parts["w"]))


def test_what_a_type_cannot_hold_is_refused_and_counted(tmp_path: Path) -> None:
    save_file(
        {"big": np.array([1.0, 70000.0, -1e9, np.inf], "f4"), "small": np.array([1e-9, 0.0, 1.0], "f4")},
        tmp_path / "a.safetensors",
    )
    source, target = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    with pytest.raises(
        CannotError, match=r"2 numbers would become infinite in F16 \(2 in big\); --set accept-overflow=yes"
    ):
        safetensors_cast.make(making(source, target, safetensors_cast))
    with pytest.raises(CannotError, match=r"1 numbers would become zero in F16 \(1 in small\)"):
        safetensors_cast.make(making(source, target, safetensors_cast, accept_overflow=True))
    record = safetensors_cast.make(
        making(source, target, safetensors_cast, accept_overflow=True, accept_underflow=True)
    )
    assert (record["overflow"], record["underflow"]) == (2, 1)
    assert load_file(target)["big"].tolist() == [1.0, np.inf, -np.inf, np.inf]
    # the range of BF16 is that of 32 bits
    assert safetensors_cast.make(making(source, target, safetensors_cast, dtype="BF16"))["overflow"] == 0


def test_a_double_that_32_bits_cannot_hold_is_an_overflow(tmp_path: Path) -> None:
    save_file({"d": np.array([1e300, 1e-300, 2.0], "f8")}, tmp_path / "a.safetensors")
    for dtype in ("F32", "BF16"):
        with pytest.raises(CannotError, match="1 numbers would become infinite"):
            safetensors_cast.make(
                making(tmp_path / "a.safetensors", tmp_path / "b.safetensors", safetensors_cast, dtype=dtype)
            )


def test_a_folder_keeps_its_shards_and_says_its_new_type(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number in (1, 2):
        save_file({f"w{number}": np.ones((4, 4), "f4")}, source / f"model-0000{number}-of-00002.safetensors")
    weights = {f"w{number}": f"model-0000{number}-of-00002.safetensors" for number in (1, 2)}
    (source / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": 128, "note": "x"}, "weight_map": weights})
    )
    (source / "config.json").write_text('{"torch_dtype": "float32", "model_type": "bert"}')
    (source / "pytorch_model.bin").write_bytes(b"weights of another form")
    (source / "tokenizer").mkdir()
    (source / "tokenizer" / "vocab.txt").write_text("a\nb\n")
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("secret")
    safetensors_cast.make(making(source, target, safetensors_cast, dtype="BF16"))
    names = sorted(str(each.relative_to(target)) for each in target.rglob("*") if each.is_file())
    assert names == ["config.json", *sorted(weights.values()), "model.safetensors.index.json", "tokenizer/vocab.txt"]
    assert json.loads((target / "config.json").read_text()) == {"torch_dtype": "bfloat16", "model_type": "bert"}
    index = json.loads((target / "model.safetensors.index.json").read_text())
    assert index == {"metadata": {"total_size": 64, "note": "x"}, "weight_map": weights}


# --- pruning ---


@given(st.lists(FLOATS, min_size=1, max_size=60), st.floats(0, 1))
def test_so_many_of_the_smallest_become_zero(values: list[float], amount: float) -> None:
    numbers = np.array(values, "f4")
    where = smallest(numbers, amount)
    assert int(where.sum()) == round(amount * len(values))
    if where.any() and not where.all():
        assert np.abs(numbers[where]).max() <= np.abs(numbers[~where]).min()


@given(st.lists(st.lists(FLOATS, min_size=4, max_size=4), min_size=1, max_size=20))
def test_two_of_every_four_stay_and_they_are_the_largest(rows: list[list[float]]) -> None:
    numbers = np.array(rows, "f4")
    where = two_of_four(numbers)
    assert (where.sum(axis=1) == 2).all()
    for row, gone in zip(numbers, where, strict=True):
        assert np.abs(row[gone]).max() <= np.abs(row[~gone]).min()


def test_pruning_leaves_embeddings_vectors_and_the_size_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    bf16 = from_f32(rng.normal(size=(8, 8)).astype("f4"), "BF16")
    parts = {"layer.weight": rng.normal(size=(8, 8)).astype("f4"), "embeddings.word.weight": rng.normal(size=(9, 8)).astype("f4"),
             "layer.bias": rng.normal(size=8).astype("f4"), "odd.weight": rng.normal(size=(2, 7)).astype("f4")}  # fmt: skip
    source, target = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file(parts, source)
    record = safetensors_prune.make(making(source, target, safetensors_prune, pattern="2:4"))
    made = load_file(target)
    assert (made["layer.weight"] == 0).sum() == 32
    assert all(np.array_equal(made[name], parts[name]) for name in parts if name != "layer.weight")
    assert record == {"pruned": 1, "set-to-zero": 32, "not-by-four": 1}
    assert target.stat().st_size == source.stat().st_size
    assert count_zeros([str(target)]) == (32, sum(each.size for each in parts.values()))
    # types that NumPy does not have are pruned by their bits
    header = json.dumps({"w": {"dtype": "BF16", "shape": [8, 8], "data_offsets": [0, 128]}}).encode()
    source.write_bytes(len(header).to_bytes(8, "little") + header + bf16.tobytes())
    safetensors_prune.make(making(source, target, safetensors_prune, amount=0.25))
    left = tensor(read_header(str(target)), "w")
    assert int((left == 0).sum()) == 16
    assert set(left[left != 0].tolist()) <= set(bf16.reshape(-1).tolist())
    assert count_zeros([str(target)]) == (16, 64)


def test_two_of_four_are_not_cut_along_the_outputs_of_a_conv1d(tmp_path: Path) -> None:
    source = tmp_path / "m.safetensors"
    save_file({"h.0.attn.c_attn.weight": np.ones((8, 24), "f4")}, source)
    with pytest.raises(CannotError, match="inputs along the rows"):
        safetensors_prune.make(making(source, tmp_path / "a", safetensors_prune, pattern="2:4"))
    assert safetensors_prune.make(making(source, tmp_path / "b", safetensors_prune))["pruned"] == 1
    # a linear layer of that name, as Qwen has one, is the other way round
    save_file({"h.0.attn.c_attn.weight": np.ones((24, 8), "f4")}, source)
    assert safetensors_prune.make(making(source, tmp_path / "c", safetensors_prune, pattern="2:4"))["pruned"] == 1


def test_nothing_to_prune_and_numbers_without_order_are_said(tmp_path: Path) -> None:
    source, target = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"bias": np.ones(3, "f4")}, source)
    with pytest.raises(CannotError, match="no matrix was pruned"):
        safetensors_prune.make(making(source, target, safetensors_prune))
    save_file({"w": np.array([[1.0, np.nan]], "f4")}, source)
    with pytest.raises(CannotError, match="w holds infinity or NaN"):
        safetensors_prune.make(making(source, target, safetensors_prune))


# --- hostile files ---


def packed(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no safetensors file"),
        (packed({}, length=2**63), "its header would be 9223372036854775808 bytes long"),
        (packed([]), "no safetensors file"),
        (packed({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0]}}, bytes(8)), "no safetensors file"),
        (packed({"w": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, bytes(12)), "does not follow"),
        (packed({"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, bytes(8)), "does not follow"),
        (packed({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(4)), "its header describes"),
        (packed({"w": {"dtype": "F32", "shape": [2.5], "data_offsets": [0, 8]}}, bytes(8)), "does not follow"),
    ],
)
def test_files_that_lie_are_refused(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(CannotError, match=why):
        read_header(str(tmp_path / "a.safetensors"))
    assert count_zeros([str(tmp_path / "a.safetensors")]) is None


def test_a_shape_that_needs_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(
        packed({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, bytes(8))
    )
    with pytest.raises(CannotError, match="has 8 bytes"):
        tensor(read_header(str(tmp_path / "a.safetensors")), "w")


# --- blocks of four bits ---


def unpacked(packed_bits: Any, scales: Any, rows: int) -> Any:
    columns, count, half = packed_bits.shape
    whole = np.empty((columns, count, 2 * half), np.float32)
    whole[..., 0::2], whole[..., 1::2] = packed_bits & 15, packed_bits >> 4
    return ((whole - 8) * scales.reshape(columns, count, 1)).reshape(columns, -1)[:, :rows].T


@settings(max_examples=40)
@given(st.integers(1, 70), st.integers(1, 5), st.sampled_from([16, 32]), st.integers(0, 100))
def test_blocks_are_within_a_step_and_the_largest_is_exact(rows: int, columns: int, block: int, seed: int) -> None:
    weight = np.random.default_rng(seed).normal(size=(rows, columns)).astype("f4")
    bits, scales = blocks_of_four(weight, block)
    assert bits.shape == (columns, -(-rows // block), block // 2)
    back = unpacked(bits, scales, rows)
    for column in range(columns):
        for at in range(0, rows, block):
            part, made = weight[at : at + block, column], back[at : at + block, column]
            step = np.abs(part).max() / 8
            largest = np.abs(part).argmax()
            assert made[largest] == pytest.approx(part[largest], rel=1e-6)
            # seven steps to the other side: what lies beyond the last of them is cut there
            assert (np.abs(part - made) <= step * 1.001).all()


def test_a_block_of_zeros_is_zero() -> None:
    bits, scales = blocks_of_four(np.zeros((32, 2), "f4"), 32)
    assert not np.any(unpacked(bits, scales, 32))
