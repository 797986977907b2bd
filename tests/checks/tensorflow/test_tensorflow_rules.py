"""The rules about TensorFlow, from bytes to finding; ``testing/cases/tensorflow.py`` has each technique."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.core.rule import Severity
from openvet.testing.case import all_cases
from openvet.testing.forge_tensorflow import const, graph, index, keras_metadata, node, weights

FAMILY = {
    "tensorflow/asset-path",
    "tensorflow/checkpoint-path",
    "tensorflow/custom-op",
    "tensorflow/file-access",
    "tensorflow/graph-lies",
    "tensorflow/index-mismatch",
    "tensorflow/opens-network",
    "tensorflow/runs-code",
}


def findings(path: Path) -> list[tuple[str, Severity, str]]:
    return [(each.rule, each.severity, each.message) for each in openvet.check(path).models[0].scan.all_findings()]


def test_every_rule_has_a_case() -> None:
    assert {rule for case in all_cases() for rule in case.rules} >= FAMILY


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            graph([const("p", "/x/\u202ey"), node("r", "ReadFile", ["p"])]),
            ("tensorflow/file-access", Severity.HIGH, "the graph opens the file /x/\\u202ey (ReadFile at r)"),
        ),
        (
            graph([node("r", "WriteFile", ["p"])]),
            ("tensorflow/file-access", Severity.CRITICAL, "the graph opens the file that it is told (WriteFile at r)"),
        ),
        (
            graph([node("", "Own>Op")]),
            (
                "tensorflow/custom-op",
                Severity.LOW,
                "the graph needs code for the operation Own>Op (Own>Op at a node without a name)",
            ),
        ),
        (
            graph([weights("w", (4, 4), 12)]),
            ("tensorflow/graph-lies", Severity.MEDIUM, "the constant w has 12 bytes for 16 elements of F32"),
        ),
    ],
)
def test_what_a_finding_says(tmp_path: Path, data: bytes, expected: tuple[str, Severity, str]) -> None:
    (tmp_path / "m.pb").write_bytes(data)
    assert findings(tmp_path) == [expected]


def test_a_shard_is_only_inert_where_an_index_describes_it(tmp_path: Path) -> None:
    (tmp_path / "v.data-00000-of-00001").write_bytes(bytes(range(64)))
    assert str(openvet.check(tmp_path).models[0].decision.verdict) == "review"
    (tmp_path / "v.index").write_bytes(index({"w": ((4,), 0, 16), "x": ((4,), 48, 16)}))
    model = openvet.check(tmp_path).models[0]
    assert [each.message for each in model.scan.all_unknowns()] == ["32 bytes that belong to no tensor were not read"]
    (tmp_path / "v.data-00000-of-00001").write_bytes(bytes(range(16)) + bytes(32) + bytes(range(16)))
    assert str(openvet.check(tmp_path).models[0].decision.verdict) == "admit"


def test_an_ordinary_layer_with_a_function_is_no_lambda(tmp_path: Path) -> None:
    layer = {"class_name": "Dense", "config": {"name": "Lambda", "activation": "relu", "function": "x"}}
    (tmp_path / "keras_metadata.pb").write_bytes(keras_metadata(layer))
    assert findings(tmp_path) == []
