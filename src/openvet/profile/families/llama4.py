"""Llama 4: experts in one tensor each beside one that every token passes, and attention in chunks in three of four layers.

Classes: ``Llama4ForConditionalGeneration`` and ``Llama4ForCausalLM`` of transformers.
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
    others,
    outline,
    windows,
)
from openvet.profile.families._family import Family
from openvet.profile.families._towers import llama4
from openvet.profile.families.vision_text import join

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("llama4", "llama4_text"))

_ABSENT = {"vocab_size": 202048, "hidden_size": 5120, "intermediate_size": 8192, "num_hidden_layers": 48, "num_attention_heads": 40,
           "num_key_value_heads": 8, "head_dim": 128}  # fmt: skip


def draw(config: Config) -> Blueprint:
    if config.word("model_type") == "llama4_text":
        return _text(config)
    text = _text(config.part("text_config"))
    plan = Blueprint("llama4", "decoder", (("text", "image"), ("text",)))
    seen = config.part("vision_config")
    plan.take(llama4(seen), prefix="vision_model.", role=Role.ENCODER)
    out = seen.whole("vision_output_dim", default=7680)
    plan.linear("multi_modal_projector.linear_1", text.facts["hidden size"], out, role=Role.ENCODER)
    join(plan, text, prefix="language_model.")
    return plan


def _text(config: Config) -> Blueprint:
    config = config.with_absent(_ABSENT)
    found = outline(config, "llama4_text")
    plan, hidden, layers = found.plan, found.hidden, found.layers
    attention = Attention.of(config, hidden)
    attention.say(plan)
    bias = config.flag("attention_bias")
    attend(plan, attention, hidden, layers, bias=bias, output_bias=bias)
    keep_attention(plan, attention, _chunks(config, layers))
    sparse = _sparse(config, layers)
    dense = config.whole("intermediate_size_mlp", default=16384)
    gated(plan, "model.layers.{}.feed_forward", hidden, dense, (others(layers, sparse),))
    if sparse:
        _experts(config, plan, hidden, sparse)
    for name in ("input_layernorm", "post_attention_layernorm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.norm("model.norm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=False)
    return plan


def _chunks(config: Config, layers: range) -> dict[int | None, int]:
    """Layers that turn positions see their chunk only; the others, one of four as a rule, see everything."""
    if config.may_list("layer_types") is None:
        turned = config.wholes("no_rope_layers", default=(), most=1)
        if turned and len(turned) >= len(layers):
            kinds = ["chunked_attention" if each else "full_attention" for each in turned[: len(layers)]]
            config = config.with_absent({"layer_types": kinds})
    every = config.whole("no_rope_layer_interval", default=4, most=LAYERS)
    return windows(config.with_absent({"attention_chunk_size": 8192}), len(layers), every=every)


def _sparse(config: Config, layers: range) -> list[int]:
    said = config.may_list("moe_layers")
    if said is not None:
        apart = set(config.wholes("moe_layers", most=LAYERS))
        return [each for each in layers if each in apart]
    step = config.whole("interleave_moe_layer_step", default=1, least=0, most=LAYERS)
    return [each for each in layers if (each + 1) % step == 0] if step else []


def _experts(config: Config, plan: Blueprint, hidden: int, sparse: list[int]) -> None:
    experts = config.whole("num_local_experts", default=16, most=LAYERS)
    chosen = config.whole("num_experts_per_tok", default=1, most=experts)
    inner = config.whole("intermediate_size")
    plan.facts |= {"experts": experts, "experts per token": chosen, "shared experts": 1}
    place, over, active = "model.layers.{}.feed_forward", (sparse,), (chosen, experts)
    plan.linear(f"{place}.router", experts, hidden, over=over)
    plan.add(f"{place}.experts.gate_up_proj", experts, hidden, 2 * inner, over=over, active=active)
    plan.add(f"{place}.experts.down_proj", experts, inner, hidden, over=over, active=active)
    gated(plan, f"{place}.shared_expert", hidden, inner, over)
