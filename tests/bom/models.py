"""Models of which bills are written: one that is documented as well as a hub folder can be, and stranger ones."""

from __future__ import annotations

import json
from pathlib import Path

from openvet.testing.forge_tensors import GgufTensor, gguf, safetensors

REVISION = "0123456789abcdef0123456789abcdef01234567"
WHOLE_CARD = """---
license: apache-2.0
language: [en, de]
library_name: transformers
pipeline_tag: text-generation
base_model: acme/base-mini
base_model_relation: finetune
datasets: [acme/reviews]
metrics: [accuracy]
tags: [finance, self-supervised, "arxiv:2301.00001"]
domain: customer reviews
autonomyType: "no"
standardCompliance: ISO/IEC 42001
metricDecisionThreshold: accuracy 0.8
useSensitivePersonalInformation: "no"
co2_eq_emissions:
  emissions: 1200
  energy_consumed: 3.5
  source: CodeCarbon
  training_type: fine-tuning
  geographical_location: Paris, France
  hardware_used: 1 NVIDIA A100 GPU
model-index:
- name: mini
  results:
  - task: {type: text-generation}
    dataset: {type: acme/test, name: Acme test}
    metrics:
    - {type: accuracy, value: 0.81, name: Accuracy}
---
# Mini

## Model Description

A small decoder that sorts reviews.

## Uses

Sort reviews by topic.

### Out-of-Scope Use

Not for decisions about people.

## Bias, Risks, and Limitations

It repeats the biases of its reviews.

### Recommendations

Have a person look at what it sorts.

## Training Details

### Training Data

Ten thousand public reviews.

#### Preprocessing

Letters were made small.

### Training Procedure

AdamW, three epochs.

## Evaluation

### Metrics

Accuracy on held-out reviews.

## Model Examination

Attention maps were looked at.

## Environmental Impact

Three and a half kilowatt-hours.

## Technical Specifications

One GPU with 16 GB.
"""
_CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 16, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False, "torch_dtype": "float32",
}  # fmt: skip


def _weights() -> bytes:
    at = "model.layers.0."
    shapes = {
        "model.embed_tokens.weight": (16, 8), "lm_head.weight": (16, 8), "model.norm.weight": (8,), at + "self_attn.q_proj.weight": (8, 8),
        at + "self_attn.k_proj.weight": (4, 8), at + "self_attn.v_proj.weight": (4, 8), at + "self_attn.o_proj.weight": (8, 8),
        at + "mlp.gate_proj.weight": (16, 8), at + "mlp.up_proj.weight": (16, 8), at + "mlp.down_proj.weight": (8, 16),
        at + "input_layernorm.weight": (8,), at + "post_attention_layernorm.weight": (8,),
    }  # fmt: skip
    return safetensors({name: ("F32", shape) for name, shape in shapes.items()})


def _files() -> dict[str, bytes]:
    chat = "{% for m in messages %}{{ m.content }}{% endfor %}"
    texts = {
        "README.md": WHOLE_CARD,
        "config.json": json.dumps(_CONFIG),
        "tokenizer.json": json.dumps({"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}),
        "tokenizer_config.json": json.dumps({"tokenizer_class": "LlamaTokenizer", "chat_template": chat}),
        "generation_config.json": '{"temperature": 0.7}',
        "requirements.txt": "transformers==4.57.0\ntorch>=2.4\nsafetensors\n-e git+https://example.com/acme/x@v1#egg=x\n",
        "LICENSE": "Apache License, Version 2.0\n",
        "CITATION.cff": "cff-version: 1.2.0\ntitle: Mini\nmessage: Cite it.\nversion: 1.0.0\ndate-released: 2026-05-01\n"
        "authors:\n- name: Acme\nlicense: Apache-2.0\nurl: https://example.com/mini\n",
    }
    return {**{name: text.encode() for name, text in texts.items()}, "model.safetensors": _weights()}


def write(files: dict[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def whole(folder: Path) -> Path:
    """A folder as the hub's cache has it, with everything said that a bill can say."""
    return write(_files(), folder / "models--acme--mini" / "snapshots" / REVISION)


def bare(folder: Path) -> Path:
    """Weights without a word about them."""
    return write({"model.safetensors": _weights()}, folder / "bare")


def packed(folder: Path) -> Path:
    """A GGUF file with keys of its own."""
    said = {"general.architecture": "llama", "general.name": "Packed", "general.license": "llama3.2"}
    keys = [(name, "string", value) for name, value in said.items()]
    return write({"packed.gguf": gguf(keys, [GgufTensor("token_embd.weight", (4, 8), size=128)])}, folder / "packed")


def adapter(folder: Path) -> Path:
    """An adapter with a licence that SPDX's list has not."""
    card = "---\nlicense: other\nlicense_name: my-licence\nlicense_link: https://example.com/l\nbase_model: [acme/base]\nlibrary_name: peft\nbase_model_relation: adapter\n---\n# Adapter\n"
    config = json.dumps({"peft_type": "LORA", "base_model_name_or_path": "acme/base", "r": 2})
    weights = safetensors({"base_model.model.q_proj.lora_A.weight": ("F32", (2, 4))})
    files = {"README.md": card.encode(), "adapter_config.json": config.encode(), "adapter_model.safetensors": weights}
    return write({**files, "modeling_own.py": b"class Own:\n    pass\n"}, folder / "adapter")


def pipeline(folder: Path) -> Path:
    """Several models in one folder."""
    index = json.dumps({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]})
    files = {"model_index.json": index.encode()}
    for part in ("unet", "vae"):
        files[f"{part}/config.json"] = json.dumps({"_class_name": part.upper()}).encode()
        files[f"{part}/diffusion_pytorch_model.safetensors"] = safetensors({"w": ("F16", (4, 4))})
    return write(files, folder / "pipeline")


def merged(folder: Path) -> Path:
    """A merge whose parents have licences that ask for more than its own, and that was trained on more."""
    card = "---\nlicense: apache-2.0\nbase_model: [google/gemma-7b, meta-llama/Meta-Llama-3-8B]\ndatasets: [acme/answers]\ntags: [merge]\n---\n# Merged\n"
    recipe = "models:\n  - model: google/gemma-7b\n    parameters: {weight: 0.5}\n  - model: meta-llama/Meta-Llama-3-8B\nmerge_method: slerp\nbase_model: google/gemma-7b\n"
    return write({"README.md": card.encode(), "mergekit_config.yml": recipe.encode()}, folder / "merged")


MODELS = {"whole": whole, "bare": bare, "packed": packed, "adapter": adapter, "pipeline": pipeline, "merged": merged}
