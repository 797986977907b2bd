"""Lambda layers in the settings of Keras: each form in which Keras has written one, inside of every kind of layer that holds others, in
each file that carries settings; and settings that are no message or stand in a text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from openvet.testing.case import Case
from openvet.testing.forge_keras import BYTECODE
from openvet.testing.forge_protobuf import varint
from openvet.testing.forge_tensorflow import graph, keras_metadata, meta_graph, node, saved_model

__all__ = ["CASES"]

_Settings = dict[str, Any]


def _code() -> str:
    """Bytecode as Keras 2 writes it, with the line ends of base64."""
    return BYTECODE


def _lambda(function: Any, **more: Any) -> _Settings:
    return {
        "class_name": "Lambda",
        "config": {"name": "l", "trainable": True, "dtype": "float32", "function": function, **more},
    }


_FORMS: Final[dict[str, Callable[[], _Settings]]] = {
    "tuple": lambda: _lambda({"class_name": "__tuple__", "items": [_code(), None, None]}, function_type="lambda", module="__main__"),
    "list": lambda: _lambda([_code(), [1], None], function_type="lambda"),
    "text": lambda: _lambda(_code(), function_type="lambda"),
    "object": lambda: _lambda({"class_name": "__lambda__", "config": {"code": _code(), "defaults": None, "closure": None}}),
    "registered": lambda: {"module": "keras.layers", "registered_name": None, **_lambda({"class_name": "__lambda__", "config": {"code": _code()}})},
    "package": lambda: {**_lambda([_code(), None, None]), "class_name": "Custom>Lambda"},
    "shape": lambda: _lambda("f", function_type="function", output_shape=[_code(), None, None], output_shape_type="lambda"),
    "mask": lambda: _lambda("f", function_type="function", mask=[_code(), None, None], mask_type="lambda"),
    "activation": lambda: {"class_name": "Activation", "config": {"activation": {"class_name": "__lambda__", "config": {"code": _code()}}}},
    "metric": lambda: {"class_name": "MeanMetricWrapper", "config": {"fn": {"class_name": "__tuple__", "items": [_code(), None, None]}}},
}  # fmt: skip
_HOLDERS: Final[dict[str, Callable[[_Settings], _Settings]]] = {
    "alone": lambda layer: layer,
    "time": lambda layer: {"class_name": "TimeDistributed", "config": {"name": "t", "layer": layer}},
    "both-ways": lambda layer: {"class_name": "Bidirectional", "config": {"layer": layer, "backward_layer": layer}},
    "functional": lambda layer: {
        "class_name": "Functional",
        "config": {"name": "m", "layers": [{**layer, "name": "l", "inbound_nodes": []}]},
    },
    "sequential": lambda layer: {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "InputLayer", "config": {}}, layer]},
    },
    "written": lambda layer: {
        "name": "m",
        "model_config": json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}),
    },
}
_SAVED: Final = saved_model(meta_graph(graph([node("x", "Placeholder")])))


def _field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def _in_model(settings: _Settings) -> Mapping[str, bytes]:
    objects = [
        {"user_object": {"identifier": "_tf_keras_layer", "metadata": json.dumps(settings), "version": {"producer": 2}}}
    ]
    return {
        "saved_model.pb": saved_model(
            meta_graph(graph([node("x", "Placeholder")]), object_graph_def={"nodes": objects})
        )
    }


_FILES: Final[dict[str, Callable[[_Settings], Mapping[str, bytes]]]] = {
    "metadata": lambda settings: {"saved_model.pb": _SAVED, "keras_metadata.pb": keras_metadata({"class_name": "InputLayer", "config": {}}, settings)},
    "model": _in_model,
    "text": lambda settings: {"model.json": json.dumps(settings).encode()},
}  # fmt: skip
_BROKEN: Final[dict[str, Callable[[bytes], bytes]]] = {
    "no-identifier": lambda text: _field(1, _field(5, text)),
    "other-identifier": lambda text: _field(1, _field(4, b"layer") + _field(5, text)),
    "other-fields": lambda text: _field(1, b"\x08\x01" + _field(2, b"root") + _field(3, b"x") + _field(4, text)),
    "no-message": lambda text: b"\0\1\2\3" + text + b"\xff",
}


def _forged(file: str, holder: str, form: str) -> Mapping[str, bytes]:
    return _FILES[file](_HOLDERS[holder](_FORMS[form]()))


def _broken(how: str) -> Mapping[str, bytes]:
    return {"keras_metadata.pb": _BROKEN[how](json.dumps(_FORMS["tuple"]()).encode())}


_CODE = "keras/lambda-code"
_NAMED = frozenset({"keras/custom-object"})


def _also(file: str, form: str) -> frozenset[str]:
    """What else is told: the function that only has a name; a class of a package, where the settings stand by themselves."""
    return _NAMED if form in ("shape", "mask") or (file, form) == ("text", "package") else frozenset()


#: Every form and every holder at least once with every file.
_CHOSEN = [
    (file, holder, form) for at, file in enumerate(_FILES) for number, holder in enumerate(_HOLDERS) for place, form in enumerate(_FORMS)
    if (number + place) % len(_HOLDERS) == at or (number + place) % len(_HOLDERS) == at + 3
]  # fmt: skip

CASES: tuple[Case, ...] = (
    *(Case(f"keras-settings/{file}-{holder}-{form}", f"a Lambda layer in the settings of Keras: {form}, {holder.replace('-', ' ')}, in the {file}",
           partial(_forged, file, holder, form), "reject", frozenset({_CODE, *_also(file, form)}), ("keras-metadata",))
      for file, holder, form in _CHOSEN),
    *(Case(f"keras-settings/broken-{how}", f"a Lambda layer in a keras_metadata.pb that is no message of Keras: {how.replace('-', ' ')}",
           partial(_broken, how), "reject", frozenset({_CODE, *(["file/malformed"] if how == "no-message" else [])}), ("keras-metadata",)) for how in _BROKEN),
    Case("keras-settings/ordinary", "settings of ordinary layers, one of them written as a text",
         lambda: {**_FILES["metadata"](_HOLDERS["written"]({"class_name": "Dense", "config": {"units": 2, "activation": "relu"}}))},
         "admit", frozenset(), ("keras-metadata",)),
)  # fmt: skip
