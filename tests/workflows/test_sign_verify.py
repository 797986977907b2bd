"""Signing and verifying models: what verifies, and every way in which a model stops being the signed one."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.test_bundle import RELEASED, check

from openvet.core.progress import Progress
from openvet.errors import SubjectError, UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import PrivateKey, generate
from openvet.evidence.model_signature import ModelSignature, Serialization
from openvet.evidence.verifier import Verified, verify_with_key
from openvet.io.digest_cache import DigestCache
from openvet.io.new_file import WriteError
from openvet.origins.local import LocalOrigin
from openvet.workflows.model_files import Reused
from openvet.workflows.sign import SignOptions, sign
from openvet.workflows.verify import MismatchError, Verification, VerifyOptions, verify

KEY = generate("p256")
BIG = os.urandom(1_000_003)


def trust(key: PrivateKey = KEY) -> Callable[[Bundle], Verified]:
    return lambda bundle: verify_with_key(bundle, key.public)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("read me")
    (folder / "weights.bin").write_bytes(BIG)
    (folder / "sub" / "more.bin").write_bytes(b"more")
    return folder


def signed(model: Path, **knobs: Any) -> Path:
    serialization = Serialization(**{name: knobs.pop(name) for name in list(knobs) if name in Serialization.__slots__})
    sign(str(model), KEY, SignOptions(serialization=serialization, **knobs))
    return model


def verified(model: Path, **knobs: Any) -> Verification:
    return verify(str(model), trust(), VerifyOptions(**knobs))


def differences(model: Path, **knobs: Any) -> set[tuple[str, str]]:
    with pytest.raises(MismatchError) as caught:
        verified(model, **knobs)
    assert caught.value.reason == "mismatch"
    return {(each.what, each.path) for each in caught.value.differences}


def reason(model: Path, key: PrivateKey = KEY) -> str:
    with pytest.raises(VerifyError) as caught:
        verify(str(model), trust(key))
    return caught.value.reason


@pytest.mark.parametrize("knobs", [{}, {"shard_size": 300_000}, {"shard_size": 1}, {"hash_type": "blake2b"}], ids=str)
def test_what_is_signed_is_verified(model: Path, knobs: Any) -> None:
    if knobs.get("shard_size") == 1:
        (model / "weights.bin").write_bytes(b"few")
    found = verified(signed(model, **knobs))
    assert set(found.statement.files) == {"README.md", "config.json", "sub/more.bin", "weights.bin"}
    assert found.not_covered == ()
    assert found.statement.serialization.ignore_paths == (
        ".git",
        ".gitattributes",
        ".github",
        ".gitignore",
        "model.sig",
    )
    assert found.signer.key == KEY.public.hint


def test_a_single_file(model: Path) -> None:
    found = verified(signed(model / "weights.bin"))
    assert (model / "weights.bin.sig").exists()
    assert [each.name for each in found.statement.resources] == ["."]
    (model / "weights.bin").write_bytes(b"x" + BIG[1:])
    assert differences(model / "weights.bin") == {("changed", "weights.bin")}


def test_equal_bytes_give_equal_statements(model: Path, tmp_path: Path) -> None:
    one = sign(str(model), KEY, SignOptions(signature=str(tmp_path / "1.sig"))).statement
    assert sign(str(model), KEY, SignOptions(signature=str(tmp_path / "2.sig"))).statement.to_bytes() == one.to_bytes()


# --- a model that is not the signed one ---


def _one_bit(model: Path) -> None:
    data = bytearray(BIG)
    data[777_777] ^= 1
    (model / "weights.bin").write_bytes(data)


def _swap(model: Path) -> None:
    (model / "config.json").rename(model / "t")
    (model / "README.md").rename(model / "config.json")
    (model / "t").rename(model / "README.md")


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        (_one_bit, {("changed", "weights.bin")}),
        (lambda m: (m / "weights.bin").write_bytes(BIG[:-1]), {("changed", "weights.bin")}),
        (lambda m: (m / "weights.bin").write_bytes(BIG + b"\0"), {("changed", "weights.bin")}),
        (lambda m: (m / "README.md").unlink(), {("missing", "README.md")}),
        (_swap, {("changed", "README.md"), ("changed", "config.json")}),
        (lambda m: (m / "new.py").write_text("1"), {("unsigned", "new.py")}),
        (lambda m: (m / "sub" / ".git").write_text("1"), {("unsigned", "sub/.git")}),
        (lambda m: (m / "README.md").rename(m / "readme.md"), {("missing", "README.md"), ("unsigned", "readme.md")}),
        (lambda m: (m / "link").symlink_to("README.md"), {("unsigned", "link")}),
        (lambda m: (m / "link").symlink_to("/etc/hostname"), {("unsigned", "link")}),
        (lambda m: os.mkfifo(m / "pipe"), {("unsigned", "pipe")}),
    ],
)
@pytest.mark.parametrize("shard_size", [None, 400_000], ids=["files", "shards"])
def test_attacks_on_the_files(model: Path, attack: Any, found: Any, shard_size: Any) -> None:
    signed(model, shard_size=shard_size)
    attack(model)
    assert differences(model) == found


def test_a_file_becomes_a_link(model: Path, tmp_path: Path) -> None:
    """The same bytes, from elsewhere: they can change after the verification."""
    signed(model)
    (tmp_path / "elsewhere").write_bytes(BIG)
    (model / "weights.bin").unlink()
    (model / "weights.bin").symlink_to(tmp_path / "elsewhere")
    assert ("unreadable", "weights.bin") in differences(model)


@pytest.mark.parametrize("what", ["weights.bin", "sub"])
def test_a_link_put_in_place_between_listing_and_reading(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Whoever can swap names while we read gains nothing: no link is followed then, be it a file's or a folder's."""
    signed(model)
    real = LocalOrigin.open

    def late(self: LocalOrigin, entry: Any) -> Any:
        place = model / what
        if not place.is_symlink():
            place.rename(tmp_path / "moved")
            place.symlink_to(tmp_path / "moved")
        return real(self, entry)

    monkeypatch.setattr(LocalOrigin, "open", late)
    assert {each[0] for each in differences(model)} == {"unreadable"}


