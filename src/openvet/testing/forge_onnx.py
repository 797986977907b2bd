"""ONNX models built from structure: nodes, tensors, and where their bytes lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openvet.testing.forge_protobuf import message

__all__ = ["external", "function", "graph", "model", "node", "tensor"]

_FLOAT = 1
_INT, _STRING, _GRAPH, _TENSOR = 2, 3, 5, 4


def tensor(name: str, dims: Sequence[int] = (2, 2), raw: bytes | None = None, **more: Any) -> bytes:
    """A TensorProto of floats, with zeros unless ``raw`` is given; ``more`` are its other fields."""
    count = 1
    for extent in dims:
        count *= extent
    fields: dict[str, Any] = {"dims": list(dims), "data_type": _FLOAT, "name": name}
    if "external_data" not in more:
        fields["raw_data"] = bytes(4 * count) if raw is None else raw
    return message("onnx", "TensorProto", {**fields, **more})


def external(name: str, location: str, dims: Sequence[int] = (2, 2), **entries: str) -> bytes:
    """A tensor whose bytes lie in another file."""
    pairs = {"location": location, **entries}
    listed = [{"key": key, "value": value} for key, value in pairs.items()]
    return tensor(name, dims, external_data=listed, data_location=1)


def _attribute(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"name": name, "i": value, "type": _INT}
    if isinstance(value, str):
        return {"name": name, "s": value, "type": _STRING}
    if isinstance(value, tuple):  # a graph that is built already
        return {"name": name, "g": value[0], "type": _GRAPH}
    return {"name": name, "t": value, "type": _TENSOR}


def node(op: str, domain: str = "", **attributes: Any) -> bytes:
    """A node: numbers, texts, tensors (bytes) and graphs (a tuple of bytes) as attributes."""
    fields: dict[str, Any] = {"input": ["x"], "output": ["y"], "name": f"node {op}", "op_type": op}
    if domain:
        fields["domain"] = domain
    fields["attribute"] = [_attribute(name, value) for name, value in attributes.items()]
    return message("onnx", "NodeProto", fields)


def graph(nodes: Sequence[bytes] = (), tensors: Sequence[bytes] = (), **more: Any) -> bytes:
    """A GraphProto with one input and one output."""
    kind = {"tensor_type": {"elem_type": _FLOAT, "shape": {"dim": [{"dim_value": 2}, {"dim_param": "n"}]}}}
    ends = {"input": [{"name": "x", "type": kind}], "output": [{"name": "y", "type": kind}]}
    fields = {"node": list(nodes or (node("Relu"),)), "name": "main", "initializer": list(tensors), **ends, **more}
    return message("onnx", "GraphProto", fields)


def function(name: str, nodes: Sequence[bytes], domain: str = "mine") -> bytes:
    """A FunctionProto."""
    fields = {"name": name, "input": ["x"], "output": ["y"], "node": list(nodes), "domain": domain}
    return message("onnx", "FunctionProto", fields)


def model(body: bytes | None = None, *, metadata: Mapping[str, str] | None = None, **more: Any) -> bytes:
    """A ModelProto around a graph."""
    fields: dict[str, Any] = {
        "ir_version": 10,
        "producer_name": "forged",
        "graph": graph() if body is None else body,
        "opset_import": [{"domain": "", "version": 21}],
        "metadata_props": [{"key": key, "value": value} for key, value in (metadata or {}).items()],
    }
    return message("onnx", "ModelProto", {**fields, **more})
