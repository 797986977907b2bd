"""Models as other programs keep them: GPTQ, AWQ, compressed-tensors, CTranslate2, and ONNX as PyTorch exports it."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from openvet.testing import forge_onnx as onnx
from tests.lineage.pairs import Model

__all__ = ["awq", "compressed", "ctranslate2", "exported", "exported_beside", "gptq", "in_bytes", "in_words"]

GROUP = 32


def words(numbers: Any, width: int, axis: int, order: tuple[int, ...] | None = None) -> Any:
    """Whole numbers beside each other along ``axis``, as words of 32 bits; ``order`` is which number is at each place of a word."""
    if width == 3:
        return over_words(numbers, axis)
    count = 32 // width
    parts = np.moveaxis(numbers.astype(np.uint32), axis, -1)
    parts = parts.reshape(*parts.shape[:-1], -1, count)
    if order is not None:
        parts = parts[..., list(order)]
    out = np.zeros(parts.shape[:-1], np.uint32)
    for at in range(count):
        out |= parts[..., at] << np.uint32(width * at)
    return np.moveaxis(out, -1, axis).view(np.int32)


def over_words(numbers: Any, axis: int) -> Any:
    """Three bits each, as AutoGPTQ writes them down: ten in a word, one over two words, ten, one over two words, ten."""
    parts = np.moveaxis(numbers.astype(np.uint32), axis, -1)
    parts = parts.reshape(*parts.shape[:-1], -1, 32)
    out = np.zeros((*parts.shape[:-1], 3), np.uint32)
    for at in range(10):
        out[..., 0] |= parts[..., at] << np.uint32(3 * at)
        out[..., 1] |= parts[..., 11 + at] << np.uint32(3 * at + 1)
        out[..., 2] |= parts[..., 22 + at] << np.uint32(3 * at + 2)
    out[..., 0] |= parts[..., 10] << np.uint32(30)
    out[..., 1] |= (parts[..., 10] >> np.uint32(2)) & np.uint32(1)
    out[..., 1] |= parts[..., 21] << np.uint32(31)
    out[..., 2] |= (parts[..., 21] >> np.uint32(1)) & np.uint32(3)
    return np.moveaxis(out.reshape(*out.shape[:-2], -1), -1, axis).view(np.int32)


def rounded(values: Any, width: int) -> tuple[Any, Any, Any]:
    """Numbers [in, out] in groups along the inputs, their zero points and steps."""
    turned = values.T.astype(np.float64)
    groups = turned.reshape(-1, GROUP, turned.shape[1])
    low, high = groups.min(axis=1), groups.max(axis=1)
    step = ((high - low) / (2**width - 1)).astype(np.float16).astype(np.float64)
    zero = np.clip(np.rint(-low / step), 1, 2**width - 1)
    numbers = np.clip(np.rint(groups / step[:, None]) + zero[:, None], 0, 2**width - 1)
    return numbers.reshape(turned.shape), zero, step


def gptq(model: Model, width: int = 4, *, order: bool = True) -> Model:
    out: Model = {}
    for name, values in model.items():
        stem = name.removesuffix("weight")
        chosen = np.random.default_rng(1).permutation(values.shape[1]) if order else np.arange(values.shape[1])
        numbers, zero, step = rounded(values[:, chosen], width)
        back = np.argsort(chosen)  # with act-order, inputs stay where they are and say which group they are of
        out[f"{stem}qweight"] = words(numbers[back], width, 0)
        out[f"{stem}qzeros"] = words(zero - 1, width, 1)
        out[f"{stem}scales"] = step.astype(np.float16)
        if order:
            out[f"{stem}g_idx"] = (back // GROUP).astype(np.int32)
    return out


def awq(model: Model) -> Model:
    out: Model = {}
    order = (0, 2, 4, 6, 1, 3, 5, 7)
    for name, values in model.items():
        stem = name.removesuffix("weight")
        numbers, zero, step = rounded(values, 4)
        out[f"{stem}qweight"] = words(numbers, 4, 1, order)
        out[f"{stem}qzeros"] = words(zero, 4, 1, order)
        out[f"{stem}scales"] = step.astype(np.float16)
    return out


def compressed(model: Model, width: int = 4) -> Model:
    out: Model = {}
    for name, values in model.items():
        groups = values.astype(np.float64).reshape(len(values), -1, GROUP)
        step = (np.abs(groups).max(axis=2) / (2 ** (width - 1) - 1)).astype(np.float16).astype(np.float64)
        numbers = np.clip(np.rint(groups / step[..., None]), -(2 ** (width - 1)), 2 ** (width - 1) - 1)
        out[f"{name}_packed"] = words((numbers + 2 ** (width - 1)).reshape(values.shape), width, 1)
        out[f"{name}_scale"] = step.astype(np.float16)
        out[f"{name}_shape"] = np.array(values.shape, np.int64)
    return out


def in_bytes(model: Model) -> Model:
    out: Model = {}
    for name, values in model.items():
        place = name.replace(".", "/")
        scale = 127 / np.abs(values).max(axis=1)
        out[place] = np.rint(values * scale[:, None]).astype(np.int8)
        out[f"{place}_scale"] = scale.astype(np.float32)
    return out


def in_words(model: Model) -> Model:
    """Of 16 bits, with one scale for a matrix."""
    out: Model = {}
    for name, values in model.items():
        place, scale = name.replace(".", "/"), 1024 / np.abs(values).max()
        out[place] = np.rint(values * scale).astype(np.int16)
        out[f"{place}_scale"] = np.array(scale, np.float32)
    return out


def ctranslate2(model: Model) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    out = struct.pack("<I", 6) + text("TransformerSpec") + struct.pack("<II", 7, len(model))
    for name, values in model.items():
        kind = {"float32": 0, "int8": 1, "int16": 2, "float16": 4}[str(values.dtype)]
        data = np.ascontiguousarray(values).tobytes()
        out += text(name) + struct.pack(f"<B{values.ndim}IBI", values.ndim, *values.shape, kind, len(data)) + data
    return out + struct.pack("<I", 0)


def exported(model: Model) -> bytes:
    """What PyTorch's exporter makes of linear layers: their weights turned over, under numbers."""
    tensors = [
        onnx.tensor(f"onnx::MatMul_{700 + at}", values.T.shape, np.ascontiguousarray(values.T, "<f4").tobytes())
        for at, values in enumerate(model.values())
    ]
    return onnx.model(onnx.graph([onnx.node("MatMul")], tensors))


def exported_beside(model: Model, location: str) -> tuple[bytes, bytes]:
    """The same with the numbers in a file beside it, as of models of more than 2 GB: (model, file)."""
    tensors, data = [], b""
    for at, values in enumerate(model.values()):
        part = np.ascontiguousarray(values.T, "<f4").tobytes()
        where = {"offset": str(len(data)), "length": str(len(part))}
        tensors.append(onnx.external(f"onnx::MatMul_{700 + at}", location, values.T.shape, **where))
        data += part + bytes(-len(part) % 4096)
    return onnx.model(onnx.graph([onnx.node("MatMul")], tensors)), data
