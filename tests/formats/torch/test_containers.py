"""PyTorch's three containers: tensors, programs, and what is said of broken ones."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.core.limits import Limits
from openvet.reports.report import ModelReport
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_legacy, torch_tar, torch_zip
from openvet.workflows.check import Options

PAYLOAD = Call(Name("os", "system"), ("echo forged",))
WEIGHTS = state_dict({"layer.weight": FakeTensor((2, 3)), "layer.bias": FakeTensor((2,), "LongStorage")})


def check(tmp_path: Path, data: bytes, name: str = "model.pt", **options: Any) -> ModelReport:
    path = tmp_path / name
    path.write_bytes(data)
    return openvet.check(path, options=Options(**options)).models[0]


def tensors(model: ModelReport) -> list[tuple[str, str, tuple[int, ...], int | None]]:
    assert model.inventory is not None
    return [(t.name, t.dtype, tuple(t.shape), t.nbytes) for item in model.inventory.items for t in item.tensors]


def verdict(model: ModelReport) -> str:
    return str(model.decision.verdict)


def rules(model: ModelReport) -> set[str]:
    return {each.rule for each in model.scan.all_findings()}


def unknowns(model: ModelReport) -> list[tuple[str, str]]:
    return [(each.reason, each.message) for each in model.scan.all_unknowns()]


def oldest(value: Any, storage_class: Any = None) -> bytes:
    return torch_tar(value, {7: FakeTensor((2, 2)), 8: FakeTensor((3,), "HalfStorage")}, storage_class=storage_class)


def test_names_types_and_shapes(tmp_path: Path) -> None:
    expected = [("layer.weight", "F32", (2, 3), 24), ("layer.bias", "I64", (2,), 16)]
    for data, kind in ((torch_zip(WEIGHTS), "torch-zip"), (torch_legacy(WEIGHTS), "torch-legacy")):
        model = check(tmp_path, data)
        assert model.scan.files[0].formats == (kind,)
        assert tensors(model) == expected
        assert (verdict(model), unknowns(model)) == ("admit", [])
    model = check(tmp_path, oldest({"a": 1}))
    assert model.scan.files[0].formats == ("torch-tar",)
    assert tensors(model) == [("tensor 7", "F32", (2, 2), 16), ("tensor 8", "F16", (3,), 6)]
    assert (verdict(model), unknowns(model)) == ("admit", [])


def test_the_bytes_of_a_tensor_are_where_it_says(tmp_path: Path) -> None:
    for data in (torch_zip(WEIGHTS), torch_legacy(WEIGHTS)):
        model = check(tmp_path, data)
        assert model.inventory is not None
        for item in model.inventory.items:
            for tensor in item.tensors:
                assert tensor.offset is not None
                assert tensor.nbytes is not None
                assert data[tensor.offset : tensor.offset + tensor.nbytes] == bytes(tensor.nbytes)
                count = struct.unpack("<q", data[tensor.offset - 8 : tensor.offset])[0]
                assert item.formats[0] == "torch-zip" or count == tensor.nbytes // {"F32": 4, "I64": 8}[tensor.dtype]


@pytest.mark.parametrize("key", ["weights", "__len__"])
@pytest.mark.parametrize("forge", [torch_zip, torch_legacy, oldest])
def test_a_payload_is_found_in_each(forge: Any, key: str, tmp_path: Path) -> None:
    model = check(tmp_path, forge({key: PAYLOAD}))
    assert "pickle/runs-process" in rules(model)
    assert verdict(model) == "reject"


def test_a_payload_in_a_stream_that_only_the_oldest_loader_reads(tmp_path: Path) -> None:
    """CVE-2025-32434: the pickles between the raw storages are loaded without any restriction."""
    model = check(tmp_path, oldest({"a": 1}, storage_class=PAYLOAD))
    assert "pickle/runs-process" in rules(model)
    assert verdict(model) == "reject"
    places = {each.location.place for each in model.scan.all_findings() if each.rule == "pickle/runs-process"}
    assert places == {"model.pt!/storages"}


def test_every_member_of_a_zip_is_looked_at(tmp_path: Path) -> None:
    hidden = dump(PAYLOAD, 2)
    for extra in ("extra.pkl", "data/99", "sub/data.pkl", "constants.pkl", "notes.txt"):
        model = check(tmp_path, torch_zip(WEIGHTS, extra={extra: hidden}))
        assert verdict(model) == "reject", extra


def test_a_pickle_in_place_of_a_storage_is_only_bytes(tmp_path: Path) -> None:
    """What the pickle claims as a storage is read as numbers and by nothing else."""
    data = torch_zip(WEIGHTS)
    raw = dump(PAYLOAD, 2)[:24].ljust(24, b"\0")
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            new.writestr(info, raw if info.filename.endswith("data/0") else old.read(info))
    assert verdict(check(tmp_path, out.getvalue())) == "admit"


def test_deflated_members_are_read_as_well(tmp_path: Path) -> None:
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(torch_zip({"x": PAYLOAD}))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    assert verdict(check(tmp_path, out.getvalue())) == "reject"


def test_torchscript_is_read(tmp_path: Path) -> None:
    script = {"code/__torch__.py": b"class Net(Module):\n  pass\n", "constants.pkl": dump((), 2)}
    model = check(tmp_path, torch_zip(WEIGHTS, extra=script))
    assert verdict(model) == "admit"
    assert [reason for reason, message in unknowns(model) if "TorchScript" in message] == []


@pytest.mark.parametrize("cut", [1, 20, 60, 150])
@pytest.mark.parametrize("forge", [torch_zip, torch_legacy, oldest])
def test_one_that_is_cut_is_never_admitted(forge: Any, cut: int, tmp_path: Path) -> None:
    data = forge(WEIGHTS if forge is not oldest else {"a": 1})
    if forge is oldest:
        data = data.rstrip(b"\0")  # the padding of a tar is no loss
    model = check(tmp_path, data[:-cut])
    assert verdict(model) != "admit"
    assert unknowns(model) or rules(model)


def test_what_is_behind_the_last_storage_is_unread(tmp_path: Path) -> None:
    model = check(tmp_path, torch_legacy(WEIGHTS, tail=b"more than nothing"))
    assert verdict(model) == "review"
    assert any("17 bytes behind the last storage" in message for _, message in unknowns(model))
    assert "pickle/trailing-data" in rules(model)


def test_more_tensors_than_allowed_is_a_named_limit(tmp_path: Path) -> None:
    many = state_dict({f"w{n}": FakeTensor((1,)) for n in range(30)})
    model = check(tmp_path, torch_zip(many), limits=Limits(tensors=10))
    assert len(tensors(model)) == 10
    assert [reason for reason, _ in unknowns(model)] == ["limit"]
    assert verdict(model) == "review"
