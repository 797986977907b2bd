"""safetensors/index-mismatch, and safetensors/header-lies from bytes to finding."""

from __future__ import annotations

from typing import Any

import pytest

from openvet.checks._check import Context
from openvet.checks.safetensors import header_lies, index_mismatch
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.rule import Severity
from openvet.formats import safetensors
from openvet.formats._format import Facts, Tensor
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import safetensors_raw


def shard(place: str, *names: str, coverage: Coverage = Coverage.READ) -> Component:
    tensors = tuple(Tensor(name, "F32", (1,), 0, 4) for name in names)
    return Component(place, place, 100, ("safetensors",), coverage, tensors=tensors)


def index(weights: Any, place: str = "m/model.safetensors.index.json", total: Any = None) -> Component:
    document: dict[str, Any] = {"weight_map": weights}
    if total is not None:
        document["metadata"] = {"total_size": total}
    return Component(place, place, 100, ("json",), Coverage.READ, document=document)


def run(*files: Component) -> list[Finding]:
    return list(index_mismatch.check(Context(Inventory(files), index_mismatch.RULE)))


A, B = shard("m/a.safetensors", "x", "y"), shard("m/b.safetensors", "z")
MAP = {"x": "a.safetensors", "y": "a.safetensors", "z": "b.safetensors"}


def test_a_fitting_index_is_no_finding() -> None:
    assert run(A, B, index(MAP, total=12)) == []
    assert run(A, B, index(MAP, total=12.0)) == []
    assert run(index(MAP, "i.index.json"), shard("a.safetensors", "x", "y"), shard("b.safetensors", "z")) == []


def test_an_index_inside_an_archive_is_compared_there() -> None:
    inner = (shard("a.zip!/a.safetensors", "x", "y"), index(MAP, "a.zip!/i.index.json"))
    findings = run(Component("a.zip", "a.zip", 1, ("zip",), Coverage.READ, children=inner))
    assert [each.evidence for each in findings] == [{"missing": ["b.safetensors"]}]


def test_a_missing_shard() -> None:
    findings = run(A, index(MAP))
    assert [(each.severity, each.evidence, each.location.pointer) for each in findings] == [
        (Severity.MEDIUM, {"missing": ["b.safetensors"]}, "/weight_map")
    ]


def test_a_tensor_in_another_shard_than_stated() -> None:
    findings = run(A, B, index(MAP | {"z": "a.safetensors"}))
    assert [(each.severity, each.location.place, each.evidence["tensors"]) for each in findings] == [
        (Severity.MEDIUM, "m/model.safetensors.index.json", ["z"]),
    ]


def test_tensors_that_the_index_does_not_list() -> None:
    findings = run(A, B, index({"x": "a.safetensors", "z": "b.safetensors"}))
    assert [(each.severity, each.location.place, each.evidence["tensors"]) for each in findings] == [
        (Severity.LOW, "m/a.safetensors", ["y"])
    ]


@pytest.mark.parametrize(
    "name",
    ["../a.safetensors", "/etc/x.safetensors", "sub/../../a", "..\\a", "C:\\a.safetensors", "\\\\host\\a", "a\0b", ""],
)
def test_a_shard_outside_of_the_folder(name: str) -> None:
    findings = run(A, B, index(MAP | {"w": name}))
    assert [each.severity for each in findings if each.severity is not Severity.NOTE] == [Severity.HIGH]


def test_a_shard_in_a_folder_below_is_inside() -> None:
    assert run(shard("m/sub/a.safetensors", "x"), index({"x": "sub/a.safetensors"})) == []


def test_a_shard_name_with_control_characters_is_found_under_its_printable_place() -> None:
    assert run(shard("m/a\\x1b.safetensors", "x"), index({"x": "a\x1b.safetensors"})) == []


def test_a_shard_name_that_is_no_text() -> None:
    assert [each.message for each in run(A, B, index(MAP | {"w": 7}))] == ["the name of a shard is not text"]


def test_a_wrong_total_is_a_note() -> None:
    findings = run(A, B, index(MAP, total=13))
    assert [(each.severity, each.evidence) for each in findings] == [(Severity.NOTE, {"stated": "13", "present": 12})]


def test_an_index_of_weights_that_were_not_downloaded_is_no_finding() -> None:
    torch = index({"x": "pytorch_model-00001-of-00001.bin"}, "m/pytorch_model.bin.index.json")
    assert run(A, B, index(MAP), torch) == []


def test_a_shard_that_was_not_read_is_not_compared() -> None:
    assert run(shard("m/a.safetensors", coverage=Coverage.PARTIAL), B, index(MAP, total=12)) == []


@pytest.mark.parametrize("document", [None, [], {"weight_map": []}, {"weight_map": {}}, {}])
def test_other_documents_are_no_index(document: Any) -> None:
    assert run(Component("i.index.json", "i.index.json", 1, ("json",), Coverage.READ, document=document)) == []


def test_a_lie_from_bytes_to_finding() -> None:
    """safetensors/header-lies: good, bad and evasion (the lie stands in the unusual way of writing)."""

    def findings(header: str) -> list[Finding]:
        facts = Facts("m", "m", Budget())
        safetensors.read(BytesSource(safetensors_raw(header, bytes(8))), facts)
        component = Component("m", "m", 1, ("safetensors",), facts.coverage, anomalies=tuple(facts.anomalies))
        return list(header_lies.check(Context(Inventory((component,)), header_lies.RULE)))

    good = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    assert findings(good) == []
    for bad in (good.replace("[2]", "[3]"), good.replace('"shape":[2]', '"shape" : [ 3 ]')):
        assert [(each.rule, each.evidence["lie"]) for each in findings(bad)] == [
            ("safetensors/header-lies", "size-mismatch")
        ]
