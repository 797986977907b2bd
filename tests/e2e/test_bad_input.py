"""Whatever stands in a folder: a clear result with a place, no traceback, nothing hangs, nothing is followed outside."""

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import openvet
from openvet.core.limits import Limits
from openvet.errors import SubjectError, UsageError
from openvet.reports.report import ModelReport
from openvet.workflows.check import Options, check


def _check(path: Path, **options: object) -> ModelReport:
    return openvet.check(path, options=Options(**options)).models[0]  # type: ignore[arg-type]


def _unknowns(model: ModelReport) -> set[tuple[str, str]]:
    return {(each.location.place, each.reason) for each in model.scan.all_unknowns()}


def _rules(model: ModelReport) -> set[tuple[str, str]]:
    return {(each.location.place, each.rule) for each in model.scan.all_findings()}


def _safetensors(size: int = 16) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


def test_a_good_model_is_admitted_and_has_a_digest(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(_safetensors())
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "README.md").write_text("# A model\n")
    model = _check(tmp_path)
    assert [(each.code, each.message) for each in model.decision.reasons] == []
    assert str(model.decision.verdict) == "admit"
    assert set(model.subject.digest) == {"dirHash"}
    assert model.inventory is not None
    facts = {fact.name: fact.value for fact in model.inventory.facts}
    assert facts["family"] == "bert"
    assert facts["parameters"] == 4


def test_nothing_there() -> None:
    with pytest.raises(SubjectError, match="No such file"):
        openvet.check("/does/not/exist")


def test_an_empty_folder_is_not_admitted(tmp_path: Path) -> None:
    model = _check(tmp_path)
    assert str(model.decision.verdict) == "review"
    assert "no file" in model.decision.reasons[0].message


@pytest.mark.parametrize("cut", [0, 4, 8, 20, 70])
def test_truncated(tmp_path: Path, cut: int) -> None:
    (tmp_path / "model.safetensors").write_bytes(_safetensors()[:cut])
    assert str(_check(tmp_path).decision.verdict) != "admit"


def test_gigantic_by_header(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", 2**63) + b'{"')
    (tmp_path / "b.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60) + bytes(64))
    (tmp_path / "c.npy").write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{")
    model = _check(tmp_path)
    assert str(model.decision.verdict) != "admit"
    assert {each.path for each in model.scan.files if each.unknowns or each.findings} == {
        "a.safetensors",
        "b.gguf",
        "c.npy",
    }


def test_what_is_no_file_and_links_that_lead_out(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    (folder / "circle").symlink_to("circle")
    (folder / "out").symlink_to("/etc/hostname")
    (folder / "here").symlink_to(".")
    model = _check(folder)
    assert _unknowns(model) == {("fifo", "special"), ("circle", "link"), ("out", "link")}
    assert _rules(model) >= {("fifo", "file/special"), ("out", "file/link-escapes")}
    assert model.subject.digest == {}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs device files")
def test_a_device_is_refused() -> None:
    with pytest.raises(SubjectError, match="character device"):
        openvet.check("/dev/zero")


def test_names_that_do_not_show(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J.txt").write_text("text")
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("text")
    model = _check(tmp_path)
    assert _rules(model) == {("a\\x1b[2J.txt", "file/name-hides"), ("\\xff.txt", "file/name-hides")}
    json.dumps(model.to_json(), ensure_ascii=False).encode("utf-8")


def test_files_that_vanish_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.origins.local import LocalOrigin

    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("text")
    (tmp_path / "big.txt").write_text("text\n" * 500_000)
    opening = LocalOrigin.open

    def opened(self: LocalOrigin, entry: object) -> object:
        for name in ("b.txt", "big.txt"):
            (tmp_path / name).unlink(missing_ok=True)
        return opening(self, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalOrigin, "open", opened)
    model = _check(tmp_path)
    assert _unknowns(model) == {("b.txt", "vanished"), ("big.txt", "vanished")}
    assert str(model.decision.verdict) == "review"


def test_a_file_that_changes_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openvet.io.hashing import Pending

    path = tmp_path / "big.txt"
    path.write_text("text\n" * 500_000)
    waiting = Pending.wait

    def wait(self: Pending) -> dict[str, str]:
        with path.open("r+") as file:
            file.write("changed")
        return waiting(self)

    monkeypatch.setattr(Pending, "wait", wait)
    model = _check(tmp_path)
    assert _unknowns(model) == {("big.txt", "changed")}
    assert ("big.txt", "file/changed") in _rules(model)
    assert model.scan.files[0].digest == {}


def test_excluded_is_unread(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.txt").write_text("text")
    model = _check(tmp_path, exclude=("b.*",))
    assert _unknowns(model) == {("b.txt", "excluded")}
    assert str(model.decision.verdict) == "review"


def test_every_limit_that_stops_a_reading_is_named(tmp_path: Path) -> None:
    for index in range(4):
        (tmp_path / f"{index}.txt").write_text("text")
    model = _check(tmp_path, limits=Limits(files=2))
    assert [each.message for each in model.scan.unknowns] == [
        "more files than allowed; the rest was not listed (limit files = 2)"
    ]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(_safetensors(3_000_000))
    (tmp_path / "other.safetensors").write_bytes(_safetensors(2_000_000))
    (tmp_path / "odd.bin").write_bytes(os.urandom(5000))
    one = json.dumps(check([tmp_path], Options(jobs=1)).to_json())
    many = json.dumps(check([tmp_path], Options(jobs=4)).to_json())
    assert one == many


def test_no_thread_and_no_descriptor_is_left(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(_safetensors(3_000_000))
    openvet.check(tmp_path)
    threads = threading.active_count()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        openvet.check(tmp_path)
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody who may not read")
def test_permission_denied(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "folder").mkdir(parents=True)
    (model / "secret.txt").write_text("text")
    (model / "open.txt").write_text("text")
    # the interpreter itself may lie where nobody else may read, so everything is imported before root is given up
    code = (
        "import os, sys, json, openvet\n"
        "openvet.check(sys.argv[1] + '/open.txt')\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "model = openvet.check(sys.argv[1]).models[0]\n"
        "print(json.dumps(sorted([each.location.place, each.reason] for each in model.scan.all_unknowns())))\n"
    )
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & 0o005 != 0o005 and folder.owner() == "root" and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o005)
        if folder.name.startswith("pytest-of-"):
            break
    (model / "secret.txt").chmod(0)
    (model / "folder").chmod(0)
    out = subprocess.run([sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=False)
    (model / "folder").chmod(0o700)
    assert out.returncode == 0, out.stderr
    assert json.loads(out.stdout) == [["folder/", "denied"], ["secret.txt", "denied"]]


def test_a_rule_that_was_not_asked_is_not_a_rule_that_found_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    model = _check(tmp_path, rules=("file/polyglot",))
    assert str(model.decision.verdict) == "review"
    assert "only 1 of" in model.scan.unknowns[0].message
    with pytest.raises(UsageError, match="unknown rule no/such"):
        _check(tmp_path, rules=("no/such",))
