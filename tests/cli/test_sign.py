"""`openvet sign`, `verify` and `keys` as a shell sees them: exit codes, what goes to which stream, what is left on disk."""

from __future__ import annotations

import json
import stat
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.evidence.authority import Authority
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.evidence.keys import load_public


def run(*arguments: object, secret: str | None = None, answers: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), env={"OPENVET_KEY_PASSPHRASE": secret}, input=answers)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m" / ".git").mkdir(parents=True)
    (tmp_path / "m" / ".git" / "config").write_text("x")
    (tmp_path / "m" / "w.bin").write_bytes(b"weights")
    assert run("keys", "new", "k", "--no-passphrase").exit_code == 0
    return tmp_path


def hint(name: str = "k.pub") -> str:
    return load_public(Path(name).read_bytes()).hint


def test_signed_and_verified() -> None:
    made = run("sign", "--key", "k", "m")
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout.splitlines() == [
        "signed m: 1 file, 7 bytes",
        "  signature  m/model.sig",
        f"  root       sha256 {json.loads(run('verify', '--key', 'k.pub', '-f', 'json', 'm').stdout)['subject']['digest']['sha256']}",
        f"  key        p256 {hint()}",
        "  NOT covered: 1 file (ignored: lies in a path that the signature leaves out)",
        "    .git/config",
    ]
    found = run("verify", "--key", "k.pub", "m")
    assert found.exit_code == 0
    assert found.stdout.startswith("verified: m: 1 file, 7 bytes\n")
    assert f"  key        p256 {hint()}\n" in found.stdout
    assert "NOT covered: 1 file" in found.stdout
    assert "when it was signed is not proven" in found.stdout
    assert run("verify", "--key", "k.pub", "--quiet", "m").output == ""
    assert run("sign", "--key", "k", "--quiet", "--force", "m").output == ""


