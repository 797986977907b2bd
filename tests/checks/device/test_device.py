"""Rules about models for devices: bad, good and evading."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.core.rule import Severity
from openvet.testing.cases.device import executorch_program, ort_model, tflite_model


def said(tmp_path: Path, name: str, data: bytes) -> dict[str, Severity]:
    path = tmp_path / name
    path.write_bytes(data)
    return {each.rule: each.severity for each in openvet.check(path).models[0].scan.all_findings()}


@pytest.mark.parametrize(
    ("operator", "rule", "severity"),
    [
        ("FlexReadFile", "tflite/flex-op", Severity.HIGH),
        ("FlexTFRecordDataset", "tflite/flex-op", Severity.MEDIUM),
        ("FlexNothing", "tflite/flex-op", Severity.LOW),
        ("Mine", "tflite/custom-op", Severity.LOW),
        ("TFLite_Detection_PostProcess", "tflite/custom-op", Severity.NOTE),
    ],
)
def test_operators_of_tflite(tmp_path: Path, operator: str, rule: str, severity: Severity) -> None:
    assert said(tmp_path, "m.tflite", tflite_model(operator)) == {rule: severity}


def test_the_old_field_does_not_hide_a_custom_operator(tmp_path: Path) -> None:
    codes = [{"deprecated_builtin_code": 0, "custom_code": "FlexWriteFile"}]
    assert said(tmp_path, "m.tflite", tflite_model(operator_codes=codes))["tflite/flex-op"] is Severity.HIGH


@pytest.mark.parametrize("name", ["/etc/passwd", "..\\x", "c:/x", "a/../../b", "file://x"])
def test_paths_of_external_buffers(tmp_path: Path, name: str) -> None:
    data = tflite_model(external_buffer_groups=[{"name": name}])
    assert said(tmp_path, "m.tflite", data) == {"tflite/outside-path": Severity.HIGH}
    assert said(tmp_path, "n.tflite", tflite_model(external_buffer_groups=[{"name": "weights.bin"}])) == {}


def test_buffers_outside(tmp_path: Path) -> None:
    data = tflite_model(buffers=[{}, {"offset": 1 << 40, "size": 1}])
    # the buffer is not there, and so the tensor in it is not either
    expected = {"tflite/buffer-outside": Severity.MEDIUM, "flatbuffer/structure-lies": Severity.MEDIUM}
    assert said(tmp_path, "m.tflite", data) == expected


def test_ort(tmp_path: Path) -> None:
    assert said(tmp_path, "m.ort", ort_model(("", "Add"))) == {}
    assert said(tmp_path, "m.ort", ort_model(("other", "Add"))) == {"onnx/custom-op": Severity.LOW}
    embedded = [
        {"name": "ep_cache_context", "type": 3, "s": "../x.bin"},
        {"name": "embed_mode", "type": 2, "i": 1},
    ]
    found = said(tmp_path, "m.ort", ort_model(("com.microsoft", "EPContext"), attributes=embedded))
    assert found.keys() == {"onnx/compiled-context"}
    assert found["onnx/compiled-context"] < Severity.HIGH
    outside = embedded[:1]
    found = said(tmp_path, "m.ort", ort_model(("com.microsoft", "EPContext"), attributes=outside))
    assert found == {"onnx/compiled-context": Severity.HIGH}


def test_executorch(tmp_path: Path) -> None:
    assert said(tmp_path, "m.pte", executorch_program("aten::add", backend="XnnpackBackend", blob=b"XH00")) == {}
    assert said(tmp_path, "m.pte", executorch_program("x::y")) == {"executorch/custom-code": Severity.LOW}
    native = executorch_program("aten::add", backend="CudaBackend", blob=b"??")
    assert said(tmp_path, "m.pte", native) == {"executorch/custom-code": Severity.HIGH}
