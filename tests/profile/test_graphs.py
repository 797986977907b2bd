"""Models that are a graph: what the readers of ONNX, TensorFlow Lite and Keras recorded becomes facts."""

from __future__ import annotations

from pathlib import Path

from tests.inventory.test_build import inventory

from openvet.evidence.predicates.profile_v1 import ModelPart
from openvet.profile.profile import profile_parts
from openvet.testing import forge_keras, forge_onnx
from openvet.testing.forge_flatbuffers import forge_buffer


def lone(path: Path, name: str, data: bytes) -> ModelPart:
    (path / name).write_bytes(data)
    (part,), _ = profile_parts(inventory(path))
    return part


def value(part: ModelPart, name: str) -> object:
    fact = part.fact(name)
    return None if fact is None else fact.value


def test_onnx(tmp_path: Path) -> None:
    nodes = [forge_onnx.node("Relu"), forge_onnx.node("Relu"), forge_onnx.node("Mine", "custom.domain")]
    weights = [forge_onnx.tensor("w", (8, 16)), forge_onnx.tensor("b", (16,))]
    part = lone(tmp_path, "model.onnx", forge_onnx.model(forge_onnx.graph(nodes, weights)))
    assert part.count("parameters") == 8 * 16 + 16
    assert value(part, "kinds of operations") == {"Relu": 2, "custom.domain:Mine": 1}
    assert value(part, "operations") == 3
    assert value(part, "graph inputs") == ["x F32 [2, n]"]
    assert value(part, "graph outputs") == ["y F32 [2, n]"]


def test_weights_that_are_inputs_too_are_no_inputs(tmp_path: Path) -> None:
    inputs = [{"name": name} for name in ("w", "x")]
    body = forge_onnx.graph([forge_onnx.node("Relu")], [forge_onnx.tensor("w", (8, 16))], input=inputs)
    part = lone(tmp_path, "model.onnx", forge_onnx.model(body))
    assert value(part, "graph inputs") == ["x"]


def test_a_graph_in_a_node_has_no_say_in_what_goes_in(tmp_path: Path) -> None:
    inner = forge_onnx.graph([forge_onnx.node("Neg")], input=[{"name": "inner"}])
    body = forge_onnx.graph([forge_onnx.node("If", then_branch=(inner,))], [forge_onnx.tensor("w", (8, 16))])
    part = lone(tmp_path, "model.onnx", forge_onnx.model(body))
    assert value(part, "graph inputs") == ["x F32 [2, n]"]
    assert value(part, "kinds of operations") == {"If": 1, "Neg": 1}


def test_tensorflow_lite(tmp_path: Path) -> None:
    tensors = [
        {"name": "in", "type": 0, "shape": [1, 4], "shape_signature": [-1, 4]},
        {"name": "w", "type": 0, "shape": [4, 4], "buffer": 1},
        {"name": "out", "type": 9, "shape": [1, 4]},
    ]
    graph = {"tensors": tensors, "inputs": [0], "outputs": [2, 99], "operators": [{"opcode_index": 0}]}
    root = {
        "version": 3,
        "operator_codes": [{"builtin_code": 9}],
        "subgraphs": [graph],
        "buffers": [{}, {"data": bytes(64)}],
    }
    part = lone(tmp_path, "model.tflite", forge_buffer("tflite", root, b"TFL3"))
    assert value(part, "graph inputs") == ["in F32 [?, 4]"]
    assert value(part, "graph outputs") == ["out I8 [1, 4]"]
    assert value(part, "kinds of operations") == {"FULLY_CONNECTED": 1}
    assert part.count("parameters") == 16


def test_keras(tmp_path: Path) -> None:
    data = forge_keras.keras3(forge_keras.model3(forge_keras.dense(), forge_keras.dense()))
    part = lone(tmp_path, "model.keras", data)
    assert value(part, "class") == "Sequential"
    assert value(part, "kinds of layers") == {"Dense": 2, "InputLayer": 1}
    assert part.count("parameters") == 4 * 2 + 2


def test_keras_of_old(tmp_path: Path) -> None:
    part = lone(tmp_path, "model.h5", forge_keras.h5(forge_keras.model2(forge_keras.layer2("Dense"))))
    assert value(part, "kinds of layers") == {"InputLayer": 1, "Dense": 1}
    assert value(part, "framework version") == "2.12.0"


def test_what_training_needs_is_no_parameter(tmp_path: Path) -> None:
    from openvet.testing.forge_hdf5 import Data, Group, floats

    optimizer = Group({}, {"vars": Group({}, {"1": Data(floats(4, 2))})})
    config = forge_keras.model3(forge_keras.dense())
    data = forge_keras.keras3(config, {"model.weights.h5": forge_keras.weights(optimizer=optimizer)})
    part = lone(tmp_path, "model.keras", data)
    assert part.count("parameters") == 4 * 2 + 2
    assert part.count("optimizer elements") == 4 * 2
