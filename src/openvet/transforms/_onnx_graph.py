"""Graphs of ONNX changed in place: constants that quantizers find, weights that are stored in 8 bits, and initializers that nothing takes any more."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from openvet.transforms._transform import CannotError

__all__ = ["drop", "lift", "store_in_eight_bits"]

#: The version of the format since which initializers need not be inputs as well.
_LISTED_APART: Final = 4
#: Operators whose weights are stored: which input, and the axis of what they give (-1: the last), each of which gets a scale.
_STORED: Final = {"Conv": (1, 0), "ConvTranspose": (1, 1), "MatMul": (1, -1), "Gather": (0, 0)}


def lift(model: Any) -> int:
    """Weights that nodes named Constant give become initializers, where quantizers look for them; how many."""
    import onnx

    graph = model.graph
    weights = [
        (node, each.t)
        for node in graph.node
        if node.op_type == "Constant"
        for each in node.attribute
        if each.name == "value" and each.t.data_type == onnx.TensorProto.FLOAT and len(each.t.dims) > 1
    ]
    for node, tensor in weights:
        graph.initializer.add().CopyFrom(tensor)
        graph.initializer[-1].name = node.output[0]
        graph.node.remove(node)
    if weights:
        model.ir_version = max(model.ir_version, _LISTED_APART)
    return len(weights)


def store_in_eight_bits(model: Any) -> int:
    """Weights become whole numbers of 8 bits, from which 32-bit floats are made again by Cast and Mul; how many.

    Raises:
        CannotError: there is none that would be smaller, or one holds what is no number.
    """
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    graph = model.graph
    constants = {each.name: each for each in graph.initializer}
    made: dict[str, str] = {}
    nodes = []
    for node in graph.node:
        at, axis = _STORED.get(node.op_type, (0, 0)) if node.domain in ("", "ai.onnx") else (0, 0)
        constant = constants.get(node.input[at]) if node.op_type in _STORED else None
        if constant is None or constant.data_type != onnx.TensorProto.FLOAT or len(constant.dims) < 2:
            continue
        name = constant.name
        if name not in made:
            weight = numpy_helper.to_array(constant)
            if not np.all(np.isfinite(weight)):
                raise CannotError(f"{name} holds infinity or NaN, which no whole number stands for")
            axis %= weight.ndim
            if weight.size < 2 * weight.shape[axis]:  # the scales would take what is won
                continue
            scales = np.abs(weight).max(axis=tuple(each for each in range(weight.ndim) if each != axis), keepdims=True)
            scales = np.where(scales == 0, 1, scales / np.float32(127)).astype(np.float32)
            whole = np.clip(np.rint(weight / scales), -127, 127).astype(np.int8)
            graph.initializer.append(numpy_helper.from_array(whole, f"{name}_quantized"))
            graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scale"))
            nodes.append(helper.make_node("Cast", [f"{name}_quantized"], [f"{name}_whole"], to=onnx.TensorProto.FLOAT))
            nodes.append(helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [f"{name}_again"]))
            made[name] = f"{name}_again"
        node.input[at] = made[name]
    if not made:
        raise CannotError("no weight in 32-bit floats was found that would be smaller in 8 bits")
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])  # in an order in which each follows on what it takes
    drop(graph, made)
    model.ir_version = max(model.ir_version, _LISTED_APART)
    return len(made)


def drop(graph: Any, names: Collection[str]) -> None:
    """Remove those initializers that nothing takes any more; older files list them among the inputs as well, where they would have to be given."""
    used = _used(graph)
    for listed in (graph.initializer, graph.input):
        for each in [each for each in listed if each.name in names and each.name not in used]:
            listed.remove(each)


def _used(graph: Any) -> set[str]:
    """Names that nodes take or that are given out; graphs within nodes (If, Loop, Scan) see those around them."""
    used = {each.name for each in graph.output}
    for node in graph.node:
        used.update(node.input)
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                used |= _used(inner)
    return used
