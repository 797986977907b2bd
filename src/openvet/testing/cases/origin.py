"""Names of publishers in a model's files: those that look like somebody's are a note, and whoever says whose model it is gets none."""

from __future__ import annotations

import json

from openvet.testing.case import Case
from openvet.testing.forge_cards import card

__all__ = ["CASES"]


def _config(name: str) -> dict[str, bytes]:
    return {"config.json": json.dumps({"model_type": "llama", "_name_or_path": name}).encode()}


CASES: tuple[Case, ...] = (
    Case(
        id="origin/digits-for-letters",
        technique="a configuration that names an account with a digit for a letter of a known one",
        forge=lambda: _config("meta-1lama/Llama-3.1-8B"),
        decision="admit",
        formats=("json",),
    ),
    Case(
        id="origin/confusable-characters",
        technique="a card whose base model has a Cyrillic letter in the account",
        forge=lambda: {"README.md": card("license: mit\nbase_model: g\u043eogle/gemma-2-9b").encode()},
        decision="admit",
        formats=("markdown",),
    ),
    Case(
        id="origin/hidden-characters",
        technique="a configuration that names a known account with a zero-width space in it",
        forge=lambda: _config("mistralai\u200b/Mistral-7B-v0.1"),
        decision="admit",
        formats=("json",),
    ),
    Case(
        id="origin/added-word",
        technique="an adapter on a base model of an account with official behind a known name",
        forge=lambda: {"adapter_config.json": b'{"peft_type": "LORA", "base_model_name_or_path": "deepseek-ai-official/DeepSeek-V3"}'},
        decision="admit",
        formats=("json",),
    ),
    Case(
        id="origin/republished",
        technique="an ordinary quantized copy that says whose model it is",
        forge=lambda: {
            "README.md": card("license: mit\nbase_model: mistralai/Mistral-7B-v0.1\nquantized_by: TheBloke\nmodel_creator: Mistral AI").encode(),
            **_config("TheBloke/Mistral-7B-v0.1"),
        },
        decision="admit",
        formats=("json",),
    ),
    Case(
        id="origin/paths-on-disks",
        technique="configurations that name places on their author's disk",
        forge=lambda: _config("/data/checkpoints/step-1000/final"),
        decision="admit",
        formats=("json",),
    ),
)  # fmt: skip
