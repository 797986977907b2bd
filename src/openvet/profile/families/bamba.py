"""Bamba, Granite 4 and Falcon-H1: layers of Mamba 2, some or all of which attend as well.

Classes: ``BambaForCausalLM``, ``GraniteMoeHybridForCausalLM``, ``FalconH1ForCausalLM`` of transformers. Published Granite files hold
the experts of a layer in one tensor each, as the class does.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._decoder import (
    Attention,
    Outline,
    attend,
    gated,
    head_of,
    keep_attention,
    kinds_of,
    others,
    outline,
)
from openvet.profile.families._family import Family
from openvet.profile.families._state import Mamba2

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("bamba", "granitemoehybrid", "falcon_h1"))

_WORDS = {"mamba": "state", "linear_attention": "state", "attention": "attention", "full_attention": "attention"}


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    found = outline(config, kind)
    plan, hidden, layers = found.plan, found.hidden, found.layers
    attention = Attention.of(config, hidden, groups=None if kind == "granitemoehybrid" else 8)
    attention.say(plan)
    attending = _attending(config, kind, layers)
    bias = config.flag("attention_bias")
    attend(plan, attention, hidden, attending, bias=bias, output_bias=bias)
    keep_attention(plan, attention, {None: len(attending)})
    both = kind == "falcon_h1"
    states = list(layers) if both else others(layers, attending)
    # what Falcon-H1 leaves out is 1024, and what it denies is a multiple of its width, as in the others
    inner = config.whole("mamba_d_ssm", default=1024) if both and not config.denies("mamba_d_ssm") else None
    layer = Mamba2.of(config, hidden, inner=inner)
    # Falcon-H1 normalises inside the layer only where it is told to
    normed = not both or config.flag("mamba_rms_norm")
    layer.draw(plan, "model.layers.{}.mamba", states, hidden, norm=normed)
    layer.keep(plan, len(states))
    if kind == "granitemoehybrid":
        _granite(config, found)
    else:
        wide = config.whole("intermediate_size", default=14336)
        gated(plan, "model.layers.{}.feed_forward", hidden, wide, (layers,), bias=config.flag("mlp_bias"))
        for name in ("input_layernorm", "pre_ff_layernorm"):
            plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
        plan.norm("model.final_layernorm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=False)
    return plan


def _attending(config: Config, kind: str, layers: range) -> list[int]:
    if kind == "falcon_h1":
        return list(layers)
    for name in ("layer_types", "layers_block_type"):
        kinds = kinds_of(config, name, len(layers), _WORDS)
        if kinds is not None:
            return [number for number, each in enumerate(kinds) if each == "attention"]
    if kind == "bamba":
        said = set(config.wholes("attn_layer_indices", default=(), most=LAYERS))
        return [each for each in layers if each in said]
    return []


def _granite(config: Config, found: Outline) -> None:
    """Experts in one tensor each, and one layer beside them that every token passes."""
    plan, hidden, over = found.plan, found.hidden, (found.layers,)
    experts = config.whole("num_local_experts", default=8, least=0, most=LAYERS)
    if experts:
        inner = config.whole("intermediate_size", default=11008)
        chosen = config.whole("num_experts_per_tok", default=2, most=experts)
        plan.facts |= {"experts": experts, "experts per token": chosen}
        place, active = "model.layers.{}.block_sparse_moe", (chosen, experts)
        plan.add(f"{place}.input_linear.weight", experts, 2 * inner, hidden, over=over, active=active)
        plan.add(f"{place}.output_linear.weight", experts, hidden, inner, over=over, active=active)
        plan.linear(f"{place}.router.layer", experts, hidden, over=over)
    shared = config.whole("shared_intermediate_size", default=1024)
    plan.linear("model.layers.{}.shared_mlp.input_linear", 2 * shared, hidden, over=over)
    plan.linear("model.layers.{}.shared_mlp.output_linear", hidden, shared, over=over)
    for name in ("input_layernorm", "post_attention_layernorm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=over)
    plan.norm("model.norm", hidden)
