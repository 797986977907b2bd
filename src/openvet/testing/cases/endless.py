"""Graphs of TensorFlow and TensorFlow Lite that never end, or only after an absurd number of turns; and the loops of ordinary models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from openvet.testing.case import Case
from openvet.testing.forge_flatbuffers import forge_buffer
from openvet.testing.forge_protobuf import message
from openvet.testing.forge_tensorflow import graph, meta_graph, node, saved_model

__all__ = ["CASES"]

_Decision = Literal["admit", "review", "reject"]
_INT, _LONG, _BOOL = 3, 9, 10
_RULE = "tensorflow/graph-lies"


def _number(name: str, value: int, kind: int = _LONG) -> bytes:
    key = {_INT: "int_val", _LONG: "int64_val", _BOOL: "bool_val"}[kind]
    tensor = {"dtype": kind, "tensor_shape": {}, key: [value]}
    return node(name, "Const", (), {"dtype": {"type": kind}, "value": {"tensor": tensor}})


def _function(name: str, arguments: Sequence[str], results: Sequence[str], nodes: Sequence[bytes]) -> bytes:
    signature = {
        "name": name,
        "input_arg": [{"name": each, "type": _LONG} for each in arguments],
        "output_arg": [{"name": f"r{number}", "type": _LONG} for number, _ in enumerate(results)],
    }
    ret = [{"key": f"r{number}", "value": each} for number, each in enumerate(results)]
    return message("tensorflow", "FunctionDef", {"signature": signature, "node_def": list(nodes), "ret": ret})


def _call(key: str, name: str) -> Mapping[str, Any]:
    return {key: {"func": {"name": name}}}


def _while(inputs: Sequence[str], op: str = "While") -> bytes:
    return node("loop", op, inputs, {**_call("cond", "c"), **_call("body", "b")})


#: ``i + 1`` in a body, and what compares ``i`` with a number in a condition.
_NEXT: Final = [_number("one", 1), node("next", "AddV2", ["i", "one:output:0"])]


def _below(number: int, op: str = "Less") -> list[bytes]:
    return [_number("n", number), node("d", op, ["i", "n:output:0"])]


def _counted(number: int, op: str = "StatelessWhile") -> tuple[list[bytes], list[bytes]]:
    return (
        [_number("zero", 0), _while(["zero"], op)],
        [_function("c", ["i"], ["d:z:0"], _below(number)), _function("b", ["i"], ["next:z:0"], _NEXT)],
    )


_TRUE = _number("t", 1, _BOOL)
_GRAPHS: dict[str, tuple[Sequence[bytes], Sequence[bytes]]] = {
    "true": ([_number("zero", 0), _while(["zero"])], [_function("c", ["i"], ["t:output:0"], [_TRUE]), _function("b", ["i"], ["next:z:0"], _NEXT)]),
    "true-stateless": ([_number("zero", 0), _while(["zero"], "StatelessWhile")],
                       [_function("c", ["i"], ["s:output:0"], [_TRUE, node("s", "Identity", ["t:output:0"])]), _function("b", ["i"], ["i"], [])]),
    "true-not-false": ([_number("zero", 0), _while(["zero"])],
                       [_function("c", ["i"], ["s:y:0"], [_number("f", 0, _BOOL), node("s", "LogicalNot", ["f:output:0"])]), _function("b", ["i"], ["i"], [])]),
    "true-or": ([_number("zero", 0), _while(["zero"])],
                [_function("c", ["i"], ["s:z:0"], [_TRUE, *_below(3), node("s", "LogicalOr", ["d:z:0", "t:output:0"])]),
                 _function("b", ["i"], ["next:z:0"], _NEXT)]),
    "handed-on": ([_TRUE, _while(["t"])], [_function("c", ["x"], ["x"], []), _function("b", ["x"], ["s:output:0"], [node("s", "Identity", ["x"])])]),
    "set-again": ([_TRUE, _while(["t"])], [_function("c", ["x"], ["x"], []), _function("b", ["x"], ["t:output:0"], [_TRUE])]),
    "never-nearer": ([_number("zero", 0), _while(["zero"])], [_function("c", ["i"], ["d:z:0"], _below(5)), _function("b", ["i"], ["i"], [])]),
    "away": ([_number("zero", 0), _while(["zero"])],
             [_function("c", ["i"], ["d:z:0"], _below(5)),
              _function("b", ["i"], ["next:z:0"], [_number("one", 1), node("next", "Sub", ["i", "one:output:0"])])]),
    "counted": _counted(2**40),
    "counted-down": ([_number("many", 2**50), _while(["many"])],
                     [_function("c", ["i"], ["d:z:0"], _below(0, "Greater")),
                      _function("b", ["i"], ["next:z:0"], [_number("one", 1), node("next", "Sub", ["i", "one:output:0"])])]),
    "missed": ([_number("zero", 0), _while(["zero"])],
               [_function("c", ["i"], ["d:z:0"], _below(7, "NotEqual")),
                _function("b", ["i"], ["next:z:0"], [_number("two", 2), node("next", "AddV2", ["i", "two:output:0"])])]),
    "in-a-function": ([node("call", "PartitionedCall", [], _call("f", "outer"))],
                      [_function("outer", [], ["loop:output:0"], [_number("zero", 0), _while(["zero:output:0"])]),
                       _function("c", ["i"], ["t:output:0"], [_TRUE]), _function("b", ["i"], ["next:z:0"], _NEXT)]),
    "condition-calls": ([_number("zero", 0), _while(["zero"])],
                        [_function("c", ["i"], ["k:output:0"], [node("k", "StatefulPartitionedCall", ["i"], _call("f", "inner"))]),
                         _function("inner", ["j"], ["t:output:0"], [_TRUE]), _function("b", ["i"], ["next:z:0"], _NEXT)]),
    "nested": ([_number("zero", 0), _while(["zero"])],
               [_function("c", ["i"], ["d:z:0"], _below(10**6)),
                _function("b", ["i"], ["next:z:0"], [*_NEXT, _number("zero", 0),
                                                    node("in", "While", ["zero:output:0"], {**_call("cond", "c2"), **_call("body", "b2")})]),
                _function("c2", ["i"], ["d:z:0"], _below(10**6)), _function("b2", ["i"], ["next:z:0"], _NEXT)]),
    "merges": ([_number("zero", 0), node("enter", "Enter", ["zero"], {"frame_name": "a"}), node("merge", "Merge", ["enter", "turn"]), _TRUE,
                node("lc", "LoopCond", ["t"]), node("switch", "Switch", ["merge", "lc"]), node("turn", "NextIteration", ["switch:1"])], []),
    "merges-counted": ([_number("zero", 0), node("enter", "Enter", ["zero"], {"frame_name": "a"}), node("merge", "Merge", ["enter", "turn"]),
                        _number("n", 2**45), node("d", "Less", ["merge", "n"]), node("lc", "LoopCond", ["d"]), node("switch", "Switch", ["merge", "lc"]),
                        _number("one", 1), node("next", "Add", ["switch:1", "one"]), node("turn", "NextIteration", ["next"])], []),
    "calls-itself": ([node("call", "PartitionedCall", [], _call("f", "a"))],
                     [_function("a", [], [], [node("k", "PartitionedCall", [], _call("f", "e"))]), _function("e", [], [], [node("k", "a", [])])]),
    "calls-multiply": ([node("call", "f0", [])],
                       [*(_function(f"f{at}", [], [], [node(f"k{each}", f"f{at + 1}", []) for each in range(10)]) for at in range(10)),
                        _function("f10", [], [], [node("x", "NoOp")])]),
}  # fmt: skip
_ORDINARY: dict[str, tuple[Sequence[bytes], Sequence[bytes]]] = {
    "counted": _counted(1000),
    "counted-large": _counted(10**7),
    "until-input": ([node("x", "Placeholder"), _number("zero", 0), _while(["zero", "x"])],
                    [_function("c", ["i", "x"], ["d:z:0"], [node("d", "Less", ["i", "x"])]), _function("b", ["i", "x"], ["next:z:0", "x"], _NEXT)]),
    "until-done": ([_number("zero", 0), _number("f", 0, _BOOL), _while(["zero", "f"])],
                   [_function("c", ["i", "done"], ["s:z:0"],
                              [*_below(2**31 - 1), node("k", "LogicalNot", ["done"]), node("s", "LogicalAnd", ["d:z:0", "k:y:0"])]),
                    _function("b", ["i", "done"], ["next:z:0", "e:z:0"], [*_NEXT, _number("n", 5), node("e", "Equal", ["i", "n:output:0"])])]),
    "calls": ([node("call", "PartitionedCall", [], _call("f", "a")), node("again", "PartitionedCall", [], _call("f", "a"))],
              [_function("a", [], [], [node("k", "PartitionedCall", [], _call("f", "e"))]), _function("e", [], [], [node("k", "NoOp")])]),
    "merges": ([_number("zero", 0), node("enter", "Enter", ["zero"], {"frame_name": "a"}), node("merge", "Merge", ["enter", "turn"]),
                _number("n", 80), node("d", "Less", ["merge", "n"]), node("lc", "LoopCond", ["d"]), node("switch", "Switch", ["merge", "lc"]),
                _number("one", 1), node("next", "Add", ["switch:1", "one"]), node("turn", "NextIteration", ["next"])], []),
}  # fmt: skip


def _saved(nodes: Sequence[bytes], functions: Sequence[bytes]) -> bytes:
    return saved_model(meta_graph(graph(nodes, functions)))


def _lite(*, condition: Mapping[str, Any], body: Mapping[str, Any]) -> bytes:
    """A model whose only operation is a loop over one number."""
    loop = {
        "opcode_index": 0,
        "inputs": [0],
        "outputs": [1],
        "builtin_options": ("WhileOptions", {"cond_subgraph_index": 1, "body_subgraph_index": 2}),
    }
    main = {"name": "main", "tensors": [_tensor(1), _tensor(0)], "inputs": [], "outputs": [1], "operators": [loop]}
    codes = [{"deprecated_builtin_code": each, "builtin_code": each} for each in (119, 0, 58)]
    buffers = [
        {"data": []},
        *({"data": list(each.to_bytes(8, "little", signed=True))} for each in (0, 1, 2**45, 10)),
        {"data": [1]},
    ]
    return forge_buffer(
        "tflite",
        {"version": 3, "operator_codes": codes, "subgraphs": [main, condition, body], "buffers": buffers},
        b"TFL3",
    )


def _tensor(buffer: int, kind: int = 4) -> Mapping[str, Any]:
    return {"name": f"t{buffer}", "shape": [], "type": kind, "buffer": buffer}


_LITE_TRUE = {"name": "c", "tensors": [_tensor(0), _tensor(5, 6)], "inputs": [0], "outputs": [1], "operators": []}
_LITE_NEXT = {"name": "b", "tensors": [_tensor(0), _tensor(2), _tensor(0)], "inputs": [0], "outputs": [2],
              "operators": [{"opcode_index": 1, "inputs": [0, 1], "outputs": [2]}]}  # fmt: skip


def _lite_below(buffer: int) -> Mapping[str, Any]:
    return {"name": "c", "tensors": [_tensor(0), _tensor(buffer), _tensor(0, 6)], "inputs": [0], "outputs": [2],
            "operators": [{"opcode_index": 2, "inputs": [0, 1], "outputs": [2]}]}  # fmt: skip


def _case(name: str, what: str, forge: Any, decision: _Decision, kind: str, file: str, rule: str = _RULE) -> Case:
    rules = frozenset() if decision == "admit" else frozenset({rule})
    return Case(f"endless/{name}", what, forge, decision, rules, (kind,), (), file)


_LITE: tuple[tuple[str, str, Callable[[], bytes], _Decision], ...] = (
    ("true", "whose condition is true", partial(_lite, condition=_LITE_TRUE, body=_LITE_NEXT), "reject"),
    ("counted", "with an absurd count", partial(_lite, condition=_lite_below(3), body=_LITE_NEXT), "reject"),
    ("ordinary", "of ten turns", partial(_lite, condition=_lite_below(4), body=_LITE_NEXT), "admit"),
)

CASES: tuple[Case, ...] = (
    *(_case(f"saved-{name}", f"a SavedModel with a loop that does not end: {name.replace('-', ' ')}", partial(_saved, *parts), "reject",
            "tf-saved-model", "saved_model.pb") for name, parts in _GRAPHS.items()),
    *(_case(f"graph-{name}", f"a frozen graph with a loop that does not end: {name.replace('-', ' ')}", partial(graph, *_GRAPHS[name]), "reject",
            "tf-graph", "frozen.pb") for name in ("true", "merges", "counted")),
    _case("meta-true", "a meta graph with a loop that does not end", lambda: meta_graph(graph(*_GRAPHS["true"])), "reject", "tf-meta-graph", "model.meta"),
    _case("long", "a loop of 2**29 turns", partial(_saved, *_counted(2**29)), "review", "tf-saved-model", "saved_model.pb"),
    *(_case(f"ordinary-{name}", f"an ordinary loop or call: {name.replace('-', ' ')}", partial(_saved, *parts), "admit", "tf-saved-model",
            "saved_model.pb") for name, parts in _ORDINARY.items()),
    *(_case(f"lite-{name}", f"a TensorFlow Lite model with a loop {what}", forge, decision, "tflite", "model.tflite", "flatbuffer/structure-lies")
      for name, what, forge, decision in _LITE),
)  # fmt: skip
