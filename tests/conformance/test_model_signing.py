"""Models that we sign are verified by model-signing, and those that it signs by us; and keyless signatures by its sigstore.

``make interop`` makes the environment that these need, ``make test`` too where it can.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.evidence.authority import Authority
from tests.evidence.test_bundle import RELEASED

from openvet.cli import main
from openvet.evidence.keys import generate

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache/interop/model-signing/bin/python"
pytestmark = pytest.mark.skipif(
    not (PYTHON.parents[1] / ".made").exists(), reason="model-signing is not installed; make interop does that"
)


class Theirs:
    """model-signing, asked case by case."""

    def __init__(self) -> None:
        driver = Path(__file__).with_name("model_signing_driver.py")
        self.process = subprocess.Popen([PYTHON, driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, do: str, **case: Any) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **case}, default=str) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith('"'):
                return str(json.loads(line))
        raise AssertionError("it ended")


@pytest.fixture(scope="module")
def theirs() -> Iterator[Theirs]:
    found = Theirs()
    yield found
    found.process.stdin.close()  # type: ignore[union-attr]
    found.process.stdout.close()  # type: ignore[union-attr]
    found.process.wait()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose names sort differently part by part and letter by letter, beside keys of each curve."""
    monkeypatch.chdir(tmp_path)
    for name, data in {
        "m/a/b": b"1", "m/a-b": b"2", "m/a.b": b"3", "m/ä": b"4", "m/big": os.urandom(25_000), "m/empty": b"", "m/.git/x": b"5",
        "m/cache/x": b"6", "m/sub/.git": b"7", "m/Z": b"8",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    for kind in ("p256", "p384", "p521"):
        key = generate(kind)
        Path(f"{kind}.key").write_bytes(key.pem())
        Path(f"{kind}.pub").write_bytes(key.public.pem)
    return tmp_path


def ours(*arguments: object) -> int:
    return CliRunner().invoke(main, list(map(str, arguments))).exit_code


SHARDS = ("--shard-size", "1000")


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
@pytest.mark.parametrize("flags", [(), SHARDS, ("--ignore", "cache")], ids=str)
def test_they_verify_ours(place: Path, theirs: Theirs, kind: str, flags: tuple[str, ...]) -> None:
    assert ours("sign", "--key", f"{kind}.key", *flags, "m") == 0
    asked = {"key": f"{place}/{kind}.pub", "model": place / "m", "signature": place / "m/model.sig"}
    size = 1000 if flags == SHARDS else None
    assert (
        theirs("verify", **asked, shard_size=size, ignore=["model.sig", "cache"] if "cache" in flags else ["model.sig"])
        == "ok"
    )
    (place / "m/a.b").write_bytes(b"x")
    assert "mismatch" in theirs("verify", **asked, shard_size=size, ignore=["model.sig"])


def test_they_refuse_shards_as_the_specification_names_them(
    place: Path, theirs: Theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why we write another name (docs/adr/0020). When this fails, a release takes both, and we can write what the schema takes."""
    monkeypatch.setattr("openvet.evidence.model_signature._algorithm", lambda how: how.hash_type)
    assert ours("sign", "--key", "p256.key", *SHARDS, "m") == 0
    assert ours("verify", "--key", "p256.pub", "m") == 0
    asked = {"key": f"{place}/p256.pub", "model": place / "m", "signature": place / "m/model.sig"}
    assert "mismatch" in theirs("verify", **asked, shard_size=1000, ignore=["model.sig"])


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
@pytest.mark.parametrize("case", [{}, {"shard_size": 1000}, {"ignore": ["cache"]}, {"hash": "blake2"}], ids=str)
def test_we_verify_theirs(place: Path, theirs: Theirs, kind: str, case: dict[str, Any]) -> None:
    case = {**case, "ignore": ["model.sig", *case.get("ignore", [])]}
    assert theirs("sign", key=f"{place}/{kind}.key", model=place / "m", signature=place / "m/model.sig", **case) == "ok"
    assert ours("verify", "--key", f"{kind}.pub", "m") == 0
    assert ours("verify", "--key", "p256.pub" if kind != "p256" else "p384.pub", "m") == 1
    (place / "m/a.b").write_bytes(b"x")
    assert ours("verify", "--key", f"{kind}.pub", "m") == 1


def test_a_file_and_links_both_ways(place: Path, theirs: Theirs) -> None:
    (place / "m/link").symlink_to("big")
    key, public = place / "p256.key", place / "p256.pub"
    assert ours("sign", "--key", key, "m/big") == 0
    assert theirs("verify", key=public, model=place / "m/big", signature=place / "m/big.sig") == "ok"
    assert theirs("sign", key=key, model=place / "m/a.b", signature=place / "x.sig") == "ok"
    assert ours("verify", "--key", public, "--signature", "x.sig", "m/a.b") == 0
    assert ours("sign", "--key", key, "--allow-symlinks", "m") == 0
    asked = {"model": place / "m", "signature": place / "m/model.sig", "links": True, "ignore": ["model.sig"]}
    assert theirs("verify", key=public, **asked) == "ok"
    assert theirs("sign", key=key, **asked) == "ok"
    assert ours("verify", "--key", public, "m") == 0


def test_certificates_both_ways(place: Path, theirs: Theirs) -> None:
    root = Authority()
    middle = Authority("middle", root)
    key, leaf = middle.signer()
    for name, data in {"k": key.pem(), "leaf": leaf, "middle": middle.pem, "root": root.pem}.items():
        Path(name).write_bytes(data)
    asked = {"model": place / "m", "signature": place / "m/model.sig", "ignore": ["model.sig"]}
    verify = ("verify", "--certificate-chain", "root", "--at", "2026-06-01", "m")
    assert ours("sign", "--key", "k", "--certificate", "leaf", "--certificate", "middle", "m") == 0
    assert ours(*verify) == 0
    assert theirs("verify", chain=[place / "root"], **asked) == "ok"
    chain = [place / "middle", place / "root"]
    assert theirs("sign", key=place / "k", certificate=place / "leaf", chain=chain, **asked) == "ok"
    assert ours(*verify) == 0
    Path("root").write_bytes(Authority().pem)
    assert ours(*verify) == 1


def test_their_command_verifies_ours(place: Path) -> None:
    assert ours("sign", "--key", "p256.key", "m") == 0
    command = [
        str(PYTHON.with_name("model_signing")),
        "verify",
        "key",
        "--public_key",
        "p256.pub",
        "--signature",
        "m/model.sig",
        "m",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


KEYLESS = """
import json, sys
from openvet.errors import VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keyless import load_trusted_root, verify_keyless
from openvet.evidence.model_signature import ModelSignature

root, out = load_trusted_root(None), {}
for name, text in json.load(sys.stdin).items():
    for who in ("stefanb@us.ibm.com", "somebody@else.example"):
        try:
            found = verify_keyless(Bundle.parse(text.encode()), who, "https://sigstore.verify.ibm.com/oauth2", root)
            out[f"{name} {who}"] = f"{ModelSignature.parse(found.payload).name} {found.signer.signed_at:%Y}"
        except VerifyError as error:
            out[f"{name} {who}"] = error.reason
print(json.dumps(out))
"""


def test_keyless_signatures_offline(tmp_path: Path) -> None:
    """With the trusted root that the library carries, in a home where nothing was ever fetched."""
    texts = {name: each["signature"] for name, each in RELEASED["signatures"].items() if name.endswith("sigstore")}
    forged = json.loads(texts["v1.1.0-sigstore"])
    forged["dsseEnvelope"]["signatures"][0]["sig"] = json.loads(texts["v1.0.1-sigstore"])["dsseEnvelope"]["signatures"][
        0
    ]["sig"]
    moved = json.loads(texts["v1.1.0-sigstore"])
    moved["verificationMaterial"]["tlogEntries"] = json.loads(texts["v1.0.1-sigstore"])["verificationMaterial"][
        "tlogEntries"
    ]
    asked = json.dumps({**texts, "forged": json.dumps(forged), "moved": json.dumps(moved)})
    home = {"PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path), "PATH": "/nowhere"}
    done = subprocess.run([PYTHON, "-c", KEYLESS], input=asked, capture_output=True, text=True, check=True, env=home)
    found = json.loads(done.stdout)
    for name in texts:
        assert found[f"{name} stefanb@us.ibm.com"].startswith(f"{name} 2025")
        assert found[f"{name} somebody@else.example"] == "untrusted"
    assert found["forged stefanb@us.ibm.com"] == "tampered"
    assert found["moved stefanb@us.ibm.com"] in {"tampered", "untrusted"}


STORED = """
import sys
from openvet.evidence.key_store import open_stored
from openvet.evidence.keys import load_public
public = load_public(open("p256.pub", "rb").read())
public.verify(open_stored("file2:p256.key", public).sign(b"data"), b"data")
try:
    open_stored("file2:p256.key", load_public(open("p384.pub", "rb").read())).sign(b"data")
except Exception as error:
    print(type(error).__name__)
"""


def test_a_key_by_uri(place: Path) -> None:
    """Of the stores that securesystemslib knows, only its own files can be tried here."""
    path = {"PYTHONPATH": str(ROOT / "src"), "CRYPTO_SIGNER_PATH_PREFIX": str(place)}
    done = subprocess.run([PYTHON, "-c", STORED], capture_output=True, text=True, check=False, env=path)
    assert (done.returncode, done.stdout) == (0, "UsageError\n"), done.stderr
