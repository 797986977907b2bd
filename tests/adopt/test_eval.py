"""openvet eval with real models: choices, chats, similarity, speech with a known text, images of digits."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from openvet.cli import main

Lies = Callable[[str], Path]
Needs = Callable[..., None]


@pytest.fixture
def evaluate(python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Runs a task; gives the body of its result, which an audit of some samples was held against."""
    monkeypatch.chdir(tmp_path)

    def run(model: Path, task: dict[str, Any], *more: str) -> dict[str, Any]:
        Path("task.json").write_text(json.dumps(task))
        asked = ["--task", "task.json", "--python", python, *more]
        done = CliRunner().invoke(main, ["eval", str(model), *asked, "--result", "a.json", "--force"])
        assert done.exit_code == 0, done.output
        audit = ["eval", "audit", "a.json", *asked, "--model", str(model), "--sample", "3", "--seed", "of a test"]
        done = CliRunner().invoke(main, audit)
        assert done.exit_code == 0, done.output
        body: dict[str, Any] = json.loads(Path("a.json").read_text())["predicate"]
        return body

    return run


def capitals() -> list[dict[str, str]]:
    pairs = {
        "France": "Paris",
        "Italy": "Rome",
        "Japan": "Tokyo",
        "Spain": "Madrid",
        "Germany": "Berlin",
        "Russia": "Moscow",
    }
    return [{"country": name, "city": city} for name, city in pairs.items()]


def test_choices_behind_examples(evaluate: Callable[..., Any], lies: Lies, needs: Needs) -> None:
    needs("llama_cpp")
    task = {
        "name": "capitals", "samples": capitals(), "prompt": "The capital of {{country}} is", "target": "{{city}}",
        "choices": [each["city"] for each in capitals()], "scorer": "choice",
        "few_shot": {"samples": [{"country": "Portugal", "city": "Lisbon"}], "count": 0},
    }  # fmt: skip
    body = evaluate(lies("smollm2"), task)
    assert float(body["figure"]["value"]) >= 5 / 6
    settings = body["backend"]["settings"]
    assert (settings["engine"], settings["threads"]) == ("gguf", "1")
    assert "AVX" in settings["processor"] or "NEON" in settings["processor"]
    assert body["backend"]["attests"] is True


def test_answers_in_a_chat(evaluate: Callable[..., Any], lies: Lies, needs: Needs) -> None:
    needs("llama_cpp")
    task = {
        "name": "capitals", "samples": capitals(), "prompt": "What is the capital of {{country}}?", "target": "{{city}}",
        "scorer": "contains", "generation": {"max_tokens": 12},
    }  # fmt: skip
    body = evaluate(lies("smollm2"), task)
    assert body["backend"]["settings"]["mode"] == "chat"
    assert float(body["figure"]["value"]) >= 2 / 6  # it is a small model, in four bits


def test_similarity_as_people_judge_it(evaluate: Callable[..., Any], lies: Lies, needs: Needs) -> None:
    needs("transformers", "torch")
    pairs = [
        ("A man is playing a guitar.", "A man plays the guitar.", 5.0), ("A woman is slicing an onion.", "Somebody cuts an onion.", 4.0),
        ("A dog runs through a field.", "A cat sleeps on a sofa.", 1.0), ("The stock market fell.", "A baby is laughing.", 0.0),
        ("He is cooking pasta.", "He prepares a meal.", 3.5), ("A plane is taking off.", "An air plane is taking off.", 5.0),
    ]  # fmt: skip
    task = {
        "name": "pairs", "samples": [{"a": a, "b": b, "s": s} for a, b, s in pairs], "pair": ["{{a}}", "{{b}}"], "target": "{{s}}",
        "scorer": "similarity",
    }  # fmt: skip
    body = evaluate(lies("minilm"), task)
    assert float(body["figure"]["value"]) > 0.8
    assert body["backend"]["settings"]["pooling"] == "mean"


def spoken(text: str) -> bytes:
    """A WAV of 16 kHz in which a machine says a text."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng, which says a known text, is not installed")
    done = subprocess.run([program, "-s", "150", "--stdout", text], capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(10**8), "<i2").astype(float)
    at = np.arange(int(len(samples) * 16000 / rate)) * rate / 16000
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.interp(at, np.arange(len(samples)), samples).astype("<i2").tobytes())
    return out.getvalue()


def test_speech_with_a_known_text(evaluate: Callable[..., Any], lies: Lies, needs: Needs, tmp_path: Path) -> None:
    needs("ctranslate2", "tokenizers")
    texts = [
        "The weather is very nice today.",
        "Open models must be tested before they are used.",
        "She has seven brothers and two sisters.",
    ]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.wav").write_bytes(spoken(text))
    samples = [{"file": f"{number}.wav", "said": text} for number, text in enumerate(texts)]
    task = {"name": "speech", "samples": samples, "audio": "{{file}}", "target": "{{said}}", "scorer": "wer"}
    body = evaluate(lies("whisper"), task)
    assert body["task"]["label"] == "word error rate"
    assert float(body["figure"]["value"]) < 0.35
    # other bytes are another task
    (tmp_path / "0.wav").write_bytes(spoken("Something else is said."))
    done = CliRunner().invoke(main, ["eval", "audit", "a.json", "--task", "task.json"])
    assert done.exit_code == 2
    assert "the task is" in done.stderr


def test_digits_that_no_example_was_shown_of(evaluate: Callable[..., Any], clip: Path, tmp_path: Path) -> None:
    shutil.copytree(clip.with_name("clip-held-out"), tmp_path / "clip-held-out")
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    shown = sorted((tmp_path / "clip-held-out").glob("*.png"))[:24]
    digits = [
        next(word for word in each.stem.replace("-", "_").split("_") if word.isdigit() and len(word) == 1)
        for each in shown
    ]
    samples = [
        {"file": f"clip-held-out/{each.name}", "digit": digit} for each, digit in zip(shown, digits, strict=True)
    ]
    task = {
        "name": "digits", "samples": samples, "image": "{{file}}", "choices": [f"a photo of the digit {each}" for each in words],
        "target": "{{digit}}", "scorer": {"name": "choice", "target_means": "number"},
    }  # fmt: skip
    body = evaluate(clip, task)
    assert float(body["figure"]["value"]) > 0.6
