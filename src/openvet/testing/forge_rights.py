"""Models that were made from others, with a licence of their own: some drop what their base asks for, and neighbours do not.

Each folder states the notes (rules below ``license/``) about dropped duties that it must get, exactly. Licences of bases come from the
table of known models, since no base is at hand.
"""

from __future__ import annotations

from typing import Final

from openvet.testing.forge_cards import Carded, card
from openvet.testing.forge_tensors import GgufTensor, gguf, safetensors

__all__ = ["LLAMA_LINE", "RIGHTS"]

LLAMA_LINE: Final = (
    "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved."
)
_GEMMA_LINE: Final = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"
_WEIGHTS: Final = safetensors({"w": ("F32", (2, 2))})
_MISSING: Final = frozenset({"copy-missing", "notice-missing"})


def _tuned(front: str, **more: str | bytes) -> dict[str, str | bytes]:
    return {"README.md": card(front), "model.safetensors": _WEIGHTS, **more}


def _base(license_: str, base: str, relation: str = "finetune", name: str = "") -> str:
    named = f"\nmodel_name: {name}" if name else ""
    return f"license: {license_}\nbase_model: {base}\nbase_model_relation: {relation}{named}"


def _quantized(name: str) -> bytes:
    keys = [
        ("general.architecture", "string", "llama"), ("general.license", "string", "mit"), ("general.name", "string", name),
        ("general.base_model.count", "u32", 1), ("general.base_model.0.name", "string", "bloom"),
        ("general.base_model.0.repo_url", "string", "https://huggingface.co/bigscience/bloom-560m"),
    ]  # fmt: skip
    return gguf(keys, [GgufTensor("w", (2, 2), size=16)])


RIGHTS: Final[dict[str, Carded]] = {
    "llama-as-apache": Carded(
        "a fine-tune of Llama 3.1 that says Apache-2.0 and ships nothing of what its base asks for",
        _tuned(_base("apache-2.0", "meta-llama/Llama-3.1-8B", name="my-assistant")),
        frozenset({"restriction-dropped", "name-rule"}) | _MISSING,
    ),
    "llama-as-llama": Carded(
        "the same with its base's licence, name and notice, without its text",
        _tuned(_base("llama3.1", "meta-llama/Llama-3.1-8B", name="Llama-3.1-assistant"), NOTICE=LLAMA_LINE + "\n"),
        frozenset({"copy-missing"}),
    ),
    "llama-line-in-the-card": Carded(
        "the line of the notice stands in the card, wrapped, which a person reads as well",
        {
            "README.md": card(_base("llama3.1", "meta-llama/Llama-3.1-8B"))
            + LLAMA_LINE.replace("License,", "License,\n").replace("©", "(c)")
            + "\n",
            "model.safetensors": _WEIGHTS,
        },
        frozenset({"copy-missing"}),
    ),
    "openrail-as-mit": Carded(
        "a quantized model under a licence with restrictions on use, named in the keys of GGUF, that says MIT",
        {"model.gguf": _quantized("bloom")},
        frozenset({"restriction-dropped", "copy-missing"}),
    ),
    "research-as-mit": Carded(
        "a fine-tune of a model for research alone that says MIT",
        _tuned(_base("mit", "LGAI-EXAONE/EXAONE-3.5-2.4B-Instruct")),
        frozenset({"restriction-dropped", "copy-missing"}),
    ),
    "gemma-and-llama": Carded(
        "a merge of Gemma and Llama under the terms of one of them",
        _tuned(
            "license: gemma\nbase_model:\n- google/gemma-2-2b\n- meta-llama/Llama-3.1-8B\nbase_model_relation: merge",
            NOTICE=f"{_GEMMA_LINE}\n{LLAMA_LINE}\n",
        ),
        frozenset({"restriction-dropped", "copy-missing"}),
    ),
    "share-alike-as-apache": Carded(
        "a fine-tune of a share-alike model under a permissive licence",
        _tuned(_base("apache-2.0", "stabilityai/stablelm-base-alpha-3b")),
        frozenset({"share-alike-broken"}),
    ),
    "share-alike-kept": Carded(
        "the same under the licence of its base",
        _tuned(_base("cc-by-sa-4.0", "stabilityai/stablelm-base-alpha-3b")),
    ),
    "share-alike-and-openrail": Carded(
        "a merge of a share-alike model with one whose restrictions have to be passed on",
        _tuned(
            "license: cc-by-sa-4.0\nbase_model:\n- stabilityai/stablelm-base-alpha-3b\n- bigcode/starcoderbase-1b\n"
            "base_model_relation: merge"
        ),
        frozenset({"terms-conflict", "restriction-dropped", "copy-missing"}),
    ),
    "no-commerce-quantized": Carded(
        "a quantized model for no commerce that says MIT",
        _tuned(_base("mit", "facebook/nllb-200-distilled-600M", "quantized")),
        frozenset({"restriction-dropped"}),
    ),
    "apache-from-apache": Carded(
        "a fine-tune of a permissive model under the same licence, named by its id alone",
        _tuned(_base("apache-2.0", "mistralai/Mistral-7B-v0.1")),
    ),
    "mit-from-apache": Carded(
        "a quantized permissive model under another permissive licence, without that of its base",
        _tuned(_base("mit", "sentence-transformers/all-MiniLM-L6-v2", "quantized")),
        frozenset({"upstream-differs", "copy-missing"}),
    ),
    "unknown-base": Carded(
        "a base model whose licence nobody here knows",
        _tuned(_base("mit", "example/unheard-of")),
    ),
    "no-base": Carded("a model that names no base", _tuned("license: apache-2.0")),
    "llama-by-name-alone": Carded(
        "a name like Llama's without a word about a base: a name is no lineage",
        _tuned("license: apache-2.0\nmodel_name: Llama-3.1-from-scratch"),
    ),
    "adapter-of-llama-2": Carded(
        "an adapter whose settings name Llama 2, under MIT",
        {
            "README.md": card("license: mit"),
            "adapter_config.json": '{"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-2-7b-hf"}\n',
            "adapter_model.safetensors": safetensors({"base_model.model.lora_A.weight": ("F32", (2, 2))}),
        },
        frozenset({"restriction-dropped"}) | _MISSING,
    ),
}