def test_not_verified() -> None:
    missing = run("verify", "--key", "k.pub", "m")
    assert (missing.exit_code, missing.stdout) == (
        1,
        "NOT verified: m: missing: there is no signature at m/model.sig\n",
    )
    assert run("sign", "--key", "k", "m").exit_code == 0
    assert run("keys", "new", "other", "--no-passphrase").exit_code == 0
    wrong = run("verify", "--key", "other.pub", "m")
    assert wrong.exit_code == 1
    assert wrong.stdout.startswith("NOT verified: m: wrong-key: ")
    Path("m/w.bin").write_bytes(b"others!")
    Path("m/evil\x1b[31m.py").write_text("1")
    changed = run("verify", "--key", "k.pub", "m")
    assert changed.exit_code == 1
    assert changed.stdout.splitlines()[0].startswith("NOT verified: m: mismatch: ")
    assert "\x1b" not in changed.stdout
    Path("m/evil\x1b[31m.py").unlink()
    value = json.loads(run("verify", "--key", "k.pub", "-f", "json", "m").stdout)
    assert (value["verified"], value["reason"]) == (False, "mismatch")
    assert value["differences"] == [{"path": "w.bin", "what": "changed"}]
    assert value["signer"]["key"]["sha256"] == hint()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify", "m"), "say whom you trust"),
        (("verify", "--key", "k.pub", "--certificate-chain", "k.pub", "m"), "say whom you trust"),
        (("verify", "--key", "k.pub", "--at", "2026-01-01", "m"), "--at belongs to"),
        (("verify", "--key", "k.pub", "--trusted-root", "x", "m"), "--trusted-root belongs to"),
        (("verify", "--key", "k.pub", "--trust", "x", "m"), "say whom you trust"),
        (("verify", "--key", "k.pub", "--cosignature", "x", "m"), "belong to --trust"),
        (("verify", "--key", "k.pub", "--model-name", "x", "m"), "belong to --trust"),
        (("verify", "--trust", "gone.toml", "m"), "gone.toml: cannot be read"),
        (("verify", "--trust", "k.pub", "m"), "k.pub:1: is not TOML"),
        (("verify", "--identity", "a@b", "m"), "belong together"),
        (("verify", "--key", "k", "m"), "is a private key"),
        (("verify", "--key", "nothing", "m"), "No such file"),
        (("verify", "--key", "k.pub", "nothing"), "No such file"),
        (("verify", "--key", "m/w.bin", "m"), "no public key"),
        (("verify", "--certificate-chain", "k.pub", "m"), "no certificate"),
        (("sign", "m"), "--key"),
        (("sign", "--key", "k.pub", "m"), "no private key"),
        (("sign", "--key", "k", "nothing"), "No such file"),
        (("sign", "--key", "k", "--shard-size", "0", "m"), "--shard-size"),
        (("sign", "--key", "k", "--hash", "blake3", "--shards", "m"), "exclude each other"),
        (("sign", "--key", "k", "--public-key", "k.pub", "m"), "belongs to a key store"),
        (("sign", "--key", "hsm:2?x=y", "m"), "needs --public-key"),
        (("keys", "show", "m/w.bin"), "no public key"),
        (("keys", "list", "nothing"), "No such file"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    found = run(*arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert words in found.stderr
    assert "fault" not in found.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("verify", "--identity", "a@b", "--issuer", "https://c", "m"), "openvet[sigstore]"),
        (("sign", "--key", "hsm:2", "--public-key", "k.pub", "m"), "openvet[key-stores]"),
    ],
)
def test_an_extra_that_is_not_there(arguments: tuple[str, ...], extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sigstore", "sigstore.models", "securesystemslib", "securesystemslib.signer"):
        monkeypatch.setitem(sys.modules, name, None)
    found = run(*arguments)
    assert found.exit_code == 2
    assert f"pip install '{extra}'" in found.stderr


def test_certificates() -> None:
    root = Authority()
    key, leaf = root.signer("me")
    for name, data in {"me.key": key.pem(), "me.pem": leaf, "root.pem": root.pem, "other.pem": Authority().pem}.items():
        Path(name).write_bytes(data)
    assert "another key" in run("sign", "--key", "k", "--certificate", "me.pem", "m").stderr
    assert run("sign", "--key", "me.key", "--certificate", "me.pem", "m").exit_code == 0

    def verified(roots: str, at: str) -> str:
        found = run("verify", "--certificate-chain", roots, "--at", at, "m")
        return found.stdout.split(":")[2].strip() if found.exit_code else found.stdout

    assert "signed by  CN=me" in verified("root.pem", "2026-06-01")
    assert "root cert  CN=root" in verified("root.pem", "2026-06-01T12:00:00Z")
    assert verified("root.pem", "2036-01-01") == "expired"
    assert verified("root.pem", "2024-01-01") == "not-yet-valid"
    assert verified("other.pem", "2026-06-01") == "untrusted"
    assert run("verify", "--certificate-chain", "root.pem", "--at", "soon", "m").exit_code == 2


def test_new_keys_are_private_and_never_replaced() -> None:
    assert stat.S_IMODE(Path("k").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("k.pub").stat().st_mode) == 0o644
    before = Path("k").read_bytes()
    again = run("keys", "new", "k", "--no-passphrase")
    assert (again.exit_code, Path("k").read_bytes()) == (2, before)
    Path("k2.pub").write_text("mine")
    assert run("keys", "new", "k2", "--no-passphrase").exit_code == 2
    assert not Path("k2").exists()
    assert Path("k2.pub").read_text() == "mine"


def test_passphrases() -> None:
    assert "no terminal" in run("keys", "new", "s").stderr
    assert "protects nothing" in run("keys", "new", "s", secret="").stderr
    assert not Path("s").exists()
    assert run("keys", "new", "s", secret="correct").exit_code == 0
    assert b"ENCRYPTED" in Path("s").read_bytes()
    assert run("sign", "--key", "s", "m", secret="correct").exit_code == 0
    assert "passphrase is wrong" in run("sign", "--key", "s", "--force", "m", secret="wrong").stderr
    assert "no passphrase was given" in run("sign", "--key", "s", "--force", "m").stderr
    # a key without one does not mind that there is one in the environment
    assert run("sign", "--key", "k", "--force", "m", secret="correct").exit_code == 0


def test_keys_are_listed_and_shown() -> None:
    run("keys", "new", "--kind", "ed25519", "e", secret="x")
    Path("k").chmod(0o644)
    Path("notes.txt").write_text("no key")
    value = json.loads(run("keys", "list", "-f", "json").stdout)["keys"]
    assert [
        (each["path"], each["kind"], each["private"], each["encrypted"], each["readable_by_others"]) for each in value
    ] == [
        ("./e", "ed25519", True, True, False),
        ("./e.pub", "ed25519", False, False, False),
        ("./k", "p256", True, False, True),
        ("./k.pub", "p256", False, False, False),
    ]
    assert "OTHERS CAN READ IT" in run("keys", "show", "k").stdout
    assert hint() in run("keys", "show", "k.pub").stdout
    Path("e.pub").unlink()
    assert "hidden by the passphrase" in run("keys", "show", "e").stdout
    assert "Ed25519" in run("sign", "--key", "e", "m", secret="x").stderr


def test_reports_are_as_their_schemas_say(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))

    def fits(name: str, *arguments: str) -> None:
        assert list(schema(name).iter_errors(json.loads(run(*arguments, "-f", "json").stdout))) == []

    root = Authority()
    key, leaf = root.signer("me")
    for name, data in {"me.key": key.pem(), "me.pem": leaf, "root.pem": root.pem}.items():
        Path(name).write_bytes(data)
    fits("verification-v1", "verify", "--key", "k.pub", "m")
    fits("signing-v1", "sign", "--key", "k", "--shards", "m")
    fits("verification-v1", "verify", "--key", "k.pub", "m")
    fits("signing-v1", "sign", "--key", "me.key", "--certificate", "me.pem", "--force", "m")
    fits("verification-v1", "verify", "--certificate-chain", "root.pem", "--at", "2026-06-01", "m")
    Path("m/w.bin").unlink()
    fits("verification-v1", "verify", "--certificate-chain", "root.pem", "--at", "2026-06-01", "m")
    fits("keys-v1", "keys", "list")
    cached = ("--digest-cache", "m")
    Path("m/w.bin").write_bytes(b"weights")
    fits("signing-v1", "sign", "--key", "k", "--force", *cached)
    fits("verification-v1", "verify", "--key", "k.pub", *cached)
    Path("m/w.bin").write_bytes(b"others!")
    fits("verification-v1", "verify", "--key", "k.pub", *cached)
    found = run("verify", "--key", "k.pub", *cached)
    assert found.exit_code == 1
    assert "  digest cache: gave nothing\n" in found.stdout


