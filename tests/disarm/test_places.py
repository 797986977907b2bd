"""Where disarm writes: whole or not at all, never over what was not asked for, and folders of shards with their index."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.disarm.reading import plain, read_back, run

import openvet
from openvet.disarm.rewrite import DisarmOptions, RefusedError
from openvet.disarm.writing import WriteError
from openvet.errors import OpenVetError, SubjectError
from openvet.testing.forge_views import Strided, elements, zip_file
from openvet.workflows.disarm import Outcome

# --- where it is written ---


def test_nothing_is_replaced_without_being_asked(tmp_path: Path) -> None:
    data = zip_file({"w": plain()})
    (tmp_path / "out.safetensors").write_bytes(b"mine")
    with pytest.raises(WriteError, match="exists; --force"):
        run(tmp_path, data)
    assert (tmp_path / "out.safetensors").read_bytes() == b"mine"
    run(tmp_path, data, DisarmOptions(force=True))
    assert read_back(tmp_path / "out.safetensors")[0].keys() == {"w"}


def test_the_input_is_never_written(tmp_path: Path) -> None:
    source = tmp_path / "model.pt"
    source.write_bytes(zip_file({"w": plain()}))
    (tmp_path / "link").symlink_to(source)
    for target in (source, tmp_path / "link", tmp_path / "x" / ".." / "model.pt"):
        with pytest.raises(OpenVetError):
            openvet.disarm_model(source, target, DisarmOptions(force=True))
    with pytest.raises(WriteError, match="its folder does not exist"):
        openvet.disarm_model(source, tmp_path / "no" / "out")
    with pytest.raises(WriteError, match="it is a folder"):
        openvet.disarm_model(source, tmp_path)
    with pytest.raises(SubjectError):
        openvet.disarm_model(tmp_path / "absent", tmp_path / "out")
    assert source.read_bytes() == zip_file({"w": plain()})


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full", "ctrl-c"])  # fmt: skip
@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_a_break_leaves_nothing(failure: BaseException, folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    source = tmp_path / "in"
    data = zip_file({"w": plain(), "v": plain(9), "n": 1})
    if folder:
        source.mkdir()
        (source / "a.pt").write_bytes(data)
    else:
        source.write_bytes(data)
    calls = iter(range(100))
    real = os.write

    def write(descriptor: int, block: Any) -> int:
        if next(calls) == 3:
            raise failure
        return real(descriptor, block)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises((WriteError, KeyboardInterrupt)):
        openvet.disarm_model(source, tmp_path / "out", DisarmOptions(save_rest=True))
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


def test_what_is_read_back_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that keeps other bytes than it was given."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, block: real(fd, bytes(len(block)) if len(block) == 16 else block))
    with pytest.raises(WriteError, match="not what was written"):
        run(tmp_path, zip_file({"w": plain()}))
    assert [each.name for each in tmp_path.iterdir()] == ["model.pt"]


# --- folders ---


def shards(folder: Path, count: int = 2) -> dict[str, Strided]:
    folder.mkdir(exist_ok=True)
    tensors = {f"layer.{at}": plain(at + 1) for at in range(4)}
    for at in range(count):
        part = {name: tensors[name] for name in sorted(tensors)[at::2]}
        (folder / f"pytorch_model-{at + 1:05}-of-00002.bin").write_bytes(zip_file(part))
    index = {"metadata": {}, "weight_map": dict.fromkeys(tensors, "x")}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text('{"model_type": "bert"}')
    return tensors


def test_a_folder_of_shards(tmp_path: Path) -> None:
    tensors = shards(tmp_path / "in")
    report = openvet.disarm_model(tmp_path / "in", tmp_path / "out")
    names = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}
    assert {each.name for each in (tmp_path / "out").iterdir()} == names
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    assert index["metadata"] == {"total_size": sum(len(elements(each)) for each in tensors.values())}
    assert index["weight_map"].keys() == tensors.keys()
    for name, file in index["weight_map"].items():
        assert read_back(tmp_path / "out" / file)[0][name][2] == elements(tensors[name])
    assert report.outcome is Outcome.WHOLE
    assert {each.name for each in report.skipped} == {"config.json", "pytorch_model.bin.index.json"}
    checked = openvet.check(tmp_path / "out")
    assert checked.models[0].decision.verdict is openvet.Verdict.ADMIT


def test_other_files_are_copied_where_that_was_asked_for(tmp_path: Path) -> None:
    shards(tmp_path / "in")
    (tmp_path / "in" / "deep").mkdir()
    (tmp_path / "in" / "deep" / "README.md").write_text("# A model\n")
    (tmp_path / "in" / "noise.dat").write_bytes(b"\x93\x01\xfe" * 700)
    (tmp_path / "in" / "link").symlink_to("/etc/hostname")
    report = openvet.disarm_model(tmp_path / "in", tmp_path / "out", DisarmOptions(copy_others=True))
    assert {each.name for each in report.copied} == {"config.json", "deep/README.md"}
    assert {each.name for each in report.skipped if each.lost} == {"noise.dat", "link"}
    assert (tmp_path / "out" / "deep" / "README.md").read_text() == "# A model\n"
    assert report.outcome is Outcome.PARTIAL


def test_shards_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    shards(tmp_path / "one", 1)
    shards(tmp_path / "twice")
    (tmp_path / "twice" / "pytorch_model-00002-of-00002.bin").write_bytes(zip_file({"layer.0": plain()}))
    shards(tmp_path / "lost")
    (tmp_path / "lost" / "pytorch_model-00002-of-00002.bin").write_bytes(zip_file({"layer.1": plain()}))
    for name, why in (("one", "1 of 2 shards"), ("twice", "layer.0 is in two shards"), ("lost", "lists 1 tensors")):
        with pytest.raises(RefusedError, match=why):
            openvet.disarm_model(tmp_path / name, tmp_path / "out")
        assert {each.name for each in tmp_path.iterdir()} == {"one", "twice", "lost"}


def test_a_folder_is_filled_only_where_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "a.pt").write_bytes(zip_file({"w": plain()}))
    (tmp_path / "in" / "a.bin").write_bytes(zip_file({"w": plain(2)}))
    (tmp_path / "in" / "args.bin").write_bytes(zip_file({"lr": 0.1}))
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(WriteError, match="exists"):
        openvet.disarm_model(tmp_path / "in", tmp_path / "out")
    report = openvet.disarm_model(tmp_path / "in", tmp_path / "out", DisarmOptions(force=True))
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"mine", "a.pt.safetensors", "a.bin.safetensors"}
    assert {each.name: each.why for each in report.skipped} == {"args.bin": "it holds no tensor"}
    assert report.outcome is Outcome.PARTIAL
