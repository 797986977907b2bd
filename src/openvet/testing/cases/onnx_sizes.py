"""ONNX models that make absurd sizes out of their own constants, loops over constants that never end, and ordinary shapes and loops."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge_onnx import graph, model, tensor
from openvet.testing.forge_protobuf import message

__all__ = ["CASES"]

_INT, _INTS, _TENSOR, _GRAPH = 2, 7, 4, 5
_FLOAT32, _INT64, _BOOL = 1, 7, 9


def _constant(name: str, *values: int) -> bytes:
    return tensor(name, (len(values),), struct.pack(f"<{len(values)}q", *values), data_type=_INT64)


def _unpacked(name: str, *values: int) -> bytes:
    return message(
        "onnx", "TensorProto", {"dims": [len(values)], "data_type": _INT64, "name": name, "int64_data": list(values)}
    )


def _floats(name: str, *values: float) -> bytes:
    return tensor(name, (len(values),), struct.pack(f"<{len(values)}f", *values), data_type=_FLOAT32)


def _true(name: str) -> bytes:
    return tensor(name, (1,), b"\x01", data_type=_BOOL)


def _node(op: str, inputs: Sequence[str], *, out: str = "y", **attributes: Any) -> bytes:
    def one(name: str, value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            return {"name": name, "ints": value, "type": _INTS}
        if isinstance(value, int):
            return {"name": name, "i": value, "type": _INT}
        if isinstance(value, tuple):
            return {"name": name, "g": value[0], "type": _GRAPH}
        return {"name": name, "t": value, "type": _TENSOR}

    fields = {
        "input": list(inputs),
        "output": [out],
        "op_type": op,
        "attribute": [one(name, value) for name, value in attributes.items()],
    }
    return message("onnx", "NodeProto", fields)


def _graph(nodes: Sequence[bytes], tensors: Sequence[bytes] = ()) -> bytes:
    return model(graph(nodes, tensors))


def _loop(trips: Sequence[bytes], inputs: Sequence[str], body: Sequence[bytes], handed: str) -> bytes:
    kind = {"tensor_type": {"elem_type": _BOOL}}
    starts = [{"name": each, "type": kind} for each in ("i", "c", "v")]
    ends = [{"name": each, "type": kind} for each in (handed, "w")]
    inner = message(
        "onnx",
        "GraphProto",
        {"node": [*body, _node("Add", ["v", "v"], out="w")], "name": "b", "input": starts, "output": ends},
    )
    return _graph([_node("Loop", inputs, body=(inner,))], trips)


_HUGE = (2**20, 2**23)
_MAX = 2**63 - 1
_BOMBS: dict[str, tuple[Sequence[bytes], Sequence[bytes]]] = {
    "constant-of-shape": ([_node("ConstantOfShape", ["s"])], [_constant("s", *_HUGE)]),
    "unpacked": ([_node("ConstantOfShape", ["s"])], [_unpacked("s", *_HUGE)]),
    "by-a-constant-node": ([_node("Constant", [], out="s", value=_constant("", *_HUGE)), _node("ConstantOfShape", ["s"])], []),
    "by-ints": ([_node("Constant", [], out="s", value_ints=list(_HUGE)), _node("ConstantOfShape", ["s"])], []),
    "concatenated": ([_node("Concat", ["a", "b"], out="s", axis=0), _node("ConstantOfShape", ["s"])], [_constant("a", 2**20), _constant("b", 2**23)]),
    "multiplied": ([_node("Mul", ["a", "a"], out="s"), _node("Cast", ["s"], out="t", to=7), _node("ConstantOfShape", ["t"])], [_constant("a", 2**21)]),
    "expand": ([_node("Expand", ["x", "s"])], [_constant("s", *_HUGE)]),
    "tile": ([_node("Tile", ["x", "s"])], [_constant("s", 2**20, 2**20)]),
    "tile-of-tile": ([_node("Tile", ["x", "s"], out="a"), _node("Tile", ["a", "s"], out="b"), _node("Tile", ["b", "s"])], [_constant("s", 2**7, 2**7)]),
    "range": ([_node("Range", ["a", "b", "c"])], [_constant("a", 0), _constant("b", 2**50), _constant("c", 1)]),
    "resize": ([_node("Resize", ["x", "", "", "s"])], [_constant("s", 1, 1, 2**20, 2**20)]),
    "resize-by-scales": ([_node("Resize", ["x", "", "s"])], [_floats("s", 1, 1, 2**20, 2**20)]),
    "upsample": ([_node("Upsample", ["x", "s"])], [_floats("s", 1, 1, 2**20, 2**20)]),
    "one-hot": ([_node("OneHot", ["x", "d", "v"])], [_constant("d", 2**45)]),
    "pad": ([_node("Pad", ["x", "p"])], [_constant("p", 2**20, 2**20, 2**20, 2**20)]),
    "random": ([_node("RandomNormal", [], shape=[2**22, 2**22])], []),
}  # fmt: skip
_ORDINARY: dict[str, tuple[Sequence[bytes], Sequence[bytes]]] = {
    "mask": ([_node("ConstantOfShape", ["s"])], [_constant("s", 1, 1, 8192, 8192)]),
    "expand": ([_node("Expand", ["x", "s"])], [_constant("s", -1, 1, 77, 1024)]),
    "range": ([_node("Range", ["a", "b", "c"])], [_constant("a", 0), _constant("b", 2048), _constant("c", 1)]),
    "resize": ([_node("Resize", ["x", "", "s"])], [_floats("s", 1, 1, 2, 2)]),
    "slice-to-the-end": ([_node("Slice", ["x", "a", "b"], out="z"), _node("Concat", ["a", "b"], out="s", axis=0)], [_constant("a", 0), _constant("b", _MAX)]),
    "one-hot": ([_node("OneHot", ["x", "d", "v"])], [_constant("d", 262144)]),
}  # fmt: skip
_LOOPS = {
    "endless": _loop([_constant("m", _MAX), _true("k")], ["m", "k", "x"], [_node("Identity", ["c"], out="d")], "d"),
    "endless-as-it-is": _loop([_constant("m", _MAX), _true("k")], ["m", "k", "x"], [], "c"),
    "endless-constant": _loop([_true("k")], ["", "k", "x"], [_node("Constant", [], out="d", value=_true(""))], "d"),
    "endless-without-condition": _loop(
        [_constant("m", _MAX)], ["m", "", "x"], [_node("Identity", ["c"], out="d")], "d"
    ),
}
_ORDINARY_LOOPS = {
    "while": _loop([_constant("m", _MAX), _true("k")], ["m", "k", "x"], [_node("Less", ["i", "v"], out="d")], "d"),
    "for": _loop([_true("k")], ["n", "k", "x"], [_node("Identity", ["c"], out="d")], "d"),
    "counted": _loop([_constant("m", 1000), _true("k")], ["m", "k", "x"], [_node("Identity", ["c"], out="d")], "d"),
}


def _bytes(data: bytes) -> bytes:
    return data


_RULES = frozenset({"onnx/structure-lies"})
CASES: tuple[Case, ...] = (
    *(Case(f"onnx-sizes/{name}", f"constants that become terabytes: {name.replace('-', ' ')}", partial(_graph, *parts), "reject", _RULES,
           ("onnx",), (), "model.onnx") for name, parts in _BOMBS.items()),
    *(Case(f"onnx-sizes/loop-{name}", f"a loop over constants: {name.replace('-', ' ')}", partial(_bytes, data), "reject", _RULES,
           ("onnx",), (), "model.onnx") for name, data in _LOOPS.items()),
    *(Case(f"onnx-sizes/ordinary-{name}", f"an ordinary constant: {name.replace('-', ' ')}", partial(_graph, *parts), "admit", frozenset(),
           ("onnx",), (), "model.onnx") for name, parts in _ORDINARY.items()),
    *(Case(f"onnx-sizes/ordinary-loop-{name}", f"an ordinary loop: {name.replace('-', ' ')}", partial(_bytes, data), "admit", frozenset(),
           ("onnx",), (), "model.onnx") for name, data in _ORDINARY_LOOPS.items()),
    Case("onnx-sizes/large", "a constant that becomes 16 GiB", partial(_graph, [_node("ConstantOfShape", ["s"])], [_constant("s", 2**16, 2**16)]),
         "review", _RULES, ("onnx",), (), "model.onnx"),
)  # fmt: skip
