"""keras/lambda-code, keras/dangerous-callable, keras/custom-object, keras/reads-file and keras/pickled-module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.core.finding import Finding
from openvet.formats._keras import known
from openvet.testing.forge_keras import BYTECODE, dense, function, lambda3, layer, layer2, model2, model3


def findings(tmp_path: Path, config: Any) -> list[Finding]:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return list(openvet.check(path).models[0].scan.all_findings())


def told(tmp_path: Path, config: Any) -> list[tuple[str, str]]:
    return sorted((each.rule, str(each.severity)) for each in findings(tmp_path, config))


@pytest.mark.parametrize("name", [*known()["classes"], *known()["legacy"]])
def test_every_class_of_keras_is_known(name: str) -> None:
    from openvet.checks.keras._config import FINE, Object, named
    from openvet.core.location import Location

    for module in (None, "keras.layers", "keras.src.layers.core", "tensorflow.keras.layers", "tf_keras.src.layers"):
        each = Object(Location("x"), {"module": module, "class_name": name, "config": {}}, name, {})
        assert [one.kind for one in named(each)] == [FINE]


@pytest.mark.parametrize("name", list(known()["functions"]))
def test_functions_of_keras_are_known_by_their_module(tmp_path: Path, name: str) -> None:
    from openvet.checks.keras._config import FINE, Object, named
    from openvet.core.location import Location

    for module in ("builtins", "keras.ops", "keras.src.activations.activations", None):
        each = Object(Location("x"), {"module": module, "registered_name": "function"}, "function", name)
        assert [one.kind for one in named(each)] == [FINE]


def test_the_evidence_of_bytecode_lists_its_texts(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, model3(lambda3()))
    assert found.rule == "keras/lambda-code"
    assert {"echo forged", "__import__"} <= {text.strip(")") for text in found.evidence["texts"]}
    assert found.location.pointer == "/config/layers/1/config/function/config/code"


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "exec"), ("subprocess", "run"), ("keras.utils", "get_file"), ("tf_keras.utils", "get_file"),
     ("keras._tf_keras.keras.utils", "get_file"), ("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
     ("keras.preprocessing.image", "load_img"), ("keras.layers", "Lambda"), ("urllib.request", "urlretrieve")],
)  # fmt: skip
def test_dangerous_names(tmp_path: Path, module: str, name: str) -> None:
    assert told(tmp_path, model3(dense(function(module, name)))) == [("keras/dangerous-callable", "critical")]


@pytest.mark.parametrize("module", ["numpy", "my_model.layers", "torch.nn", "__main__"])
def test_other_modules_want_a_review(tmp_path: Path, module: str) -> None:
    assert told(tmp_path, model3(layer("Scale", {}, module))) == [("keras/custom-object", "medium")]


def test_one_finding_for_each_custom_name(tmp_path: Path) -> None:
    assert len(told(tmp_path, model2(*(layer2("Scale") for _ in range(5)), layer2("Shift")))) == 2


@pytest.mark.parametrize(
    ("path", "severity"),
    [("/etc/passwd", "high"), ("https://198.51.100.1/v", "high"), ("../v.txt", "high"), ("C:\\v.txt", "high"), ("~/v", "high"),
     ("vocab.txt", "medium"), ("assets/vocab.txt", "medium")],
)  # fmt: skip
def test_paths_of_a_vocabulary(tmp_path: Path, path: str, severity: str) -> None:
    assert told(tmp_path, model3(layer("StringLookup", {"vocabulary": path}))) == [("keras/reads-file", severity)]


def test_a_wrapped_module_wants_a_review(tmp_path: Path) -> None:
    assert ("keras/pickled-module", "medium") in told(
        tmp_path, model3(layer("TorchModuleWrapper", {"module": "gAJOLg=="}))
    )


def test_words_of_a_vocabulary_are_only_words(tmp_path: Path) -> None:
    words = ["os.system", "__lambda__", "4wEA", "gAJj", "Lambda"]
    assert told(tmp_path, model3(layer("TextVectorization", {"vocabulary": words}))) == []


def test_a_text_that_is_not_of_keras_is_left_alone(tmp_path: Path) -> None:
    assert told(tmp_path, {"class_name": "Node", "config": {"f": [BYTECODE]}}) == []
