"""Values of ONNX by themselves: inputs and outputs that models are tested with, sequences of them, and functions."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_onnx import external, function, node, tensor
from openvet.testing.forge_protobuf import message

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_RUNS = "pickle/runs-process"


def _case(
    word: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    formats: tuple[str, ...] = ("onnx-tensor",),
) -> Case:
    return Case(f"onnx-tensor/{word}", technique, forge, decision, frozenset(rules), formats, (), "input_0.pb")


def _sequence(*tensors: bytes) -> bytes:
    return message("onnx", "SequenceProto", {"name": "x", "elem_type": 1, "tensor_values": list(tensors)})


def _optional(inner: bytes) -> bytes:
    return message("onnx", "OptionalProto", {"name": "x", "elem_type": 3, "sequence_value": inner})


def _function(*nodes: bytes) -> bytes:
    sets = message("onnx", "FunctionProto", {"opset_import": [{"domain": "", "version": 21}]})
    return function("Twice", nodes) + sets


def _numbers() -> bytes:
    floats = struct.pack("<3f", 1.0, 2.0, 3.0)
    return b"\x08\x03\x10\x01" + b"\x22" + bytes([len(floats)]) + floats + b"\x42\x01x"


_HIDDEN = tensor("x", (len(_EVIL),), _EVIL, data_type=2)
CASES: tuple[Case, ...] = (
    _case("pickle", "a pickle as the bytes of a tensor", lambda: _HIDDEN, "reject", _RUNS, formats=("onnx-tensor", "pickle")),
    _case("pickle-in-a-sequence", "the same in an optional sequence", lambda: _optional(_sequence(tensor("y"), _HIDDEN)), "reject", _RUNS,
          formats=("onnx-tensor", "pickle")),
    _case("outside", "a tensor whose bytes lie outside of the folder", lambda: external("x", "../../etc/passwd"), "reject",
          "onnx/external-data"),
    _case("python", "a function with an operation that calls Python",
          lambda: _function(node("PyOp", "ai.onnx.contrib", func_name="forged")), "reject", "onnx/python-operation"),
    _case("custom", "a function with an operation that ONNX does not have", lambda: _function(node("Forged")), "review",
          "onnx/custom-op"),
    _case("short", "a tensor with fewer bytes than its extents need", lambda: tensor("x", (2, 2), bytes(12)), "review",
          formats=("named-protobuf",)),
    _case("more", "a tensor, and behind it a field that no tensor has", lambda: tensor("x") + b"\xfa\x01\x20" + bytes(32), "review",
          formats=("named-protobuf",)),
    _case("ordinary", "a tensor of bytes", lambda: tensor("x"), "admit"),
    _case("ordinary-numbers", "a tensor of packed numbers", _numbers, "admit"),
    _case("ordinary-texts", "a tensor of texts",
          lambda: tensor("x", (2,), b"", data_type=8, string_data=[b"good", b"day"]), "admit"),
    _case("ordinary-sequence", "a sequence of tensors", lambda: _sequence(tensor("a"), tensor("b", (3,))), "admit"),
    _case("ordinary-optional", "an optional sequence", lambda: _optional(_sequence(tensor("a"))), "admit"),
    _case("ordinary-function", "a function of known operations", lambda: _function(node("Add"), node("Relu")), "admit"),
)  # fmt: skip
