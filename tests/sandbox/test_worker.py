"""A confined child can compute and answer, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from openvet.errors import SandboxError, UsageError
from openvet.sandbox import worker as workers
from openvet.sandbox.attempts import ATTEMPTS, attempt
from openvet.sandbox.confines import Confines
from openvet.sandbox.seal import can_filter
from openvet.sandbox.worker import ChildDiedError, Worker, how_confined

RECORDER = "openvet.sandbox.recorder"
TRIES = "openvet.sandbox.attempts"
HARMLESS_HERE = {"read a file", "list a folder", "open a socket", "start a thread", "signal a process"}

needs_filter = pytest.mark.skipif(not can_filter(), reason="this machine has no seccomp filters")
needs_some = pytest.mark.skipif(how_confined().startswith("nothing"), reason="nothing confines a child here")


@pytest.fixture(params=[pytest.param(True, id="as it is here"), pytest.param(False, id="alone", marks=needs_filter)])
def wrapped(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@needs_some
@pytest.mark.parametrize("name", [name for name in ATTEMPTS if name != "wait for ever"])
def test_everything_but_computing_is_refused(name: str, *, wrapped: bool) -> None:
    with Worker(TRIES, Confines(memory=1 << 31), wrap=wrapped) as worker:
        answer = worker.ask(name.encode())
        assert answer.startswith(b"refused"), answer
        assert worker.ask(name.encode()) == answer, "it still answers"


@pytest.mark.parametrize("name", sorted(HARMLESS_HERE))
def test_the_attempts_would_succeed_without_a_sandbox(name: str) -> None:
    assert attempt(name.encode()) == b"done"


@needs_some
def test_nothing_is_left_where_it_tried_to_write(*, wrapped: bool) -> None:
    with Worker(TRIES, wrap=wrapped) as worker:
        worker.ask(b"write a file")
    assert not Path("/tmp/openvet-was-here").exists()


@needs_some
def test_a_child_that_takes_too_long_is_killed(*, wrapped: bool) -> None:
    with Worker(TRIES, Confines(seconds=0.3), wrap=wrapped) as worker:
        process = worker._process.pid
        with pytest.raises(ChildDiedError, match="too long"):
            worker.ask(b"wait for ever")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@needs_some
def test_a_child_that_dies_is_told_apart(*, wrapped: bool) -> None:
    with Worker(TRIES, wrap=wrapped) as worker, pytest.raises(ChildDiedError, match="ended with"):
        worker.ask(b"no such attempt")  # an error that the child does not catch ends it


@needs_some
def test_messages_are_bounded() -> None:
    with Worker(RECORDER, Confines(message=1000)) as worker:
        with pytest.raises(SandboxError, match="longer than 1000"):
            worker.ask(bytes(1001))
        assert json.loads(worker.ask(b"cN."))["loads"][0]["error"] is None
        names = b"".join(b"c" + b"m" * 40 + str(n).encode() + b"\nx\n0" for n in range(19))
        with pytest.raises(ChildDiedError, match="longer than 1000"):
            worker.ask(b"c" + names + b"N.")


@needs_some
def test_a_large_question_arrives_whole() -> None:
    with Worker(RECORDER) as worker:
        data = b"B" + (20_000_000).to_bytes(4, "little") + bytes(20_000_000) + b"."
        assert json.loads(worker.ask(b"c" + data))["loads"] == [
            {"resolved": [], "called": [], "end": len(data), "error": None}
        ]


def test_nothing_runs_where_nothing_confines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "bubblewrap_works", lambda: False)
    monkeypatch.setattr(workers, "can_filter", lambda: False)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("something was started"))
    assert "never run" in how_confined()
    with pytest.raises(SandboxError, match="nothing is run here"):
        Worker(RECORDER)


@needs_filter
def test_a_child_without_any_confinement_refuses_itself() -> None:
    code = (
        "import openvet.sandbox.child as child\n"
        "child.can_filter = lambda: False\n"
        "child.serve(lambda question: b'ran')\n"
    )
    command = [sys.executable, "-c", code, Confines().to_text(), "alone"]
    done = subprocess.run(command, input=b"\0\0\0\1x", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"nothing is run here" in done.stderr


@pytest.mark.parametrize("field", ["seconds", "cpu_seconds", "memory", "message"])
def test_confines_must_be_positive(field: str) -> None:
    with pytest.raises(UsageError, match=field):
        Confines(**{field: 0})
    assert Confines.from_text(Confines(message=5).to_text()) == Confines(message=5)
