"""`openvet verify` on one file with a Sigstore bundle over its bytes, as cosign and sigstore write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.evidence.sigstore_instance import Instance, pem
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.evidence.keys import generate

FILE = b"weights of a model"
INSTANCE = Instance()
BUNDLE = INSTANCE.of_file(FILE, keyless=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", *arguments])


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.bin").write_bytes(FILE)
    (tmp_path / "w.bin.sigstore.json").write_text(json.dumps(BUNDLE))
    (tmp_path / "k.pub").write_bytes(pem(INSTANCE.signer))
    return tmp_path


def test_a_file_that_another_tool_signed() -> None:
    found = run("--key", "k.pub", "w.bin")
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.startswith("verified: w.bin: 18 bytes\n  signature  w.bin.sigstore.json\n  file       sha256 ")
    assert "names no model" in found.stdout
    assert "whether a log has them was not checked" in found.stdout
    value = json.loads(run("--key", "k.pub", "-f", "json", "w.bin").stdout)
    assert list(schema("verification-v1").iter_errors(value)) == []
    assert (value["verified"], value["subject"]["name"], value["bytes"]) == (True, "w.bin", 18)


def test_a_signature_of_ours_comes_first(place: Path) -> None:
    """What another tool left beside the file does not take the place of ``FILE.sig``, and a signature that is named is the one."""
    (place / "w.bin.sig").write_text("{}")
    assert run("--key", "k.pub", "w.bin").exit_code == 1
    assert run("--key", "k.pub", "--signature", "w.bin.sigstore.json", "w.bin").exit_code == 0
    (place / "w.bin.sig").unlink()
    (place / "w.bin.sigstore.json").rename(place / "w.bin.sigstore")
    assert run("--key", "k.pub", "w.bin").exit_code == 0
    (place / "w.bin.sigstore").unlink()
    assert "missing: there is no signature at w.bin.sig\n" in run("--key", "k.pub", "w.bin").stdout


def _forged(place: Path) -> None:
    value: Any = json.loads(json.dumps(BUNDLE))
    value["messageSignature"]["signature"] = value["messageSignature"]["messageDigest"]["digest"]
    (place / "w.bin.sigstore.json").write_text(json.dumps(value))


def _both(place: Path) -> None:
    (place / "w.bin.sigstore.json").write_text(json.dumps({**BUNDLE, "dsseEnvelope": {}}))


def _folder(place: Path) -> None:
    (place / "w.bin").unlink()
    (place / "w.bin").mkdir()


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (lambda place: (place / "w.bin").write_bytes(FILE + b"!"), "mismatch: the bundle is about another file"),
    "another-key": (lambda place: (place / "k.pub").write_bytes(generate("p256").public.pem), "wrong-key"),
    "forged": (_forged, "tampered"),
    "two-in-one": (_both, "malformed"),
    "folder": (_folder, "mismatch: this is a folder"),
}  # fmt: skip


@pytest.mark.parametrize("change", list(CHANGES))
def test_not_verified(place: Path, change: str) -> None:
    act, wanted = CHANGES[change]
    act(place)
    found = run("--key", "k.pub", "--signature", "w.bin.sigstore.json", "w.bin")
    assert found.exit_code == 1
    assert found.stdout.startswith(f"NOT verified: w.bin: {wanted}"), found.stdout
    value = json.loads(run("--key", "k.pub", "-f", "json", "--signature", "w.bin.sigstore.json", "w.bin").stdout)
    assert list(schema("verification-v1").iter_errors(value)) == []


def test_whom_it_cannot_be_asked_for(place: Path) -> None:
    """A trust file is about models and kinds of statements, of which a signature over bytes says nothing."""
    (place / "trust.toml").write_text(
        '[[key]]\nname = "a"\nfile = "k.pub"\n[[grant]]\nsays = ["signature"]\nby = ["a"]\nmodels = ["*"]\n'
    )
    found = run("--trust", "trust.toml", "w.bin")
    assert (found.exit_code, "unsupported: a signature over one file" in found.stdout) == (1, True)
