"""DBRX: experts that lie below each other in one matrix.

Class: ``DbrxForCausalLM`` of transformers, which that library can build and not run without weights; so there is no vector of it.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import Attention, context, head_of, keep_attention, layers_of
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("dbrx",))


def draw(config: Config) -> Blueprint:
    hidden, vocabulary = config.whole("d_model", default=2048), config.whole("vocab_size", default=32000)
    layers = layers_of(config.with_absent({"n_layers": 24}), "n_layers")
    plan, place, over = Blueprint("dbrx", "decoder"), "transformer.blocks.{}", (layers,)
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "vocabulary": vocabulary}
    context(config, plan, "max_seq_len")
    plan.add("transformer.wte.weight", vocabulary, hidden, role=Role.EMBEDDING)
    groups = config.part("attn_config").whole("kv_n_heads", default=1, most=LAYERS)
    attention = Attention.of(config.with_absent({"n_heads": 16}), hidden, groups=groups)
    attention.say(plan)
    keep_attention(plan, attention, {None: len(layers)})
    block = f"{place}.norm_attn_norm"
    plan.linear(f"{block}.attn.Wqkv", hidden + 2 * attention.keys, hidden, over=over)
    plan.linear(f"{block}.attn.out_proj", hidden, hidden, over=over)
    plan.norm(f"{block}.norm_1", hidden, over=over)
    plan.norm(f"{block}.norm_2", hidden, over=over)
    feeds = config.part("ffn_config")
    experts = feeds.whole("moe_num_experts", default=4, most=LAYERS)
    chosen = feeds.whole("moe_top_k", default=1, most=experts)
    inner = feeds.whole("ffn_hidden_size", default=3584)
    plan.facts |= {"experts": experts, "experts per token": chosen}
    plan.linear(f"{place}.ffn.router.layer", experts, hidden, over=over)
    for name in ("w1", "v1", "w2"):
        plan.add(f"{place}.ffn.experts.mlp.{name}", experts * inner, hidden, over=over, active=(chosen, experts))
    plan.norm("transformer.norm_f", hidden)
    head_of(config, plan, vocabulary, hidden, tied=False)
    return plan
