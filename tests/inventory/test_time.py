"""No file and no rule takes longer than its seconds, and no model longer than its own; what that cut off is said."""

import itertools
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openvet.checks.pickle import runs_process
from openvet.core.coverage import Coverage
from openvet.core.limits import Limits
from openvet.core.progress import Progress
from openvet.formats import safetensors
from openvet.formats._format import Facts
from openvet.io import hashing
from openvet.io.source import Source
from openvet.reports._wording import UNREAD
from openvet.reports.report import Report
from openvet.workflows.check import Options, check

HEADER = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
SAFETENSORS = struct.pack("<Q", len(HEADER)) + HEADER + b"\1"
HOSTILE = b"cos\nsystem\n(S'echo forged'\ntR."


def endless(_source: Source, facts: Facts) -> None:
    facts.note("begun", 1)
    for _ in itertools.count():
        pass


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").glob("*"))


def checked(place: Path, **limits: float) -> Report:
    return check([place], Options(limits=Limits(**limits)))  # type: ignore[arg-type]


def test_a_reader_that_never_looks_at_its_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.safetensors").write_bytes(SAFETENSORS)
    (tmp_path / "b.pkl").write_bytes(HOSTILE)
    monkeypatch.setattr(safetensors, "read", endless)
    model = checked(tmp_path, seconds=3.0).models[0]
    first, second = model.scan.files
    assert (first.coverage, [each.reason for each in first.unknowns]) == (Coverage.PARTIAL, ["timeout"])
    assert "limit seconds = 3.0" in first.unknowns[0].message
    assert first.digest, "its bytes are hashed all the same"
    assert second.coverage is Coverage.READ
    assert model.decision.verdict == "reject", "what was found elsewhere counts"
    assert not model.scan.reproducible
    assert "timeout" in UNREAD


def test_files_behind_the_end_of_the_subjects_seconds_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.safetensors").write_bytes(SAFETENSORS)
    monkeypatch.setattr(safetensors, "read", endless)
    start = time.monotonic()
    model = checked(tmp_path, subject_seconds=0.3).models[0]
    assert time.monotonic() - start < 30
    assert [each.coverage for each in model.scan.files] == [Coverage.PARTIAL, *[Coverage.UNREAD] * 4]
    assert {each.reason for file in model.scan.files for each in file.unknowns} == {"timeout"}
    assert model.decision.verdict == "review"


def test_hashing_ends_with_the_subjects_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        time.sleep(0.2)
        return os.preadv(descriptor, [buffers[0][:1000]], offset)

    class Slow:
        preadv = staticmethod(slow)

    for number in range(3):
        (tmp_path / f"{number}.bin").write_bytes(bytes(8 << 20))
    monkeypatch.setattr(hashing, "os", Slow)
    held = open_descriptors()
    start = time.monotonic()
    model = check([tmp_path], Options(limits=Limits(subject_seconds=0.5), jobs=1), Progress()).models[0]
    assert time.monotonic() - start < 30
    for file in model.scan.files:
        assert file.digest == {}
        assert file.unknowns[-1].reason == "timeout"
    assert model.decision.verdict == "review"
    assert open_descriptors() == held


def test_a_rule_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b.pkl").write_bytes(HOSTILE)

    def slow_check(_context: object) -> Iterator[object]:
        yield from ()
        for _ in itertools.count():
            pass

    monkeypatch.setattr(runs_process, "check", slow_check)
    model = checked(tmp_path, seconds=0.3).models[0]
    assert model.scan.rules["pickle/runs-process"] == "error"
    assert not model.scan.reproducible
    assert model.decision.verdict != "admit"
