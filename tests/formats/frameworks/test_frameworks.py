"""PaddlePaddle, MXNet, Caffe, Torch7, Darknet and old joblib: what is told, what is refused, and every cut."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import ModuleType

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats import caffe, darknet, joblib_zfile, mxnet, paddle_params, paddle_program, prototxt, torch7
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.cases import frameworks as cases


def read(module: ModuleType, data: bytes, limits: Limits | None = None) -> Facts:
    told = Facts("m", "m", Budget(limits or Limits()))
    module.read(BytesSource(data), told)
    return told


def strong(module: ModuleType, data: bytes) -> bool:
    """Whether the format claims the bytes; an error of ours is a no."""
    try:
        return module.probe(Head("m", BytesSource(data))) is Likeness.STRONG
    except ReadError:
        return False


MADE: list[tuple[ModuleType, bytes, str]] = [
    (paddle_program, cases.paddle_program(), "m.pdmodel"),
    (paddle_params, cases.paddle_params(), "m.pdiparams"),
    (mxnet, cases.mxnet_params(), "m.params"),
    (caffe, cases.caffe(), "m.caffemodel"),
    (prototxt, cases._prototxt(), "m.prototxt"),
    (torch7, cases.lua(cases._MODULE), "m.t7"),
    (darknet, cases.darknet(), "m.weights"),
    (joblib_zfile, cases.zfile(b"\x80\x02N."), "m.joblib"),
]


@pytest.mark.parametrize(("module", "data", "name"), MADE, ids=[each.FORMAT.id for each, _, _ in MADE])
def test_each_is_found_and_read_whole(module: ModuleType, data: bytes, name: str) -> None:
    assert module.probe(Head(name, BytesSource(data))) is not Likeness.NO
    told = read(module, data)
    assert (told.coverage, told.anomalies, told.unknowns) == (Coverage.READ, [], [])
    others = [each for each, _, _ in MADE if each is not module and strong(each, data)]
    assert others == []


@pytest.mark.parametrize(("module", "data", "name"), MADE, ids=[each.FORMAT.id for each, _, _ in MADE])
def test_every_cut_ends_in_an_error_of_ours_or_in_a_shorter_whole(module: ModuleType, data: bytes, name: str) -> None:
    whole = 0
    for end in range(24, len(data)):
        try:
            whole += read(module, data[:end]).coverage is Coverage.READ
        except ReadError:
            continue
    allowed = {"paddle-params": 1, "paddle-program": 2, "caffe": 4, "prototxt": 200, "darknet": 1000}
    assert whole <= allowed.get(module.FORMAT.id, 0)


def test_operators_that_are_told() -> None:
    told = read(paddle_program, cases.paddle_program("save", file_path="/x"))
    assert [(each["operator"], each["texts"]) for each in told.metadata["told"]] == [("save", ["/x"])]
    assert told.metadata["operators"] == {"matmul_v2": 1, "save": 1}


def test_tensors() -> None:
    assert [(each.dtype, each.shape, each.nbytes) for each in read(paddle_params, cases.paddle_params()).tensors] == [
        ("F32", (4,), 16)
    ] * 2
    assert [(each.name, each.dtype, each.shape) for each in read(mxnet, cases.mxnet_params()).tensors] == [
        ("arg:w", "F32", (2, 2))
    ]
    assert [(each.name, each.shape) for each in read(caffe, cases.caffe()).tensors] == [("ip.0", (4,))]
    assert [(each.dtype, each.shape) for each in read(torch7, cases.lua(cases._MODULE)).tensors] == [("F32", (4,))]
    assert [each.shape for each in read(darknet, cases.darknet()).tensors] == [(64,)]


def test_older_arrays_of_mxnet() -> None:
    first = struct.pack("<IiqiiI", 0xF993FAC8, 1, 2, 1, 0, 3) + b"ab"
    oldest = struct.pack("<IIiiI", 1, 2, 1, 0, 3) + b"ab"
    sparse = struct.pack("<IiiqiqiiIiiq", 0xF993FAC9, 1, 1, 1, 1, 4, 1, 0, 3, 6, 1, 1) + b"a" + bytes(8)
    scalar = struct.pack("<IiiiiI", 0xF993FACA, 0, 0, 1, 0, 3) + b"a"
    for array, size in ((first, 2), (oldest, 2), (sparse, 1), (scalar, 1)):
        told = read(mxnet, struct.pack("<QQQ", 0x112, 0, 1) + array + bytes(8))
        assert ([each.nbytes for each in told.tensors], told.coverage) == ([size], Coverage.READ)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param(lambda: read(paddle_params, cases.paddle_params(kind=9)), UnsupportedError, id="kind of a tensor"),
        pytest.param(lambda: read(mxnet, cases.mxnet_params(kind=99)), UnsupportedError, id="kind of an array"),
        pytest.param(lambda: read(mxnet, struct.pack("<QQQ", 0x112, 0, 1 << 60)), LimitError, id="arrays without end"),
        pytest.param(lambda: read(torch7, struct.pack("<iii", 3, 1, -1)), MalformedError, id="pairs below zero"),
        pytest.param(lambda: read(torch7, struct.pack("<i", 77)), MalformedError, id="kind of an object"),
        pytest.param(
            lambda: read(torch7, cases.lua(("tds.Hash", {}))), UnsupportedError, id="class that writes itself"
        ),
        pytest.param(lambda: read(prototxt, b"layer { a: 1 }}"), MalformedError, id="closed twice"),
        pytest.param(lambda: read(prototxt, b"layer {" * 300), LimitError, id="too deep"),
        pytest.param(lambda: read(prototxt, b'layer { name: "open }'), MalformedError, id="text without an end"),
    ],
)
def test_what_is_refused(call: Callable[[], Facts], error: type[ReadError]) -> None:
    with pytest.raises(error):
        call()


def test_bytecode_is_told_wherever_it_is() -> None:
    told = read(torch7, cases.lua({"a": {1.0: ("nn.X", {"f": b"\x1bLJforged"})}}))
    assert [each.rule for each in told.anomalies] == ["torch7/carries-code"]
    assert told.metadata["classes"] == {"nn.X": 1}


def test_a_layer_is_found_in_any_spelling() -> None:
    told = read(prototxt, cases._prototxt("'o' \"\\163\"", '"sy" "\\x73tem"'))
    assert [(each["module"], each["layer"], each["line"]) for each in told.metadata["python_layers"]] == [
        ("os", "system", 8)
    ]


def test_rules_are_those_of_the_cases() -> None:
    named = {rule for case in cases.CASES for rule in case.rules}
    assert named >= {"paddle/dangerous-operator", "paddle/custom-operator", "mxnet/custom-operator", "caffe/python-layer",
                     "caffe/structure-lies", "torch7/carries-code"}  # fmt: skip
    told = read(paddle_program, cases.paddle_program() + cases.paddle_program())
    assert [each.rule for each in told.anomalies] == ["paddle/structure-lies"]
    assert "serving/outside-path" not in named
