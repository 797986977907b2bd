"""Weights of TensorFlow.js and MLC: numbered files without a mark, which a document beside them describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_NUMBERS = bytes(range(1, 65))
_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 2).ljust(64, b"\0")


def _tfjs(
    numbers: bytes = _NUMBERS, shape: tuple[int, ...] = (4, 4), path: str = "group1-shard1of1.bin", **more: Any
) -> dict[str, bytes]:
    weight = {"name": "dense/kernel", "shape": list(shape), "dtype": "float32", **more}
    model = {"format": "layers-model", "modelTopology": {}, "weightsManifest": [{"paths": [path], "weights": [weight]}]}
    return {"model.json": json.dumps(model).encode(), "group1-shard1of1.bin": numbers}


def _mlc(numbers: bytes = _NUMBERS, **more: Any) -> dict[str, bytes]:
    record = {"dataPath": "params_shard_0.bin", "format": "raw-shard", "nbytes": 64, "records": [], **more}
    return {
        "ndarray-cache.json": json.dumps({"metadata": {}, "records": [record]}).encode(),
        "params_shard_0.bin": numbers,
    }


def _case(
    word: str, technique: str, files: Mapping[str, bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return Case(f"shards/{word}", technique, lambda: files, decision, frozenset(rules), ("json",), (), "model")


CASES: tuple[Case, ...] = (
    _case("tensorflow-js", "a model of TensorFlow.js", _tfjs(), "admit"),
    _case(
        "tensorflow-js-quantized", "the same with numbers in a byte each",
        _tfjs(shape=(8, 8), quantization={"dtype": "uint8", "scale": 0.1, "min": 0}), "admit",
    ),
    _case("tensorflow-js-more", "bytes behind the tensors that the document describes", _tfjs(shape=(2, 2)), "review"),
    _case("tensorflow-js-text", "tensors of text, whose size nobody tells", _tfjs(dtype="string"), "review"),
    _case("tensorflow-js-elsewhere", "a document that describes a file in another folder", _tfjs(path="../group1-shard1of1.bin"), "review"),
    _case("tensorflow-js-pickle", "a pickle in the place of the weights", _tfjs(_EVIL), "reject", "pickle/runs-process"),
    _case("mlc", "a model of MLC", _mlc(), "admit"),
    _case("mlc-more", "bytes behind what the document of MLC describes", _mlc(nbytes=8), "review"),
    _case("mlc-pickle", "a pickle in the place of the weights of MLC", _mlc(_EVIL), "reject", "pickle/runs-process"),
)  # fmt: skip
