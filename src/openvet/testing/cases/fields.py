"""Pickles that are written as text in the fields of binary formats: what a loader passes over, and code beside the model decodes.

Places times spellings; in the same places stand what honest tools write in such letters: digests, pictures, tokens, settings.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Final

from openvet.testing.case import Case
from openvet.testing.cases.device import ort_model, tflite_model
from openvet.testing.cases.frameworks import caffe, lua, paddle_program
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_hdf5 import Data, Group, floats, hdf5
from openvet.testing.forge_hdf5 import text as hdf5_text
from openvet.testing.forge_inert import sqlite, xgboost
from openvet.testing.forge_media import png, png_chunk
from openvet.testing.forge_onnx import graph, model, node, tensor
from openvet.testing.forge_protobuf import message
from openvet.testing.forge_tensorflow import const, meta_graph, saved_model
from openvet.testing.forge_tensorflow import graph as tf_graph
from openvet.testing.forge_tensorflow import node as tf_node
from openvet.testing.forge_tensors import gguf, npy, safetensors

__all__ = ["CASES"]

_EVIL: Final = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_OLD: Final = b"cos\nsystem\n(S'echo forged'\ntR."
_SPELLED: Final[dict[str, bytes]] = {
    "base64": base64.b64encode(_EVIL),
    "urlsafe": base64.urlsafe_b64encode(dump(Call(Name("os", "system"), ("echo forged \u00fb\u00ff?>~?",)), 4)),
    "zlib-base64": base64.b64encode(zlib.compress(_EVIL)),
    "old-base64": base64.b64encode(_OLD),
    "hex": _EVIL.hex().encode(),
    "base32": base64.b32encode(_EVIL),
    "base85": base64.b85encode(_EVIL),
    "data-uri": b"data:application/octet-stream;base64," + base64.b64encode(_EVIL),
}
_PICTURE: Final = png()
_ORDINARY: Final[dict[str, bytes]] = {
    "digest": hashlib.sha256(b"weights").hexdigest().encode(),
    "picture": b"data:image/png;base64," + base64.b64encode(_PICTURE),
    "data": base64.b64encode(bytes(range(256))),
    "packed-words": base64.b64encode(zlib.compress(b"words and words " * 9)),
    "settings": json.dumps({"steps": 20, "sampler": "euler", "prompt": "a cat on a mat"}).encode(),
}


def _strings(text: bytes) -> bytes:
    fields = {"dims": [1], "data_type": 8, "name": "s", "string_data": [text]}
    return model(graph(tensors=[message("onnx", "TensorProto", fields)]))


def _metadata(text: bytes) -> bytes:
    buffers = [{}, {"data": bytes(16)}, {"data": text}]
    return tflite_model(buffers=buffers, metadata=[{"name": "note", "buffer": 2}])


def _texts(text: bytes, kind: str) -> bytes:
    data = text.decode().encode("utf-32-le") if kind == "U" else text
    return npy(f"{{'descr': '<{kind}{len(text)}', 'fortran_order': False, 'shape': (1,), }}", data)


_PLACES: Final[dict[str, tuple[str, str, Callable[[bytes], bytes]]]] = {
    "onnx-metadata": ("the metadata of an ONNX model", "m.onnx", lambda text: model(metadata={"k": text.decode()})),
    "onnx-attribute": ("a text of a node of ONNX", "m.onnx", lambda text: model(graph([node("Relu", note=text.decode())]))),
    "onnx-strings": ("a tensor of texts of ONNX", "m.onnx", _strings),
    "onnx-name": ("the name of a weight of ONNX", "m.onnx", lambda text: model(graph(tensors=[tensor(text.decode())]))),
    "gguf-value": ("a value of a GGUF header", "m.gguf", lambda text: gguf((("general.architecture", "string", "llama"), ("x.y", "string", text.decode())))),
    "safetensors-metadata": ("the metadata of safetensors", "m.safetensors", lambda text: safetensors({"a": ("F32", (1,))}, {"k": text.decode()})),
    "safetensors-name": ("the name of a tensor", "m.safetensors", lambda text: safetensors({text.decode(): ("F32", (1,))})),
    "hdf5-attribute": ("an attribute of HDF5", "m.h5", lambda text: hdf5(Group({"note": hdf5_text(text)}, {"a": Data(floats(2, 2))}))),
    "tflite-description": ("the description of a model for phones", "m.tflite", lambda text: tflite_model(description=text.decode())),
    "tflite-metadata": ("a named buffer of a model for phones", "m.tflite", _metadata),
    "xgboost-attribute": ("an attribute of a booster", "a.model", lambda text: xgboost(attribute=text)),
    "sqlite-text": ("a text of a data base", "a.db", lambda text: sqlite(("insert into t values(1, ?, null)", (text.decode(),)))),
    "png-text": ("a text of a picture", "a.png", lambda text: png(extra=png_chunk(b"tEXt", b"note\0" + text))),
    "tensorflow-constant": ("a constant of TensorFlow", "saved_model.pb", lambda text: saved_model(meta_graph(tf_graph([const("c", text)])))),
    "tensorflow-attribute": ("an attribute of a frozen graph", "frozen.pb", lambda text: tf_graph([tf_node("r", "Identity", [], {"note": {"s": text}})])),
    "paddle-attribute": ("an attribute of PaddlePaddle", "m.pdmodel", lambda text: paddle_program("softmax", note=text.decode())),
    "caffe-name": ("the name of a layer of Caffe", "m.caffemodel", lambda text: caffe("InnerProduct", name=text.decode())),
    "torch7-text": ("a text of Torch", "m.t7", lambda text: lua({"a": text.decode()})),
    "ort-attribute": ("an attribute of ONNX Runtime's own form", "m.ort",
                      lambda text: ort_model(("", "Relu"), attributes=[{"name": "s", "type": 3, "s": text.decode()}])),
    "npy-texts": ("an array of texts", "a.npy", partial(_texts, kind="U")),
    "npy-bytes": ("an array of bytes", "a.npy", partial(_texts, kind="S")),
}  # fmt: skip
#: What is not seen in a place: where no reader hands a text on, only base64 and hexadecimal digits are looked for.
_UNSEEN: Final = frozenset({
    ("onnx-name", "base85"), ("safetensors-name", "base85"),
    *((place, spelling) for place in ("tensorflow-constant", "tensorflow-attribute", "paddle-attribute", "caffe-name", "torch7-text", "ort-attribute")
      for spelling in ("base85", "base32")),
})  # fmt: skip

#: Places where a program in base64 is told of by its place as well.
_NAMED: Final = frozenset({"gguf-value", "safetensors-metadata", "xgboost-attribute", "png-text"})


def _rules(place: str, spelling: str) -> frozenset[str]:
    named = place in _NAMED and spelling in ("base64", "urlsafe", "old-base64")
    return frozenset({"pickle/runs-process", *(("file/hidden-program",) if named else ())})


CASES: tuple[Case, ...] = (
    *(
        Case(f"fields/{place}-{spelling}", f"a pickle in {spelling.replace('-', ' ')} in {where}", partial(make, text), "reject",
             _rules(place, spelling), ("pickle",), (), file)
        for place, (where, file, make) in _PLACES.items()
        for spelling, text in _SPELLED.items()
        if (place, spelling) not in _UNSEEN
    ),
    *(
        Case(f"fields/ordinary-{place}-{what}", f"{what.replace('-', ' ')} in {where}", partial(make, text), "admit", frozenset(), (), (), file)
        for place, (where, file, make) in _PLACES.items()
        for what, text in _ORDINARY.items()
    ),
)  # fmt: skip
