"""``openvet sign --hash blake3``: with the extra it signs and verifies, and without it nothing is written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openvet.cli import main
from openvet.evidence.bundle import Bundle


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    assert run("keys", "new", "k", "--no-passphrase").exit_code == 0
    Path("m").mkdir()
    Path("m/small").write_bytes(b"small")
    Path("m/large").write_bytes(bytes(range(256)) * 40_000)
    Path("m/empty").write_bytes(b"")
    return tmp_path


def test_it_signs_and_verifies() -> None:
    blake3 = pytest.importorskip("blake3").blake3
    assert run("sign", "--key", "k", "--hash", "blake3", "m").exit_code == 0
    value = json.loads(Bundle.parse(Path("m/model.sig").read_bytes()).envelope.payload)
    found = {each["name"]: (each["algorithm"], each["digest"]) for each in value["predicate"]["resources"]}
    assert found == {name: ("blake3", blake3(Path("m", name).read_bytes()).hexdigest()) for name in ("empty", "large", "small")}  # fmt: skip
    assert run("verify", "--key", "k.pub", "m").exit_code == 0
    Path("m/large").write_bytes(bytes(range(256)) * 39_999 + bytes(256))
    result = run("verify", "--key", "k.pub", "m")
    assert (result.exit_code, "changed: large" in result.stdout) == (1, True)


def test_without_the_extra_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blake3", None)
    result = run("sign", "--key", "k", "--hash", "blake3", "m")
    assert (result.exit_code, "pip install 'openvet[blake3]'" in result.stderr) == (2, True)
    assert not Path("m/model.sig").exists()


def test_what_it_does_not_go_with() -> None:
    for flag in ("--shards", "--declared"):
        assert run("sign", "--key", "k", "--hash", "blake3", flag, "m").exit_code == 2


def test_verifying_without_the_extra_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("blake3")
    assert run("sign", "--key", "k", "--hash", "blake3", "m").exit_code == 0
    monkeypatch.setitem(sys.modules, "blake3", None)
    result = run("verify", "--key", "k.pub", "m")
    assert (result.exit_code, "pip install 'openvet[blake3]'" in result.stderr) == (2, True)
