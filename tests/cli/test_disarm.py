"""`openvet disarm` as a shell sees it: exit codes, what goes to which stream, what is left on disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.testing.forge import Call, Name
from openvet.testing.forge_views import Stored, Strided, zip_file

TENSOR = Strided(Stored(bytes(range(16))), (2, 2), (1, 2))
EVIL = Call(Name("os", "system"), ("echo \x1b[31mforged",))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["disarm", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pt"
    path.write_bytes(zip_file({"w": TENSOR, "v": TENSOR}))
    return path


def test_all_of_it(model: Path) -> None:
    found = run("model.pt", "out.safetensors")
    assert (found.exit_code, found.stderr) == (0, "")
    digest = hashlib.sha256(Path("out.safetensors").read_bytes()).hexdigest()
    assert found.stdout == (
        "model.pt -> out.safetensors\n"
        "  1 tensor, 16 bytes, read back and compared\n"
        "  1 gathered from views that are not contiguous\n"
        "  1 other name of a tensor, in the metadata\n"
        f"  SHA-256 {digest}\n"
        "the check of the input says: admit\n"
    )
    assert run("--quiet", "--force", "model.pt", "out.safetensors").stdout == ""


def test_exit_codes(model: Path) -> None:
    assert run("model.pt", "out").exit_code == 0
    again = run("model.pt", "out")
    assert (again.exit_code, again.stderr) == (2, "openvet: out exists; --force replaces it\n")
    assert run("absent.pt", "out2").exit_code == 2
    model.write_bytes(zip_file({"w": TENSOR, "epoch": 3}))
    refused = run("model.pt", "out3")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "refused: 1 plain value is no tensor (epoch)" in refused.stderr
    assert not Path("out3").exists()
    assert run("--drop-the-rest", "model.pt", "out4").exit_code == 3
    assert run("--save-rest", "model.pt", "out5").exit_code == 0
    assert Path("out5.rest.json").exists()
    model.write_bytes(zip_file({"w": TENSOR, "x": EVIL}))
    hostile = run("model.pt", "out6")
    assert hostile.exit_code == 1
    assert "the input is dangerous to load" in hostile.stderr
    assert "never called: " in hostile.stdout
    assert "\x1b" not in hostile.stdout


def test_the_report(model: Path) -> None:
    model.write_bytes(zip_file({"w": TENSOR, "x": EVIL, "n": {"lr": float("inf"), "b": b"\x00", "c": (1, [2])}}))
    found = run("--format", "json", "--report", "report.json", "--save-rest", "model.pt", "out.safetensors")
    report = json.loads(found.stdout)
    assert report == json.loads(Path("report.json").read_text())
    assert list(schema("disarm-v1").iter_errors(report)) == []
    assert report["outcome"] == "dangerous"
    assert report["decision"]["verdict"] == "reject"
    (file,) = report["files"]
    (tensor,) = file["tensors"]
    assert tensor["sha256_before"] == tensor["sha256_after"]
    assert [each["kind"] for each in file["left_out"]] == ["call"]
    assert file["plain_saved"] == "out.safetensors.rest.json"


def test_a_report_that_cannot_be_written_is_said_before_the_work(model: Path) -> None:
    found = run("--report", "no/report.json", "model.pt", "out")
    assert found.exit_code == 2
    assert not Path("out").exists()
    assert run("--report", "model.pt", "model.pt", "out").exit_code == 2
    assert run("--report", "./out", "model.pt", "out").exit_code == 2
    assert not Path("out").exists()
    assert model.read_bytes() == zip_file({"w": TENSOR, "v": TENSOR})
