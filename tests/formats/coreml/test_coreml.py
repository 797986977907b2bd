"""Core ML: what is told of a model, a file of weights and a compiled program, and every cut of them."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import coreml, coreml_mil, coreml_weights
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.cases import coreml as cases


def facts() -> Facts:
    return Facts("m", "m", Budget(Limits()))


def test_a_network_and_its_weights() -> None:
    told = facts()
    coreml.read(BytesSource(cases.network()), told)
    assert told.metadata["layers"] == {"innerProduct": 1}
    assert told.metadata["model_types"] == {"neuralNetwork": 1}
    assert [(each.dtype, each.shape) for each in told.tensors] == [("F32", (4,))]
    assert (told.coverage, told.anomalies) == (Coverage.READ, [])


def test_a_program_names_its_weights() -> None:
    told = facts()
    coreml.read(BytesSource(cases.program()), told)
    assert told.metadata["blob_files"] == {"@model_path/weights/weight.bin": [64]}
    assert told.metadata["operations"] == {"const": 1, "relu": 1}
    assert told.metadata["opsets"] == ["CoreML7"]


def test_a_compiled_program_says_the_same() -> None:
    told = facts()
    coreml_mil.read(BytesSource(cases.compiled()), told)
    assert told.metadata["blob_files"] == {"@model_path/weights/weight.bin": [64]}
    assert told.metadata["operations"] == {"const": 1, "relu": 1}
    assert told.coverage is Coverage.READ


def test_a_file_that_is_named_in_another_way_is_told() -> None:
    told = facts()
    coreml_mil.read(BytesSource(cases.compiled().replace(b"offset =", b"start =")), told)
    assert told.coverage is Coverage.PARTIAL


def test_every_blob() -> None:
    told = facts()
    coreml_weights.read(BytesSource(cases.blobs(3)), told)
    assert [(each.name, each.dtype, each.shape, each.offset) for each in told.tensors] == [
        ("64", "F16", (32,), 128),
        ("192", "F16", (32,), 256),
        ("320", "F16", (32,), 384),
    ]


@pytest.mark.parametrize("data", [cases.network(), cases.program(), cases.blobs()], ids=["network", "program", "blobs"])
def test_a_cut_is_never_read_as_whole(data: bytes) -> None:
    module = coreml_weights if data[4:8] == b"\2\0\0\0" else coreml
    heads = {len(data)} if module is coreml_weights else {0, 2, data.index(b"\xa2\x1f") if b"\xa2\x1f" in data else 0}
    for end in range(8, len(data)):
        told = facts()
        try:
            module.read(BytesSource(data[:end]), told)
        except ReadError:
            continue
        assert end in heads or "model_types" not in told.metadata, end


def test_what_is_refused() -> None:
    with pytest.raises(MalformedError):
        coreml_weights.read(BytesSource(cases.blobs(said=1 << 60)), facts())
    with pytest.raises(LimitError):
        coreml_weights.read(BytesSource(b"\xff\xff\xff\xff\2" + bytes(123)), facts())
    deep = cases.network()
    for _ in range(300):
        deep = cases.model(pipeline={"models": [deep]})
    with pytest.raises(LimitError):
        coreml.read(BytesSource(deep), Facts("m", "m", Budget(Limits(nesting=100))))


def test_other_protocol_buffers_are_none() -> None:
    onnx = b"\x08\x07\x12\x05forge:\x06\x0a\x02\x12\x00x"
    for data in (onnx, b"\x08\x01\x12\x03abc", b"\x08\x01", cases.compiled()):
        assert coreml.probe(Head("m.mlmodel.txt", BytesSource(data))) is Likeness.NO


def test_rules_are_those_of_the_cases() -> None:
    named = {rule for case in cases.CASES for rule in case.rules}
    assert named >= {"coreml/outside-path", "coreml/bytes-outside", "coreml/custom-code", "coreml/structure-lies"}