def test_a_file_that_changes_while_it_is_hashed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(model)
    real = LocalOrigin.open

    def late(self: LocalOrigin, entry: Any) -> Any:
        source = real(self, entry)
        if entry.name == "weights.bin":
            os.utime(model / "weights.bin", ns=(1, 1))
        return source

    monkeypatch.setattr(LocalOrigin, "open", late)
    assert differences(model) == {("unreadable", "weights.bin")}
    with pytest.raises(SubjectError, match=r"weights\.bin"):
        sign(str(model), KEY, SignOptions(force=True))


def test_a_file_that_is_cut_between_listing_and_reading(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(model)
    real = LocalOrigin.open

    def late(self: LocalOrigin, entry: Any) -> Any:
        os.truncate(model / "weights.bin", 10)
        return real(self, entry)

    monkeypatch.setattr(LocalOrigin, "open", late)
    assert differences(model) == {("unreadable", "weights.bin")}


def test_the_signature_of_another_model(model: Path, tmp_path: Path) -> None:
    signed(model)
    other = tmp_path / "other"
    other.mkdir()
    (other / "weights.bin").write_bytes(b"else")
    (other / "model.sig").write_bytes((model / "model.sig").read_bytes())
    found = differences(other)
    assert ("changed", "weights.bin") in found or ("missing", "config.json") in found
    # of one file for a folder, and of a folder for one file
    one = (signed(model / "README.md").parent / "README.md.sig").read_bytes()
    (other / "model.sig").write_bytes(one)
    assert differences(other) == {("changed", "other")}
    assert differences(other / "weights.bin", signature=str(model / "model.sig")) == {("changed", "weights.bin")}


def test_another_name_of_the_same_model_is_said(model: Path, tmp_path: Path) -> None:
    signed(model).rename(tmp_path / "renamed")
    assert any("under the name model" in each for each in verified(tmp_path / "renamed").notes)


def test_reasons(model: Path) -> None:
    assert reason(model) == "missing"
    signed(model)
    assert reason(model, generate("p256")) == "wrong-key"
    value = json.loads((model / "model.sig").read_text())
    value["dsseEnvelope"]["signatures"][0]["sig"] = "MAYCAQECAQE="
    (model / "model.sig").write_text(json.dumps(value))
    assert reason(model) == "tampered"
    (model / "model.sig").write_text("{")
    assert reason(model) == "malformed"
    (model / "model.sig").unlink()
    os.mkfifo(model / "model.sig")
    assert reason(model) == "malformed"


# --- what a signature does not cover ---


def test_a_file_added_in_an_ignored_path_is_said(model: Path) -> None:
    (model / ".git").mkdir()
    (model / ".git" / "config").write_text("1")
    (model / "cache").mkdir()
    (model / "cache" / "x").write_text("1")
    made = sign(str(model), KEY, SignOptions(serialization=Serialization(ignore_paths=("cache/",))))
    assert {each.path for each in made.not_covered} == {".git/config", "cache/x"}
    (model / "cache" / "evil.pkl").write_text("2")
    (model / ".git" / "evil.py").write_text("2")
    assert {each.path for each in verified(model).not_covered} == {
        ".git/config",
        ".git/evil.py",
        "cache/evil.pkl",
        "cache/x",
    }


def test_unsigned_files_can_be_let_be_and_are_said(model: Path) -> None:
    signed(model)
    (model / "new.txt").write_text("1")
    (model / "sub" / "z").symlink_to("/nowhere")
    assert {each.path for each in verified(model, allow_unsigned=True).not_covered} == {"new.txt", "sub/z"}
    (model / "sub" / "z").unlink()
    assert [each.path for each in verified(model, ignore=("new.txt",)).not_covered] == ["new.txt"]
    assert [each.path for each in verified(model, ignore=("./new.txt",)).not_covered] == ["new.txt"]


def test_ignoring_hides_no_change_of_a_signed_file(model: Path) -> None:
    signed(model)
    (model / "sub" / "more.bin").write_text("evil")
    assert differences(model, ignore=("sub",), allow_unsigned=True) == {("changed", "sub/more.bin")}


def test_empty_files_and_shards(model: Path) -> None:
    (model / "empty").touch()
    made = sign(str(model), KEY, SignOptions(serialization=Serialization(shard_size=1000)))
    assert [each.path for each in made.not_covered] == ["empty"]
    assert [each.path for each in verified(model).not_covered] == ["empty"]
    (model / "weights.bin").write_bytes(b"")
    assert differences(model) == {("changed", "weights.bin")}


def test_a_second_signature_lies_in_the_model(model: Path) -> None:
    signed(model)
    sign(str(model), KEY, SignOptions(signature=str(model / "second.sig")))
    assert differences(model) == {("unsigned", "second.sig")}
    assert verified(model, signature=str(model / "second.sig"))


# --- links and caches ---


def test_links_are_signed_only_where_that_is_wanted(model: Path) -> None:
    (model / "again.bin").symlink_to("weights.bin")
    (model / "folder").symlink_to("sub")
    with pytest.raises(SubjectError, match=r"again\.bin \(is a link\).*--allow-symlinks"):
        signed(model)
    signed(model, allow_symlinks=True)
    found = verified(model)
    assert "again.bin" in found.statement.files
    assert [each.path for each in found.not_covered] == ["folder"]
    (model / "again.bin").unlink()
    (model / "again.bin").symlink_to("README.md")
    assert differences(model) == {("changed", "again.bin")}


def test_a_link_that_leaves_the_model_is_never_signed(model: Path) -> None:
    (model / "out").symlink_to("/etc/hostname")
    with pytest.raises(SubjectError, match="outside the model"):
        signed(model, allow_symlinks=True)
    assert not (model / "model.sig").exists()
    signed(model, ignore_paths=("out",))


def test_a_snapshot_in_a_hub_cache(tmp_path: Path) -> None:
    repository = tmp_path / "models--a--b"
    snapshot = repository / "snapshots" / "f00"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "blobs" / "1").write_bytes(b"weights")
    (snapshot / "w.bin").symlink_to("../../blobs/1")
    signed(snapshot)
    assert verified(snapshot).statement.serialization.allow_symlinks
    # downloaded again, the signature is a link like every file
    (snapshot / "model.sig").rename(repository / "blobs" / "2")
    (snapshot / "model.sig").symlink_to("../../blobs/2")
    assert verified(snapshot).not_covered == ()


