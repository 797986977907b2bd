"""Forges Keras models: configurations of Keras 2 and 3 as values, and the files that hold them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from openvet.testing.forge_hdf5 import Data, Group, Value, fixed, floats, hdf5, text

__all__ = [
    "BYTECODE",
    "dense",
    "function",
    "h5",
    "inputs",
    "keras3",
    "lambda2",
    "lambda3",
    "layer",
    "layer2",
    "model2",
    "model3",
    "weights",
]

#: ``lambda x: __import__("os").system("echo forged")`` as marshalled code of Python 3.11, cut short so that nothing runs it.
_CODE = (
    b"\xe3" + bytes([1, 0, 0, 0]) + bytes(8) + bytes([3, 0, 0, 0, 3, 0, 0, 0]) + b"\xf3\x10\0\0\0"
    b"\x97\0t\1\0\0\0\0\0\0\0\0d\1\xab\1)\3N\xda\2os\xfa\x0becho forged)\2\xda\x0a__import__\xda\6system"
)
BYTECODE = base64.encodebytes(_CODE).decode()


def layer(
    name: str, config: Mapping[str, Any] | None = None, module: str = "keras.layers", /, **more: Any
) -> dict[str, Any]:
    """An object as Keras 3 writes it."""
    return {"module": module, "class_name": name, "config": dict(config or {}), "registered_name": None} | more


def function(module: str, name: str, registered: str | None = None) -> dict[str, Any]:
    """A function as Keras 3 writes it."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered or name}


def inputs() -> dict[str, Any]:
    return layer("InputLayer", {"batch_shape": [None, 4], "dtype": "float32", "name": "input"})


def dense(activation: Any = "relu", **config: Any) -> dict[str, Any]:
    policy = layer("DTypePolicy", {"name": "float32"}, "keras")
    initial = layer("GlorotUniform", {"seed": None}, "keras.initializers")
    return layer(
        "Dense",
        {
            "name": "dense",
            "dtype": policy,
            "units": 2,
            "activation": activation,
            "kernel_initializer": initial,
            **config,
        },
    )


def lambda3(code: Any = BYTECODE) -> dict[str, Any]:
    inner = {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}
    return layer("Lambda", {"name": "lambda", "function": inner, "arguments": {}})


def model3(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A sequential model of Keras 3."""
    return layer("Sequential", {"name": "model", "layers": [inputs(), *layers]}, "keras", **more)


def layer2(name: str, /, **config: Any) -> dict[str, Any]:
    """An object as Keras 2 writes it."""
    return {"class_name": name, "config": {"name": name.lower(), **config}}


def lambda2(code: str = BYTECODE) -> dict[str, Any]:
    return layer2("Lambda", function=[code, None, None], function_type="lambda", module="__main__", arguments={})


def model2(*layers: dict[str, Any]) -> dict[str, Any]:
    return layer2("Sequential", layers=[layer2("InputLayer", batch_input_shape=[None, 4]), *layers])


def weights(user_block: bytes = b"", **members: Group | Data) -> bytes:
    """``model.weights.h5`` with one layer."""
    names = Group({"name": text("dense")}, {"vars": Group({}, {"0": Data(floats(4, 2)), "1": Data(floats(2))})})
    return hdf5(Group({}, {"layers": Group({}, {"dense": names}), **members}), user_block)


def keras3(config: Any, more: Mapping[str, bytes] | None = None) -> bytes:
    """A ``.keras`` file."""
    from openvet.testing.forge_archive import ZipPart, forge_zip

    metadata = {"keras_version": "3.12.0", "date_saved": "2026-01-01@00:00:00"}
    files = {
        "metadata.json": json.dumps(metadata).encode(),
        "config.json": config if isinstance(config, bytes) else json.dumps(config).encode(),
        "model.weights.h5": weights(),
        **(more or {}),
    }
    return forge_zip([ZipPart(name.encode(), data) for name, data in files.items() if data])


def h5(
    config: Any, *, as_bytes: bool = False, attributes: Mapping[str, Value] | None = None, user_block: bytes = b""
) -> bytes:
    """A legacy ``.h5`` model; its configuration is a text of variable length, or of a fixed one."""
    written = json.dumps(config)
    training = {
        "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 0.001}},
        "loss": "mse",
        "metrics": ["mae"],
    }
    kernel = Group({"weight_names": fixed(b"dense/kernel:0", b"dense/bias:0")}, {"kernel:0": Data(floats(4, 2))})
    return hdf5(
        Group(
            {
                "keras_version": text("2.12.0"),
                "backend": text("tensorflow"),
                "model_config": fixed(written.encode()) if as_bytes else text(written),
                "training_config": text(json.dumps(training)),
                **(attributes or {}),
            },
            {"model_weights": Group({"layer_names": fixed(b"dense")}, {"dense": kernel})},
        ),
        user_block,
    )
