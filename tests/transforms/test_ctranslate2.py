"""Whisper of CTranslate2 in 8 bits: what is rounded and what stays, by a file of a few numbers that our own reader reads again; and each refusal."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from openvet.core.limits import Budget, Limits
from openvet.formats import ctranslate2 as reader
from openvet.formats._format import Facts
from openvet.io.source import BytesSource
from openvet.transforms import ctranslate2_quantize as quantize
from openvet.transforms._transform import CannotError, Making

TABLE: Any = np.array([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0], [1e-3, 2e-3, -3e-3], [6.0, 1.0, 2.0]], np.float16)
NUMBERS: dict[str, Any] = {
    "decoder/embeddings/weight": TABLE,
    "decoder/layer_0/linear_0/bias": np.ones(3, np.float16),
    "decoder/layer_0/linear_0/weight": np.array([[1.0, -2.0], [3.0, 0.5]], np.float32),
    "decoder/num_heads": np.array(6, np.int16),
    "encoder/conv1/weight": np.ones((2, 3, 3), np.float16),
    "encoder/position_encodings/encodings": np.ones((2, 3), np.float16),
}
KINDS = {"float32": 0, "int8": 1, "int16": 2, "float16": 4}


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def forged(numbers: dict[str, Any], *, name: str = "WhisperSpec", version: int = 6) -> bytes:
    out = struct.pack("<I", version) + text(name) + struct.pack("<II", 3, len(numbers))
    for each, values in numbers.items():
        data = values.tobytes()
        out += text(each) + struct.pack(
            f"<B{values.ndim}IBI", values.ndim, *values.shape, KINDS[str(values.dtype)], len(data)
        )
        out += data
    return out + struct.pack("<I", 1) + text("decoder/projection/weight") + text("decoder/embeddings/weight")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], bytes]:
    """Quantizes a folder with this model file; gives what is written. That CTranslate2 opens the real one is held in ``tests/adopt``."""
    monkeypatch.setattr(quantize, "_opens", lambda *_: None)

    def make(data: bytes) -> bytes:
        source, target = tmp_path / "source", tmp_path / "target"
        source.mkdir()
        (source / "model.bin").write_bytes(data)
        (source / "vocabulary.txt").write_text("a\nb\n")
        quantize.make(Making(str(source), str(target), {}, {}, 1, print))
        assert (target / "vocabulary.txt").read_text() == "a\nb\n"
        return (target / "model.bin").read_bytes()

    return make


def test_matrices_are_rounded_row_by_row_and_all_else_stays(made: Callable[[bytes], bytes]) -> None:
    data = made(forged(NUMBERS))
    facts = Facts("a", "a", Budget(Limits()))
    reader.read(BytesSource(data), facts)
    assert (facts.unknowns, facts.anomalies, facts.metadata["aliases"]) == ([], [], 2)
    found = {each.name: data[each.offset : (each.offset or 0) + (each.nbytes or 0)] for each in facts.tensors}
    shapes = {each.name: (each.dtype, each.shape) for each in facts.tensors}
    chosen = {"decoder/embeddings/weight", "decoder/layer_0/linear_0/weight"}
    for name, values in NUMBERS.items():
        if name not in chosen:
            assert found[name] == values.tobytes()
            continue
        assert shapes[name] == ("I8", values.shape)
        assert shapes[f"{name}_scale"] == ("F32", values.shape[:1])
        whole = np.frombuffer(found[name], np.int8).reshape(values.shape).astype(np.float64)
        scales = np.frombuffer(found[f"{name}_scale"], "<f4").astype(np.float64)
        largest = np.abs(values.astype(np.float64)).max(axis=1)
        assert np.abs(whole).max(axis=1).tolist() == [127.0 * (each > 0) for each in largest]
        # at most half a step away, and a step is the 127th part of the largest number of a row
        assert np.all(np.abs(whole / scales[:, None] - values) <= (largest / 254 * 1.00001)[:, None])
    assert len(found) == len(NUMBERS) + 2
    # the head is the table: its scales are those of the table
    assert data.endswith(text("decoder/projection/weight_scale") + text("decoder/embeddings/weight_scale"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (forged(NUMBERS, name="TransformerSpec"), "it is a TransformerSpec of version 6"),
        (forged(NUMBERS, version=3), "WhisperSpec of version 3"),
        (forged(NUMBERS)[:200], "ends before"),
        (forged({"a/bias": np.ones(3, np.float16)}), "quantized already"),
        (forged({"a/weight": np.array([[1.0, math.nan]], np.float32)}), "a/weight holds infinity or NaN"),
    ],
)
def test_what_cannot_be_quantized_is_refused(made: Callable[[bytes], bytes], data: bytes, why: str) -> None:
    with pytest.raises(CannotError, match=why):
        made(data)


def test_a_shape_that_lies_is_refused(made: Callable[[bytes], bytes]) -> None:
    whole = forged(NUMBERS)
    with pytest.raises(CannotError, match="do not fit its shape"):
        made(whole.replace(struct.pack("<BII", 2, 2, 2), struct.pack("<BII", 2, 2, 3)))


def test_a_file_that_nothing_opens_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise RuntimeError("Unsupported model binary version")

    models = SimpleNamespace(models=SimpleNamespace(Whisper=refuses))
    monkeypatch.setitem(__import__("sys").modules, "ctranslate2", models)
    with pytest.raises(CannotError, match="does not open what was made: Unsupported model"):
        quantize._opens("x", 1)
