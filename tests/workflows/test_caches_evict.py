"""Taking revisions out of caches: whole, whoever stops it when, and nothing else."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.origins.cached import FIRST, LARGE, SECOND, SMALL, blob_name, loads, put

from openvet.errors import UsageError
from openvet.workflows import caches_evict
from openvet.workflows.caches_evict import Evicted, evict, find_targets
from openvet.workflows.gate_client import ModelName

OTHER = {"config.json": SMALL, "model.safetensors": b"another"}


def take(place: Path, name: str = "org/model") -> list[Evicted]:
    return [evict(each) for each in find_targets([str(place)], [ModelName.parse(name)])]


def names(place: Path) -> set[str]:
    """Everything but locks."""
    return {str(each.relative_to(place)) for each in place.rglob("*") if ".locks" not in each.parts}


def test_one_of_two_revisions(tmp_path: Path) -> None:
    repository = put(tmp_path)
    alone = names(tmp_path)
    put(tmp_path, commit=SECOND, files=OTHER, refs=["v2", "refs/pr/1"])
    for place in (f"trees/{SECOND}.json", f".no_exist/{SECOND}/a/b", f"trees/{FIRST}.json"):
        (repository / place).parent.mkdir(parents=True, exist_ok=True)
        (repository / place).write_text("{}")
    alone |= {"models--org--model/refs/refs", "models--org--model/refs/refs/pr", "models--org--model/.no_exist"}
    alone |= {"models--org--model/trees", f"models--org--model/trees/{FIRST}.json"}
    (done,) = take(tmp_path, f"org/model@{SECOND[:7]}")
    assert (done.gone, done.freed, done.kept, done.problem) == (True, len(b"another"), 1, "")
    assert names(tmp_path) == alone
    assert loads(repository, FIRST) == {"config.json": SMALL, "sub/model.safetensors": LARGE}


def test_all_of_a_repository_leaves_nothing(tmp_path: Path) -> None:
    put(tmp_path)
    put(tmp_path, commit=SECOND, files=OTHER, refs=["v2"])
    other = put(tmp_path, "org/other")
    before = names(other)
    assert [each.gone for each in take(tmp_path)] == [True, True]
    assert {each.name for each in tmp_path.iterdir()} == {".locks", "models--org--other"}
    assert names(other) == before
    with pytest.raises(UsageError, match="org/model is in none"):
        take(tmp_path)


def test_what_is_meant(tmp_path: Path) -> None:
    put(tmp_path)
    put(tmp_path, commit=SECOND, files=OTHER, refs=["v2"])
    put(tmp_path, kind="datasets")

    def meant(*models: str) -> list[str]:
        found = find_targets([str(tmp_path)], [ModelName.parse(each) for each in models])
        return [f"{each.kind} {each.commit[0]}" for each in found]

    assert meant("org/model@main") == meant(f"org/model@{FIRST}") == ["model c"]
    assert meant("org/model", "org/model@v2") == ["model c", "model d"]
    assert meant("datasets/org/model") == ["dataset c"]
    for name in ("org/model@cccccc", "org/model@ain", "org/mode", "datasets/org/other"):
        with pytest.raises(UsageError, match="nothing was removed"):
            meant("org/model", name)
    found = find_targets([str(tmp_path)], (), {("model", "org/model", SECOND): "was revoked by zoe: x"})
    assert [(each.commit, each.why) for each in found] == [(SECOND, "was revoked by zoe: x")]


def test_copies_and_blobs_that_are_shared(tmp_path: Path) -> None:
    repository = put(tmp_path)
    copy = repository / "snapshots" / FIRST / "config.json"
    copy.unlink()
    copy.write_bytes(SMALL)
    shared = tmp_path / "blobs" / "ab" / ("ab" + "0" * 62)
    shared.parent.mkdir(parents=True)
    (tmp_path / "blobs" / ".huggingface-shared-blobs").write_text("1\n")
    blob = repository / "blobs" / blob_name(".safetensors", LARGE)
    blob.rename(shared)
    blob.symlink_to(f"../../blobs/ab/{shared.name}")
    (done,) = take(tmp_path)
    assert (done.gone, done.freed, loads(repository, FIRST), shared.read_bytes()) == (True, 0, None, LARGE)
    assert not os.path.lexists(blob)


def test_a_download_that_is_under_way_is_not_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches_evict, "_WAIT", 0.3)
    repository = put(tmp_path)
    blob = blob_name("", SMALL)
    with (tmp_path / ".locks" / repository.name / f"{blob}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (done,) = take(tmp_path)
        assert (done.gone, "just now" in done.problem, done.freed) == (True, True, len(LARGE))
        assert loads(repository, FIRST) is None
        assert [each.name for each in (repository / "blobs").iterdir()] == [blob]
    (again,) = [evict(each) for each in find_targets([str(tmp_path)], (), {})]
    assert (again.target.begun, again.problem, repository.exists()) == (True, "", False)


def test_what_is_linked_to_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client pulls another revision with the same files just before we have the locks."""
    repository = put(tmp_path)
    real = caches_evict._Work._locks

    def late(work: caches_evict._Work) -> int:
        put(tmp_path, commit=SECOND, refs=["v2"])
        return real(work)

    monkeypatch.setattr(caches_evict._Work, "_locks", late)
    (done,) = take(tmp_path)
    assert (done.gone, done.kept, done.freed) == (True, 2, 0)
    assert loads(repository, SECOND) == {"config.json": SMALL, "sub/model.safetensors": LARGE}


