"""Which tensor of one model is which of another: by name, and through the renamings that packagings are known for.

A name has keys, the likeliest first. Wrappers of training code and of classes around a model (``module.``, ``model.``) are taken off;
llama.cpp's names are turned into those of the llama-like families of transformers. Two tensors belong together where a key is of one
tensor on each side only: nothing is guessed from shapes or values.

Sources: ``gguf-py/gguf/tensor_mapping.py`` and ``constants.py`` of llama.cpp (https://github.com/ggml-org/llama.cpp); the modules of
transformers' llama, mistral, mixtral, qwen2, qwen3, gemma, phi3 and olmo2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["EXPERTS", "keys", "kind_of", "layer_of", "pair"]

#: What stands in front of a name without saying anything about the tensor.
_WRAPPERS: Final = (
    "module.",
    "_orig_mod.",
    "base_model.model.",
    "model.",
    "language_model.",
    "text_model.",
    "transformer.",
)
_BLOCK: Final = pattern(r"blk\.(\d+)\.(.+)\.(weight|bias)", re.ASCII)
_LAYER: Final = pattern(r"(?:^|\.)(?:layers|layer|blk|h|blocks|block|resblocks)\.(\d{1,6})(?:\.|$)", re.ASCII)
_OF_EXPERT: Final = pattern(r"block_sparse_moe\.experts\.(\d+)\.(w[123])\.", re.ASCII)
_MIXTRAL: Final = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}
#: Outside of the layers, by llama.cpp's name.
_TOP: Final = {
    "token_embd.weight": ("embed_tokens.weight", "wte.weight"),
    "output_norm.weight": ("norm.weight", "final_layernorm.weight"),
    "output_norm.bias": ("norm.bias", "final_layernorm.bias"),
    "output.weight": ("lm_head.weight",),
    "output.bias": ("lm_head.bias",),
}
#: In a layer, by llama.cpp's name. ``ffn_norm`` stands behind the attention in most families, and in front of the network where
#: both have a norm of their own (gemma 2 and 3).
_IN_LAYER: Final = {
    "attn_norm": ("input_layernorm",),
    "attn_q": ("self_attn.q_proj",),
    "attn_k": ("self_attn.k_proj",),
    "attn_v": ("self_attn.v_proj",),
    "attn_qkv": ("self_attn.qkv_proj",),
    "attn_output": ("self_attn.o_proj", "self_attn.dense"),
    "attn_q_norm": ("self_attn.q_norm", "self_attn.q_layernorm"),
    "attn_k_norm": ("self_attn.k_norm", "self_attn.k_layernorm"),
    "attn_q_a": ("self_attn.q_a_proj",),
    "attn_q_b": ("self_attn.q_b_proj",),
    "attn_kv_a_mqa": ("self_attn.kv_a_proj_with_mqa",),
    "attn_kv_b": ("self_attn.kv_b_proj",),
    "attn_q_a_norm": ("self_attn.q_a_layernorm",),
    "attn_kv_a_norm": ("self_attn.kv_a_layernorm",),
    "post_attention_norm": ("post_attention_layernorm",),
    "attn_post_norm": ("post_attention_layernorm",),
    "ffn_norm": ("pre_feedforward_layernorm", "post_attention_layernorm"),
    "post_ffw_norm": ("post_feedforward_layernorm",),
    "ffn_gate": ("mlp.gate_proj",),
    "ffn_up": ("mlp.up_proj", "mlp.gate_up_proj", "mlp.fc1", "mlp.c_fc"),
    "ffn_down": ("mlp.down_proj", "mlp.fc2", "mlp.c_proj"),
    "ffn_gate_inp": ("mlp.gate", "block_sparse_moe.gate", "mlp.router"),
    "ffn_gate_shexp": ("mlp.shared_expert.gate_proj", "mlp.shared_experts.gate_proj"),
    "ffn_up_shexp": ("mlp.shared_expert.up_proj", "mlp.shared_experts.up_proj"),
    "ffn_down_shexp": ("mlp.shared_expert.down_proj", "mlp.shared_experts.down_proj"),
    "ffn_gate_inp_shexp": ("mlp.shared_expert_gate",),
}
#: All experts of a layer in one tensor, by llama.cpp's name, and what each of them is.
EXPERTS: Final = {"ffn_gate_exps": "gate_proj", "ffn_up_exps": "up_proj", "ffn_down_exps": "down_proj"}
_KINDS: Final = (
    ("norm", ("norm", "ln_", ".ln", "layernorm")),
    ("embedding", ("embed", "token_embd", "position_embd", "token_types", "wte", "wpe", "lm_head", "output.weight", "shared.weight")),
    ("attention", ("attn", "attention", "self_att", "q_proj", "k_proj", "v_proj", "o_proj")),
    ("mlp", ("mlp", "ffn", "feed_forward", "intermediate", "fc1", "fc2", "expert", "block_sparse_moe", "dense")),
)  # fmt: skip


def layer_of(name: str) -> int | None:
    """The number of the layer that a tensor belongs to; ``None`` outside of the layers."""
    found = _LAYER.search(name)
    return int(found[1]) if found else None


def kind_of(name: str) -> str:
    """``attention``, ``mlp``, ``embedding``, ``norm`` or ``other``, by what the name says."""
    lower = name.lower()
    return next((kind for kind, words in _KINDS if any(each in lower for each in words)), "other")


def keys(name: str, *, ggml: bool) -> Iterator[str]:
    """What else a tensor may be called, the likeliest first. ``ggml`` says that the name is llama.cpp's."""
    if not ggml:
        while wrapper := next((each for each in _WRAPPERS if name.startswith(each) and len(name) > len(each)), ""):
            name = name[len(wrapper) :]
        found = _OF_EXPERT.search(name)
        if found:
            name = f"{name[: found.start()]}mlp.experts.{found[1]}.{_MIXTRAL[found[2]]}.{name[found.end() :]}"
        yield name
        return
    yield from _TOP.get(name, ())
    base, _, number = name.partition("[")
    block = _BLOCK.fullmatch(base)
    if block is None:
        return
    layer, inner, end = block.groups()
    if inner in EXPERTS and number:
        yield f"layers.{layer}.mlp.experts.{number.rstrip(']')}.{EXPERTS[inner]}.{end}"
    for each in _IN_LAYER.get(inner, ()):
        yield f"layers.{layer}.{each}.{end}"


def pair(a: Sequence[str], b: Sequence[str], *, ggml_a: bool, ggml_b: bool) -> dict[str, str]:
    """Name in ``a`` -> name in ``b``, in the order of ``a``. Names of one side are all different."""
    out = {name: name for name in set(a).intersection(b)}
    used = set(out)
    sides = [
        {name: tuple(keys(name, ggml=ggml)) for name in names if name not in used}
        for names, ggml in ((a, ggml_a), (b, ggml_b))
    ]
    for rank in range(max((len(found) for side in sides for found in side.values()), default=0)):
        of_a, of_b = (_by_key(side, rank if ggml else 0) for side, ggml in zip(sides, (ggml_a, ggml_b), strict=True))
        for key, names in of_a.items():
            others = of_b.get(key, ())
            if len(names) == 1 and len(others) == 1:
                out[names[0]] = others[0]
                del sides[0][names[0]], sides[1][others[0]]
    return {name: out[name] for name in a if name in out}


def _by_key(names: Mapping[str, Sequence[str]], rank: int) -> dict[str, list[str]]:
    """The names that have each key of a rank."""
    out: dict[str, list[str]] = {}
    for name, found in names.items():
        if rank < len(found):
            out.setdefault(found[rank], []).append(name)
    return out
