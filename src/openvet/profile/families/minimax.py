"""MiniMax-Text-01: linear attention ("lightning") in most layers, attention to everything in some, experts in all.

Class: ``MiniMaxForCausalLM`` of transformers. Source: arXiv 2501.08313.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import (
    Attention,
    attend,
    head_of,
    keep_attention,
    kinds_of,
    others,
    outline,
    route,
)
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("minimax",))

_WORDS = {"linear_attention": "state", "full_attention": "attention"}


def draw(config: Config) -> Blueprint:
    found = outline(config, "minimax")
    plan, hidden, layers = found.plan, found.hidden, found.layers
    attention = Attention.of(config, hidden, groups=8)
    attention.say(plan)
    kinds = kinds_of(config, "layer_types", len(layers), _WORDS)
    kinds = kinds or ["attention" if each % 2 == 0 else "state" for each in layers]
    attending = [number for number, each in enumerate(kinds) if each == "attention"]
    attend(plan, attention, hidden, attending)
    keep_attention(plan, attention, {None: len(attending)})
    rest, place, queries = others(layers, attending), "model.layers.{}.self_attn", attention.queries
    plan.linear(f"{place}.qkv_proj", 3 * queries, hidden, over=(rest,))
    plan.linear(f"{place}.output_gate", queries, hidden, over=(rest,))
    plan.linear(f"{place}.out_proj", hidden, queries, over=(rest,))
    plan.norm(f"{place}.norm", queries, over=(rest,))
    _decays(config, plan, attention, rest)
    plan.keep("state", len(rest), queries * attention.width)
    experts = config.whole("num_local_experts", default=8, most=LAYERS)
    chosen = config.whole("num_experts_per_tok", default=2, most=experts)
    inner, names = config.whole("intermediate_size", default=14336), ("w1", "w3", "w2")
    place = "model.layers.{}.block_sparse_moe"
    route(plan, place, hidden, inner, layers, experts=experts, chosen=chosen, names=names)
    for name in ("input_layernorm", "post_attention_layernorm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.norm("model.norm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=False)
    return plan


def _decays(config: Config, plan: Blueprint, attention: Attention, layers: list[int]) -> None:
    """How fast a head forgets, by the distance of two tokens in a block: computed, and saved by the class all the same."""
    heads, block = attention.heads, config.whole("block_size", default=256)
    for name, shape in (
        ("slope_rate", (heads, 1, 1)),
        ("query_decay", (heads, block, 1)),
        ("key_decay", (heads, block, 1)),
        ("diagonal_decay", (1, heads, block, block)),
    ):
        plan.add(f"model.layers.{{}}.self_attn.{name}", *shape, role=Role.BUFFER, over=(layers,))