# --- writing ---


def test_nothing_is_overwritten(model: Path) -> None:
    signed(model)
    with pytest.raises(WriteError, match="exists; --force"):
        signed(model)
    signed(model, force=True)
    for victim in (model / "weights.bin", model / "README.md"):
        before = victim.read_bytes()
        with pytest.raises(WriteError, match="no signature"):
            signed(model, force=True, signature=str(victim))
        assert victim.read_bytes() == before
    with pytest.raises(WriteError, match="folder does not exist"):
        signed(model, signature=str(model / "no" / "x.sig"))
    assert not [each for each in model.iterdir() if each.name.endswith(".part")]


@pytest.mark.parametrize("path", ["", ".", "..", "/etc", "../x", "*.bin", "nothing", "a/../.."])
def test_paths_that_cannot_be_ignored(model: Path, path: str) -> None:
    with pytest.raises(UsageError, match="--ignore"):
        signed(model, ignore_paths=(path,))


def test_what_cannot_be_signed(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Ed25519"):
        sign(str(model), generate("ed25519"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SubjectError, match="nothing to sign"):
        signed(empty)
    os.mkfifo(model / "pipe")
    with pytest.raises(SubjectError, match="a fifo"):
        signed(model)
    (model / "pipe").unlink()
    (model / "bad\udcff").write_text("x")
    with pytest.raises(UsageError, match="UTF-8"):
        signed(model)


def test_threads_end(model: Path) -> None:
    signed(model, shard_size=10_000, jobs=4)
    verified(model, jobs=4)
    assert not [each for each in threading.enumerate() if each.name == "hash"]


# --- what released versions of model-signing signed ---


@pytest.mark.parametrize("version", [each for each in RELEASED["signatures"] if not each.endswith("sigstore")])
def test_released_signatures(version: str, tmp_path: Path) -> None:
    released = RELEASED["signatures"][version]
    folder = tmp_path / version
    folder.mkdir()
    for name, text in released["files"].items():
        (folder / name).write_text(text)
    (folder / "model.sig").write_text(released["signature"])
    path, options = folder, VerifyOptions(ignore=("ignore-me",))
    if version in {"v0.3.1-elliptic-key", "v1.0.0-elliptic-key"}:  # these signed one file
        path, options = folder / "signme-1", VerifyOptions(signature=str(folder / "model.sig"))
    found = verify(str(path), lambda bundle: check(bundle.raw), options)
    assert found.statement.legacy is version.startswith("v0.2")
    (folder / "signme-1").write_text("changed")
    with pytest.raises(MismatchError):
        verify(str(path), lambda bundle: check(bundle.raw), replace(options, allow_unsigned=True))


# --- the digest cache ---


@pytest.fixture
def remembered(model: Path, tmp_path: Path) -> Callable[[], DigestCache]:
    for each in model.rglob("*"):
        os.utime(each, (1_000_000_000, 1_000_000_000))
    # the time of the last change of an inode cannot be set, so it is the clock that is ahead
    return lambda: DigestCache(str(tmp_path / "cache"), lambda: time.time_ns() + 10_000_000_000)


def read_during(work: Callable[[], Any]) -> tuple[Any, int]:
    """What ``work`` gives, and how many bytes the operating system read for this process meanwhile."""

    def count() -> int:
        return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])

    before = count()
    return work(), count() - before


