"""What the transforms with PyTorch share: a model of Transformers from safetensors alone, its texts, and its sentence vectors. In the child only."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from openvet.transforms._transform import CannotError

__all__ = ["HEADS", "batches", "is_causal", "open_model", "open_tokenizer", "pooled", "read_texts", "seeded"]

#: Ending of an architecture -> the class that loads it with its head; everything else is loaded without one.
HEADS: Final = {
    "ForCausalLM": "AutoModelForCausalLM",
    "LMHeadModel": "AutoModelForCausalLM",
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForTokenClassification": "AutoModelForTokenClassification",
}
_LONGEST_LINE: Final = 1 << 20
_LINES: Final = 200_000


def seeded(seed: int, threads: int) -> None:
    """The same numbers for the same seed and number of threads."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)


def _architecture(source: str) -> str:
    try:
        with open(os.path.join(source, "config.json"), encoding="utf-8") as file:
            listed = json.load(file).get("architectures") or [""]
        return str(listed[0])
    except (OSError, ValueError, AttributeError, IndexError, TypeError) as error:
        raise CannotError(f"there is no config.json that Transformers could read: {error}") from error


def is_causal(source: str) -> bool:
    """Whether it writes text."""
    return any(_architecture(source).endswith(each) for each in ("ForCausalLM", "LMHeadModel"))


def open_model(source: str, **options: Any) -> Any:
    """The model of a folder, from safetensors, without code of its own, in 32 bits unless ``options`` say otherwise."""
    import torch
    import transformers

    architecture = _architecture(source)
    head = next((name for ending, name in HEADS.items() if architecture.endswith(ending)), "AutoModel")
    given = {"dtype": torch.float32, **options}
    model = getattr(transformers, head).from_pretrained(
        source, use_safetensors=True, trust_remote_code=False, local_files_only=True, **given
    )
    return model.eval()


def open_tokenizer(source: str) -> Any:
    """Its tokenizer, which can pad."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(source, trust_remote_code=False, local_files_only=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def read_texts(path: str) -> list[str]:
    """Texts of a file: each line, or of JSON lines the field ``text``, or ``prompt`` and ``completion`` together.

    Raises:
        CannotError: it has none, or a line is none of that.
    """
    return list(_texts(path))


def _texts(path: str) -> Iterator[str]:
    as_json = path.endswith((".jsonl", ".json"))
    count = 0
    with open(path, encoding="utf-8", errors="strict") as file:
        for number, line in enumerate(_lines(file), 1):
            text = line.strip()
            if not text:
                continue
            if as_json:
                text = _field(text, number)
            count += 1
            if count > _LINES:
                raise CannotError(f"the texts have more than {_LINES} lines")
            yield text
    if not count:
        raise CannotError("the file of texts is empty")


def _lines(file: Any) -> Iterator[str]:
    try:
        while line := file.readline(_LONGEST_LINE):
            yield line
    except UnicodeDecodeError as error:
        raise CannotError(f"the file of texts is not UTF-8: {error}") from error


def _field(line: str, number: int) -> str:
    try:
        value = json.loads(line)
        text = value["text"] if "text" in value else value["prompt"] + value["completion"]
    except (ValueError, TypeError, KeyError) as error:
        raise CannotError(
            f"line {number} of the texts is no object with text, or with prompt and completion"
        ) from error
    if not isinstance(text, str) or not text:
        raise CannotError(f"line {number} of the texts has no text")
    return text


def pooled(model: Any, batch: Any) -> Any:
    """The mean of the last hidden states where there is a token: a sentence's vector before it is made to have length 1."""
    states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].to(states.dtype)
    return (states * mask).sum(1) / mask.sum(1).clamp(min=1.0)


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """``size`` items at a time, the last ones too."""
    for at in range(0, len(items), size):
        yield items[at : at + size]
