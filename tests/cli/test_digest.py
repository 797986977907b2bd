"""``openvet digest`` as a person and as a script meet it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.inventory.test_tensor_digest import FORMS, WHOLE
from tests.reports.test_snapshots import schema

from openvet.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, data in {"m/model.safetensors": WHOLE, "m/b/config.json": b"{}", "m/.gitattributes": b"x"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["digest", *arguments])


def told(*arguments: str) -> dict[str, object]:
    result = run("-f", "json", *arguments)
    report: dict[str, object] = json.loads(result.stdout)
    assert list(schema("digests-v1").iter_errors(report)) == []
    return report


def test_text() -> None:
    result = run("m")
    assert result.exit_code == 0
    root = hashlib.sha256(hashlib.sha256(b"{}").digest() + hashlib.sha256(WHOLE).digest()).hexdigest()
    assert result.stdout.splitlines()[:2] == [f"m: 2 files, {len(WHOLE) + 2} bytes", f"  root      sha256 {root}"]
    assert ".gitattributes" in result.stdout


def test_the_same_as_other_tools_compute() -> None:
    """``dirHash`` with find and sha256sum; the root is what ``openvet sign`` signs, the signature apart."""
    report = told("m")
    Path("m/.gitattributes").unlink()
    command = "find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum"
    there = subprocess.run(["sh", "-c", command], cwd="m", capture_output=True, check=True, text=True).stdout.split()[0]
    digests = report["digest"]
    assert isinstance(digests, dict)
    assert digests["dirHash"] == there
    for arguments in (["keys", "new", "--no-passphrase", "k"], ["sign", "--key", "k", "m"]):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0
    assert f"root       sha256 {digests['sha256']}" in result.stdout
    assert told("m")["digest"] == digests


def test_tensors_in_other_packaging() -> None:
    whole = told("--tensors", "m")["tensors"]
    assert isinstance(whole, dict)
    Path("w.bin").write_bytes(FORMS["torch"]["pytorch_model.bin"])
    other = told("--tensors", "w.bin")
    assert isinstance(other["tensors"], dict)
    assert other["tensors"]["digest"] == whole["digest"] is not None
    assert "dirHash" not in str(other["digest"])
    assert "named     sha256" in run("--tensors", "m").stdout


def test_tensors_that_cannot_be_read() -> None:
    Path("m/model.safetensors").write_bytes(WHOLE[:-4])
    result = run("--tensors", "m")
    assert result.exit_code == 3
    assert "NO DIGEST" in result.stdout
    assert told("--tensors", "m")["tensors"]["digest"] is None  # type: ignore[index]


def test_a_revision_in_the_cache_of_a_hub() -> None:
    commit = "0" * 39 + "1"
    place = Path(f"models--org--name/snapshots/{commit}")
    place.mkdir(parents=True)
    (place / "config.json").write_bytes(b"{}")
    assert told(str(place))["declared"] == {"repository": "org/name", "gitCommit": commit}
    assert "not verified" in run(str(place)).stdout


def test_what_is_not_there() -> None:
    for path in ("nowhere", ""):
        result = run(path)
        assert (result.exit_code, result.stdout) == (2, "")
    Path("empty").mkdir()
    assert run("empty").exit_code == 2
