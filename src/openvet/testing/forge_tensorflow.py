"""TensorFlow's files built from structure: graphs, functions, SavedModels, checkpoint indexes, Keras settings."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from openvet.testing.forge_protobuf import message, varint

__all__ = ["const", "function", "graph", "index", "keras_metadata", "meta_graph", "node", "saved_model", "weights"]

FLOAT, STRING = 1, 7


def _pb(kind: str, fields: Mapping[str, Any]) -> bytes:
    return message("tensorflow", kind, fields)


def node(name: str, op: str, inputs: Sequence[str] = (), attributes: Mapping[str, Any] | None = None) -> bytes:
    """A NodeDef; an attribute is an AttrValue's fields, or a text."""
    attr = [
        {"key": key, "value": value if isinstance(value, Mapping) else {"s": value}}
        for key, value in (attributes or {}).items()
    ]
    return _pb("NodeDef", {"name": name, "op": op, "input": list(inputs), "attr": attr})


def const(name: str, *texts: str | bytes) -> bytes:
    """A constant that holds texts."""
    shape = {"dim": [{"size": len(texts)}]} if len(texts) != 1 else {}
    tensor = {"dtype": STRING, "tensor_shape": shape, "string_val": list(texts)}
    return node(name, "Const", (), {"dtype": {"type": STRING}, "value": {"tensor": tensor}})


def weights(name: str, shape: Sequence[int], size: int | None = None) -> bytes:
    """A constant of zeros; ``size`` bytes of them, as many as the shape wants unless it is given."""
    elements = 1
    for extent in shape:
        elements *= extent
    content = bytes(elements * 4 if size is None else size)
    tensor = {"dtype": FLOAT, "tensor_shape": {"dim": [{"size": each} for each in shape]}, "tensor_content": content}
    return node(name, "Const", (), {"dtype": {"type": FLOAT}, "value": {"tensor": tensor}})


def function(name: str, arguments: Sequence[str], nodes: Sequence[bytes]) -> bytes:
    """A FunctionDef whose arguments are texts."""
    args = [{"name": each, "type": STRING} for each in arguments]
    return _pb("FunctionDef", {"signature": {"name": name, "input_arg": args}, "node_def": list(nodes)})


def graph(nodes: Sequence[bytes], functions: Sequence[bytes] = ()) -> bytes:
    """A GraphDef."""
    fields: dict[str, Any] = {"node": list(nodes)}
    if functions:
        fields["library"] = {"function": list(functions)}
    return _pb("GraphDef", {**fields, "versions": {"producer": 1395}})


def meta_graph(graph_def: bytes, **more: Any) -> bytes:
    """A MetaGraphDef with the tag ``serve``; ``more`` are its other fields."""
    information = {"tags": ["serve"], "tensorflow_version": "2.16.1"}
    return _pb("MetaGraphDef", {"meta_info_def": information, "graph_def": graph_def, **more})


def saved_model(*meta_graphs: bytes) -> bytes:
    return _pb("SavedModel", {"saved_model_schema_version": 1, "meta_graphs": list(meta_graphs)})


def keras_metadata(*settings: Any) -> bytes:
    """A ``keras_metadata.pb`` with an object for each of the JSON values."""
    nodes = [
        {
            "node_id": number,
            "node_path": f"root.layer-{number}",
            "identifier": "_tf_keras_layer",
            "metadata": json.dumps(each),
            "version": {"producer": 2},
        }
        for number, each in enumerate(settings)
    ]
    return _pb("SavedMetadata", {"nodes": nodes})


def _block(entries: Sequence[tuple[bytes, bytes]], compress: bool) -> bytes:
    out = bytearray()
    last = b""
    for key, value in entries:
        shared = 0
        while shared < min(len(last), len(key)) and last[shared] == key[shared]:
            shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    out += struct.pack("<II", 0, 1)
    data = bytes(out)
    if compress:
        data = varint(len(out)) + b"".join(
            bytes([61 << 2]) + struct.pack("<H", len(out[at : at + 60000]) - 1) + out[at : at + 60000]
            for at in range(0, len(out), 60000)
        )
    return data


def index(
    tensors: Mapping[str, tuple[Sequence[int], int, int]], *, shards: int = 1, compress: bool = False, **header: Any
) -> bytes:
    """An index: name -> (shape, offset, size) of floats in the first shard."""
    entries = [(b"", _pb("BundleHeaderProto", {"num_shards": shards, "version": {"producer": 1}, **header}))]
    for name, (shape, offset, size) in sorted(tensors.items()):
        entry = {
            "dtype": FLOAT,
            "shape": {"dim": [{"size": each} for each in shape]},
            "offset": offset,
            "size": size,
            "crc32c": 0,
        }
        entries.append((name.encode(), _pb("BundleEntryProto", entry)))
    out = bytearray()

    def put(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
        data = _block(pairs, compress)
        place = varint(len(out)) + varint(len(data))
        out.extend(data + bytes([compress]) + b"\0\0\0\0")
        return place

    data_place = put(entries)
    meta_place = put([])
    index_place = put([(entries[-1][0], data_place)])
    footer = meta_place + index_place
    return bytes(out) + footer + bytes(40 - len(footer)) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
