"""ONNX models: external data, Python operations, custom operations, structures that lie, and ordinary models."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case, Files
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_onnx import external, function, graph, model, node, tensor
from openvet.testing.forge_protobuf import field, message

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_DATA, _LIES, _PYTHON, _CUSTOM = "onnx/external-data", "onnx/structure-lies", "onnx/python-operation", "onnx/custom-op"
_CONTEXT, _RUNS = "onnx/compiled-context", "pickle/runs-process"
_OUT = ("CVE-2022-25882", "CVE-2024-27318", "CVE-2026-27489")


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes | Files],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    formats: tuple[str, ...] = ("onnx",),
    advisories: tuple[str, ...] = (),
    file: str = "model.onnx",
) -> Case:
    return Case(f"onnx/{name}", technique, forge, decision, frozenset(rules), formats, advisories, file)


def _outside(name: str, technique: str, location: str, **entries: str) -> Case:
    forge = lambda: model(graph(tensors=[external("w", location, (2, 2), **entries)]))  # noqa: E731
    return _case(f"external-{name}", technique, forge, "reject", _DATA, advisories=_OUT)


def _beside(data: bytes, *tensors: bytes, name: str = "model.onnx_data") -> Callable[[], Files]:
    return lambda: {"model.onnx": model(graph(tensors=tensors)), name: data}


_PLAIN = external("w", "model.onnx_data", offset="0", length="16")
CASES: tuple[Case, ...] = (
    _outside("climbs", "the bytes of a weight lie outside of the folder", "../../../../etc/passwd"),
    _outside("climbs-inside", "the name climbs out in its middle", "data/../../secret.bin"),
    _outside("absolute", "the bytes of a weight are a file of the machine", "/etc/passwd", offset="0", length="16"),
    _outside("windows", "an absolute name of Windows", "C:\\Windows\\win.ini"),
    _outside("backslash", "a name that climbs out on Windows", "..\\..\\secret.bin"),
    _outside("address", "the name is an address", "https://example.org/weights.bin"),
    _outside("file-address", "the name is an address of a file", "file:/etc/passwd"),
    _outside("memory", "an address of the loader's memory in the place of a name", "*/_ORT_MEM_ADDR_/*", offset="4096", length="16"),
    _outside("overflow", "a place beyond 64 bits", "model.onnx_data", offset=str(2**63), length="16"),
    _case("external-in-subgraph", "the name stands in a graph inside of a node",
          lambda: model(graph([node("If", then_branch=(graph(tensors=[external("w", "../secret.bin")]),))])), "reject", _DATA, advisories=_OUT),
    _case("external-in-attribute", "the name stands in a constant",
          lambda: model(graph([node("Constant", value=external("w", "../secret.bin"))])), "reject", _DATA, advisories=_OUT),
    _case("external-in-function", "the name stands in a function",
          lambda: model(graph([node("F", "mine")]), functions=[function("F", [node("Constant", value=external("w", "/etc/passwd"))])]), "reject",
          _DATA, advisories=_OUT),
    _case("external-in-sparse", "the name stands in a sparse weight",
          lambda: model(graph(sparse_initializer=[{"values": external("w", "/etc/passwd"), "dims": [2, 2]}])), "reject", _DATA,
          advisories=_OUT),
    _case("external-in-training", "the name stands in the graph for training",
          lambda: model(training_info=[{"algorithm": graph(tensors=[external("w", "../../x")])}]), "reject", _DATA, advisories=_OUT),
    _case("external-unmarked", "the tensor does not say that its bytes lie outside, and names a file all the same",
          lambda: model(graph(tensors=[tensor("w", external_data=[{"key": "location", "value": "../x"}])])), "reject", _DATA, advisories=_OUT),
    _case("external-unknown-field", "fields that no model has stand before the graph",
          lambda: field(99, 2, b"x") + model(graph(tensors=[external("w", "/etc/passwd")])), "reject", _DATA),
    _case("external-in-zip", "a model in a zip reads a file of the machine",
          lambda: forge_zip([ZipPart(b"m/model.onnx", model(graph(tensors=[external("w", "/etc/passwd")])))]), "reject", _DATA,
          formats=("zip", "onnx"), file="model.zip"),
    _case("external-far", "a place far beyond the end of the file",
          _beside(bytes(16), external("w", "model.onnx_data", offset="1000000", length="16")), "reject", _DATA),
    _case("external-missing", "the file with the weights is not there", lambda: model(graph(tensors=[_PLAIN])), "review", _DATA),
    _case("external-short", "the file with the weights is too short", _beside(bytes(8), _PLAIN), "review", _DATA),
    _case("external-key", "a key that external data does not have",
          _beside(bytes(16), external("w", "model.onnx_data", offset="0", length="16", note="x")), "review", _DATA),
    _case("external-attribute", "a key that sets an attribute of the loader's own object",
          _beside(bytes(16), external("w", "model.onnx_data", offset="0", length="16", __class__="x")), "reject", _DATA,
          advisories=("CVE-2026-34445",)),
    _case("external-many-fields", "hundreds of fields that no model has stand before the graph, and one of another type",
          lambda: field(1, 2, b"x") + field(99, 2, b"x") * 500 + model(graph(tensors=[external("w", "/etc/passwd")])), "reject", _DATA),
    _case("expansion", "functions that call each other twice, forty deep, become more nodes than any machine has room for",
          lambda: model(graph([node("F0", "mine")]), functions=[
              function(f"F{i}", [node(f"F{i + 1}", "mine")] * 2) for i in range(40)] + [function("F40", [node("Relu")])]), "reject", _LIES),
    _case("two-values", "a tensor has raw bytes and numbers: readers differ in which count",
          lambda: model(graph(tensors=[tensor("w", (2, 2), bytes(16), float_data=[1.0, 2.0, 3.0, 4.0])])), "review", _LIES),
    _case("pickle-in-raw-data", "a pickle as the bytes of a constant",
          lambda: model(graph([node("Constant", value=tensor("c", (len(_EVIL),), _EVIL, data_type=2))])), "reject", _RUNS, formats=("onnx", "pickle")),
    _case("pickle-in-base64", "a pickle in base64 as a text of the metadata",
          lambda: model(metadata={"state": base64.b64encode(_EVIL).decode()}), "reject", _RUNS, formats=("onnx", "pickle")),
    _case("pickle-in-texts", "a pickle as an element of a tensor of texts",
          lambda: model(graph(tensors=[message("onnx", "TensorProto", {"dims": [1], "data_type": 8, "name": "t", "string_data": [_EVIL]})])),
          "reject", _RUNS, formats=("onnx", "pickle")),
    _case("program-in-raw-data", "a program as the bytes of a weight",
          lambda: model(graph(tensors=[tensor("w", (64,), b"\x7fELF\x02\x01\x01" + bytes(57), data_type=2)])), "review",
          "file/native-code", formats=("onnx", "elf")),
    _case("context-carried", "a compiled model is carried in a node",
          lambda: model(graph([node("EPContext", "com.microsoft", ep_cache_context="compiled")])), "review", _CONTEXT),
    _case("context-model-outside", "the node of a compiled model names a model outside of the folder",
          lambda: model(graph([node("EPContext", "com.microsoft", embed_mode=0, onnx_model_filename="../../x.onnx")])), "reject", _CONTEXT),
    _case("custom-standard", "an operation of the standard domain that ONNX never had", lambda: model(graph([node("Fancy")])), "review", _CUSTOM),
    _case("ordinary-tensorrt", "the plugin of TensorRT that exported detectors end in", lambda: model(graph([node("EfficientNMS_TRT")])), "admit"),
    _case("ordinary-bytes", "weights whose first bytes look like the start of something",
          lambda: model(graph(tensors=[tensor(f"w{i}", (16,), start + bytes(64 - len(start))) for i, start in enumerate(
              (b"MZ", b"\x80\x04", b"\x1f\x8b", b"x\x9c", b"c\n", b"(lp0", b"BZh", b"\xe3"))])), "admit"),
    _case("external-more", "bytes that no tensor takes", _beside(bytes(16) + b"\x80\x04hidden" * 9, _PLAIN), "review"),
    _case("external-pickle", "the file beside the model is a pickle", _beside(_EVIL, _PLAIN), "reject", _RUNS),
    _case("python-op", "a node calls a Python function by its name",
          lambda: model(graph([node("PythonOp", "com.microsoft", func_name="os.system")])), "reject", _PYTHON),
    _case("py-op", "a node has a module imported and a class of it made",
          lambda: model(graph([node("PyOp", "pyopmulti", module="os", class_name="system")])), "reject", _PYTHON, _CUSTOM),
    _case("python-registered", "a node calls the Python function that whoever loads the model has registered",
          lambda: model(graph([node("PyCustomOpDef_1", "ai.onnx.contrib")])), "review", _PYTHON),
    _case("aten-save", "a node calls an operator of PyTorch that writes files",
          lambda: model(graph([node("ATen", "org.pytorch.aten", operator="aten::save")])), "reject", _PYTHON),
    _case("context-outside", "a compiled model outside of the folder is loaded",
          lambda: model(graph([node("EPContext", "com.microsoft", embed_mode=0, ep_cache_context="../../engine.bin")])), "reject", _CONTEXT),
    _case("negative-extent", "a tensor with a negative extent", lambda: model(graph(tensors=[tensor("w", (-1, 4), bytes(16))])), "reject", _LIES),
    _case("overflow", "extents whose product overflows", lambda: model(graph(tensors=[tensor("w", (2**32, 2**32), bytes(8))])), "reject", _LIES),
    _case("few-bytes", "a tensor with fewer bytes than its extents need", lambda: model(graph(tensors=[tensor("w", (64, 64), bytes(8))])),
          "reject", _LIES),
    _case("many-bytes", "a tensor with more bytes than its extents need", lambda: model(graph(tensors=[tensor("w", (2, 2), bytes(64))])),
          "review", _LIES),
    _case("recursion", "two functions call each other",
          lambda: model(graph([node("A", "mine")]), functions=[function("A", [node("B", "mine")]), function("B", [node("A", "mine")])]),
          "reject", _LIES),
    _case("two-graphs", "two graphs where a model has one: readers differ in which one counts", lambda: model(graph=[graph(), graph()]),
          "review", _LIES),
    _case("pickle-in-metadata", "a pickle as a text of the metadata", lambda: model(metadata={"state": _EVIL.decode("utf-8", "surrogateescape")}),
          "reject", _RUNS, formats=("onnx", "pickle")),
    _case("pickle-in-gzip", "a pickle as an attribute, in a compressed model",
          lambda: gzip.compress(model(graph([node("Constant", value_string=_EVIL.decode("utf-8", "surrogateescape"))])), mtime=0), "reject",
          _RUNS, formats=("gzip", "onnx", "pickle"), file="model.onnx.gz"),
    _case("custom-domain", "an operation of a domain that ONNX Runtime does not bring", lambda: model(graph([node("Fancy", "mine")])), "review",
          _CUSTOM),
    _case("context-beside", "a compiled model beside the model is loaded",
          lambda: model(graph([node("EPContext", "com.microsoft", embed_mode=0, ep_cache_context="engine.bin")])), "review", _CONTEXT),
    _case("cut-off", "a model that breaks off", lambda: model(graph(tensors=[tensor("w", (64,))]))[:-40], "review", "file/malformed"),
    _case("unknown-field", "a field that ONNX does not have", lambda: model() + field(99, 2, b"hidden bytes"), "review"),
    _case("ordinary", "an ordinary model", lambda: model(graph([node("MatMul"), node("Softmax")], [tensor("w"), tensor("b", (4,))])), "admit"),
    _case("ordinary-branches", "branches and loops",
          lambda: model(graph([node("If", then_branch=(graph([node("Relu")]),), else_branch=(graph([node("Neg")]),))])), "admit"),
    _case("ordinary-functions", "functions of the model itself, in a domain of their own",
          lambda: model(graph([node("Gelu", "mine")]), functions=[function("Gelu", [node("Erf"), node("Mul")])]), "admit"),
    _case("ordinary-trees", "a forest of scikit-learn",
          lambda: model(graph([node("TreeEnsembleClassifier", "ai.onnx.ml", post_transform="NONE")]), metadata={"framework": "sklearn"}), "admit"),
    _case("ordinary-contrib", "operations of Microsoft's", lambda: model(graph([node("FusedMatMul", "com.microsoft"), node("Tokenizer", "ai.onnx.contrib")])),
          "admit"),
    _case("ordinary-words", "names and texts that look like calls",
          lambda: model(graph([node("Constant", value_string="import os; os.system('x')")], [tensor("os.system")]), metadata={"PythonOp": "eval(1)"}), "admit"),
    _case("ordinary-external", "weights in one file beside the model",
          _beside(bytes(16) + b"\x80\x3f" * 8, _PLAIN, external("b", "model.onnx_data", (4,), offset="16", length="16")), "admit"),
    _case("ordinary-external-each", "each weight in a file of its own", _beside(b"\x01" * 16, external("w", "layers.0.weight"), name="layers.0.weight"),
          "admit"),
)  # fmt: skip
