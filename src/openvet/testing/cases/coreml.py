"""Core ML: models, packages and compiled programs, hostile and ordinary."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_protobuf import field, message

__all__ = ["CASES", "blobs", "compiled", "model", "network", "package", "program"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_MULTI = {"multiArrayType": {"shape": [4], "dataType": 65568}}
_DESCRIPTION = {
    "input": [{"name": "x", "type": _MULTI}],
    "output": [{"name": "y", "type": _MULTI}],
    "metadata": {"author": "forged", "userDefined": [{"key": "com.github.apple.coremltools.version", "value": "9.0"}]},
}


def model(**kind: Any) -> bytes:
    """A model of the given kind (or kinds)."""
    return message("coreml", "Model", {"specificationVersion": 7, "description": _DESCRIPTION, **kind})


def network(*layers: Mapping[str, Any]) -> bytes:
    """A neural network with one ordinary layer and the given ones."""
    numbers = struct.pack("<4f", 1, 2, 3, 4)
    params = message(
        "coreml",
        "InnerProductLayerParams",
        {"inputChannels": 2, "outputChannels": 2, "weights": field(1, 2, numbers)},  # packed, as every writer has it
    )
    first = {"name": "a", "input": ["x"], "output": ["y"], "innerProduct": params}
    return model(neuralNetwork={"layers": [first, *layers]})


def blobs(count: int = 2, size: int = 64, said: int | None = None) -> bytes:
    """A file of weights."""
    out = bytearray(struct.pack("<II", count, 2) + bytes(56))
    for _ in range(count):
        begin = len(out) + 64
        out += struct.pack("<4sIQQ", b"\xef\xbe\xad\xde", 1, size if said is None else said, begin) + bytes(40)
        out += bytes(range(size)) + bytes(-size % 64)
    return bytes(out)


def program(path: str = "@model_path/weights/weight.bin", offset: int = 64, operation: str = "relu") -> bytes:
    """An ML program with one constant in a file and one operation."""
    kind = {"type": {"tensorType": {"dataType": 10, "rank": 1, "dimensions": [{"constant": {"size": 32}}]}}}
    value = {**kind, "blobFileValue": {"fileName": path, "offset": offset}}
    constant = {"type": "const", "outputs": [{"name": "w", **kind}], "attributes": [{"key": "val", "value": value}]}
    argument = {"arguments": [{"name": "w"}]}
    used = {"type": operation, "inputs": [{"key": "x", "value": argument}], "outputs": [{"name": "y", **kind}]}
    block = {"outputs": ["y"], "operations": [constant, used]}
    function = {"opset": "CoreML7", "block_specializations": [{"key": "CoreML7", "value": block}]}
    return model(mlProgram={"version": 1, "functions": [{"key": "main", "value": function}]})


def package(
    path: str = "com.apple.CoreML/model.mlmodel", spec: bytes | None = None, **files: bytes
) -> dict[str, bytes]:
    """A package with its manifest; ``path`` is that of the root item."""
    root, weights = "0BB9DA22-FA5C-4D9F-8C0A-5D9F3C2D1A10", "1C25A1B9-3B1B-4E7E-9E8B-0D4C7C1F2B11"
    author = "com.apple.CoreML"
    items = {
        root: {"author": author, "description": "CoreML Model Specification", "name": "model.mlmodel", "path": path},
        weights: {"author": author, "description": "CoreML Model Weights", "name": "weights",
                  "path": "com.apple.CoreML/weights"},
    }  # fmt: skip
    manifest = {"fileFormatVersion": "1.0.0", "itemInfoEntries": items, "rootModelIdentifier": root}
    return {
        "Manifest.json": json.dumps(manifest, indent=4).encode(),
        "Data/com.apple.CoreML/model.mlmodel": program() if spec is None else spec,
        "Data/com.apple.CoreML/weights/weight.bin": files.get("weights", blobs()),
    }


def compiled(path: str = "@model_path/weights/weight.bin", operation: str = "relu") -> bytes:
    """The program of a compiled model, as text."""
    constant = f'tensor<fp16, [32]>(BLOBFILE(path = tensor<string, []>("{path}"), offset = tensor<uint64, []>(64)))'
    return f"""program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{{{"coremlc-component-MIL", "5.33.4"}}}})]
{{
    func main<ios16>(tensor<fp16, [32]> x) {{
            tensor<fp16, [32]> w = const()[name = tensor<string, []>("w"), val = {constant}];
            tensor<fp16, [32]> y = {operation}(x = w)[name = tensor<string, []>("op_1(x)")];
        }} -> (y);
}}""".encode()


def _custom_layer(**more: Any) -> bytes:
    return network({"name": "c", "custom": {"className": "MySwish", "description": "forged", **more}})


def _pipeline(inner: bytes) -> bytes:
    return model(pipeline={"models": [network(), inner], "names": ["a", "b"]})


def _linked(name: str, search: str = "$BUNDLE_MAIN") -> bytes:
    file = {"linkedModelFileName": {"defaultValue": name}, "linkedModelSearchPath": {"defaultValue": search}}
    return model(linkedModel={"linkedModelFile": file})


def _reordered(data: bytes) -> bytes:
    """The kind of model first, then what stands before it, then a field that nobody knows."""
    cut = data.index(b"\xb2\x1f")
    return data[cut:] + data[:cut] + field(4000, 2, b"new")


def _case(
    word: str, technique: str, forge: Callable[[], bytes | Mapping[str, bytes]], decision: Literal["admit", "review", "reject"],
    *rules: str, name: str = "model.mlmodel", formats: tuple[str, ...] = ("coreml",),
) -> Case:  # fmt: skip
    return Case(f"coreml/{word}", technique, forge, decision, frozenset(rules), formats, (), name)


_OUT, _CODE, _BYTES = "coreml/outside-path", "coreml/custom-code", "coreml/bytes-outside"
_PACKAGE = ("json", "coreml", "coreml-weights")
CASES: tuple[Case, ...] = (
    _case("weights-outside", "an ML program takes weights from a file that lies elsewhere",
          lambda: program("@model_path/../../../../etc/passwd"), "reject", _OUT),
    _case("weights-absolute", "an ML program takes weights from an absolute path", lambda: program("/etc/passwd"), "reject", _OUT),
    _case("weights-outside-pipeline", "an ML program inside a pipeline inside a pipeline takes weights from elsewhere",
          lambda: _pipeline(_pipeline(program("@model_path/..\\..\\secret"))), "reject", _OUT),
    _case("weights-outside-reordered", "the fields of a model with weights from elsewhere stand in another order, between unknown ones",
          lambda: _reordered(program("@model_path/../../../etc/passwd")), "reject", _OUT),
    _case("manifest-climbs", "an item of a package lies outside of it", lambda: package("../../../.ssh/config"), "reject", _OUT, formats=_PACKAGE),
    _case("manifest-absolute", "an item of a package has an absolute path", lambda: package("/etc/passwd"), "reject", _OUT, formats=_PACKAGE),
    _case("compiled-outside", "a compiled program takes weights from elsewhere",
          lambda: compiled("@model_path/../../../etc/passwd"), "reject", _OUT, name="model.mil", formats=("coreml-mil",)),
    _case("linked-outside", "a linked model is looked for in another folder", lambda: _linked("m", "/opt/x:$BUNDLE_MAIN"), "reject", _CODE, _OUT),
    _case("linked-climbs", "the file of a linked model climbs out", lambda: _linked("../../x.mlmodelc"), "reject", _CODE, _OUT),
    _case("offset-outside", "an ML program takes weights from far behind the end of its file",
          lambda: package(spec=program(offset=1 << 40)), "reject", _BYTES, formats=_PACKAGE),
    _case("custom-pickle", "a custom model carries a pickle as a parameter",
          lambda: model(customModel={"className": "M", "parameters": [{"key": "p", "value": {"bytesValue": _EVIL}}]}),
          "reject", _CODE, "pickle/runs-process"),
    _case("package-pickle", "a pickle stands in a package under the name of the weights",
          lambda: package(weights=_EVIL), "reject", "pickle/runs-process", formats=("pickle",)),
    _case("custom-layer", "a layer that the application brings", _custom_layer, "review", _CODE),
    _case("custom-model", "a model that the application brings", lambda: model(customModel={"className": "M"}), "review", _CODE),
    _case("custom-in-pipeline", "a custom layer of a model inside a pipeline", lambda: _pipeline(_custom_layer()), "review", _CODE),
    _case("custom-operation", "an operation that Core ML does not have", lambda: program(operation="custom_layer"), "review", _CODE),
    _case("compiled-operation", "an operation of a compiled program that Core ML does not have",
          lambda: compiled(operation="my_op"), "review", _CODE, name="model.mil", formats=("coreml-mil",)),
    _case("two-kinds", "a neural network that is also a custom model",
          lambda: network() + message("coreml", "Model", {"customModel": {"className": "M"}}), "review", _CODE, "coreml/structure-lies"),
    _case("linked", "a model that lies in another file", lambda: _linked("other.mlmodelc"), "review", _CODE),
    _case("unknown-field", "a field that Core ML does not have", lambda: network() + b"\xf2\xff\x03\x04more", "review"),
    _case("cut-off", "a model that breaks off", lambda: network()[:-5], "review", "file/malformed"),
    _case("blob-beyond", "a blob that goes beyond the end of the file of weights", lambda: blobs(said=1 << 40), "review", "file/malformed",
          name="weight.bin", formats=("coreml-weights",)),
    _case("blob-trailing", "bytes behind the last blob", lambda: blobs() + b"more of it", "review", "file/trailing-data",
          name="weight.bin", formats=("coreml-weights",)),
    _case("ordinary-network", "an ordinary neural network", network, "admit"),
    _case("ordinary-package", "an ordinary package", package, "admit", formats=_PACKAGE),
    _case("ordinary-pipeline", "an ordinary pipeline with trees and a dictionary",
          lambda: model(pipelineClassifier={"pipeline": {"models": [model(dictVectorizer={"stringToIndex": {"vector": ["a", "b"]}}),
                        model(glmClassifier={"weights": [{"value": [1.0, 2.0]}], "stringClassLabels": {"vector": ["os.system", "eval"]}})]}}), "admit"),
    _case("ordinary-compiled", "an ordinary compiled program", compiled, "admit", name="model.mil", formats=("coreml-mil",)),
    _case("ordinary-compiled-newer", "an ordinary compiled program as newer compilers write it",
          lambda: compiled().replace(b"tensor<string, []>", b"string").replace(b"tensor<uint64, []>", b"uint64"), "admit",
          name="model.mil", formats=("coreml-mil",)),
    _case("compiled-offset", "a compiled program takes weights from where none begin",
          lambda: {"m.mlmodelc/model.mil": compiled().replace(b"[]>(64)", b"[]>(99999)"), "m.mlmodelc/weights/weight.bin": blobs()},
          "reject", _BYTES, formats=("coreml-mil", "coreml-weights")),
    _case("ordinary-linked-metadata", "a model whose description has words of danger",
          lambda: message("coreml", "Model", {"specificationVersion": 4, "description": {**_DESCRIPTION, "metadata": {
              "shortDescription": "never calls os.system('echo x') or ../../etc/passwd"}}, "identity": {}}), "admit"),
)  # fmt: skip
