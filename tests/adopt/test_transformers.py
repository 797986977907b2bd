"""Transformers through our child: against Transformers itself, and two runtimes against each other."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from openvet.engines import transformers
from openvet.engines.model import Message, Sampling
from openvet.workflows.opening import Running

Opener = Callable[..., AbstractContextManager[Running]]
SHOTS = "every piece of evidence\n\n"
CONTEXT = f"{SHOTS}Every capability"
CHOICES = (" emits evidence", " is a bañana", " x y z", " e")
PLAIN = """
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
path, context, choices, text = json.loads(sys.stdin.read())
tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModelForCausalLM.from_pretrained(path).eval()
def rows(tokens):
    with torch.no_grad():
        return torch.log_softmax(model(torch.tensor([tokens])).logits[0].double(), -1)
out = []
for each in choices:
    inside, tokens = len(tokenizer(context)["input_ids"]), tokenizer(context + each)["input_ids"]
    found = rows(tokens)
    out.append(sum(found[at - 1, tokens[at]].item() for at in range(inside, len(tokens))))
tokens = tokenizer(context)["input_ids"]
ids = model.generate(torch.tensor([tokens]), attention_mask=torch.ones(1, len(tokens)), do_sample=False, max_new_tokens=12, eos_token_id=-1)
tokens = tokenizer(text)["input_ids"]
nll = [-found[at, tokens[at + 1]].item() for found in [rows(tokens)] for at in range(len(tokens) - 1)]
print(json.dumps([out, tokenizer.decode(ids[0, len(tokenizer(context)["input_ids"]):]), nll]))
"""


@pytest.fixture(scope="module")
def llama(run: Opener, made: Callable[..., Path], needs: Callable[..., None]):  # type: ignore[no-untyped-def]
    needs("transformers", "torch")
    with run(made("llama")) as running:
        yield running


def test_likelihoods_text_and_scores_are_those_of_transformers(
    llama: Running, made: Callable[..., Path], python: str
) -> None:
    text = "Every verdict is computed from evidence."
    asked = json.dumps([str(made("llama")), CONTEXT, CHOICES, text])
    done = subprocess.run([python, "-c", PLAIN], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    values, written, nll = json.loads(done.stdout)
    found = llama.model.likelihoods(CONTEXT, len(SHOTS), CHOICES)
    assert found.logprobs == pytest.approx(values, abs=1e-4)
    assert llama.model.score(text, 128).nll == pytest.approx(nll, abs=1e-4)
    # what is written ends where the model says so, and what is plain was told not to
    assert written.startswith(llama.model.generate(CONTEXT, Sampling(12)).text.rstrip("�"))


def test_a_sample_has_the_same_digits_whatever_was_asked_before(llama: Running) -> None:
    first = llama.model.likelihoods(CONTEXT, len(SHOTS), CHOICES)
    llama.model.generate([Message("user", "hello")], Sampling(6))
    llama.model.likelihoods("every verdict", 5, (" is", " was not"))
    assert llama.model.likelihoods(CONTEXT, len(SHOTS), CHOICES) == first
    answer = llama.model.generate(CONTEXT, Sampling(6))
    assert llama.model.generate(CONTEXT + answer.text, Sampling(3)).prompt_tokens > answer.prompt_tokens
    assert llama.model.generate(CONTEXT, Sampling(6)) == answer


REUSE = """
import json, sys
from openvet.engines import transformers
model = transformers._open(sys.argv[1], {"threads": 1})
counts, run = [], model._run
model._run = lambda tokens, cache: counts.append(len(tokens)) or run(tokens, cache)
text = list(range(2, 62))
model.start(text, None)
reused = model.start([*text[:55], 9], None)
model._work = []
anew = model.start([*text[:55], 9], None)
print(json.dumps([counts, float(abs(reused - anew).max())]))
"""


def test_what_two_texts_share_is_not_evaluated_again(
    made: Callable[..., Path], python: str, needs: Callable[..., None]
) -> None:
    """How a cache is cut differs between versions of Transformers; one that cannot be cut costs time and says nothing."""
    needs("transformers", "torch")
    source = str(Path(transformers.__file__).parents[2])
    done = subprocess.run(
        [python, "-c", REUSE, str(made("llama"))],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": source},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    counts, off = json.loads(done.stdout)
    assert counts == [60, 1, 56]
    assert off < 1e-4


def test_a_chat_is_filled_into_the_folders_template(llama: Running) -> None:
    tokens = llama.model.count([Message("user", "hi")])
    assert tokens == llama.model.count("<s>user: hi\nassistant:")
    assert llama.model.facts["template"] is True


def test_sentence_vectors_are_the_same_by_both_runtimes(
    run: Opener, made: Callable[..., Path], lies: Callable[[str], Path], needs: Callable[..., None]
) -> None:
    needs("transformers", "torch", "onnxruntime", "tokenizers", "onnx")
    folder = made("encoder", lies("minilm"))
    texts = ["A man is eating food.", "A man is eating a piece of bread.", "The sky is blue.", "long " * 400]
    with run(folder, engine="transformers") as running:
        first, tokens = running.model.embed(texts)
        assert running.settings()["pooling"] == "mean"
    with run(folder, engine="onnx") as running:
        second, again = running.model.embed(texts)
        alone, _ = running.model.embed(texts[1:2])
    assert tokens == again
    assert alone[0] == second[1]  # what stands beside a text changes nothing
    for one, other in zip(first, second, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
        assert sum(each * each for each in one) == pytest.approx(1.0, abs=1e-6)
    cosines = [sum(a * b for a, b in zip(first[0], other, strict=True)) for other in first[1:3]]
    assert cosines[0] > 0.7 > 0.3 > cosines[1]


def test_code_of_the_models_own_is_not_run_without_being_asked_for(
    run: Opener, made: Callable[..., Path], needs: Callable[..., None], tmp_path: Path
) -> None:
    needs("transformers", "torch")
    import shutil

    from openvet.sandbox.session import AskedError

    shutil.copytree(made("llama"), tmp_path / "m")
    config = json.loads((tmp_path / "m/config.json").read_text())
    config.update(model_type="mine", auto_map={"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"})
    (tmp_path / "m/config.json").write_text(json.dumps(config))
    (tmp_path / "m/mine.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(AskedError, match=r"(?i)trust_remote_code"), run(tmp_path / "m"):
        pass
