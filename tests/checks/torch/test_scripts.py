"""The rules torch/torchscript-files, torch/torchscript-escape and torch/torchscript-custom-operator."""

import pytest

from openvet.checks.torch._scripts import kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aten.relu", ""),
        ("aten.save", "files"),
        ("image.read_file", "files"),
        ("video_reader.anything", "files"),
        ("method.save", "files"),
        ("method.load", ""),
        ("prim.PythonOp", "escapes"),
        ("prim.RaiseException", ""),
        ("class.aoti.AOTIModel", "escapes"),
        ("class.quantized.LinearPackedParamsBase", ""),
        ("class.tensorrt.Engine", "custom"),
        ("mycompany.attention", "custom"),
        ("", "custom"),
    ],
)
def test_kind(name: str, kind: str) -> None:
    assert kind_of(name, frozenset()) == kind


def test_a_method_of_its_own() -> None:
    assert kind_of("method.save", frozenset({"save"})) == "custom"
