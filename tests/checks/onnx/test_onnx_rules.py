"""onnx/*: what each rule says of a model, how severe it is, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.core.rule import Severity
from openvet.testing.forge_onnx import external, function, graph, model, node, tensor


def said(folder: Path, data: bytes, **beside: bytes) -> list[tuple[str, Severity]]:
    (folder / "model.onnx").write_bytes(data)
    for name, content in beside.items():
        (folder / name).write_bytes(content)
    report = openvet.check(folder).models[0]
    return [(each.rule, each.severity) for each in report.scan.all_findings() if each.rule.startswith("onnx/")]


@pytest.mark.parametrize(
    ("location", "content", "severity"),
    [
        ("../w", b"", Severity.HIGH),
        ("w", b"", Severity.MEDIUM),
        ("other", bytes(16), Severity.MEDIUM),
    ],
)
def test_external_data(location: str, content: bytes, severity: Severity, tmp_path: Path) -> None:
    data = model(graph(tensors=[external("t", location, (2, 2))]))
    assert said(tmp_path, data, w=content) == [("onnx/external-data", severity)]


def test_external_data_that_is_there(tmp_path: Path) -> None:
    assert said(tmp_path, model(graph(tensors=[external("t", "w", (2, 2))])), w=bytes(16)) == []


def test_a_link_beside_the_model_that_leads_out(tmp_path: Path) -> None:
    """CVE-2026-34447: the name is harmless, what lies there is a link."""
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    (tmp_path / "model" / "w").symlink_to(tmp_path / "secret")
    said(tmp_path / "model", model(graph(tensors=[external("t", "w", (2, 2))])))
    report = openvet.check(tmp_path / "model").models[0]
    assert str(report.decision.verdict) == "reject"
    assert {each.rule for each in report.scan.all_findings()} >= {"file/link-escapes"}


def test_a_folder_beside_the_model_that_is_a_link(tmp_path: Path) -> None:
    """Neither the name nor the link leads out by itself to what nobody may read; both together do."""
    (tmp_path / "model").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "w").write_bytes(bytes(16))
    (tmp_path / "model" / "data").symlink_to(tmp_path / "elsewhere")
    for location in ("data/w", "./data//w", "data/deep/w"):
        (tmp_path / "model" / "model.onnx").write_bytes(model(graph(tensors=[external("t", location, (2, 2))])))
        report = openvet.check(tmp_path / "model").models[0]
        assert str(report.decision.verdict) == "reject", location
    (tmp_path / "model" / "data").unlink()
    (tmp_path / "model" / "data").mkdir()
    (tmp_path / "model" / "data" / "w").write_bytes(bytes(16))
    (tmp_path / "model" / "model.onnx").write_bytes(model(graph(tensors=[external("t", "data/w", (2, 2))])))
    assert str(openvet.check(tmp_path / "model").models[0].decision.verdict) == "admit"


def test_structure_lies(tmp_path: Path) -> None:
    assert said(tmp_path, model(graph(tensors=[tensor("t", (4, 4), bytes(4))]))) == [
        ("onnx/structure-lies", Severity.HIGH)
    ]
    assert said(tmp_path, model(graph(tensors=[tensor("t", (1,), bytes(8))]))) == [
        ("onnx/structure-lies", Severity.MEDIUM)
    ]


def test_python_operation(tmp_path: Path) -> None:
    assert said(tmp_path, model(graph([node("PythonOp", "com.microsoft")]))) == [
        ("onnx/python-operation", Severity.HIGH)
    ]
    own = model(graph([node("PyOp", "mine")]), functions=[function("PyOp", [node("Erf")])])
    assert said(tmp_path, own) == []


def test_operators_of_pytorch(tmp_path: Path) -> None:
    for operator, expected in (("aten::from_file", True), ("save", True), ("aten::embedding", False)):
        found = said(tmp_path, model(graph([node("ATen", "org.pytorch.aten", operator=operator)])))
        assert (found == [("onnx/python-operation", Severity.HIGH)]) is expected


def test_custom_op(tmp_path: Path) -> None:
    assert said(tmp_path, model(graph([node("Fancy", "mine")]))) == [("onnx/custom-op", Severity.LOW)]
    assert said(tmp_path, model(graph([node("Tokenizer", "ai.onnx.contrib")]))) == [("onnx/custom-op", Severity.NOTE)]
    assert said(tmp_path, model(graph([node("Gelu", "com.microsoft")]))) == []


def test_compiled_context(tmp_path: Path) -> None:
    for path, severity in (("engine.bin", Severity.MEDIUM), ("/engine.bin", Severity.HIGH)):
        data = model(graph([node("EPContext", "com.microsoft", embed_mode=0, ep_cache_context=path)]))
        assert said(tmp_path, data) == [("onnx/compiled-context", severity)]
    inside = model(graph([node("EPContext", "com.microsoft", embed_mode=1, ep_cache_context="blob")]))
    assert said(tmp_path, inside) == [("onnx/compiled-context", Severity.MEDIUM)]