HOSTILE: dict[str, Callable[[Path], None]] = {
    "links out": lambda repository: (repository / "snapshots" / FIRST / "evil").symlink_to(repository.parent.parent / "outside"),
    "leftover is a link": lambda repository: (repository / f".openvet-evicted-{FIRST}").symlink_to(repository.parent.parent / "outside"),
    "refs is a link": lambda repository: swap(repository, "refs"),
    "trees is a link": lambda repository: (repository / "trees").symlink_to(repository.parent.parent / "outside"),
    "blobs is a link": lambda repository: swap(repository, "blobs"),
    "a folder of it is a link": lambda repository: swap(repository, f"snapshots/{FIRST}/sub"),
    "a blob is a link": lambda repository: relink(repository / "blobs" / blob_name("", SMALL)),
    "locks are a link": lambda repository: swap(repository.parent, ".locks"),
    "the lock is a link": lambda repository: relink(repository.parent / ".locks" / repository.name / f"{blob_name('', SMALL)}.lock", "new"),
    "loops": lambda repository: (repository / "snapshots" / FIRST / "loop").symlink_to("."),
    "names": lambda repository: (repository / "snapshots" / FIRST / "a\nb\x1b").symlink_to("../../blobs/" + "n" * 255),
}  # fmt: skip


def swap(folder: Path, name: str) -> None:
    (folder / name).rename(outside(folder) / name.replace("/", "_"))
    (folder / name).symlink_to(outside(folder) / name.replace("/", "_"))


def relink(place: Path, to: str = "kept") -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(outside(place) / to)


def outside(place: Path) -> Path:
    return next(each / "outside" for each in place.parents if (each / "outside").is_dir())


@pytest.mark.parametrize("way", HOSTILE)
def test_nothing_outside_is_touched(way: str, tmp_path: Path) -> None:
    out = tmp_path / "outside"
    (out / "deep").mkdir(parents=True)
    for each in ("kept", f"{FIRST}.json", "deep/kept"):
        (out / each).write_text(each)
    repository = put(tmp_path / "cache")
    HOSTILE[way](repository)
    before = {each: each.read_bytes() for each in out.rglob("*") if each.is_file()}
    done = take(tmp_path / "cache")[-1]
    assert (done.gone, loads(repository, FIRST)) == (True, None)
    assert bool(done.problem) == (way in {"locks are a link", "the lock is a link"}), done.problem
    assert {each: each.read_bytes() for each in out.rglob("*") if each.is_file()} == before


STEP = """
import os, shutil, signal, sys
from openvet.workflows.caches_evict import evict, find_targets
from openvet.workflows.gate_client import ModelName
left = int(sys.argv[2])
def stopping(name):
    real = getattr(os, name)
    def call(*a, **k):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*a, **k)
    return call
for name in ("rename", "unlink", "rmdir", "fsync", "mkdir"):
    setattr(os, name, stopping(name))
for each in find_targets([sys.argv[1]], [ModelName.parse("org/model@" + sys.argv[3])]):
    evict(each)
"""


def test_killed_at_any_step_it_loads_whole_or_not_at_all_and_the_next_run_finishes(tmp_path: Path) -> None:
    steps = 0
    for at in range(40):
        place = tmp_path / str(at)
        repository = put(place)
        (repository / "trees").mkdir()
        (repository / "trees" / f"{SECOND}.json").write_text("{}")
        put(place, commit=SECOND, files=OTHER, refs=["v2"])
        whole = loads(repository, SECOND)
        done = subprocess.run([sys.executable, "-c", STEP, str(place), str(at), SECOND], check=False, timeout=60)
        assert loads(repository, FIRST) == {"config.json": SMALL, "sub/model.safetensors": LARGE}
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        steps += 1
        found = loads(repository, SECOND)
        assert found is None or found == whole
        targets = find_targets([str(place)], (), {("model", "org/model", SECOND): "was revoked"})
        assert [evict(each).problem for each in targets] == [""] * len(targets)
        assert loads(repository, SECOND) is None
        assert {each.name for each in (repository / "blobs").iterdir()} == {blob_name("", SMALL), blob_name(".safetensors", LARGE)}  # fmt: skip
        assert {each.name for each in (repository / "refs").iterdir()} == {"main"}
        assert not [each for each in repository.iterdir() if each.name.startswith(".openvet")]
        assert find_targets([str(place)], (), {}) == []
    assert steps >= 6


def test_what_may_not_be_removed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = put(tmp_path)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refused)
        (done,) = take(tmp_path)
        assert (done.gone, "Operation not permitted" in done.problem) == (False, True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refused)
        (done,) = take(tmp_path)
        assert (done.gone, "the next openvet cache evict" in done.problem) == (True, True)
    assert loads(repository, FIRST) is None
    assert [evict(each).problem for each in find_targets([str(tmp_path)], (), {})] == [""]
    assert not repository.exists()
