"""The whole path of each kind of model, through the command line: admitted, described, asked, measured, and made smaller with a certificate that says what that did.

Other tests of this folder hold single steps against figures; here the steps follow on each other on the same bytes, as a person takes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openvet.cli import main
from tests.adopt.test_eval import spoken

Needs = Callable[..., None]
Lies = Callable[[str], Path]
LINES = (
    "A man is playing a guitar.", "A man plays the guitar.", "A woman is slicing an onion.", "Somebody cuts an onion.", "A dog runs through a field.",
    "A cat sleeps on a sofa.", "The stock market fell.", "A baby is laughing.",
)  # fmt: skip


class Steps:
    """The commands, one after another, on one model."""

    def __init__(self, model: Path, python: str) -> None:
        self.model = model
        self._python = ["--python", python]

    def _call(self, *arguments: object, code: int = 0) -> str:
        done = CliRunner().invoke(main, list(map(str, arguments)), env={"COLUMNS": "160"})
        assert done.exit_code == code, done.output
        return done.stdout

    def admitted(self) -> None:
        assert self._call("check", self.model).startswith("ADMIT ")

    def profile(self) -> list[dict[str, Any]]:
        """The facts of each part: name -> value."""
        report = json.loads(self._call("profile", self.model, "--format", "json"))
        parts = report["models"][0]["statements"][0]["predicate"]["parts"]
        return [{each["name"]: each["value"] for each in part["facts"]} for part in parts]

    def run(self, *arguments: object) -> str:
        return self._call("run", self.model, *arguments, *self._python)

    def figure(self, task: Path, *arguments: object) -> float:
        out = task.with_suffix(".result.json")
        self._call("eval", self.model, "--task", task, "--result", out, "--force", *self._python, *arguments)
        return float(json.loads(out.read_text())["predicate"]["figure"]["value"])

    def smaller(self, command: str, to: str, out: Path, *arguments: object) -> dict[str, Any]:
        """The certificate of a step; what it made lies at ``out``, and is admitted."""
        said = self._call(
            command, "--to", to, self.model, out, "--no-speed", "--format", "json", *self._python, *arguments
        )
        report = json.loads(said)
        assert report["made"] is True
        assert self._call("check", out).startswith("ADMIT ")
        body: dict[str, Any] = report["derivation"]
        assert body["after"]["weightBytes"] < body["before"]["weightBytes"]
        return body


@pytest.fixture
def steps(python: str) -> Callable[[Path], Steps]:
    return lambda model: Steps(model, python)


def task(place: Path, samples: list[dict[str, Any]], **more: Any) -> Path:
    place.write_text(json.dumps({"name": place.stem, "license": "CC0-1.0", "samples": samples, **more}))
    return place


def agreement(body: dict[str, Any], measure: str) -> float:
    (found,) = (float(each["value"]) for each in body["agreement"] if each["measure"] == measure)
    return found


def test_whisper(steps: Callable[[Path], Steps], lies: Lies, needs: Needs, tmp_path: Path) -> None:
    """Speech with a known text, by word error rate."""
    needs("ctranslate2", "tokenizers")
    said = ("The weather is very nice today.", "She has seven brothers and two sisters.")
    for number, text in enumerate(said):
        (tmp_path / f"{number}.wav").write_bytes(spoken(text))
    samples = [{"file": f"{number}.wav", "said": text} for number, text in enumerate(said)]
    speech = task(tmp_path / "speech.json", samples, audio="{{file}}", target="{{said}}", scorer="wer")
    model = steps(lies("whisper"))
    model.admitted()
    (part,) = model.profile()
    assert (part["parameters"], part["weights format"]) == (37_764_864, "ctranslate2")
    assert {"weather", "nice", "today."} <= set(model.run("--with", tmp_path / "0.wav").split())
    assert model.figure(speech) < 0.2
    body = model.smaller("quantize", "int8", tmp_path / "small", "--task", speech)
    assert float(body["after"]["bitsPerWeight"]) < 8.5
    (held,) = body["tasks"]
    assert float(held["child"]) < 0.3


def test_minilm(steps: Callable[[Path], Steps], lies: Lies, needs: Needs, tmp_path: Path) -> None:
    """Similarity of pairs of sentences, as people judge it."""
    needs("torch", "transformers", "torchao")
    samples = [
        {"a": LINES[a], "b": LINES[b], "s": s} for a, b, s in ((0, 1, 5), (2, 3, 4), (4, 5, 1), (6, 7, 0), (0, 7, 1))
    ]
    pairs = task(tmp_path / "pairs.json", samples, pair=["{{a}}", "{{b}}"], target="{{s}}", scorer="similarity")
    (tmp_path / "lines.txt").write_text("\n".join(LINES))
    model = steps(lies("minilm"))
    model.admitted()
    (part,) = model.profile()
    assert (part["family"], part["kind"], part["parameters"]) == ("bert", "encoder", 22_713_216)
    one, other, third = map(json.loads, model.run(*(f"--ask={LINES[at]}" for at in (0, 1, 7))).splitlines())
    assert len(one) == 384
    assert (
        sum(a * b for a, b in zip(one, other, strict=True))
        > 0.8
        > 0.3
        > sum(a * b for a, b in zip(one, third, strict=True))
    )
    assert model.figure(pairs) > 0.7
    body = model.smaller("quantize", "int8", tmp_path / "small", "--text", tmp_path / "lines.txt")
    assert agreement(body, "cosine") > 0.999


@pytest.mark.parametrize(
    ("name", "family", "parameters", "to"),
    [("smollm2", "llama", 134_515_008, "q2_k"), ("gemma", "gemma3", 268_098_176, "q3_k_s")],
)
def test_language_models(
    steps: Callable[[Path], Steps],
    lies: Lies,
    needs: Needs,
    tmp_path: Path,
    name: str,
    family: str,
    parameters: int,
    to: str,
) -> None:
    """Text, by which city is likeliest. Gemma's file is of the base model, which was taught no chats."""
    needs("llama_cpp")
    pairs = {"France": "Paris", "Italy": "Rome", "Japan": "Tokyo", "Spain": "Madrid", "Germany": "Berlin"}
    capitals = task(
        tmp_path / "capitals.json", [{"country": each, "city": city} for each, city in pairs.items()], prompt="The capital of {{country}} is",
        target="{{city}}", choices=list(pairs.values()), scorer="choice",
    )  # fmt: skip
    (tmp_path / "text.txt").write_text(
        f"{' '.join(LINES)} The capital of France is Paris, and that of Italy is Rome.\n"
    )
    model = steps(lies(name))
    model.admitted()
    (part,) = model.profile()
    assert (part["family"], part["kind"], part["parameters"]) == (family, "decoder", parameters)
    assert len(model.run("--ask", "The capital of France is", "--max-tokens", 8, "--context", 256).split()) >= 2
    assert model.figure(capitals, "--context", 256) >= 0.8
    body = model.smaller("quantize", to, tmp_path / "small.gguf", "--text", tmp_path / "text.txt")
    assert 0.0 < agreement(body, "kl") < 5.0
    assert 0.2 < agreement(body, "same-top-1") < 1.0
    assert agreement(body, "perplexity-of-parent") < agreement(body, "perplexity")


