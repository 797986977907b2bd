"""Keras models: configurations as a file, in a zip, in HDF5; hostile, in need of code, and ordinary."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_hdf5 import Data, floats
from openvet.testing.forge_keras import (
    BYTECODE,
    dense,
    function,
    h5,
    keras3,
    lambda2,
    lambda3,
    layer,
    layer2,
    model2,
    model3,
    weights,
)  # fmt: skip

__all__ = ["CASES"]

_PICKLE = dump(Call(Name("os", "system"), ("echo forged",)), protocol=2)
_WRAPPED = base64.b64encode(_PICKLE).decode()
_LAMBDA, _CALLABLE, _CUSTOM, _FILE = (
    "keras/lambda-code",
    "keras/dangerous-callable",
    "keras/custom-object",
    "keras/reads-file",
)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _bad(
    name: str,
    technique: str,
    forge: Callable[[], Any],
    *rules: str,
    cve: str = "",
    file: str = "model.keras",
    formats: tuple[str, ...] = ("zip", "json"),
) -> Case:
    advisories = tuple(cve.split())
    return Case(f"keras/{name}", technique, forge, "reject", frozenset(rules), formats, advisories, file)


def _odd(
    name: str,
    technique: str,
    forge: Callable[[], Any],
    *rules: str,
    file: str = "model.keras",
    formats: tuple[str, ...] = ("zip", "json"),
) -> Case:
    return Case(f"keras/{name}", technique, forge, "review", frozenset(rules), formats, (), file)


def _good(
    name: str,
    technique: str,
    forge: Callable[[], Any],
    file: str = "model.keras",
    formats: tuple[str, ...] = ("zip", "json"),
) -> Case:
    return Case(f"keras/{name}", technique, forge, "admit", frozenset(), formats, (), file)


_H5 = ("hdf5", "json")
_TEXT = ("json",)

_LAMBDAS = (
    _bad(
        "lambda", "a Lambda layer with bytecode in a .keras file", lambda: keras3(model3(dense(), lambda3())), _LAMBDA
    ),
    _bad(
        "lambda-h5",
        "a Lambda layer in a legacy HDF5 file, for which no safe mode counts",
        lambda: h5(model2(lambda2())),
        _LAMBDA,
        cve="CVE-2025-9905 CVE-2024-3660",
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "lambda-without-type",
        "a Lambda layer whose bytecode no type announces",
        lambda: keras3(
            {
                "class_name": "Sequential",
                "config": {
                    "layers": [{"class_name": "Lambda", "config": {"function": ["bGFtYmRhIHg6IHggKiAy", None, None]}}]
                },
            }
        ),
        _LAMBDA,
    ),
    _bad(
        "lambda-text",
        "a Lambda layer with code in place of the name of its function",
        lambda: h5(
            {
                "class_name": "Sequential",
                "config": {
                    "layers": [
                        {
                            "class_name": "Lambda",
                            "config": {"function": 'lambda x: eval(\'__import__("os").system("echo hello")\')'},
                        }
                    ]
                },
            }
        ),
        "keras/custom-object",
        "hub/command-in-value",
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "lambda-text-harmless",
        "a Lambda layer with code in place of the name of its function, which evaluates a text that does no harm",
        lambda: h5(
            {
                "class_name": "Sequential",
                "config": {
                    "layers": [{"class_name": "Lambda", "config": {"function": "lambda x: eval('print(1)')"}}],
                },
            }
        ),
        "keras/custom-object",
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "lambda-h5-fixed",
        "the configuration is a text of fixed length",
        lambda: h5(model2(lambda2()), as_bytes=True),
        _LAMBDA,
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "lambda-h5-user-block",
        "an HDF5 file behind a user block",
        lambda: h5(model2(lambda2()), user_block=b"notes\n"),
        _LAMBDA,
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "lambda-folder",
        "a config.json in an ordinary folder",
        lambda: {"config.json": _json(model3(lambda3())), "README.md": b"# Model\n"},
        _LAMBDA,
        formats=_TEXT,
    ),
    _bad(
        "lambda-json",
        "an architecture as JSON of Keras 2",
        lambda: _json(model2(lambda2())),
        _LAMBDA,
        file="architecture.json",
        formats=_TEXT,
    ),
    _bad(
        "lambda-yaml",
        "an architecture as YAML",
        lambda: json.dumps(model2(lambda2()), indent=1).encode(),
        _LAMBDA,
        file="architecture.yaml",
        formats=("yaml",),
    ),
    _bad(
        "lambda-gzip",
        "a .keras file inside a gzip stream",
        lambda: gzip.compress(keras3(model3(lambda3())), mtime=0),
        _LAMBDA,
        file="model.keras.gz",
        formats=("gzip", "zip", "json"),
    ),
    _bad(
        "lambda-nested",
        "a model in a wrapper in a model",
        lambda: keras3(
            model3(layer("TimeDistributed", {"layer": model3(layer("Bidirectional", {"layer": lambda3()}))}))
        ),
        _LAMBDA,
    ),
    _bad(
        "lambda-activation",
        "the activation of an ordinary layer is a __lambda__",
        lambda: keras3(
            model3(dense({"class_name": "__lambda__", "config": {"code": BYTECODE, "defaults": None, "closure": None}}))
        ),
        _LAMBDA,
    ),
    _bad(
        "lambda-loss",
        "the loss is a __lambda__ of Keras 3.0, in the settings of the compiler",
        lambda: keras3(
            model3(
                dense(),
                compile_config={"loss": {"class_name": "__lambda__", "config": {"value": [BYTECODE, None, None]}}},
            )
        ),
        _LAMBDA,
    ),
    _bad(
        "lambda-output-shape",
        "only the output shape of a Lambda is bytecode",
        lambda: h5(
            model2(
                layer2(
                    "Lambda",
                    function="relu",
                    function_type="function",
                    output_shape=[BYTECODE, None, None],
                    output_shape_type="lambda",
                )
            )
        ),
        _LAMBDA,
        _CUSTOM,
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "lambda-escaped",
        "names of the configuration are written with escapes",
        lambda: keras3(
            _json(model3(lambda3())).replace(b"Lambda", b"\\u004cambda").replace(b"__lambda__", b"__l\\u0061mbda__")
        ),
        _LAMBDA,
    ),
    _bad(
        "lambda-undecodable",
        "bytecode in a spelling that does not decode",
        lambda: h5(model2(lambda2("not base64 at all"))),
        _LAMBDA,
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "bytecode-custom",
        "bytecode in the argument of a custom class",
        lambda: keras3(model3(layer("Distribution", {"make_fn": [BYTECODE, None, None]}, "my_layers"))),
        _LAMBDA,
        _CUSTOM,
    ),
)

_CALLABLES = (
    _bad(
        "layer-of-the-standard-library",
        "a layer comes from a module of Python itself",
        lambda: keras3(
            model3({"module": "subprocess", "class_name": "Dense", "config": {"units": 1}, "registered_name": None})
        ),
        _CALLABLE,
    ),
    _bad(
        "module-os",
        "a function of any module",
        lambda: keras3(model3(dense(function("os", "system")))),
        _CALLABLE,
        cve="CVE-2025-1550",
    ),
    _bad(
        "module-builtins",
        "eval by way of builtins",
        lambda: keras3(model3(dense(function("builtins", "eval")))),
        _CALLABLE,
        cve="CVE-2025-1550",
    ),
    _bad(
        "module-class",
        "a process as a class",
        lambda: keras3(layer("Popen", {"args": ["echo", "forged"]}, "subprocess")),
        _CALLABLE,
        cve="CVE-2025-1550",
    ),
    _bad(
        "module-reexport",
        "os.system through another module",
        lambda: keras3(model3(dense(function("shutil.os", "system")))),
        _CALLABLE,
    ),
    _bad(
        "module-registered",
        "the registered name leads elsewhere than the function",
        lambda: keras3(model3(dense(function("os", "relu", registered="system")))),
        _CALLABLE,
        _CUSTOM,
    ),
    _bad(
        "get-file",
        "Keras itself downloads a file",
        lambda: keras3(model3(dense(function("keras.utils", "get_file")))),
        _CALLABLE,
        cve="CVE-2025-8747",
    ),
    _bad(
        "get-file-src",
        "the same function under the name of its source",
        lambda: keras3(model3(dense(function("keras.src.utils.file_utils", "get_file")))),
        _CALLABLE,
        cve="CVE-2025-8747",
    ),
    _bad(
        "get-file-tf",
        "the same function by way of TensorFlow",
        lambda: keras3(model3(dense(function("tensorflow.keras.utils", "get_file")))),
        _CALLABLE,
    ),
    _bad(
        "unsafe-deserialization",
        "the configuration switches safe mode off",
        lambda: keras3(
            model3(layer("Lambda", {"function": function("keras.config", "enable_unsafe_deserialization")}), lambda3())
        ),
        _CALLABLE,
        _LAMBDA,
        cve="CVE-2025-9906",
    ),
    _bad(
        "func-load",
        "the function that unmarshals bytecode",
        lambda: keras3(model3(dense(function("keras.src.utils.python_utils", "func_load")))),
        _CALLABLE,
    ),
    _bad(
        "load-model",
        "another model is loaded",
        lambda: keras3(model3(dense(function("keras.models", "load_model")))),
        _CALLABLE,
    ),
    _bad(
        "layer-as-function",
        "a layer with code of its own, called as a function",
        lambda: keras3(model3(dense(function("keras.layers", "TFSMLayer")))),
        _CALLABLE,
    ),
    _bad(
        "lambda-module",
        "a Lambda of Keras 2 names a module and a function in it",
        lambda: h5(model2(layer2("Lambda", function="system", function_type="function", module="os"))),
        _CALLABLE,
        _CUSTOM,
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "tf-operation",
        "an operation of TensorFlow that writes a file",
        lambda: h5(model2(layer2("TFOpLambda", function="io.write_file"))),
        _CALLABLE,
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "metadata",
        "the object stands in another file of the zip",
        lambda: keras3(model3(dense()), {"extra/config.json": _json(function("os", "system"))}),
        _CALLABLE,
    ),
)

_FILES = (
    _bad(
        "vocabulary-file",
        "a lookup layer reads a local file",
        lambda: keras3(model3(layer("StringLookup", {"vocabulary": "/etc/passwd"}))),
        _FILE,
        cve="CVE-2025-12058",
    ),
    _bad(
        "vocabulary-address",
        "a lookup layer opens an address",
        lambda: keras3(model3(layer("IntegerLookup", {"vocabulary": "http://198.51.100.1/v.txt"}))),
        _FILE,
        cve="CVE-2025-12058",
    ),
    _bad(
        "vocabulary-climbs",
        "a text layer leaves its folder",
        lambda: keras3(model3(layer("TextVectorization", {"vocabulary": "a/../../secret.txt"}))),
        _FILE,
    ),
    _bad(
        "vocabulary-h5",
        "the same in HDF5",
        lambda: h5(model2(layer2("StringLookup", vocabulary="gs://bucket/v.txt"))),
        _FILE,
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "saved-model-far",
        "a layer loads a SavedModel from an address",
        lambda: keras3(model3(layer("TFSMLayer", {"filepath": "\\\\host\\share\\model"}))),
        _FILE,
    ),
    _bad(
        "assets-traversal",
        "an asset whose name leaves the folder that it is unpacked to",
        lambda: keras3(model3(dense()), {"assets/../../../evil.txt": b"x"}),
        "archive/path-traversal",
    ),
)

_PICKLES = (
    _bad(
        "torch-module",
        "a wrapped torch module whose pickle starts a process",
        lambda: keras3(model3(layer("TorchModuleWrapper", {"module": _WRAPPED}))),
        "keras/pickled-module",
        "pickle/runs-process",
        cve="CVE-2025-49655",
    ),
    _bad(
        "torch-module-h5",
        "the same in HDF5",
        lambda: h5(model2(layer2("TorchModuleWrapper", module=_WRAPPED))),
        "keras/pickled-module",
        "pickle/runs-process",
        file="model.h5",
        formats=_H5,
    ),
    _bad(
        "npz-pickle",
        "the weights are a pickle under the name of an array file",
        lambda: keras3(model3(dense()), {"model.weights.h5": b"", "model.weights.npz": _PICKLE}),
        "pickle/runs-process",
        "file/name-mismatch",
    ),
)

_REVIEWS = (
    _odd(
        "custom-layer",
        "a registered class of the author's own",
        lambda: keras3(model3({**layer("Scale", {"by": 2}), "module": None, "registered_name": "Custom>Scale"})),
        _CUSTOM,
    ),
    _odd(
        "custom-module",
        "a class of a package that is not Keras",
        lambda: keras3(model3(layer("Scale", {}, "my_package.layers"))),
        _CUSTOM,
    ),
    _odd(
        "custom-h5",
        "a class that HDF5 names without a module",
        lambda: h5(model2(layer2("MyPackage>Scale"))),
        _CUSTOM,
        file="model.h5",
        formats=_H5,
    ),
    _odd(
        "lambda-by-name",
        "a Lambda that names a function of the author's",
        lambda: h5(model2(layer2("Lambda", function="scale", function_type="function"))),
        _CUSTOM,
        file="model.h5",
        formats=_H5,
    ),
    _odd(
        "vocabulary-beside",
        "a vocabulary in a file of the model",
        lambda: keras3(model3(layer("StringLookup", {"vocabulary": "vocab.txt"}))),
        _FILE,
    ),
    _odd(
        "saved-model",
        "a layer that wraps a SavedModel beside it",
        lambda: keras3(model3(layer("TFSMLayer", {"filepath": "saved"}))),
        _FILE,
    ),
)


def _functional() -> dict[str, Any]:
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 4], "dtype": "float32", "keras_history": ["a", 0, 0]},
    }
    operation = layer(
        "Matmul", {"name": "m"}, "keras.src.ops.numpy", name="m", inbound_nodes=[{"args": [tensor], "kwargs": {}}]
    )
    return layer("Functional", {"layers": [dense(), operation], "input_layers": [["a", 0, 0]]}, "keras.src.models.functional",
                 registered_name="Functional")  # fmt: skip


def _compiled() -> dict[str, Any]:
    optimizer = layer("Adam", {"learning_rate": layer("CosineDecay", {"decay_steps": 9}, "keras.optimizers.schedules")},
                      "keras.src.backend.torch.optimizers.torch_adam", registered_name="Adam")  # fmt: skip
    losses = function("builtins", "binary_crossentropy")
    return model3(
        dense(function("keras.activations", "gelu")),
        compile_config={"optimizer": optimizer, "loss": losses, "metrics": ["accuracy"]},
    )


_PLAIN = (
    _good("dense", "a sequential model", lambda: keras3(model3(dense()))),
    _good("functional", "a functional model with an operation", lambda: keras3(_functional())),
    _good("compiled", "a model with optimizer, schedule, loss and metrics", lambda: keras3(_compiled())),
    _good("vocabulary", "a text layer with its words in the configuration",
          lambda: keras3(model3(layer("TextVectorization", {"vocabulary": ["os.system", "eval", "the"], "standardize": "lower_and_strip_punctuation"})))),
    _good("wrapped", "bidirectional recurrent layers", lambda: keras3(model3(layer("Bidirectional", {"layer": layer("LSTM", {"units": 2})})))),
    _good("h5", "a legacy HDF5 model", lambda: h5(model2(layer2("Dense", activation="relu"), layer2("TFOpLambda", function="math.multiply"))),
          file="model.h5", formats=_H5),
    _good("weights", "only weights", weights, file="model.weights.h5", formats=("hdf5",)),
    _good("json", "an architecture as JSON", lambda: _json(model2(layer2("Conv2D", kernel_initializer=layer2("GlorotUniform")))),
          file="architecture.json", formats=_TEXT),
    _good("hub-package", "a class of a sister package", lambda: keras3(layer("GemmaBackbone", {}, "keras_hub.src.models.gemma.gemma_backbone",
          registered_name="keras_hub>GemmaBackbone"))),
    _good("not-keras", "a configuration that has a class_name and is not of Keras",
          lambda: _json({"class_name": "VectorStoreIndex", "config": {"module_path": "x"}, "function": "os.system"}), file="index.json", formats=_TEXT),
    _good("npz-weights", "weights as an array file", lambda: keras3(model3(dense()), {"model.weights.h5": b"", "model.weights.npz": _npz()})),
    _good("deep", "datasets of a hundred layers",
          lambda: weights(more=_layers()), file="model.weights.h5", formats=("hdf5",)),
)  # fmt: skip


def _npz() -> bytes:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    header += b" " * (118 - 1 - len(header)) + b"\n"
    return forge_zip([ZipPart(b"0.npy", b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(8))])


def _layers() -> Any:
    from openvet.testing.forge_hdf5 import Group

    return Group(
        {}, {f"dense_{index}": Group({}, {"vars": Group({}, {"0": Data(floats(2, 2))})}) for index in range(100)}
    )


CASES: tuple[Case, ...] = (*_LAMBDAS, *_CALLABLES, *_FILES, *_PICKLES, *_REVIEWS, *_PLAIN)