@pytest.mark.parametrize("knobs", [{}, {"shard_size": 300_000}], ids=str)
def test_after_an_edit_only_what_changed_is_read(
    model: Path, remembered: Callable[[], DigestCache], knobs: dict[str, Any]
) -> None:
    serialization = Serialization(**knobs)
    options = SignOptions(serialization=serialization, force=True, cache=remembered())
    first, read = read_during(lambda: sign(str(model), KEY, options))
    assert first.reused is not None
    assert first.reused.to_json() == {"files": [], "bytes": 0, "messages": []}
    assert read > len(BIG)
    (model / "README.md").write_text("read me again")
    progress = Progress()
    options = replace(options, cache=remembered())
    second, read = read_during(lambda: sign(str(model), KEY, options, progress))
    assert second.reused.to_json() == {
        "files": ["config.json", "sub/more.bin", "weights.bin"],
        "bytes": len(BIG) + 6,
        "messages": [],
    }
    assert progress.bytes_done == progress.bytes_total == len("read me again")
    assert read < 200_000
    assert second.statement.files["weights.bin"] == first.statement.files["weights.bin"]
    assert sign(str(model), KEY, replace(options, cache=None)).statement == second.statement
    found, read = read_during(lambda: verified(model, cache=remembered()))
    assert set(found.to_json()["digest_cache"]["files"]) == {"README.md", *second.reused.paths}
    assert read < 200_000
    found, read = read_during(lambda: verified(model))
    assert "digest_cache" not in found.to_json()
    assert read > len(BIG)


def test_a_change_is_seen_through_the_cache(model: Path, remembered: Callable[[], DigestCache]) -> None:
    signed(model, cache=remembered())
    with open(model / "weights.bin", "r+b") as file:
        file.write(b"evil")
    os.utime(model / "weights.bin", (1_000_000_000, 1_000_000_000))  # its time of change still tells
    assert differences(model, cache=remembered()) == {("changed", "weights.bin")}


def test_a_poisoned_cache_deceives_only_who_asked_for_it(model: Path, remembered: Callable[[], DigestCache]) -> None:
    signed(model)
    good = ModelSignature.parse(Bundle.parse((model / "model.sig").read_bytes()).envelope.payload).files["weights.bin"]
    (model / "weights.bin").write_bytes(b"evil")
    status = (model / "weights.bin").stat()
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    cache = remembered()
    cache.remember(identity, "sha256", {(0, None): good[0].digest}, cache.clock())
    cache.save()
    assert verified(model, cache=remembered()).reused == Reused(["weights.bin"], 4)
    assert differences(model) == {("changed", "weights.bin")}


def test_a_cache_that_cannot_be_used_changes_no_answer(model: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    cache = DigestCache(str(tmp_path / "cache"), time.time_ns)
    report = sign(str(model), KEY, SignOptions(cache=cache))
    assert report.reused is not None
    assert report.reused.paths == []
    assert "is no folder" in report.reused.messages[0]
