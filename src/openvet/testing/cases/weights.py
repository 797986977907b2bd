"""Programs, archives and pickles as the bytes of a tensor, in every container; and weights that begin like one by chance."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.cases.device import tflite_model
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_hdf5 import Data, Group, floats, hdf5, text
from openvet.testing.forge_msgpack import flax_array, forge_msgpack
from openvet.testing.forge_protobuf import message
from openvet.testing.forge_tensorflow import graph as tf_graph
from openvet.testing.forge_tensorflow import node as tf_node
from openvet.testing.forge_tensors import GgufTensor, gguf, npy, safetensors_raw
from openvet.testing.forge_torch import FakeTensor, torch_zip

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_WEIGHTS = struct.pack("<64f", *(0.01 * each for each in range(64)))
_SIZE = 256
_PROGRAMS = {
    "elf": b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40),
    "pe": b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + bytes(40),
    "mach-o": struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 1, 72, 0, 0) + bytes(72),
}


def _safetensors(data: bytes) -> bytes:
    end = len(data)
    header = {
        "layer._extra_state": {"dtype": "U8", "shape": [end], "data_offsets": [0, end]},
        "weight": {"dtype": "F32", "shape": [64], "data_offsets": [end, end + _SIZE]},
    }
    return safetensors_raw(json.dumps(header).ljust(200), data + _WEIGHTS)


def _gguf(data: bytes) -> bytes:
    keys = (("general.architecture", "string", "llama"),)
    return gguf(keys, (GgufTensor("a", (64,), size=_SIZE), GgufTensor("b", (64,), size=_SIZE)), data=_WEIGHTS + data)


def _npy(data: bytes) -> bytes:
    return npy("{'descr': '|u1', 'fortran_order': False, 'shape': (256,), }", data)


def _flax(data: bytes) -> bytes:
    return forge_msgpack(
        {"params": {"a": flax_array([64], "float32", _WEIGHTS), "b": flax_array([_SIZE], "uint8", data)}}
    )


def _torch(data: bytes) -> bytes:
    """An ordinary checkpoint whose one storage is replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(torch_zip({"state": FakeTensor((64,))}))) as whole:
        parts = [
            ZipPart(each.filename.encode(), data if "/data/" in each.filename else whole.read(each))
            for each in whole.infolist()
        ]
    made.write(forge_zip(parts))
    return made.getvalue()


def _tflite(data: bytes) -> bytes:
    ends = {"inputs": [0], "outputs": [1], "operators": [{"opcode_index": 0, "inputs": [0], "outputs": [1]}]}
    tensors = [{"shape": [_SIZE], "type": 3, "buffer": 1, "name": "w"}, {"shape": [2, 2], "buffer": 0, "name": "out"}]
    return tflite_model(buffers=[{}, {"data": data}], subgraphs=[{"tensors": tensors, **ends}])


def _frozen(data: bytes) -> bytes:
    held = message(
        "tensorflow", "TensorProto", {"dtype": 4, "tensor_shape": {"dim": [{"size": _SIZE}]}, "tensor_content": data}
    )
    return tf_graph([tf_node("w", "Const", [], {"dtype": {"type": 4}, "value": {"tensor": held}})])


_CONTAINERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "safetensors": ("model.safetensors", _safetensors),
    "gguf": ("model.gguf", _gguf),
    "npy": ("weights.npy", _npy),
    "flax": ("flax_model.msgpack", _flax),
    "torch": ("model.pt", _torch),
    "tflite": ("model.tflite", _tflite),
    "frozen-graph": ("frozen.pb", _frozen),
}
_TRANSFORMER_ENGINE = torch_zip({"scale": 1.0, "amax": [0.0] * 4})


def _case(name: str, technique: str, file: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"],
          *rules: str) -> Case:  # fmt: skip
    return Case(f"weights/{name}", technique, forge, decision, frozenset(rules), (), (), file)


def _made(make: Callable[[bytes], bytes], data: bytes) -> bytes:
    return make(data.ljust(_SIZE, b"\1")[:_SIZE])


CASES: tuple[Case, ...] = (
    *(_case(f"{kind}-in-{name}", f"a tensor that is a program ({kind}) in {file}", file, partial(_made, make, program), "review",
            "file/program-in-weights")
      for name, (file, make) in _CONTAINERS.items() for kind, program in _PROGRAMS.items()),
    *(_case(f"pickle-in-{name}", f"a tensor that is a pickle in {file}", file, partial(_made, make, _EVIL), "reject",
            "pickle/runs-process", "pickle/trailing-data")
      for name, (file, make) in _CONTAINERS.items()),
    *(_case(f"ordinary-{what}-in-{name}", f"weights that begin like {what} and are none, in {file}", file,
            partial(_made, make, data + _WEIGHTS[4:]), "admit")
      for name, (file, make) in _CONTAINERS.items()
      for what, data in (("elf", b"\x7fELF\x9c\x03"), ("dos", b"MZ\x90\0"), ("pickle", b"\x80\4\x12\x3c"), ("macho", b"\xcf\xfa\xed\xfe"))),
    _case("state-as-bytes", "the state of TransformerEngine, which is a small file of PyTorch, as a tensor of bytes", "model.safetensors",
          lambda: _safetensors(_TRANSFORMER_ENGINE), "admit"),
    _case("base64-in-hdf5", "a pickle in base64 as a text of HDF5", "model.h5",
          lambda: hdf5(Group({"state": text(base64.b64encode(_EVIL))}, {"weights": Data(floats(2))})), "reject", "pickle/runs-process"),
    _case("words-in-hdf5", "base64 of words as a text of HDF5", "model.h5",
          lambda: hdf5(Group({"state": text(base64.b64encode(b"ordinary words " * 3))}, {"weights": Data(floats(2))})), "admit"),
)  # fmt: skip
