"""The readers of TensorFlow's files: what they say of a whole file, of a broken one, and of each lie."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, ReadError
from openvet.formats import keras_metadata, tf_checkpoint_index, tf_fingerprint, tf_graph, tf_meta_graph, tf_saved_model
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.formats._snappy import unsnap
from openvet.formats._tf_program import TfGraph, is_outside
from openvet.inventory.identify import identify
from openvet.io.source import BytesSource
from openvet.testing import forge_tensorflow as forge
from openvet.testing.forge_tensorflow import const, function, graph, index, meta_graph, node, saved_model, weights

READERS: list[tuple[ModuleType, bytes]] = [
    (tf_saved_model, saved_model(meta_graph(graph([node("x", "NoOp")], [function("f", ["a"], [const("c", "t")])])))),
    (tf_graph, graph([weights("w", (4, 4)), node("y", "MatMul", ["w", "w"])])),
    (tf_meta_graph, meta_graph(graph([node("x", "NoOp")]))),
    (tf_checkpoint_index, index({"a/b": ((2, 3), 0, 24), "a/c": ((), 24, 4)})),
    (tf_checkpoint_index, index({"a": ((2,), 0, 8)}, compress=True)),
    (keras_metadata, forge.keras_metadata({"class_name": "Dense", "config": {}})),
    (tf_fingerprint, bytes.fromhex("0801100218032004280532020802")),
]
IDS = [f"{module.__name__.rsplit('.', 1)[-1]}-{number}" for number, (module, _) in enumerate(READERS)]


def read(module: ModuleType, data: bytes, name: str = "m", limits: Limits | None = None) -> Facts:
    facts = Facts(name, name, Budget(limits or Limits()))
    module.read(BytesSource(data), facts)
    return facts


def program(facts: Facts) -> dict[str, Any]:
    assert isinstance(facts.programs[0], TfGraph)
    return facts.programs[0].to_json()


@pytest.mark.parametrize(("module", "data"), READERS, ids=IDS)
def test_a_whole_file_is_read(module: ModuleType, data: bytes) -> None:
    assert module.probe(Head("m", BytesSource(data))) is Likeness.STRONG
    assert identify(Head("m", BytesSource(data))).readers == (module,)
    facts = read(module, data)
    assert facts.coverage in {Coverage.READ, Coverage.INERT}
    assert (facts.unknowns, facts.anomalies) == ([], [])


@pytest.mark.parametrize(("module", "data"), READERS, ids=IDS)
def test_a_cut_file_ends_in_an_error_of_ours_or_in_a_shorter_file(module: ModuleType, data: bytes) -> None:
    for size in range(len(data)):
        source = BytesSource(data[:size])
        try:
            module.probe(Head("m", source))
            module.read(source, Facts("m", "m", Budget()))
        except ReadError:
            continue


def test_a_graph_as_it_is_told() -> None:
    nodes = [
        weights("w", (4, 8)),
        const("path", "/etc/hostname"),
        node("id", "Identity", ["path"]),
        node("read", "ReadFile", ["id:0", "^w"]),
        node("call", "mine"),
        node("odd", "Odd"),
    ]
    data = graph(nodes, [function("mine", [], [node("save", "SaveV2")])])
    facts = read(tf_graph, data)
    at = data.index(nodes[3]) - 2
    assert facts.tensors == [Tensor("w", "F32", (4, 8), data.index(bytes(128)), 128)]
    assert program(facts) == {
        "kind": "tensorflow-graph",
        "location": {"place": "m"},
        "functions": 1,
        "ops": {"Const": 2, "Identity": 1, "Odd": 1, "ReadFile": 1, "SaveV2": 1},
        "uses": [
            {"op": "ReadFile", "node": "read", "offset": at, "arguments": ["/etc/hostname"]},
            {"op": "Odd", "node": "odd", "offset": data.index(nodes[5]) - 2},
            {"op": "SaveV2", "node": "save", "function": "mine", "offset": data.index(node("save", "SaveV2")) - 2},
        ],
    }


def test_a_function_that_calls_itself_ends() -> None:
    nodes = [node("c", "PartitionedCall", ["path"], {"f": {"func": {"name": "f"}}}), node("s", "SaveV2", ["path"])]
    facts = read(tf_graph, graph([node("c", "f", ["x"])], [function("f", ["path"], nodes)]))
    assert program(facts)["uses"][0]["op"] == "SaveV2"


def test_joins_that_double_end() -> None:
    nodes = [const("a0", "/x")] + [node(f"a{n}", "StringJoin", [f"a{n - 1}"] * 16) for n in range(1, 40)]
    facts = read(tf_graph, graph([*nodes, node("s", "SaveV2", ["a39"])]))
    assert program(facts)["uses"][0]["op"] == "SaveV2"


def test_graphs_inside_constants_end() -> None:
    data = graph([const("p", "/etc/x"), node("r", "ReadFile", ["p"])])
    for _ in range(8):
        data = graph([const("g", data), node("d", "DatasetFromGraph", ["g"])])
    facts = read(tf_graph, data)
    assert (program(facts)["uses"], [each.reason for each in facts.unknowns]) == ([], ["limit"])
    data = graph([const("p", "/etc/x"), node("r", "ReadFile", ["p"])])
    for _ in range(4):
        data = graph([const("g", data), node("d", "DatasetFromGraph", ["g"])])
    assert program(read(tf_graph, data))["uses"][0]["op"] == "ReadFile"


def test_limits() -> None:
    with pytest.raises(LimitError, match="limit tensors"):
        read(tf_graph, graph([weights("a", (16,)), weights("b", (16,))]), limits=Limits(tensors=1))
    with pytest.raises(LimitError, match="limit members"):
        read(tf_graph, graph([node(f"n{n}", "Odd") for n in range(5)]), limits=Limits(members=3))
    with pytest.raises(LimitError, match="limit tensors"):
        read(tf_checkpoint_index, index({"a": ((), 0, 4), "b": ((), 4, 4)}), limits=Limits(tensors=1))
    inner: Any = {"name": "f"}
    for _ in range(300):
        inner = {"name": "f", "attr": [{"key": "f", "value": {"func": inner}}]}
    with pytest.raises(LimitError, match="limit nesting"):
        read(tf_graph, graph([node("c", "X", (), {"f": {"func": inner}})]))


def test_an_index_as_it_is_told() -> None:
    facts = read(tf_checkpoint_index, index({"a/b": ((2, 3), 0, 24), "a/c": ((), 24, 4)}), "d/variables.index")
    assert facts.tensors == [Tensor("a/b", "F32", (2, 3), 0, 24), Tensor("a/c", "F32", (), 24, 4)]
    assert facts.metadata == {"shards": 1}
    assert facts.claims == {"variables.data-00000-of-00001": [(0, 24), (24, 4)]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (index({"a": ((2,), 0, 12)}), "the tensor a has 12 bytes for 2 elements of F32"),
        (index({"a": ((2,), 0, 8)}).replace(b"\x08\x07", b"\x08\x07"), ""),
    ],
)
def test_an_index_that_lies(data: bytes, message: str) -> None:
    assert [each.message for each in read(tf_checkpoint_index, data).anomalies] == ([message] if message else [])


def test_an_index_without_a_header_or_with_another_compression_is_not_read() -> None:
    assert [each.reason for each in read(tf_checkpoint_index, index({}, shards=0)).unknowns] == ["malformed"]
    data = bytearray(index({"a": ((), 0, 4)}, compress=True))
    at = data.index(b"\x01\0\0\0\0")
    data[at] = 9
    with pytest.raises(ReadError):
        read(tf_checkpoint_index, bytes(data))


def test_snappy() -> None:
    facts = Facts("m", "m", Budget())
    assert unsnap(b"\x0a\x04ab\x1e\x02\x00", facts, 0) == b"ab" * 5
    assert unsnap(b"\x08\x00a\x0d\x01", facts, 0) == b"a" * 8
    for bad in (
        b"",
        b"\xff\xff\xff\xff\x7f",
        b"\x02\x00a",
        b"\x01\x04ab",
        b"\x08\x0d\x01",
        b"\x08\x04a",
        b"\x08\x00a\x0d\x05",
    ):
        with pytest.raises(ReadError):
            unsnap(bad, facts, 0)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/passwd", True), ("..\\x", True), ("a/../b", True), ("C:\\x", True), ("~/.ssh/id", True), ("gs://b/c", True),
        ("", False), ("vocab.txt", False), ("a/b..c", False), ("*.part", False), ("a:0", True), ("ab:0", False),
    ],
)  # fmt: skip
def test_what_is_outside(path: str, expected: bool) -> None:
    assert is_outside(path) is expected
