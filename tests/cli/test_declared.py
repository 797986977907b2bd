"""``--declared``: digests that somebody named already are taken, always said to be declared, and never verified with."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.evidence.bundle import Bundle
from openvet.testing.hub import Hub, Registry

WEIGHTS = b"w" * 5000
OID = hashlib.sha256(WEIGHTS).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(WEIGHTS)}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model as it is, beside a key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    monkeypatch.setattr("openvet.io.http._wait", lambda *_: 0.0)
    assert run("keys", "new", "k", "--no-passphrase").exit_code == 0
    Path("m").mkdir()
    Path("m/config.json").write_bytes(b"{}")
    Path("m/model.bin").write_bytes(WEIGHTS)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def digests(*arguments: str) -> dict[str, Any]:
    result = run("digest", "-f", "json", *arguments)
    assert result.exit_code == 0, result.stderr
    value: dict[str, Any] = json.loads(result.stdout)
    assert list(schema("digests-v1").iter_errors(value)) == []
    return value


def said(value: dict[str, Any]) -> dict[str, str]:
    return {each["path"]: each.get("by", each["basis"]) for each in value["files"]}


def cloned(folder: str = "clone", text: str = POINTER) -> str:
    Path(folder).mkdir()
    Path(folder, "config.json").write_bytes(b"{}")
    Path(folder, "model.bin").write_text(text)
    return folder


def cached(oid: str = OID, data: bytes = WEIGHTS) -> str:
    """A Hugging Face cache, whose blobs are named by their etags: SHA-256 of large files, git's SHA-1 of small ones."""
    repository = Path("hub/models--org--m")
    snapshot = repository / "snapshots" / ("c" * 40)
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for name, blob, content in (("model.bin", oid, data), ("config.json", "9" * 40, b"{}")):
        (repository / "blobs" / blob).write_bytes(content)
        (snapshot / name).symlink_to(f"../../blobs/{blob}")
    return str(snapshot)


def downloaded(stamp: float, etag: str = OID) -> str:
    """A folder as ``hf download --local-dir`` leaves it."""
    cloned("local")
    Path("local/model.bin").write_bytes(WEIGHTS)
    record = Path("local/.cache/huggingface/download/model.bin.metadata")
    record.parent.mkdir(parents=True)
    record.write_text(f"{'c' * 40}\n{etag}\n{stamp}\n")
    return "local"


def test_a_pointer_stands_for_the_file_that_is_not_here() -> None:
    found = digests("--declared", cloned())
    assert found["digest"] == digests("m")["digest"]
    assert (found["basis"], digests("m")["basis"]) == ("declared", "measured")
    assert said(found) == {"config.json": "measured", "model.bin": "git-lfs"}
    (listed,) = [each for each in found["files"] if each["path"] == "model.bin"]
    assert listed == {"path": "model.bin", "size": 5000, "sha256": OID, "basis": "declared", "by": "git-lfs", "here": False}  # fmt: skip
    text = run("digest", "--declared", "clone").stdout
    assert text.splitlines()[1].endswith("  (declared, not measured)")
    assert "NOT read: 1 file, which is not here (digests declared: git-lfs)\n    model.bin\n" in text
    # without the flag the pointer's own bytes are measured
    assert said(digests("clone")) == {"config.json": "measured", "model.bin": "measured"}
    assert digests("clone")["digest"] != found["digest"]


@pytest.mark.parametrize(
    "text",
    [
        POINTER.replace("oid sha256:", "oid md5:"),
        POINTER.replace("size 5000", "size many"),
        "x" + POINTER,
        POINTER + "#" * 1024,
        "",
    ],
)
def test_what_is_no_pointer_is_read(text: str) -> None:
    assert said(digests("--declared", cloned(text=text)))["model.bin"] == "measured"


def test_a_hub_cache() -> None:
    found = digests("--declared", cached())
    assert said(found) == {"config.json": "measured", "model.bin": "hub-cache"}
    assert found["digest"] == digests("m")["digest"]
    single = digests("--declared", "hub/models--org--m/snapshots/" + "c" * 40 + "/model.bin")
    assert said(single) == {"model.bin": "hub-cache"}


def test_the_metadata_of_a_local_folder_counts_while_the_file_was_not_written_to() -> None:
    now = time.time()
    folder = downloaded(now + 1)
    assert said(digests("--declared", folder))["model.bin"] == "hub-metadata"
    os.utime("local/model.bin", (now + 60, now + 60))
    assert said(digests("--declared", folder))["model.bin"] == "measured"


@pytest.mark.parametrize(("stamp", "etag"), [(1e11, "9" * 40), (1e11, OID.upper()), (float("inf"), OID)])
def test_metadata_of_another_form_is_none(stamp: float, etag: str) -> None:
    assert said(digests("--declared", downloaded(stamp, etag)))["model.bin"] == "measured"


