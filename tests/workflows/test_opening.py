"""A model is opened by the runtime that takes its bytes, in a child that is proven to be confined, and asked by openvet eval."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.engines.stand_ins import interpreter, language_model

from openvet.cli import main
from openvet.cli.running_options import ENGINES, LEVELS
from openvet.core.progress import Progress
from openvet.engines import model as engines
from openvet.engines.model import Sampling
from openvet.errors import SubjectError, UsageError
from openvet.sandbox.levels import ENOUGH, LADDER, missing
from openvet.sandbox.session import AskedError, EndedError
from openvet.testing.forge_tensors import gguf
from openvet.workflows.held_model import identities, model_digest
from openvet.workflows.opening import Asked, look, open_model, opened

HERE = sys.platform == "linux" and any(not missing(each) for each in LADDER if each.number >= ENOUGH)
needs_isolation = pytest.mark.skipif(not HERE, reason="nothing here is enough to run a model in")
TASK = """
name: letters
version: "1"
samples: [{before: ab, after: c}, {before: wx, after: y}, {before: klm, after: n}, {before: p, after: x}]
prompt: "{{before}}"
target: "{{after}}"
join: ""
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(interpreter(tmp_path_factory.mktemp("env") / "python", "onnxruntime", "tokenizers"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return language_model(tmp_path / "letters")


def test_the_options_know_every_engine_and_level() -> None:
    assert engines.ENGINES == ENGINES
    assert {each.id for each in LADDER} == set(LEVELS)


# --- which runtime ---


def test_the_runtime_is_told_by_bytes_and_not_by_names(folder: Path, python: str, tmp_path: Path) -> None:
    (folder / "model.onnx").rename(folder / "weights.gguf")
    assert look(str(folder), Asked(python=python)).engine == "onnx"
    (tmp_path / "m.bin").write_bytes(gguf())
    with pytest.raises(UsageError, match=r"pip install 'openvet\[gguf\]'.*--python"):
        look(str(tmp_path / "m.bin"), Asked(python=python))


def test_of_several_the_one_that_is_there(folder: Path, python: str) -> None:
    (folder / "q4.gguf").write_bytes(gguf())
    assert look(str(folder), Asked(python=python)).engine == "onnx"
    with pytest.raises(UsageError, match="would be run by llama"):
        look(str(folder), Asked(python=python, file="q4.gguf"))
    with pytest.raises(UsageError, match="would be run by llama"):
        look(str(folder), Asked(python=python, engine="gguf"))
    with pytest.raises(UsageError, match=r"has no file 'q5\.gguf'"):
        look(str(folder), Asked(python=python, file="q5.gguf"))
    with pytest.raises(UsageError, match="there is no engine 'tflite'"):
        look(str(folder), Asked(python=python, engine="tflite"))


def test_what_is_no_model_and_what_is_a_pickle(tmp_path: Path, python: str) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(
        UsageError, match="has no model that is run here, which are those of GGUF, CTranslate2, safetensors, ONNX"
    ):
        look(str(tmp_path), Asked(python=python))
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(UsageError, match="`openvet disarm` makes safetensors of them"):
        look(str(tmp_path), Asked(python=python))


# --- running ---


@needs_isolation
def test_it_runs_and_the_result_may_say_by_what(folder: Path, python: str) -> None:
    with opened(str(folder), Asked(python=python, threads=2)) as running:
        model = running.model
        assert model.can == {"generate", "likelihoods", "score", "tokens", "count"}
        assert model.generate("ab", Sampling(3)).text == "cde"
        found = model.likelihoods("ab", 0, ["c", "d"])
        assert found.greedy == (True, False)
        assert found.logprobs[0] - found.logprobs[1] == pytest.approx(8.0)
        settings = running.settings()
        algorithm, digest, _ = model_digest(str(folder), Progress())
        assert running.subject.digest == {algorithm: digest}
    assert settings["engine"] == "onnx"
    assert settings["threads"] == "2"
    assert settings["level"] in LEVELS
    assert settings["context"] == "64"
    assert "isolation" not in settings


@needs_isolation
def test_a_model_that_changed_says_nothing(folder: Path, python: str) -> None:
    running = open_model(str(folder), Asked(python=python))
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes() + b"x")
    with pytest.raises(SubjectError, match="changed while it was run"):
        running.close()


@needs_isolation
def test_what_cannot_be_loaded_and_what_ends(folder: Path, python: str) -> None:
    with (
        opened(str(folder), Asked(python=python)) as running,
        pytest.raises(EndedError, match="the model's process is gone"),
    ):
        running.model.generate("\a", Sampling(1))
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data + b"\x32\x06broken")  # its description
    with pytest.raises(AskedError, match="ONNX Runtime cannot load it"):
        open_model(str(folder), Asked(python=python))


