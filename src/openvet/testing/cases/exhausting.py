"""Graphs of TensorFlow and configurations of Keras that make absurd sizes out of constants; and ordinary sizes."""

from __future__ import annotations

import json
import struct
from functools import partial
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge_keras import h5, keras3, layer, layer2, model2, model3
from openvet.testing.forge_protobuf import message
from openvet.testing.forge_tensorflow import function, graph, meta_graph, node, saved_model

__all__ = ["CASES"]

_INT64, _INT32 = 9, 3


def _constant(name: str, *values: int, single: bool = False) -> bytes:
    tensor: dict[str, Any] = {
        "dtype": _INT64,
        "tensor_shape": {} if len(values) == 1 and not single else {"dim": [{"size": len(values)}]},
    }
    tensor["tensor_content"] = struct.pack(f"<{len(values)}q", *values)
    return node(name, "Const", (), {"dtype": {"type": _INT64}, "value": {"tensor": tensor}})


def _listed(name: str, *values: int) -> bytes:
    tensor = {"dtype": _INT32, "tensor_shape": {"dim": [{"size": 2}]}, "int_val": list(values)}
    return node(name, "Const", (), {"dtype": {"type": _INT32}, "value": {"tensor": tensor}})


def _saved(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    return saved_model(meta_graph(graph(nodes, functions)))


def _function(name: str, *nodes: bytes) -> bytes:
    return message("tensorflow", "FunctionDef", {"signature": {"name": name}, "node_def": list(nodes)})


_SHAPE = _constant("s", 2**20, 2**23)
_GRAPHS = {
    "fill": (_SHAPE, node("y", "Fill", ["s", "v"])),
    "fill-listed": (_listed("s", 2**20, 2**23), node("y", "Fill", ["s", "v"])),
    "fill-one-value": (_listed("s", 2**20), node("y", "Fill", ["s:0", "v"])),
    "random": (_SHAPE, node("y", "RandomStandardNormal", ["s"])),
    "tile": (_SHAPE, node("y", "Tile", ["x", "s"])),
    "broadcast": (_SHAPE, node("y", "BroadcastTo", ["x", "s"])),
    "range": (_constant("a", 0), _constant("b", 2**50), _constant("c", 1), node("y", "Range", ["a", "b", "c"])),
    "packed": (_constant("a", 2**20), _constant("b", 2**23), node("s", "Pack", ["a", "b"]), node("y", "Fill", ["s", "v"])),
    "concatenated": (_constant("a", 2**20, single=True), _constant("b", 2**23, single=True), _constant("i", 0),
                     node("s", "ConcatV2", ["a", "b", "i"]), node("y", "Fill", ["s", "v"])),
}  # fmt: skip
_ORDINARY_GRAPHS = {
    "fill": (_constant("s", 1, 1, 4096, 4096), node("y", "Fill", ["s", "v"])),
    "end-of-a-slice": (_constant("s", 0, 2**62), node("y", "StridedSlice", ["x", "s", "s", "s"])),
    "range": (_constant("a", 0), _constant("b", 512), _constant("c", 1), node("y", "Range", ["a", "b", "c"])),
}
_LAYERS = {
    "embedding": layer("Embedding", {"input_dim": 2**40, "output_dim": 1024}),
    "dense": layer("Dense", {"units": 2**40}),
    "convolution": layer("Conv2D", {"filters": 2**32, "kernel_size": [16, 16]}),
    "repeat": layer("RepeatVector", {"n": 2**40}),
    "upsampling": layer("UpSampling2D", {"size": [2**20, 2**20]}),
    "wrapped": layer("TimeDistributed", {"layer": layer("Dense", {"units": 10**15})}),
}
_ORDINARY_LAYERS = {
    "embedding": layer("Embedding", {"input_dim": 2_000_000, "output_dim": 4096}),
    "dense": layer("Dense", {"units": 65536}),
    "convolution": layer("Conv2D", {"filters": 4096, "kernel_size": [7, 7], "n": 3}),
    "hashing": layer("Hashing", {"num_bins": 2**31 - 1}),
}
_LIES, _SIZE = "tensorflow/graph-lies", "keras/absurd-size"

CASES: tuple[Case, ...] = (
    *(Case(f"exhausting/graph-{name}", f"constants of a graph that become terabytes: {name.replace('-', ' ')}", partial(_saved, *nodes), "reject",
           frozenset({_LIES}), ("tf-saved-model",), (), "saved_model.pb") for name, nodes in _GRAPHS.items()),
    Case("exhausting/graph-in-a-function", "the same in a function of the library",
         lambda: _saved(node("c", "f"), functions=(_function("f", _SHAPE, node("y", "Fill", ["s", "v"])),)), "reject", frozenset({_LIES}),
         ("tf-saved-model",), (), "saved_model.pb"),
    Case("exhausting/graph-frozen", "the same in a frozen graph", lambda: graph([_SHAPE, node("y", "Fill", ["s", "v"])]), "reject", frozenset({_LIES}),
         ("tf-graph",), (), "frozen.pb"),
    *(Case(f"exhausting/ordinary-graph-{name}", f"ordinary constants of a graph: {name.replace('-', ' ')}", partial(_saved, *nodes), "admit",
           frozenset(), ("tf-saved-model",), (), "saved_model.pb") for name, nodes in _ORDINARY_GRAPHS.items()),
    Case("exhausting/ordinary-graph-other-function", "a function whose input is called as a large constant of another is",
         lambda: _saved(_SHAPE, node("y", "Identity", ["s"]), functions=(function("f", ["s"], [node("y", "Fill", ["s", "v"])]),)), "admit", frozenset(),
         ("tf-saved-model",), (), "saved_model.pb"),
    *(Case(f"exhausting/layer-{name}", f"a layer that no machine holds: {name}", partial(keras3, model3(value)), "reject", frozenset({_SIZE}),
           ("zip", "json"), (), "model.keras") for name, value in _LAYERS.items()),
    *(Case(f"exhausting/ordinary-layer-{name}", f"a large layer: {name}", partial(keras3, model3(value)), "admit", frozenset(),
           ("zip", "json"), (), "model.keras") for name, value in _ORDINARY_LAYERS.items()),
    Case("exhausting/layer-h5", "a layer that no machine holds, in HDF5", lambda: h5(model2(layer2("Dense", units=2**40))), "reject",
         frozenset({_SIZE}), ("hdf5",), (), "model.h5"),
    Case("exhausting/layer-json", "a layer that no machine holds, as JSON", lambda: json.dumps(model2(layer2("Dense", units=2**40))).encode(), "reject",
         frozenset({_SIZE}), ("json",), (), "architecture.json"),
)  # fmt: skip
