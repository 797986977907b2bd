"""ONNX: what is told of tensors, operations and files, and what is refused. The cases hold the decisions."""

from __future__ import annotations

import struct
import time

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import onnx
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.io.source import BytesSource
from openvet.testing.forge_onnx import external, function, graph, model, node, tensor
from openvet.testing.forge_protobuf import field, message
from openvet.testing.forge_tensorflow import graph as tf_graph
from openvet.testing.forge_tensorflow import meta_graph, saved_model


def read(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("model.onnx", "model.onnx", Budget(limits or Limits()))
    onnx.read(BytesSource(data), facts)
    return facts


def likeness(data: bytes) -> Likeness:
    return onnx.probe(Head("x", BytesSource(data)))


def lies(data: bytes) -> list[str]:
    return [str(each.evidence.get("lie")) for each in read(data).anomalies]


def test_tensors_with_their_places() -> None:
    data = model(
        graph(tensors=[tensor("w", (2, 2), b"\x01" * 16), external("b", "./x.bin", (4,), offset="8", length="16")])
    )
    facts = read(data)
    at = data.index(b"\x01" * 16)
    assert facts.tensors == [Tensor("w", "F32", (2, 2), at, 16), Tensor("b", "F32", (4,), None, 16)]
    assert facts.claims == {"x.bin": [(8, 16)]}
    assert facts.metadata["external_data"] == ["x.bin"]
    assert (facts.anomalies, facts.unknowns, facts.coverage) == ([], [], Coverage.READ)


def test_operations_of_graphs_functions_and_branches() -> None:
    branch = graph([node("Neg"), node("If", then_branch=(graph([node("Abs")]),))])
    data = model(
        graph([node("If", then_branch=(branch,)), node("F", "mine")]), functions=[function("F", [node("Erf")])]
    )
    facts = read(data)
    assert facts.metadata["operations"] == {
        "ai.onnx:Abs": 1,
        "ai.onnx:Erf": 1,
        "ai.onnx:If": 2,
        "ai.onnx:Neg": 1,
        "mine:F": 1,
    }
    assert facts.metadata["functions"] == ["mine:F"]
    assert facts.metadata["opsets"] == {"ai.onnx": 21}
    assert facts.metadata["producer"] == "forged"


def test_a_constant_is_listed_where_it_is_more_than_a_few_numbers() -> None:
    data = model(graph([node("Constant", value=tensor("", (4, 4))), node("Constant", value=tensor("", (2,)))]))
    assert [(each.name.partition(" ")[0], each.shape) for each in read(data).tensors] == [("constant", (4, 4))]


def test_packed_and_single_numbers_are_extents() -> None:
    packed = message("onnx", "TensorProto", {"data_type": 1, "name": "w", "raw_data": bytes(24)}) + field(
        1, 2, b"\x02\x03"
    )
    assert read(model(graph(tensors=[packed]))).tensors[0].shape == (2, 3)


@pytest.mark.parametrize(
    ("wide", "extents", "size"),
    [(1, (3,), 12), (10, (3,), 6), (16, (5,), 10), (21, (3,), 2), (22, (4,), 2), (25, (5,), 2), (11, (2,), 16)],
)
def test_bytes_that_the_extents_need(wide: int, extents: tuple[int, ...], size: int) -> None:
    for given, expected in ((size, []), (size + 1, ["tensor-size"])):
        assert lies(model(graph(tensors=[tensor("w", extents, bytes(given), data_type=wide)]))) == expected


def test_numbers_in_place_of_bytes() -> None:
    floats = message("onnx", "TensorProto", {"dims": [2], "data_type": 1, "float_data": [1.0, 2.0], "name": "w"})
    assert lies(model(graph(tensors=[floats]))) == []
    few = message("onnx", "TensorProto", {"dims": [3], "data_type": 1, "float_data": [1.0, 2.0], "name": "w"})
    assert lies(model(graph(tensors=[few]))) == ["tensor-size"]
    none = message("onnx", "TensorProto", {"dims": [3], "data_type": 1, "name": "w"})
    assert lies(model(graph(tensors=[none]))) == ["tensor-size"]
    empty = message("onnx", "TensorProto", {"dims": [0], "data_type": 1, "name": "w"})
    assert lies(model(graph(tensors=[empty]))) == []


@pytest.mark.parametrize(
    ("location", "entries", "lie"),
    [
        ("../x", {}, "outside"),
        ("/x", {}, "outside"),
        ("c:x", {}, "outside"),
        ("a/../../x", {}, "outside"),
        ("a\\..\\x", {}, "outside"),
        ("file:x", {}, "outside"),
        ("x\0y", {}, "outside"),
        ("", {}, "no-name"),
        ("*/_ORT_MEM_ADDR_/*", {}, "memory-address"),
        ("x", {"offset": "-1"}, "overflow"),
        ("x", {"offset": "nine"}, "overflow"),
        ("x", {"offset": str(2**62), "length": str(2**62)}, "overflow"),
        ("x", {"length": "8"}, "tensor-size"),
        ("x", {"readonly": "1"}, "unknown-key"),
    ],
)
def test_external_data_that_is_not_beside(location: str, entries: dict[str, str], lie: str) -> None:
    assert lies(model(graph(tensors=[external("w", location, (2, 2), **entries)]))) == [lie]


def test_functions_in_a_circle_and_in_a_wide_net() -> None:
    circle = [
        function("A", [node("B", "mine")]),
        function("B", [node("C", "mine")]),
        function("C", [node("A", "mine")]),
    ]
    assert lies(model(functions=circle)) == ["recursion"]
    # two ways from each to the next: following every way would take 2 ** 300 steps
    net = [function(f"F{i}", [node(f"F{j}", "mine") for j in (i + 1, i + 2)]) for i in range(300)]
    assert lies(model(functions=net)) == ["expansion"]
    assert lies(model(functions=net[-20:])) == []


@pytest.mark.parametrize("packed", [False, True])
def test_values_are_counted_packed_or_not(packed: bool) -> None:
    values = struct.pack("<4f", 1, 2, 3, 4)
    data = field(4, 2, values) if packed else b"".join(field(4, 5, values[at : at + 4]) for at in range(0, 16, 4))
    body = message("onnx", "TensorProto", {"dims": [2, 2], "data_type": 1, "name": "w"})
    assert lies(model(graph(tensors=[body + data]))) == []
    assert lies(model(graph(tensors=[body + data + field(9, 2, values)]))) == ["two-values"]


def test_long_runs_of_numbers_and_words_are_stepped_over() -> None:
    attribute = field(1, 2, b"nodes") + field(7, 5, bytes(4)) * 300_000 + field(8, 0, b"\x96\x01") * 300_000
    attribute += (field(9, 2, b"LEAF") + field(9, 2, b"BRANCH_LEQ") * 2) * 100_000 + field(
        9, 2, b"\x80\x04" + b"x" * 30
    )
    body = message("onnx", "NodeProto", {"op_type": "TreeEnsembleClassifier", "attribute": [attribute]})
    started = time.monotonic()
    assert lies(model(graph([body]))) == []
    assert time.monotonic() - started < 2


def test_graphs_in_graphs_are_bounded() -> None:
    inner = graph()
    for _ in range(20):
        inner = graph([node("If", then_branch=(inner,))])
    assert read(model(inner)).metadata["operations"]["ai.onnx:If"] == 20
    with pytest.raises(LimitError, match="nesting"):
        read(model(inner), Limits(nesting=10))


def test_limits_are_named() -> None:
    with pytest.raises(LimitError, match="tensors"):
        read(model(graph(tensors=[tensor(f"w{i}") for i in range(6)])), Limits(tensors=5))


def test_what_comes_before_a_break_is_kept() -> None:
    data = model(graph([node("PyOp", "x")]))[:-3]
    facts = Facts("m", "m", Budget())
    with pytest.raises(MalformedError):
        onnx.read(BytesSource(data + b"\xff"), facts)
    assert [each.rule for each in facts.anomalies] == ["onnx/python-operation"]


def test_fields_that_no_model_has_are_unread() -> None:
    facts = read(model() + field(99, 2, b"hidden"))
    assert (facts.coverage, [each.reason for each in facts.unknowns]) == (Coverage.PARTIAL, ["unsupported"])


def test_what_is_a_model() -> None:
    assert likeness(model()) is Likeness.STRONG
    assert likeness(model()[:-5]) is Likeness.STRONG
    assert likeness(field(77, 2, b"x") + model()) is Likeness.STRONG
    assert likeness(model(graph([], [tensor("w")]))) is Likeness.STRONG
    shuffled = message("onnx", "ModelProto", {"opset_import": [{"version": 21}], "graph": graph(), "ir_version": 8})
    assert likeness(shuffled) is Likeness.STRONG
    for other in (
        saved_model(meta_graph(tf_graph([]))),
        b"\x08\x01",
        b"",
        b"\x08\x07\x12\x04text",
        bytes(64),
        tensor("w"),
    ):
        assert likeness(other) is Likeness.NO


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_cut_anywhere(cut: int) -> None:
    data = model(
        graph([node("Constant", value=tensor("c"))], [tensor("w"), external("v", "x")]),
        functions=[function("F", [node("Erf")])],
    )
    try:
        read(data[:cut])
    except ReadError:
        pass
