"""torch/storage-mismatch: what the pickle claims of a storage against what is there."""

from pathlib import Path

import pytest

import openvet
from openvet.core.rule import Severity
from openvet.reports.report import ModelReport
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_legacy, torch_zip

RULE = "torch/storage-mismatch"


def check(tmp_path: Path, data: bytes) -> ModelReport:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(data)
    return openvet.check(path).models[0]


def mismatches(model: ModelReport) -> list[str]:
    return [each.message for each in model.scan.all_findings() if each.rule == RULE]


ORDINARY = state_dict({"w": FakeTensor((4, 8)), "b": FakeTensor((4,), "HalfStorage", parameter=True)})


@pytest.mark.parametrize("forge", [torch_zip, torch_legacy])
def test_an_ordinary_checkpoint(forge: object, tmp_path: Path) -> None:
    assert callable(forge)
    model = check(tmp_path, forge(ORDINARY))
    assert [each.rule for each in model.scan.all_findings() if each.severity > Severity.NOTE] == []
    assert str(model.decision.verdict) == "admit"
    assert model.inventory is not None
    found = [
        (each.name, each.dtype, each.shape, each.nbytes) for item in model.inventory.items for each in item.tensors
    ]
    assert found == [("w", "F32", (4, 8), 128), ("b", "F16", (4,), 8)]


def test_places_in_lists_and_containers_are_names(tmp_path: Path) -> None:
    value = {"layers": [FakeTensor((1,)), FakeTensor((2,)), {"b": FakeTensor((3,))}]}
    model = check(tmp_path, torch_zip(value))
    assert model.inventory is not None
    found = [(each.name, each.shape) for item in model.inventory.items for each in item.tensors]
    assert found == [("layers.0", (1,)), ("layers.1", (2,)), ("layers.2.b", (3,))]


def test_views_of_one_storage_are_usual(tmp_path: Path) -> None:
    tied = state_dict({"a": FakeTensor((2, 4), key="0"), "b": FakeTensor((2, 4), key="0")})
    half = state_dict({"a": FakeTensor((8,), key="0"), "b": FakeTensor((4,), key="0", start=4, claimed=8)})
    assert mismatches(check(tmp_path, torch_zip(tied))) == []
    assert mismatches(check(tmp_path, torch_zip(half))) == []


@pytest.mark.parametrize(
    ("data", "message", "verdict"),
    [
        (torch_zip(ORDINARY, cut={"0": 100}), "storage 0 has 100 bytes, but the pickle claims 128", "reject"),
        (torch_zip(ORDINARY, cut={"0": 200}), "storage 0 has 200 bytes, but the pickle claims 128", "review"),
        (torch_zip(state_dict({"w": FakeTensor((4,), claimed=2)})), "reaches 16 bytes into a storage of 8", "reject"),
        (torch_zip(state_dict({"w": FakeTensor((4,), start=2, claimed=4)})), "reaches 24 bytes into", "reject"),
        (torch_zip(state_dict({"w": FakeTensor((4,), start=2**62, claimed=4)})), "reaches", "reject"),
        (torch_legacy(ORDINARY, lie=1), "storage 0 has 33 elements, but the pickle claims 32", "review"),
        (torch_legacy(ORDINARY, lie=-40), "storage 0 has -8 elements, but the pickle claims 32", "review"),
    ],
)
def test_a_claim_that_is_not_kept(data: bytes, message: str, verdict: str, tmp_path: Path) -> None:
    model = check(tmp_path, data)
    assert any(message in each for each in mismatches(model)), mismatches(model)
    assert str(model.decision.verdict) == verdict


def test_a_storage_that_is_not_there(tmp_path: Path) -> None:
    data = torch_zip(ORDINARY).replace(b"archive/data/1", b"archive/data/x")
    assert mismatches(check(tmp_path, data)) == ["storage 1 is not in the archive"]


def test_two_claims_about_one_storage(tmp_path: Path) -> None:
    lies = state_dict({"a": FakeTensor((4,), key="0"), "b": FakeTensor((64,), key="0")})
    found = mismatches(check(tmp_path, torch_zip(lies)))
    assert any("is once 4 elements of F32 and once 64" in each for each in found), found
