"""Zamba 2: layers of Mamba 2, before some of which one of a few shared transformer layers is passed again.

Class: ``Zamba2ForCausalLM`` of transformers. Source: arXiv 2411.15242. The shared layers are stored once, where they come first; each of
their further uses has only small matrices of its own (adapters).
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._decoder import Attention, head_of, keep_attention, kinds_of, others, outline
from openvet.profile.families._family import Family
from openvet.profile.families._state import Mamba2

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("zamba2",))

_WORDS = {"mamba": "state", "linear_attention": "state", "hybrid": "both"}
#: Published models share one layer or two.
_MOST_SHARED = 100
#: Where the class passes a shared layer if the configuration does not say it.
_USUAL = (6, 12, 18, 24, 30, 36, 42, 47, 51)


def draw(config: Config) -> Blueprint:
    found = outline(config, "zamba2")
    plan, hidden, layers = found.plan, found.hidden, found.layers
    kinds = kinds_of(config, "layers_block_type", len(layers), _WORDS)
    both = list(_USUAL) if kinds is None else [number for number, each in enumerate(kinds) if each == "both"]
    if kinds is None and len(layers) != 54:
        raise MalformedError(f"{config.pointer}/layers_block_type is not there for {len(layers)} layers")
    heads = config.whole("num_attention_heads", default=32, most=LAYERS)
    attention = Attention.of(config, 2 * hidden, width=max(2 * hidden // heads, 1))
    attention.say(plan)
    keep_attention(plan, attention, {None: len(both)})
    inner = config.whole("mamba_expand", default=2, most=LAYERS) * hidden
    count = config.whole("n_mamba_heads", default=8)
    if inner % count:
        raise MalformedError(f"{config.pointer}/n_mamba_heads is {count}, and does not divide {inner}")
    layer = Mamba2(
        count,
        inner // count,
        config.whole("mamba_ngroups", default=1, most=LAYERS),
        config.whole("mamba_d_state", default=64),
        config.whole("mamba_d_conv", default=4, most=LAYERS),
        config.flag("add_bias_linear"),
        config.flag("use_conv_bias", default=True),
    )
    layer.keep(plan, len(layers))
    for place, some in (("", others(layers, both)), (".mamba_decoder", both)):
        layer.draw(plan, f"model.layers.{{}}{place}.mamba", some, hidden)
        plan.norm(f"model.layers.{{}}{place}.input_layernorm", hidden, over=(some,))
    plan.linear("model.layers.{}.linear", hidden, hidden, over=(both,))
    blocks = config.whole("num_mem_blocks", default=1, most=_MOST_SHARED)
    for block, at in enumerate(both[:blocks]):
        _shared(config, plan, attention, hidden, at, range(block, len(both), blocks))
    plan.norm("model.final_layernorm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=True)
    return plan


def _shared(config: Config, plan: Blueprint, attention: Attention, hidden: int, at: int, uses: range) -> None:
    """The shared layer that comes first at layer ``at``, with an adapter for each of its ``uses``."""
    place, over = "model.layers.{}.shared_transformer", ([at],)
    inner = config.may("intermediate_size") or 4 * hidden
    rank = config.whole("adapter_rank", default=128)
    bias = config.flag("add_bias_linear")
    first = len(plan.weights)
    for name, out in (("q_proj", attention.queries), ("k_proj", attention.keys), ("v_proj", attention.keys)):
        plan.linear(f"{place}.self_attn.{name}", out, 2 * hidden, over=over)
    plan.linear(f"{place}.self_attn.o_proj", hidden, attention.queries, over=over)
    plan.linear(f"{place}.feed_forward.gate_up_proj", 2 * inner, hidden, bias=bias, over=over)
    plan.linear(f"{place}.feed_forward.down_proj", hidden, inner, bias=bias, over=over)
    plan.norm(f"{place}.input_layernorm", 2 * hidden, over=over)
    plan.norm(f"{place}.pre_ff_layernorm", hidden, over=over)
    plan.tied += (len(uses) - 1) * sum(each.elements for each in plan.weights[first:])
    each = ([at], uses)
    plan.linear(f"{place}.feed_forward.gate_up_proj_adapter_list.{{}}.0", rank, hidden, over=each)
    plan.linear(f"{place}.feed_forward.gate_up_proj_adapter_list.{{}}.1", 2 * inner, rank, over=each)
    if config.flag("use_shared_attention_adapter"):
        for letter in "qkv":
            plan.linear(f"{place}.self_attn.linear_{letter}_adapter_list.{{}}.0", rank, 2 * hidden, over=each)
            plan.linear(f"{place}.self_attn.linear_{letter}_adapter_list.{{}}.1", 2 * hidden, rank, over=each)