def test_the_digest_cache_is_used_only_when_asked_for(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    now = time.time_ns() + 10_000_000_000
    monkeypatch.setattr("time.time_ns", lambda: now)
    assert run("sign", "--key", "k", "m").exit_code == 0
    assert not Path("cache").exists()
    assert "  digest cache: gave nothing\n" in run("verify", "--key", "k.pub", "--digest-cache", "m").stdout
    again = run("verify", "--key", "k.pub", "--digest-cache", "m").stdout
    assert "  NOT read now: 1 file, 7 bytes (digests from the digest cache)\n    w.bin\n" in again
    assert "read now" not in run("verify", "--key", "k.pub", "m").stdout
    value = json.loads(run("verify", "--key", "k.pub", "--digest-cache", "-f", "json", "m").stdout)
    assert value["digest_cache"] == {"files": ["w.bin"], "bytes": 7, "messages": []}
    made = run("sign", "--key", "k", "--force", "--digest-cache", "m").stdout
    assert "  NOT read now: 1 file, 7 bytes (digests from the digest cache)\n    w.bin\n" in made
    Path("cache/openvet").chmod(0o777)
    refused = run("verify", "--key", "k.pub", "--digest-cache", "m")
    assert refused.exit_code == 0
    assert "  digest cache: gave nothing\n" in refused.stdout
    assert "  note: the digest cache is not used: " in refused.stdout


TRUST = """
[[key]]
name = "ann"
file = "k.pub"
until = 2027-12-31

[[key]]
name = "bob"
file = "b.pub"

[[grant]]
says = ["signature"]
by = ["ann", "bob"]
models = ["acme/*", "m"]
threshold = 2
"""


def test_verified_by_trust() -> None:
    Path("trust.toml").write_text(TRUST)
    assert run("keys", "new", "b", "--no-passphrase").exit_code == 0
    for key in ("k", "b"):
        assert run("sign", "--key", key, "--signature", f"{key}.sig", "m").exit_code == 0
    command = ("verify", "--trust", "trust.toml", "--at", "2026-06-15", "--signature", "k.sig", "m")
    few = run(*command)
    assert (few.exit_code, few.stdout) == (
        1,
        "NOT verified: m: threshold: 2 different signers have to sign this, and 1 did\n",
    )
    assert run("sign", "--key", "b", "--signature", "other.sig", "--shards", "m").exit_code == 0
    both = json.loads(run(*command, "--cosignature", "b.sig", "--cosignature", "other.sig", "-f", "json").stdout)
    assert list(schema("verification-v1").iter_errors(both)) == []
    assert [each["reason"] for each in both["trust"]["refused"]] == ["threshold"]
    found = run(*command, "--cosignature", "b.sig", "--cosignature", "gone.sig")
    assert found.exit_code == 0
    assert "  trusted    ann, bob: 2 of the 2 needed, by line 11 of the trust file\n" in found.stdout
    assert "  note: not counted: gone.sig: No such file or directory\n" in found.stdout
    value = json.loads(run(*command, "--cosignature", "b.sig", "-f", "json").stdout)
    assert value["trust"]["accepted"][0]["by"] == ["ann", "bob"]
    assert (value["trust"]["as_of"], value["trust"]["name"]) == ("2026-06-15T00:00:00Z", "m")
    late = run(*command, "--cosignature", "b.sig", "--at", "2028-01-01")
    assert late.stdout == "NOT verified: m: expired: ann was trusted until 2027-12-31\n"
    other = run(*command, "--cosignature", "b.sig", "--model-name", "other")
    assert other.stdout.startswith("NOT verified: m: untrusted: ann is not trusted to say this (https://model_signing")
