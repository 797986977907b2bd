"""Models for devices: TensorFlow Lite, ONNX Runtime and ExecuTorch, hostile and ordinary."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_flatbuffers import forge_buffer

__all__ = ["CASES", "executorch_program", "ort_model", "tflite_model"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)


def tflite_model(*custom: str, builtin: int = 0, **more: Any) -> bytes:
    """A model with one tensor and one operator of each kind."""
    codes: list[dict[str, Any]] = [{"deprecated_builtin_code": builtin, "builtin_code": builtin}]
    codes += [{"deprecated_builtin_code": 32, "builtin_code": 32, "custom_code": name} for name in custom]
    operators: list[dict[str, Any]] = [
        {"opcode_index": index, "inputs": [0], "outputs": [1]} for index in range(len(codes))
    ]
    operators[0]["builtin_options"] = ("AddOptions", {"fused_activation_function": 1})
    weights = struct.pack("<4f", 1, 2, 3, 4)
    root: dict[str, Any] = {
        "version": 3,
        "operator_codes": codes,
        "subgraphs": [
            {
                "tensors": [
                    {"shape": [2, 2], "buffer": 1, "name": "weights"},
                    {"shape": [2, 2], "buffer": 0, "name": "out"},
                ],
                "inputs": [0],
                "outputs": [1],
                "operators": operators,
                "name": "main",
            }
        ],
        "description": "forged",
        "buffers": [{}, {"data": weights}],
    }
    root.update(more)
    return forge_buffer("tflite", root, b"TFL3")


def _tflite_graph(tensor: dict[str, Any], **operator: list[int]) -> bytes:
    """A model with one operator whose first tensor, with a buffer of 16 bytes, is ``tensor``."""
    graph = {
        "tensors": [{"buffer": 1, "name": "weights", **tensor}, {"shape": [2, 2], "buffer": 0, "name": "out"}],
        "inputs": [0],
        "outputs": [1],
        "operators": [{"opcode_index": 0, "inputs": [0], "outputs": [1], **operator}],
        "name": "main",
    }
    return tflite_model(subgraphs=[graph])


def _tflite_running(*runs: tuple[int, dict[str, Any], list[int]]) -> bytes:
    """A model whose first operator runs other graphs: an operator of this number with these options for each of the graphs given."""
    tensors = [{"shape": [1], "buffer": 0, "name": "x"}]
    names = {119: "WhileOptions", 118: "IfOptions", 129: "CallOnceOptions"}  # without fields: those of another operator
    graphs = [
        {
            "tensors": tensors,
            "inputs": [0],
            "outputs": [0],
            "operators": [
                {
                    "opcode_index": index,
                    "inputs": [0],
                    "outputs": [0],
                    "builtin_options": (names[number] if options else "IfOptions", options),
                }
                for index, (number, options, where) in enumerate(runs)
                if place in where
            ],
            "name": f"graph {place}",
        }
        for place in range(3)
    ]
    codes = [{"deprecated_builtin_code": min(each, 127), "builtin_code": each} for each, _, _ in runs]
    return tflite_model(operator_codes=codes, subgraphs=graphs)


def _tflite_reshape(new: list[int], output: list[int], shape: int | None = None) -> bytes:
    """A model that reshapes: by its options, or by a tensor of so many numbers."""
    tensors = [{"shape": [4], "buffer": 0, "name": "x"}, {"shape": output, "buffer": 0, "name": "y"}]
    tensors += [{"shape": [shape], "type": 2, "buffer": 1, "name": "shape"}] if shape is not None else []
    operator = {
        "opcode_index": 0,
        "inputs": [0, 2] if shape is not None else [0],
        "outputs": [1],
        "builtin_options": ("ReshapeOptions", {"new_shape": new}),
    }
    graph = {"tensors": tensors, "inputs": [0], "outputs": [1], "operators": [operator], "name": "main"}
    return tflite_model(builtin=22, subgraphs=[graph], buffers=[{}, {"data": bytes(4 * (shape or 1))}])


def ort_model(*operations: tuple[str, str], attributes: list[dict[str, Any]] | None = None) -> bytes:
    """A model with one initializer and the given nodes."""
    nodes: list[dict[str, Any]] = [
        {"name": f"node {index}", "domain": domain, "op_type": name, "inputs": ["x"], "outputs": ["y"]}
        for index, (domain, name) in enumerate(operations)
    ]
    if attributes:
        nodes[-1]["attributes"] = attributes
    graph = {
        "initializers": [{"name": "w", "dims": [2], "data_type": 1, "raw_data": bytes(8)}],
        "nodes": nodes,
        "inputs": ["x"],
        "outputs": ["y"],
    }
    model = {"ir_version": 9, "producer_name": "forged", "graph": graph}
    return forge_buffer("ort", {"ort_version": "6", "model": model}, b"ORTM")


def executorch_program(
    *operators: str, backend: str = "", blob: bytes = b"", segment: bytes = b"", said: int | None = None
) -> bytes:
    """A program with the given operators, one delegate and one segment."""
    plan: dict[str, Any] = {
        "name": "forward",
        "values": [
            {"val": ("Tensor", {"scalar_type": 6, "sizes": [2, 2], "data_buffer_idx": 1})},
            {"val": ("Int", {"int_val": 1})},
        ],
        "inputs": [0],
        "outputs": [0],
        "operators": [{"name": name, "overload": "out"} for name in operators],
        "chains": [{"instructions": [{"instr_args": ("KernelCall", {"op_index": 0, "args": [0, 1]})}]}],
    }
    root: dict[str, Any] = {"version": 0, "execution_plan": [plan]}
    if backend:
        plan["delegates"] = [{"id": backend, "processed": {"location": 0, "index": 0}}]
        root["backend_delegate_data"] = [{"data": blob}]
    if segment:
        root["segments"] = [{"offset": 0, "size": len(segment) if said is None else said}]
    data = forge_buffer("executorch", root, b"ET12", extended=bool(segment))
    if not segment:
        return data
    header = b"eh00" + struct.pack("<IQQQ", 32, len(data), len(data), len(segment))
    return data[:8] + header + data[8 + len(header) :] + segment


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    advisories: tuple[str, ...] = (),
) -> Case:
    kind = name.split("-", maxsplit=1)[0]
    ending = {"tflite": ".tflite", "ort": ".ort", "executorch": ".pte"}[kind]
    return Case(f"device/{name}", technique, forge, decision, frozenset(rules), (kind,), advisories, f"model{ending}")


def _twice() -> bytes:
    """The operator codes are given the offset of the buffers: tables of one type used as those of another."""
    data = bytearray(tflite_model())
    root = int.from_bytes(data[:4], "little")
    vtable = root - int.from_bytes(data[root : root + 4], "little", signed=True)
    slots = struct.unpack("<5H", data[vtable + 4 : vtable + 14])
    codes, buffers = root + slots[1], root + slots[4]
    target = buffers + int.from_bytes(data[buffers : buffers + 4], "little")
    data[codes : codes + 4] = struct.pack("<I", target - codes)
    return bytes(data)


def _appended(data: bytes) -> bytes:
    """A model with a zip behind it, as the metadata library appends it: offsets count from the start of the file."""
    return forge_zip([ZipPart(b"labels.txt", b"cat\ndog\n"), ZipPart(b"vocab.txt", b"a\nb\n")], prefix=data)


def _nested(inner: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": "then_branch", "type": 5, "g": {"nodes": inner}}]


_FLEX = ("FlexWriteFile", "FlexReadFile", "FlexPyFunc", "FlexEagerPyFunc", "FlexRpcCall")
_HOSTILE = (
    *(
        _case(f"tflite-{name.lower()}", f"{name}: an operation of TensorFlow inside a model for phones",
              lambda name=name: tflite_model(name), "reject", "tflite/flex-op")  # type: ignore[misc]
        for name in _FLEX
    ),
    _case("tflite-zip-pickle", "a pickle among the appended files",
          lambda: forge_zip([ZipPart(b"labels.pkl", _EVIL, 8)], prefix=tflite_model()), "reject", "pickle/runs-process"),
    _case("tflite-external-path", "weights from a file outside the model",
          lambda: tflite_model(external_buffer_groups=[{"name": "../../../etc/passwd"}]), "reject",
          "tflite/outside-path"),
    _case("ort-context-outside", "a compiled model from outside the folder",
          lambda: ort_model(("com.microsoft", "EPContext"), attributes=[
              {"name": "ep_cache_context", "type": 3, "s": "../../engine.bin"}]), "reject", "onnx/compiled-context"),
    _case("executorch-elf", "a shared library in a segment that a backend loads",
          lambda: executorch_program("aten::add", backend="AotiBackend", segment=b"\x7fELF\x02\x01\x01" + bytes(57)),
          "reject", "executorch/custom-code", "file/native-code"),
    _case("executorch-pickle", "a pickle as the blob of a delegate",
          lambda: executorch_program("aten::add", backend="PickleBackend", blob=_EVIL), "reject",
          "executorch/custom-code", "pickle/runs-process"),
)  # fmt: skip
_REVIEW = (
    _case("tflite-custom", "a custom operator that nobody publishes", lambda: tflite_model("MyFancyOp"), "review",
          "tflite/custom-op"),
    _case("tflite-flex-unknown", "a Flex operator that TensorFlow does not have", lambda: tflite_model("FlexNoSuchThing"),
          "review", "tflite/flex-op"),
    _case("tflite-buffer-outside", "a buffer far outside the file",
          lambda: tflite_model(buffers=[{}, {"offset": 4096, "size": 1 << 40}]), "review", "tflite/buffer-outside",
          advisories=("CVE-2020-15212",)),
    _case("tflite-buffer-over-header", "a buffer that lies over the description of the model",
          lambda: tflite_model(buffers=[{}, {"offset": 8, "size": 16}]), "review", "tflite/buffer-outside"),
    *(
        _case(f"tflite-{name}", what, lambda tensor=tensor, operator=operator: _tflite_graph(tensor, **operator), "review",  # type: ignore[misc]
              "flatbuffer/structure-lies", advisories=("CVE-2020-15211",))
        for name, what, tensor, operator in (
            ("tensor-larger", "a tensor that needs more bytes than its buffer has", {"shape": [64, 64]}, {}),
            ("tensor-overflows", "extents whose product overflows 32 bits", {"shape": [65536, 65536]}, {}),
            ("tensor-negative", "a negative extent of a tensor with a buffer", {"shape": [-2, 2]}, {}),
            ("tensor-packed-larger", "a tensor of 4 bits that needs more than its buffer has", {"shape": [34], "type": 17}, {}),
            ("input-outside", "an operator that takes a tensor that is not there", {"shape": [2, 2]}, {"inputs": [0, 7]}),
            ("input-negative", "an operator that takes a tensor in front of the first one", {"shape": [2, 2]}, {"inputs": [0, -2]}),
            ("output-left-out", "an operator that writes to no tensor", {"shape": [2, 2]}, {"outputs": [-1]}),
        )
    ),
    *(
        _case(f"tflite-{name}", what, lambda runs=runs: _tflite_running(*runs), "reject", "flatbuffer/structure-lies",  # type: ignore[misc]
              advisories=("CVE-2021-29591",))
        for name, what, runs in (
            ("loop-of-itself", "a loop whose body is the graph that it stands in",
             [(119, {"cond_subgraph_index": 1, "body_subgraph_index": 0}, [0])]),
            ("loop-without-options", "a loop with the options of another operator, which are zeros", [(119, {}, [0])]),
            ("branch-of-itself", "a branch of a branch that leads back", [(118, {"then_subgraph_index": 1, "else_subgraph_index": 2}, [0]),
                                                                         (118, {"then_subgraph_index": 2, "else_subgraph_index": 0}, [1])]),
            ("starts-itself", "a graph that is initialised by itself", [(129, {"init_subgraph_index": 2}, [2])]),
        )
    ),
    _case("tflite-reshape-extents", "a reshape to six extents of an output that has one", lambda: _tflite_reshape([1] * 5 + [4], [4]), "reject",
          "flatbuffer/structure-lies"),
    _case("tflite-reshape-tensor", "the same by a tensor with the shape", lambda: _tflite_reshape([4], [4], 6), "reject",
          "flatbuffer/structure-lies"),
    _case("tflite-two-types", "one table used as two types", _twice, "review", "flatbuffer/structure-lies", "file/trailing-data"),
    _case("tflite-trailing", "bytes behind the model", lambda: tflite_model() + b"\xfe\xffhidden here", "review",
          "file/trailing-data"),
    _case("tflite-cut", "a model that is cut off", lambda: tflite_model()[:-60], "review", "file/malformed"),
    _case("ort-custom", "an operation of a foreign domain", lambda: ort_model(("", "Add"), ("my.domain", "Run")), "review",
          "onnx/custom-op"),
    _case("ort-custom-nested", "an operation of a foreign domain in a branch of a branch",
          lambda: ort_model(("", "If"), attributes=_nested([{"domain": "", "op_type": "If", "attributes": _nested(
              [{"domain": "my.domain", "op_type": "Run"}])}])), "review", "onnx/custom-op"),
    _case("ort-context-carried", "a compiled model inside the node, as where nothing says whether it is",
          lambda: ort_model(("com.microsoft", "EPContext"), attributes=[
              {"name": "ep_cache_context", "type": 3, "s": "compiled"}]), "review", "onnx/compiled-context"),
    _case("ort-context-carried-said", "a compiled model inside the node, which says so",
          lambda: ort_model(("com.microsoft", "EPContext"), attributes=[
              {"name": "ep_cache_context", "type": 3, "s": "compiled"}, {"name": "embed_mode", "type": 2, "i": 1}]), "review",
          "onnx/compiled-context"),
    _case("ort-context-beside", "a compiled model beside the file",
          lambda: ort_model(("com.microsoft", "EPContext"), attributes=[
              {"name": "ep_cache_context", "type": 3, "s": "engine.bin"}]), "review", "onnx/compiled-context"),
    _case("executorch-operator", "operators of a foreign namespace", lambda: executorch_program("mine::run"), "review",
          "executorch/custom-code"),
    _case("executorch-segment-outside", "a segment that ends behind the file",
          lambda: executorch_program("aten::add", segment=bytes(64), said=1 << 50), "review", "flatbuffer/structure-lies"),
)  # fmt: skip
_HARMLESS = (
    _case("tflite-ordinary", "an ordinary model", tflite_model, "admit"),
    _case("tflite-ordinary-branches", "a branch and a loop over the same graphs", lambda: _tflite_running(
        (118, {"then_subgraph_index": 1, "else_subgraph_index": 2}, [0]), (118, {"then_subgraph_index": 2, "else_subgraph_index": 2}, [1])), "admit"),
    _case("tflite-ordinary-reshape", "a reshape to four extents of an output that has four", lambda: _tflite_reshape([1, 2, 2, 1], [1, 2, 2, 1]),
          "admit"),
    _case("tflite-ordinary-reshape-tensor", "a reshape by a tensor with the shape, with an old one in its options",
          lambda: _tflite_reshape([1, 1, 4], [4], 1), "admit"),
    _case("tflite-ordinary-reshape-unknown", "a reshape of an output whose extents are not known", lambda: _tflite_reshape([2, 2], []), "admit"),
    _case("tflite-ordinary-packed", "an ordinary model with weights of 4 bits and an input that is left out",
          lambda: _tflite_graph({"shape": [31], "type": 17}, inputs=[0, -1]), "admit"),
    _case("tflite-ordinary-custom", "the custom operator of detection models",
          lambda: tflite_model("TFLite_Detection_PostProcess"), "admit"),
    _case("tflite-ordinary-flex", "a Flex operator that only computes", lambda: tflite_model("FlexErf"), "admit"),
    _case("tflite-ordinary-metadata", "labels that the metadata library appends", lambda: _appended(tflite_model()),
          "admit"),
    _case("ort-ordinary", "an ordinary model", lambda: ort_model(("", "Add"), ("com.microsoft", "FusedConv")), "admit"),
    _case("ort-ordinary-branch", "an ordinary model with a branch",
          lambda: ort_model(("", "If"), attributes=_nested([{"domain": "", "op_type": "Relu"}])), "admit"),
    _case("executorch-ordinary", "an ordinary program", lambda: executorch_program("aten::add"), "admit"),
    _case("executorch-ordinary-xnnpack", "a program for XNNPACK with a segment of weights",
          lambda: executorch_program("aten::add", backend="XnnpackBackend", blob=b"XH00" + bytes(60),
                                     segment=struct.pack("<16f", *range(16))), "admit"),
)  # fmt: skip
CASES: tuple[Case, ...] = _HOSTILE + _REVIEW + _HARMLESS
