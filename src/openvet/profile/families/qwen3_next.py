"""Qwen3-Next and Qwen3.5: three layers of linear attention to one that looks back over everything.

Classes: ``Qwen3NextForCausalLM``, ``Qwen3_5ForCausalLM``, ``Qwen3_5MoeForCausalLM`` of transformers. The layer that predicts a second
token (``mtp.*`` in published files) is in no class and is left out.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._decoder import (
    Attention,
    attend,
    gated,
    head_of,
    keep_attention,
    kinds_of,
    others,
    outline,
    route,
)
from openvet.profile.families._family import Family
from openvet.profile.families._state import Delta

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"))

_WORDS = {"linear_attention": "state", "full_attention": "attention"}


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    found = outline(config, kind)
    plan, hidden, layers = found.plan, found.hidden, found.layers
    attention = Attention.of(config, hidden, groups=4 if kind == "qwen3_5_text" else 2, width=256)
    attention.say(plan)
    attending = _attending(config, layers)
    bias = config.flag("attention_bias")
    attend(
        plan,
        attention,
        hidden,
        attending,
        bias=bias,
        output_bias=bias,
        normed=("q_norm", "k_norm"),
        gate=True,
    )
    keep_attention(plan, attention, {None: len(attending)})
    delta = Delta.of(config)
    delta.draw(plan, "model.layers.{}.linear_attn", others(layers, attending), hidden, fused=kind == "qwen3_next")
    sparse = _sparse(config, kind, layers)
    dense = others(layers, sparse)
    if dense:
        gated(plan, "model.layers.{}.mlp", hidden, config.whole("intermediate_size"), (dense,))
    if sparse:
        experts = config.whole("num_experts", most=LAYERS)
        chosen = config.whole("num_experts_per_tok", most=experts)
        width, place = config.whole("moe_intermediate_size", default=512), "model.layers.{}.mlp"
        route(plan, place, hidden, width, sparse, experts=experts, chosen=chosen)
        shared = config.whole("shared_expert_intermediate_size", default=512)
        gated(plan, f"{place}.shared_expert", hidden, shared, (sparse,))
        plan.linear(f"{place}.shared_expert_gate", 1, hidden, over=(sparse,))
    for name in ("input_layernorm", "post_attention_layernorm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.norm("model.norm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=False)
    return plan


def _attending(config: Config, layers: range) -> list[int]:
    kinds = kinds_of(config, "layer_types", len(layers), _WORDS)
    if kinds is not None:
        return [number for number, each in enumerate(kinds) if each == "attention"]
    every = config.whole("full_attention_interval", default=4, most=LAYERS)
    return [each for each in layers if (each + 1) % every == 0]


def _sparse(config: Config, kind: str, layers: range) -> list[int]:
    """The layers with experts: none, all, or as Qwen3-Next's keys say."""
    if kind != "qwen3_next":
        return list(layers) if kind == "qwen3_5_moe_text" else []
    step = config.whole("decoder_sparse_step", default=1, most=LAYERS)
    dense = set(config.wholes("mlp_only_layers", default=(), most=LAYERS))
    return [each for each in layers if each not in dense and (each + 1) % step == 0]
