"""Language models as graphs of ONNX beside what they were exported from: what certificates say of both is computed here again, in another way."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openvet.workflows.deriving import Derived
from tests.adopt.test_shrink import TEXT, figure

#: Prints figures of two graphs, or of a folder of Transformers and a graph, on one text, in windows of so many tokens.
AGAIN = """
import json, sys
import numpy as np, onnxruntime, torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM
folder, child, text, window = sys.argv[1], sys.argv[2], open(sys.argv[3]).read(), int(sys.argv[4])
tokens = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(text, add_special_tokens=False).ids
session = onnxruntime.InferenceSession(f"{child}/model.onnx")
model = AutoModelForCausalLM.from_pretrained(folder).eval()
def logs(rows):
    rows = rows.astype(np.float64)
    rows -= rows.max(axis=1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
kl, same, flips, apart = [], [], [], []
for at in range(0, len(tokens), window):
    part = tokens[at : at + window]
    ids, targets = np.array([part[:-1]]), np.array(part[1:])
    with torch.no_grad():
        first = logs(model(input_ids=torch.tensor(ids)).logits[0].numpy())
    second = logs(session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    kl += list((np.exp(first) * (first - second)).sum(axis=1))
    tops = first.argmax(axis=1), second.argmax(axis=1)
    same += list(tops[0] == tops[1])
    flips += list((tops[0] == targets) != (tops[1] == targets))
    apart += list(np.abs(first - second).max(axis=1))
print(json.dumps({"kl": float(np.mean(kl)), "same-top-1": float(np.mean(same)), "flips": float(np.mean(flips)), "max-difference": float(max(apart)), "n": len(kl)}))
"""
#: A small GPT-2, which was trained for 64 tokens and has a place for no more.
SHORT = """
import sys
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel
AutoTokenizer.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])
GPT2LMHeadModel(GPT2Config(vocab_size=99, n_positions=64, n_embd=64, n_layer=2, n_head=4)).save_pretrained(sys.argv[2])
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("text") / "text.txt"
    place.write_text(TEXT.read_text(encoding="utf-8")[4000:6000])
    return place


@pytest.fixture(scope="module")
def exported(
    step: Callable[..., Derived],
    tiny: Path,
    text: Path,
    needs: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Derived]:
    needs("torch", "transformers", "onnx", "onnxruntime", "tokenizers")
    place = tmp_path_factory.mktemp("exported") / "llama"
    return place, step("convert", tiny / "llama", place, "onnx", texts=(str(text),))


@pytest.fixture(scope="module")
def again(python: str, tiny: Path, text: Path) -> Callable[..., dict[str, Any]]:
    def compute(child: Path, parent: Path | None = None, window: int = 512) -> dict[str, Any]:
        command = [python, "-c", AGAIN, str(parent or tiny / "llama"), str(child), str(text), str(window)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return compute


def test_what_is_exported_says_the_same_to_the_last_digits(
    exported: tuple[Path, Derived], again: Callable[..., dict[str, Any]]
) -> None:
    place, found = exported
    other = again(place)
    assert {each.n for each in found.body.agreement} == {other["n"]}
    assert {each.of for each in found.body.agreement} == {"tokens"}
    assert (figure(found.body, "same-top-1"), figure(found.body, "flips")) == (1.0, 0.0)
    assert 0.0 < figure(found.body, "max-difference") < 1e-4
    assert figure(found.body, "max-difference") == pytest.approx(other["max-difference"], abs=2e-6)
    assert abs(figure(found.body, "kl")) < 1e-9


@pytest.mark.parametrize("to", ["int8", "int4"])
def test_whole_numbers_of_it_differ_as_another_computes(
    step: Callable[..., Derived],
    exported: tuple[Path, Derived],
    again: Callable[..., dict[str, Any]],
    text: Path,
    tmp_path: Path,
    to: str,
) -> None:
    """The parent is the graph here, which says what the model says that it was exported from."""
    body = step("quantize", exported[0], tmp_path / to, to, texts=(str(text),)).body
    other = again(tmp_path / to)
    assert {each.n for each in body.agreement} == {other["n"]}
    # int8 rounds by what it multiplies: it evaluates the same numbers in parts here, and at once there
    for measure, near in (("kl", 0.3), ("max-difference", 0.3)):
        assert figure(body, measure) == pytest.approx(other[measure], rel=near if to == "int8" else 0.01)
    assert figure(body, "same-top-1") == pytest.approx(other["same-top-1"], abs=0.02)
    assert figure(body, "flips") == pytest.approx(other["flips"], abs=0.02)
    assert 0.7 < figure(body, "same-top-1") < 1.0


def test_a_model_of_few_places_is_held_in_windows_of_so_many(
    step: Callable[..., Derived],
    exported: tuple[Path, Derived],
    again: Callable[..., dict[str, Any]],
    python: str,
    tiny: Path,
    text: Path,
    tmp_path: Path,
) -> None:
    subprocess.run([python, "-c", SHORT, tiny / "llama", tmp_path / "short"], check=True, capture_output=True)
    body = step("convert", tmp_path / "short", tmp_path / "graph", "onnx", texts=(str(text),)).body
    other = again(tmp_path / "graph", tmp_path / "short", 64)
    assert {each.n for each in body.agreement} == {other["n"]}
    assert figure(body, "max-difference") == pytest.approx(other["max-difference"], abs=2e-6)
    assert figure(body, "same-top-1") == 1.0


def test_one_whose_files_cut_texts_otherwise_is_given_the_same_tokens(
    step: Callable[..., Derived], exported: tuple[Path, Derived], python: str, tiny: Path, text: Path, tmp_path: Path
) -> None:
    """Transformers cuts by rules of the family where it has some, and the graph by what lies beside it."""
    program = (
        "import sys; from transformers import AutoTokenizer as A, Qwen2Config as C, Qwen2ForCausalLM as M; A.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2]);"
        "M(C(vocab_size=120, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)).save_pretrained(sys.argv[2])"
    )
    place = tmp_path / "family"
    subprocess.run([python, "-c", program, tiny / "llama", place], check=True, capture_output=True)
    body = step("convert", place, tmp_path / "graph", "onnx", texts=(str(text),), loss=0.02).body
    assert any("the child was given the parent's tokens" in each for each in body.notes)
    assert figure(body, "same-top-1") == 1.0
    assert figure(body, "max-difference") < 1e-4
    assert body.verdict == "unresolved"  # texts would be read otherwise, whatever the weights are


def test_without_a_text_one_of_ours_is_taken(
    step: Callable[..., Derived], exported: tuple[Path, Derived], tmp_path: Path
) -> None:
    body = step("quantize", exported[0], tmp_path / "int8", "int8", speed=True).body
    assert [(each.role, each.name) for each in body.inputs] == [("text", "<built-in sample>")]
    assert 0.5 < figure(body, "same-top-1") <= 1.0
    assert any("a short text of ours was taken" in each for each in body.notes)
    assert body.cost is not None
