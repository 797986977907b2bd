"""Statements of ours are read and verified by other people's tools, and theirs by us; ``make interop`` makes the environment for that.

The published ``in-toto-attestation`` (0.9.3) has no classes for SVR and vulnerabilities, and one for VSA that takes a single text where the
specification has a list. With ``OPENVET_IN_TOTO_ATTESTATION`` set to the ``python`` folder of a newer checkout of in-toto/attestation its classes
are used, and those kinds are read too.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.evidence.vectors import FOLDER

from openvet.cli import main
from openvet.errors import VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import load_public
from openvet.evidence.signing import parse_line, parse_statement
from openvet.evidence.verifier import verify_with_key
from openvet.testing.forge_views import Stored, Strided, zip_file
from openvet.workflows.pack_results import RESULTS

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache/interop/in-toto/bin/python"
NEWER = os.environ.get("OPENVET_IN_TOTO_ATTESTATION", "")
pytestmark = pytest.mark.skipif(
    not (PYTHON.parents[1] / ".made").exists(), reason="in-toto's packages are not installed; make interop does that"
)
KINDS = ("scan", "inventory", "test-result", "svr", "vsa", "vulns")
VSA = "https://slsa.dev/verification_summary/v1"


class Theirs:
    """Their packages, asked case by case."""

    def __init__(self) -> None:
        command = [str(PYTHON), str(Path(__file__).with_name("in_toto_driver.py")), *filter(None, [NEWER])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, do: str, **case: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({do: case}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise AssertionError("it ended")


@pytest.fixture(scope="module")
def theirs() -> Iterator[Theirs]:
    found = Theirs()
    yield found
    found.process.stdin.close()  # type: ignore[union-attr]
    found.process.stdout.close()  # type: ignore[union-attr]
    found.process.wait()


def as_numbers(value: Any) -> Any:
    """Their classes keep every number as a double."""
    if type(value) is int:
        return float(value)
    if isinstance(value, dict):
        return {key: as_numbers(each) for key, each in value.items()}
    return [as_numbers(each) for each in value] if isinstance(value, list) else value


def is_said_by(found: Any, ours: Any) -> bool:
    """Whether everything in ``found`` is in ``ours``; theirs leave out what is empty and what they do not know."""
    if isinstance(found, dict):
        return isinstance(ours, dict) and all(
            key in ours and is_said_by(each, ours[key]) for key, each in found.items()
        )
    if isinstance(found, list):
        return isinstance(ours, list) and len(found) == len(ours) and all(map(is_said_by, found, ours))
    return bool(found == as_numbers(ours))


def check(theirs: Theirs, line: str, pem: str) -> Any:
    """One bundle of ours by all of theirs; gives what their class of the predicate has."""
    payload = json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]))
    found = theirs("read", line=line, pem=pem)
    for name in ("securesystemslib", "in-toto", "bundle"):
        assert found[name] == "True", found[name]
    assert found["statement"] == as_numbers(payload)
    (kind,) = payload["subject"][0]["digest"]
    if kind == "sha256":
        assert found["sigstore"] == payload["predicateType"]
    else:  # sigstore-python knows digests of files alone, and in-toto's digests of a folder and of a commit are none
        assert f"digest.{kind}" in found["sigstore"]
    read = found["predicate"]
    if payload["predicateType"] == VSA and not NEWER:
        assert "verifiedLevels" in read  # a fault of the published class
        return None
    assert read is None or is_said_by(read, payload["predicate"]), read
    return read


VECTORS = sorted(path.name for path in FOLDER.glob("*.bundle.json"))


@pytest.mark.parametrize("name", VECTORS)
def test_they_read_our_vectors(theirs: Theirs, name: str) -> None:
    read = check(theirs, (FOLDER / name).read_text(), (FOLDER / "key.pub").read_text())
    if name.startswith(("test-result", "provenance")):
        assert read
    if NEWER and name.startswith(("svr", "vsa", "vulns")):
        assert len(read) > 1


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_they_read_what_the_commands_write(
    theirs: Theirs, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def ours(*arguments: str) -> str:
        found = CliRunner().invoke(main, arguments)
        assert found.exit_code == 0, found.output
        return found.stdout

    ours("keys", "new", "k.key", "--kind", kind, "--no-passphrase")
    pem = Path("k.key.pub").read_text()
    Path("m").mkdir()
    Path("m/w.pt").write_bytes(zip_file({"w": Strided(Stored(bytes(16)), (2, 2), (2, 1))}))
    Path("m/config.json").write_text('{"model_type": "bert", "layer_norm_eps": 1e-12}')
    ours("disarm", "--copy-others", "--provenance", "p.json", "--sign", "k.key", "m", "safe")
    assert check(theirs, Path("p.json").read_text(), pem)["runDetails"]["builder"]["version"] == {"openvet": "0.1.0"}
    wanted = [f"--statement={each}" for each in KINDS]
    for model in ("safe", "safe/w.safetensors"):
        lines = ours("check", model, "--sign", "k.key", *wanted).splitlines()
        assert len(lines) == len(KINDS)
        for line in lines:
            check(theirs, line, pem)


def test_they_read_what_a_pack_decides(theirs: Theirs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack's decision, and the same as SVR and VSA: of a model that is admitted, and of one that a person has to look at."""
    monkeypatch.chdir(tmp_path)
    for key in ("owner", "p256"):
        kind = "ed25519" if key == "owner" else key
        assert CliRunner().invoke(main, ["keys", "new", f"{key}.key", "--kind", kind, "--no-passphrase"]).exit_code == 0
    results = {}
    for name, card in (("good", "---\nlicense: apache-2.0\n---\n# M\n\nA model.\n"), ("open", "# M\n\nA model.\n")):
        Path(name).mkdir()
        Path(name, "README.md").write_text(card)
        asked = ["check", name, "--policy", "baseline", "--dossier", f"{name}.d", "--sign", "owner.key", "--quiet"]
        CliRunner().invoke(main, asked)
        for key in ("owner", "p256"):
            found = CliRunner().invoke(
                main,
                ["decide", f"{name}.d", "--key", "owner.key.pub", "--policy", "baseline", "--as-of", "2026-06-01", "--sign", f"{key}.key",
                 *(f"--statement={each}" for each in RESULTS)],
            )  # fmt: skip
            assert found.exit_code in {0, 3}, found.output
            lines = found.stdout.splitlines()
            assert len(lines) == len(RESULTS)
            for line in lines:
                check(theirs, line, Path(f"{key}.key.pub").read_text())
                payload = json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]))
                results[name, payload["predicateType"]] = payload["predicate"]
    assert results["good", VSA]["verificationResult"] == "PASSED"
    assert results["open", VSA]["verificationResult"] == "FAILED"
    assert (
        "OPENVET_ADMITTED_BY_PACK_BASELINE" in results["good", "https://in-toto.io/attestation/svr/v0.2"]["properties"]
    )