def test_an_oci_layout() -> None:
    Path("layout/blobs/sha256").mkdir(parents=True)
    Path("layout/blobs/sha256", OID).write_bytes(WEIGHTS)
    Path("layout/blobs/sha256/readme").write_bytes(b"no digest")
    Path("layout/index.json").write_text("{}")
    assert set(said(digests("--declared", "layout")).values()) == {"measured"}  # blobs alone make no layout
    Path("layout/oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    found = digests("--declared", "layout")
    assert [path for path, by in said(found).items() if by == "oci-layout"] == [f"blobs/sha256/{OID}"]
    assert found["digest"] == digests("layout")["digest"]


def test_a_hub_and_a_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub({"config.json": b"{}", "model.bin": WEIGHTS}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert run("digest", "hf:org/model").exit_code == 2
        found = digests("--declared", "hf:org/model")
        assert not [each for each in hub.store.asked if OID in each.path]
    assert said(found) == {"config.json": "measured", "model.bin": "hub"}
    assert found["digest"] == digests("m")["digest"]
    title = "org.cncf.model.filepath"
    layers = [("application/vnd.cncf.model.weight.v1.raw", {title: "model.bin"}, WEIGHTS)]
    with Registry(layers) as registry:
        found = digests("--declared", f"oci:{registry.host}/org/model")
        assert not [each for each in registry.asked if "/blobs/" in each.path]
        code = run(
            "sign", "--key", "k", "--declared", "--signature", "r.sig", f"oci:{registry.host}/org/model"
        ).exit_code
        assert code == 0
    assert said(found) == {"config.json": "registry", "model.bin": "registry"}
    assert found["digest"] == digests("m")["digest"]  # the layers of a model are its files, whoever packs them
    assert run("verify", "--key", "k.pub", "--signature", "r.sig", "m").exit_code == 0


def test_other_bytes_than_the_hub_lists_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub({"config.json": b"{}"}) as hub:
        item = hub._item
        hub._item = lambda name, data: {**item(name, data), "oid": "1" * 40}  # type: ignore[method-assign]
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        result = run("digest", "--declared", "hf:org/model")
    assert result.exit_code == 2
    assert "other bytes than those that it lists" in result.stderr


def test_signing_takes_them_only_where_asked_and_the_statement_says_which() -> None:
    folder = cloned()
    assert run("sign", "--key", "k", "--signature", "own.sig", folder).exit_code == 0
    plain = Bundle.parse(Path("own.sig").read_bytes()).envelope.payload
    assert b"openvet_declared" not in plain
    assert OID.encode() not in plain
    result = run("sign", "--key", "k", "--declared", "--signature", "d.sig", "-f", "json", folder)
    report = json.loads(result.stdout)
    assert list(schema("signing-v1").iter_errors(report)) == []
    assert report["declared"] == [{"path": "model.bin", "by": "git-lfs", "here": False}]
    assert report["bytes"] == 5002
    payload = json.loads(Bundle.parse(Path("d.sig").read_bytes()).envelope.payload)
    assert payload["predicate"]["openvet_declared"] == [{"name": "model.bin", "by": "git-lfs"}]
    text = run("sign", "--key", "k", "--declared", "--force", "--signature", "d.sig", folder).stdout
    assert "NOT read: 1 file, which is not here (digests declared: git-lfs)" in text
    # whoever has the files verifies them byte by byte, and is told
    found = run("verify", "--key", "k.pub", "--signature", "d.sig", "-f", "json", "m")
    report = json.loads(found.stdout)
    assert list(schema("verification-v1").iter_errors(report)) == []
    assert (found.exit_code, report["declared"]) == (0, [{"path": "model.bin", "by": "git-lfs"}])
    assert "the signer took digests that others had declared" in run("verify", "--key", "k.pub", "--signature", "d.sig", "m").stdout  # fmt: skip


def test_verify_believes_no_declaration() -> None:
    assert run("sign", "--key", "k", "--signature", "m.sig", "m").exit_code == 0

    def verify(folder: str) -> Result:
        return run("verify", "--key", "k.pub", "--signature", "m.sig", folder)

    assert verify("m").exit_code == 0
    result = verify(cloned())
    assert result.exit_code == 1
    assert "model.bin: is a Git LFS pointer to the signed digest; a pointer is no file" in result.stdout
    other = verify(cloned("other", POINTER.replace(OID, "0" * 64)))
    assert "is a Git LFS pointer to another file than the signed one" in other.stdout
    # what was signed is no SHA-256 of the file, so that the pointer cannot be compared
    assert run("sign", "--key", "k", "--force", "--shards", "--signature", "m.sig", "m").exit_code == 0
    assert "model.bin: is a Git LFS pointer; a pointer is no file" in verify("clone").stdout
    assert run("sign", "--key", "k", "--force", "--signature", "m.sig", "m").exit_code == 0
    # a blob under the signed name, and a record of the signed digest, with other bytes
    lying = cached(data=WEIGHTS[:-1] + b"!")
    assert digests("--declared", lying)["digest"] == digests("m")["digest"]
    assert verify(lying).exit_code == 1
    folder = downloaded(1e11)
    Path(folder, "model.bin").write_bytes(WEIGHTS[:-1] + b"!")
    assert said(digests("--declared", folder))["model.bin"] == "hub-metadata"
    assert run("verify", "--key", "k.pub", "--signature", "m.sig", "--ignore", ".cache", folder).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("digest", "--declared", "--tensors", "m"),
        ("sign", "--key", "k", "--declared", "--shards", "m"),
        ("sign", "--key", "k", "--signature", "s", "hf:org/model"),
        ("sign", "--key", "k", "--declared", "hf:org/model"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_statement_whose_list_of_declared_files_is_none() -> None:
    from openvet.errors import VerifyError
    from openvet.evidence.model_signature import ModelSignature, Resource, Serialization

    made = ModelSignature.of("m", [Resource("a", "sha256", OID)], Serialization(), [("a", "hub")])
    assert ModelSignature.parse(made.to_bytes()).declared == (("a", "hub"),)
    for wrong in (b'"a"', b'[{"name":"a"}]', b'[{"by":"hub","name":"../a"}]', b"[1]"):
        data = made.to_bytes().replace(b'[{"by":"hub","name":"a"}]', wrong)
        assert wrong in data
        with pytest.raises(VerifyError):
            ModelSignature.parse(data)
