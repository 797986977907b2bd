"""LFM2: short convolutions in most layers, attention to everything in some.

Classes: ``Lfm2ForCausalLM`` and ``Lfm2MoeForCausalLM`` of transformers.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
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

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("lfm2", "lfm2_moe"))

_WORDS = {"conv": "conv", "short_conv": "conv", "full_attention": "attention"}
_NAMES = ("w1", "w3", "w2")


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    found = outline(config, kind)
    plan, hidden, layers = found.plan, found.hidden, found.layers
    attention = Attention.of(config, hidden, groups=8)
    attention.say(plan)
    kinds = kinds_of(config, "layer_types", len(layers), _WORDS)
    if kinds is None:
        said = set(config.wholes("full_attn_idxs", default=layers, most=LAYERS))
        kinds = ["attention" if each in said else "conv" for each in layers]
    attending = [number for number, each in enumerate(kinds) if each == "attention"]
    normed = ("q_layernorm", "k_layernorm")
    attend(plan, attention, hidden, attending, output="out_proj", normed=normed)
    keep_attention(plan, attention, {None: len(attending)})
    _convolve(config, plan, hidden, others(layers, attending))
    if kind == "lfm2":
        gated(plan, "model.layers.{}.feed_forward", hidden, _inner(config), (layers,), names=_NAMES)
    else:
        _experts(config, plan, hidden, layers)
    for name in ("operator_norm", "ffn_norm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.norm("model.embedding_norm", hidden)
    tied = config.flag("tie_embedding", default=config.flag("tie_word_embeddings", default=True))
    head_of(config.with_absent({"tie_word_embeddings": tied}), plan, found.vocabulary, hidden, tied=tied)
    return plan


def _convolve(config: Config, plan: Blueprint, hidden: int, layers: list[int]) -> None:
    """Gates before and after a convolution over the last few tokens of each channel, which is what is kept."""
    place, over, bias = "model.layers.{}.conv", (layers,), config.flag("conv_bias")
    kernel = config.whole("conv_L_cache", default=3, most=LAYERS)
    plan.add(f"{place}.conv.weight", hidden, 1, kernel, over=over)
    if bias:
        plan.add(f"{place}.conv.bias", hidden, over=over)
    plan.linear(f"{place}.in_proj", 3 * hidden, hidden, bias=bias, over=over)
    plan.linear(f"{place}.out_proj", hidden, hidden, bias=bias, over=over)
    plan.keep("state", len(layers), hidden * kernel)


def _inner(config: Config) -> int:
    """The width of the gated layers, which the class makes of three keys."""
    inner = config.whole("block_ff_dim", "intermediate_size", default=12288)
    if not config.flag("block_auto_adjust_ff_dim", default=True):
        return inner
    inner = 2 * inner // 3
    if not config.denies("block_ffn_dim_multiplier"):
        inner = int(config.number("block_ffn_dim_multiplier", default=1.0) * inner)
        step = config.whole("block_multiple_of", default=256)
        inner = -(-inner // step) * step
    return inner


def _experts(config: Config, plan: Blueprint, hidden: int, layers: range) -> None:
    place = "model.layers.{}.feed_forward"
    first = config.whole("num_dense_layers", default=2, least=0, most=LAYERS)
    dense, sparse = [each for each in layers if each < first], [each for each in layers if each >= first]
    gated(plan, place, hidden, config.whole("intermediate_size", default=7168), (dense,), names=_NAMES)
    if not sparse:
        return
    experts = config.whole("num_experts", default=32, most=LAYERS)
    chosen = config.whole("num_experts_per_tok", default=4, most=experts)
    width = config.whole("moe_intermediate_size", default=1792)
    route(plan, place, hidden, width, sparse, experts=experts, chosen=chosen, names=_NAMES)
    if config.flag("use_expert_bias", default=True):
        plan.add(f"{place}.expert_bias", experts, role=Role.BUFFER, over=(sparse,))
