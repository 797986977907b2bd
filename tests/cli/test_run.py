"""``openvet run``: what is not admitted does not start, and what is admitted is what was read."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.gateway.stand_in import interpreter, level, opener
from tests.sandbox.forging import runs

from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.sandbox.canary import Proof
from openvet.sandbox.interpreter import our_interpreter
from openvet.sandbox.levels import missing
from openvet.workflows import opening
from openvet.workflows import run as workflow
from openvet.workflows.held_model import identities
from openvet.workflows.opening import Asked, Opening, Running

HERE = sys.platform == "linux" and not missing(level())


def call(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["run", *arguments], env={"COLUMNS": "100"}, input=stdin)


def tensors() -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"\0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("good").mkdir()
    Path("good/model.safetensors").write_bytes(tensors())
    Path("good/config.json").write_text("{}")
    Path("evil.pkl").write_bytes(runs("import os\nos.system('echo')"))
    Path("odd").mkdir()
    Path("odd/model.safetensors").write_bytes(tensors())
    Path("odd/extra.weights").write_bytes(b"\x07\x01" * 40)
    return tmp_path


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Asked]]:
    """What opens models gives the stand-in; tells how it was asked to."""
    if not HERE:
        pytest.skip("level 3 cannot be had here")

    def begin(meanwhile: Callable[[], None] | None = None, **options: Any) -> list[Asked]:
        python = str(interpreter(tmp_path / "env"))
        seen: list[Asked] = []

        def open_model(path: str, asked: Asked, *, held: Any) -> Running:
            seen.append(asked)
            before = identities(path)
            model = opener(python, tmp_path, **options)()
            if meanwhile is not None:
                meanwhile()
            proof = Proof(level(), {})
            return Running(path, asked, Opening("stand-in", "", our_interpreter(), 1), proof, held, before, model)

        monkeypatch.setattr(workflow, "open_model", open_model)
        return seen

    return begin


def test_what_is_rejected_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "open_model", lambda *_, **__: pytest.fail("it was opened"))
    for more in ([], ["--ask", "hello"]):
        done = call("evil.pkl", *more)
        assert done.exit_code == 1
        assert "REJECT  evil.pkl" in done.stderr
        assert "not started: it is rejected" in done.stderr
        assert "--format acceptances" in done.stderr


def test_what_a_person_has_to_see_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "open_model", lambda *_, **__: pytest.fail("it was opened"))
    done = call("odd", "--ask", "hello")
    assert done.exit_code == 3
    assert "REVIEW  odd" in done.stderr
    assert "a person has to look at it first" in done.stderr


def test_a_pack_decides_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cel_expr_python")
    monkeypatch.setattr(workflow, "open_model", lambda *_, **__: pytest.fail("it was opened"))
    done = call("good", "--policy", "baseline", "--ask", "hello")
    assert done.exit_code in (1, 3)
    assert "baseline@" in done.stderr


def test_an_answer(stand_in: Callable[..., list[Asked]]) -> None:
    seen = stand_in()
    done = call("good", "--ask", "good \x1b[31m morning", "--threads", "2", "--context", "64", "--seconds", "9")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "user: good \\x1b[31m morning \n"
    assert "decision  ADMIT" in done.stderr
    assert "digest    dirHash:" in done.stderr
    assert (seen[0].threads, seen[0].context, seen[0].seconds) == (2, 64, 9.0)
    done = call("good", "--ask", "-", "--max-tokens", "2", stdin="one two three")
    assert done.stdout == "user: one \n"


def wav(samples: int) -> bytes:
    data = bytes(2 * samples)
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    return head + struct.pack("<4sI", b"data", len(data)) + data


@pytest.mark.parametrize(
    ("can", "arguments", "said"),
    [
        ("embed", ["--ask", "four", "--ask", "-"], "[4.0, 0.5, -1.25]\n[3.0, 0.5, -1.25]\n"),
        ("transcribe", ["--with", "said.wav"], "1600 samples in any\n"),
        ("read", ["--with", "page"], "one \\x1b[31m\nline\n"),
        ("match", ["--with", "page", "--ask", "x", "--ask", "fourteen signs"], "0.731  fourteen signs\n0.269  x\n"),
    ],
)
def test_other_models_have_other_answers(
    stand_in: Callable[..., list[Asked]], can: str, arguments: list[str], said: str
) -> None:
    stand_in(can=[can])
    Path("said.wav").write_bytes(wav(1600))
    Path("page").write_bytes(b"one \x1b[31m\nline")
    done = call("good", *arguments, stdin="two")
    assert (done.exit_code, done.stdout) == (0, said), done.stderr
    assert f"can       {can}" in done.stderr


@pytest.mark.parametrize(
    ("can", "arguments", "said"),
    [
        ("transcribe", ["--ask", "x"], "--with SAID.wav lets it write down a recording"),
        ("read", ["--ask", "x"], "it writes no text and makes no vectors"),
        ("match", ["--with", "page", "--ask", "x"], "--ask each of them"),
        ("read", ["--with", "page", "--ask", "x"], "leave --ask away"),
        ("transcribe", ["--with", "page"], "--with: "),
        ("transcribe", ["--with", "none"], "--with none: No such file"),
        ("embed", ["--with", "page"], "it takes no recording and no image"),
        ("generate", ["--ask", "x", "--ask", "y"], "one question at a time"),
    ],
)
def test_what_a_model_cannot_answer(
    stand_in: Callable[..., list[Asked]], can: str, arguments: list[str], said: str
) -> None:
    stand_in(can=[can])
    Path("page").write_bytes(b"a page")
    done = call("good", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_what_changed_since_it_was_checked_is_not_used(stand_in: Callable[..., list[Asked]]) -> None:
    """Also with the same bytes: nobody has looked whether they are."""
    stand_in(lambda: Path("good/config.json").write_text("{}"))
    done = call("good", "--ask", "x")
    assert done.exit_code == 2
    assert "changed since it was checked" in done.stderr
    assert done.stdout == ""


def test_a_digest_that_it_has_to_have(stand_in: Callable[..., list[Asked]]) -> None:
    stand_in()
    digest = next(
        line.split()[1] for line in call("good", "--ask", "x").stderr.splitlines() if line.startswith("digest")
    )
    assert call("good", "--ask", "x", "--digest", digest).exit_code == 0
    assert call("good", "--ask", "x", "--digest", digest.removeprefix("dirHash:")).exit_code == 0
    done = call("good", "--ask", "x", "--digest", "0" * 64)
    assert done.exit_code == 1
    assert "and not " + "0" * 64 in done.stderr
    assert call("good", "--ask", "x", "--digest", "abc").exit_code == 2


def test_a_signature_that_it_has_to_have(stand_in: Callable[..., list[Asked]]) -> None:
    stand_in()
    for name in ("mine", "other"):
        key = generate()
        Path(f"{name}.pem").write_bytes(key.public.pem)
        if name == "mine":
            Path("mine.key").write_bytes(key.pem())
    assert call("good", "--ask", "x", "--key", "mine.pem").exit_code == 1
    assert CliRunner().invoke(main, ["sign", "good", "--key", "mine.key"]).exit_code == 0
    assert call("good", "--ask", "x", "--key", "mine.pem").exit_code == 0
    done = call("good", "--ask", "x", "--key", "other.pem")
    assert done.exit_code == 1
    assert "not started" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "needs a key"),
        (["--host", "0.0.0.0", "--key-env", "NOT_SET"], "at least 16"),
        (["--allow-origin", "*"], "an origin is"),
        (["--body", "many"], "--body"),
        (["--memory", "lots"], "--memory"),
        (["--python", "/nowhere/python"], "/nowhere/python"),
    ],
)
def test_what_makes_no_sense(arguments: list[str], said: str) -> None:
    pytest.importorskip("uvicorn")
    done = call("good", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_model_on_a_server_is_fetched_first() -> None:
    done = call("hf:org/name", "--ask", "x")
    assert done.exit_code == 2
    assert "fetch it first" in done.stderr


def test_a_runtime_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_lacks", lambda *_: ["torch"])
    done = call("good", "--ask", "x")
    assert done.exit_code == 2
    assert "openvet[transformers]" in done.stderr
    assert "--python" in done.stderr


def test_without_the_server_s_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "uvicorn" else there(name, *more)
    )
    done = call("good")
    assert done.exit_code == 2
    assert "openvet[server]" in done.stderr
