"""Small models whose pages have something in every section: built from text, harmless, never loaded."""

from __future__ import annotations

import json
import struct
from pathlib import Path

__all__ = ["EVIL", "hostile", "marked", "ordinary", "tuned"]

#: What tries to be markup wherever a name or a text of a model goes.
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><style>*{display:none}</style>&amp;\u202e\u2066 ﷽ 模型"

_CARD = """---
license: {license}
base_model: {base}
base_model_relation: finetune
datasets:
- HuggingFaceH4/ultrachat_200k
- allenai/tulu-3-sft-mixture
library_name: transformers
pipeline_tag: text-generation
language: en
tags: [llama, chat]
---
# {name}

A fine-tune for polite conversation.

## Intended uses

Chat in English.

## Training data

The data sets above. See the paper at the address of the base model.

## Evaluation

MMLU 64.1.
"""
_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
    "vocab_size": 1024,
    "torch_dtype": "bfloat16",
    "tie_word_embeddings": True,
    "rms_norm_eps": 1e-05,
    "rope_theta": 500000.0,
    "hidden_act": "silu",
}
#: The pickle ``os.system("echo hello")``: never loaded here.
_PICKLE = b"\x80\x04cos\nsystem\n\x8c\x0aecho hello\x85R."


def _tensors() -> dict[str, tuple[int, ...]]:
    wide, deep, heads, inner = 256, 4, 64, 768
    out: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (1024, wide), "model.norm.weight": (wide,)}
    for at in range(deep):
        layer = f"model.layers.{at}"
        out |= {
            f"{layer}.self_attn.q_proj.weight": (wide, wide),
            f"{layer}.self_attn.k_proj.weight": (heads, wide),
            f"{layer}.self_attn.v_proj.weight": (heads, wide),
            f"{layer}.self_attn.o_proj.weight": (wide, wide),
            f"{layer}.mlp.gate_proj.weight": (inner, wide),
            f"{layer}.mlp.up_proj.weight": (inner, wide),
            f"{layer}.mlp.down_proj.weight": (wide, inner),
            f"{layer}.input_layernorm.weight": (wide,),
            f"{layer}.post_attention_layernorm.weight": (wide,),
        }
    return out


def _weights(path: Path, names: dict[str, tuple[int, ...]]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in names.items():
        size = 2
        for each in shape:
            size *= each
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))


def ordinary(folder: Path, name: str = "polite-llama") -> Path:
    """A fine-tune of Llama 3.1 that says so, with its weights as data and a licence that drops the base model's."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "README.md").write_text(
        _CARD.format(name=name, license="apache-2.0", base="meta-llama/Llama-3.1-8B-Instruct")
    )
    (place / "config.json").write_text(json.dumps(_CONFIG, indent=2))
    (place / "generation_config.json").write_text('{"do_sample": true, "temperature": 0.6}')
    (place / "requirements.txt").write_text("torch==2.1.0\ntransformers==4.30.0\n")
    _weights(place / "model.safetensors", _tensors())
    return place


def tuned(folder: Path, name: str = "polite-llama-pickled") -> Path:
    """The same with pickles that start a process, and with files that nobody reads."""
    place = ordinary(folder, name)
    for at in range(8):
        (place / f"state-{at}.pkl").write_bytes(_PICKLE)
    (place / "tool.bin").write_bytes(bytes(range(256)) * 9)
    (place / "more.dat").write_bytes(b"\x00\x07\xfe" * 500)
    config = dict(_CONFIG, auto_map={"AutoModelForCausalLM": "modeling_polite.PoliteLlama"})
    (place / "config.json").write_text(json.dumps(config))
    (place / "modeling_polite.py").write_text(
        "import os\n\nos.system('echo hello')\n\n\nclass PoliteLlama:\n    pass\n"
    )
    return place


def hostile(folder: Path, name: str = "hostile <b>model") -> Path:
    """A model that tries to become markup: in its names, card, configuration, tensors and templates."""
    place = tuned(folder, name)
    safe = EVIL.replace("/", "\u2215")
    (place / f"weights{safe[:60]}.pkl").write_bytes(_PICKLE)
    card = _CARD.format(name=EVIL, license=json.dumps(EVIL), base=json.dumps([EVIL, "org/<svg onload=alert(1)>"]))
    (place / "README.md").write_text(card, encoding="utf-8")
    config = dict(_CONFIG, _name_or_path=EVIL, model_type="llama", auto_map={EVIL: EVIL})
    (place / "config.json").write_text(json.dumps(config))
    (place / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": f"{{{{ {EVIL!r} }}}}{{{{ ''.__class__ }}}}"})
    )
    _weights(place / "model.safetensors", {**_tensors(), EVIL: (2, 2), "</style><script>": (2,)})
    return place


def marked(folder: Path, mark: str) -> Path:
    """A model that has ``mark``, a word of letters, wherever a text of its maker can go."""
    place = tuned(folder, f"polite-{mark}")
    (place / f"{mark}.pkl").write_bytes(
        _PICKLE.replace(b"\x0aecho hello", bytes([10 + len(mark)]) + b"echo hello" + mark.encode())
    )
    (place / f"{mark}.dat").write_bytes(b"\x00\x07\xfe" * 500)
    card = _CARD.format(name=mark, license=f"apache-2.0-{mark}", base=f"[meta-llama/Llama-3.1-8B-Instruct, org/{mark}]")
    card = card.replace("- allenai/tulu-3-sft-mixture", f"- org/{mark}").replace(
        "library_name: transformers", f"library_name: {mark}"
    )
    (place / "README.md").write_text(card)
    config = dict(
        _CONFIG, _name_or_path=f"org/{mark}", auto_map={"AutoModel": f"modeling_{mark}.{mark}"}, architectures=[mark]
    )
    (place / "config.json").write_text(json.dumps(config))
    (place / "requirements.txt").write_text(f"torch==2.1.0\ntransformers==4.30.0\n{mark}==1.0\n")
    _weights(place / "model.safetensors", {**_tensors(), mark: (2, 2)})
    return place