# --- openvet eval ---


@needs_isolation
@pytest.mark.parametrize(
    ("more", "label", "value"),
    [
        ("choices: [c, y, n, x]\nscorer: choice\n", "accuracy", 0.75),
        ("scorer: exact\ngeneration: {max_tokens: 1}\n", "exact match", 0.75),
        ("scorer: nll\n", "negative log-likelihood", None),
        ("scorer: {name: nll, per: byte}\n", "negative log-likelihood", None),
    ],
)
def test_eval_runs_the_model_itself_and_an_audit_finds_the_same(
    more: str,
    label: str,
    value: float | None,
    folder: Path,
    python: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(TASK + more)
    asked = ["--task", "task.yaml", "--python", python, "--api", "completions"]
    done = CliRunner().invoke(main, ["eval", str(folder), *asked, "--result", "a.json"])
    assert done.exit_code == 0, done.output
    body = json.loads(Path("a.json").read_text())["predicate"]
    assert body["backend"]["attests"] is True
    assert body["backend"]["id"] == "local"
    assert body["backend"]["settings"]["engine"] == "onnx"
    assert body["task"]["label"] == label
    if value is not None:
        assert float(body["figure"]["value"]) == value
    elif "byte" not in more:  # three targets of eight nats more than the others, one of no more
        over = math.log(127 + math.exp(8))
        assert float(body["figure"]["value"]) == pytest.approx((4 * over - 3 * 8) / 4)
    audit = ["eval", "audit", "a.json", "--task", "task.yaml", "--sample", "3", "--seed", "s", "--python", python]
    done = CliRunner().invoke(main, [*audit, "--model", str(folder)])
    assert done.exit_code == 0, done.output
    assert "3 of 3 answer the same" in done.output
    other = language_model(tmp_path / "other")
    (other / "config.json").write_text("{}")
    done = CliRunner().invoke(main, [*audit, "--model", str(other)])
    assert done.exit_code == 1, done.output
    assert "not verified (mismatch)" in done.stderr


@needs_isolation
def test_eval_of_a_model_that_cannot(
    folder: Path, python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(
        "name: s\nsamples: [{a: x, b: y, s: 1}]\npair: ['{{a}}', '{{b}}']\ntarget: '{{s}}'\nscorer: similarity\n"
    )
    done = CliRunner().invoke(main, ["eval", str(folder), "--task", "task.yaml", "--python", python])
    assert done.exit_code == 2
    assert "needs a model that can make vectors, which this one cannot" in done.stderr
    Path("task.yaml").write_text(TASK + "scorer: exact\n")
    Path("long.yaml").write_text(TASK.replace("before: klm", f"before: {'k' * 99}") + "scorer: exact\n")
    done = CliRunner().invoke(main, ["eval", str(folder), "--task", "long.yaml", "--python", python, "--keep-going"])
    assert done.exit_code == 3
    assert "open it with a larger one" in Path("long.eval.log.jsonl").read_text()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--endpoint", "http://127.0.0.1:9/v1", "--recorded", "x"], "exclude each other"),
        (["--endpoint", "http://127.0.0.1:9/v1", "--engine", "gguf"], "--engine is about a model that runs here"),
        (["--memory", "much"], "--memory 'much'"),
    ],
)
def test_how_a_model_is_asked_is_said_once(
    more: list[str], why: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("task.yaml").write_text(TASK + "scorer: exact\n")
    done = CliRunner().invoke(main, ["eval", str(folder), "--task", "task.yaml", *more])
    assert done.exit_code == 2
    assert why in done.stderr


def test_links_to_folders_are_no_part_of_a_digest_and_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "model" / name).mkdir(parents=True)
        (tmp_path / "model" / name / "model.onnx").write_bytes(b"\x08\x07")
    (tmp_path / "model" / "inner").mkdir()
    link = tmp_path / "model" / "inner" / "onnx"
    link.symlink_to("../one")
    before = identities(str(tmp_path / "model"))
    assert identities(str(tmp_path / "model")) == before
    with pytest.raises(SubjectError, match="inner/onnx is a link to a folder"):
        look(str(tmp_path / "model"), Asked())
    link.unlink()
    link.symlink_to("../two")
    assert identities(str(tmp_path / "model")) != before