def test_ocr(
    steps: Callable[[Path], Steps], made: Callable[..., Path], lies: Lies, needs: Needs, tmp_path: Path
) -> None:
    """Two graphs of ONNX that read together, by the lines of a page."""
    needs("onnxruntime", "PIL")
    said = "Open models must be tested\nbefore they are used in hospitals.\nInvoice 2026-11-29: 1,234.50"
    pages = made("picture")
    lined = task(
        pages / "lines.json", [{"file": "page.png", "said": said}, {"file": "tilted.png", "said": said}], image="{{file}}", target="{{said}}",
        scorer="exact",
    )  # fmt: skip
    model = steps(lies("ocr"))
    model.admitted()
    parts = model.profile()
    assert [each["parameters"] for each in parts] == [2_453_416, 5_267_683, 133_394]
    assert {each["kind"] for each in parts} == {"graph"}
    assert model.run("--with", pages / "page.png") == f"{said}\n"
    assert model.figure(lined) == 1.0
    body = model.smaller("quantize", "int8", tmp_path / "small", "--task", lined)
    assert float(body["after"]["bitsPerWeight"]) < 8.5
    assert [float(each["after"]["bitsPerWeight"]) < 11 for each in body["parts"]] == [True] * 3
    assert agreement(body, "same-text") == 1.0
    assert agreement(body, "character-errors") == agreement(body, "character-errors-of-parent") == 0.0
    smaller = steps(tmp_path / "small")
    assert smaller.run("--with", pages / "tilted.png") == f"{said}\n"
    assert smaller.figure(lined) == 1.0


def test_clip(steps: Callable[[Path], Steps], clip: Path, needs: Needs, tmp_path: Path) -> None:
    """A CLIP that is trained here on images of digits, by digits that it never saw."""
    needs("torch", "transformers")
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    held_out = clip.with_name("clip-held-out")
    shown = sorted(held_out.glob("*.png"))[:40]
    captions = [f"a photo of the digit {each}" for each in words]
    digits = task(
        held_out / "digits.json", [{"file": each.name, "digit": each.stem[-1]} for each in shown], image="{{file}}", choices=captions,
        target="{{digit}}", scorer={"name": "choice", "target_means": "number"},
    )  # fmt: skip
    model = steps(clip)
    model.admitted()
    (part,) = model.profile()
    assert (part["family"], part["kind"], part["parameters"]) == ("clip", "dual-encoder", 142_337)
    answered = model.run("--with", shown[0], *(f"--ask={each}" for each in captions)).splitlines()
    assert sorted(each.partition("  ")[2] for each in answered) == sorted(captions)
    shares = [float(each.partition("  ")[0]) for each in answered]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0, abs=0.01)
    assert model.figure(digits) > 0.6
    body = model.smaller("convert", "f16", tmp_path / "small", "--task", digits)
    (held,) = body["tasks"]
    assert float(held["child"]) == pytest.approx(float(held["parent"]), abs=0.1)