def test_they_refuse_what_was_changed(theirs: Theirs) -> None:
    value = json.loads((FOLDER / "vsa-rejected.bundle.json").read_text())
    payload = base64.b64decode(value["dsseEnvelope"]["payload"]).replace(b'"FAILED"', b'"PASSED"', 1)
    changed = copy.deepcopy(value)
    changed["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    found = theirs("read", line=json.dumps(changed), pem=(FOLDER / "key.pub").read_text())
    assert "VerificationError" in found["securesystemslib"]
    assert "VerificationError" in found["in-toto"]


def body(name: str) -> tuple[str, Any]:
    value = json.loads((FOLDER / f"{name}.json").read_bytes())
    predicate = value["predicate"]
    if value["predicateType"] == "https://slsa.dev/provenance/v1":
        del predicate["buildDefinition"]["internalParameters"]  # numbers: see below
    return value["predicateType"], predicate


def read(found: Any, pem: str) -> Any:
    hint = load_public(pem.encode()).hint
    signatures = [{"sig": each["sig"]} for each in found["envelope"]["signatures"]]
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": {**found["envelope"], "signatures": signatures},
    }
    verified = verify_with_key(Bundle.parse(json.dumps(bundle).encode()), load_public(pem.encode()))
    return parse_statement(verified.payload)


@pytest.mark.parametrize("by", ["in-toto-attestation", "sigstore"])
@pytest.mark.parametrize("scheme", ["ecdsa", "ed25519"])
@pytest.mark.parametrize(
    "name", ["test-result-rejected", "provenance-folder", "svr-team", "vsa-team", "vulns-rejected"]
)
def test_we_read_theirs(theirs: Theirs, name: str, scheme: str, by: str) -> None:
    """Written by their classes where there is one, signed by securesystemslib."""
    kind, predicate = body(name)
    if kind == VSA and not NEWER and by != "sigstore":
        pytest.skip("the published class of a VSA takes one text where the specification has a list")
    found = theirs("write", kind=kind, predicate=predicate, scheme=scheme, by=by)
    said = read(found, found["pem"])
    assert said.predicate_type == kind
    assert said.subjects[0].name == "model"
    assert type(said.predicate) is type(parse_statement((FOLDER / f"{name}.json").read_bytes()).predicate)
    assert is_said_by(said.body, predicate)
    other = (FOLDER / "key.pub").read_text()
    with pytest.raises(VerifyError):
        read(found, other)


def test_numbers_of_protobuf_are_refused_and_never_misread(theirs: Theirs) -> None:
    """Their classes write 3 as 3.0. A signed statement of ours has no such number, and a dossier takes none from others."""
    kind, predicate = body("provenance-file")
    predicate["buildDefinition"]["internalParameters"] = {"depth": 3}
    found = theirs("write", kind=kind, predicate=predicate, scheme="ecdsa", by="in-toto-attestation")
    with pytest.raises(VerifyError, match=r"has the number 3\.0") as caught:
        read(found, found["pem"])
    assert caught.value.reason == "malformed"


def test_a_line_of_ours_is_one_of_theirs() -> None:
    """A file of several statements is in-toto's bundle: one envelope a line."""
    for name in VECTORS:
        assert b"\n" not in (FOLDER / name).read_bytes()
        parse_line((FOLDER / name).read_bytes(), name)
