"""Gemma 4, the text part: a table for each layer beside the usual one, wider heads where a layer sees everything.

Class: ``Gemma4ForCausalLM`` of transformers.
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import Outline, gated, head_of, kinds_of, outline
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("gemma4_text",))

_NORMS = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
_WORDS = {"sliding_attention": "narrow", "full_attention": "all"}


@dataclass(frozen=True, slots=True)
class _Layer:
    """What the layers of one kind have in common: width of a head, keys and values, and whether those are another layer's."""

    kind: str
    width: int
    groups: int
    reuses: bool


def draw(config: Config) -> Blueprint:
    found = outline(config, "gemma4_text")
    plan, hidden, layers = found.plan, found.hidden, found.layers
    heads = config.whole("num_attention_heads", default=8, most=LAYERS)
    window = config.whole("sliding_window", default=512)
    plan.facts |= {"attention heads": heads, "sliding window": window}
    inner = config.whole("intermediate_size", default=9216)
    wide = config.flag("use_double_wide_mlp")
    for layer, some in _layers(config, layers).items():
        if heads % layer.groups:
            raise MalformedError(
                f"{config.pointer}/num_key_value_heads is {layer.groups}: {heads} heads cannot share {layer.groups} keys and values"
            )
        _attend(config, plan, hidden, heads, layer, some)
        if not layer.reuses:
            narrow = window if layer.kind == "narrow" else None
            plan.keep("kv", len(some), 2 * layer.groups * layer.width, window=narrow, flop=4 * heads * layer.width)
        gated(plan, "model.layers.{}.mlp", hidden, inner * (2 if wide and layer.reuses else 1), (some,))
    for name in _NORMS:
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.add("model.layers.{}.layer_scalar", 1, role=Role.BUFFER, over=(layers,))
    _tables(config, found)
    if config.flag("enable_moe_block"):
        _experts(config, plan, hidden, layers)
    plan.norm("model.norm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=True)
    return plan


def _attend(config: Config, plan: Blueprint, hidden: int, heads: int, layer: _Layer, some: list[int]) -> None:
    place, over, bias = "model.layers.{}.self_attn", (some,), config.flag("attention_bias")
    keys = layer.groups * layer.width
    plan.linear(f"{place}.q_proj", heads * layer.width, hidden, bias=bias, over=over)
    plan.linear(f"{place}.o_proj", hidden, heads * layer.width, bias=bias, over=over)
    plan.norm(f"{place}.q_norm", layer.width, over=over)
    if layer.reuses:
        return
    plan.norm(f"{place}.k_norm", layer.width, over=over)
    plan.linear(f"{place}.k_proj", keys, hidden, bias=bias, over=over)
    if layer.kind == "narrow" or not config.flag("attention_k_eq_v"):
        plan.linear(f"{place}.v_proj", keys, hidden, bias=bias, over=over)


def _layers(config: Config, layers: range) -> dict[_Layer, list[int]]:
    """Equal layers together."""
    kinds = kinds_of(config, "layer_types", len(layers), _WORDS)
    kinds = kinds or ["all" if (each + 1) % 6 == 0 else "narrow" for each in layers]
    kinds[-1] = "all"
    width, groups = config.whole("head_dim", default=256), config.whole("num_key_value_heads", default=4, most=LAYERS)
    fewer = config.may("num_global_key_value_heads", most=LAYERS) if config.flag("attention_k_eq_v") else None
    usual = (config.whole("global_head_dim", default=512), fewer or groups)
    apart = config.below("per_layer_config")
    first = len(layers) - config.whole("num_kv_shared_layers", default=0, least=0, most=len(layers))
    found: dict[_Layer, list[int]] = {}
    said = {} if apart is None else {name.lstrip("0") or "0": name for name in apart.values if isinstance(name, str)}
    for number, kind in zip(layers, kinds, strict=True):
        wide, few = (width, groups) if kind == "narrow" or apart is not None else usual
        if apart is not None and (own := apart.below(said.get(str(number), str(number)))) is not None:
            wide = own.whole("head_dim", default=wide)
            few = own.whole("num_key_value_heads", default=few, most=LAYERS)
        found.setdefault(_Layer(kind, wide, few, number >= first), []).append(number)
        if len(found) > _MOST_KINDS:
            raise MalformedError(f"{config.pointer}/per_layer_config makes more than {_MOST_KINDS} kinds of layers")
    return found


#: Kinds of layers of a model; published ones have four at most.
_MOST_KINDS = 64


def _tables(config: Config, found: Outline) -> None:
    """A short vector of every token for every layer, in one table."""
    short = config.whole("hidden_size_per_layer_input", default=256, least=0)
    if not short:
        return
    plan, hidden, over = found.plan, found.hidden, (found.layers,)
    rows = config.whole("vocab_size_per_layer_input", default=262144)
    all_of_them = len(found.layers) * short
    plan.add("model.embed_tokens_per_layer.weight", rows, all_of_them, role=Role.EMBEDDING)
    plan.linear("model.per_layer_model_projection", all_of_them, hidden)
    plan.norm("model.per_layer_projection_norm", short)
    plan.linear("model.layers.{}.per_layer_input_gate", short, hidden, over=over)
    plan.linear("model.layers.{}.per_layer_projection", hidden, short, over=over)
    plan.norm("model.layers.{}.post_per_layer_input_norm", hidden, over=over)


def _experts(config: Config, plan: Blueprint, hidden: int, layers: range) -> None:
    """Experts beside the dense layer, in one tensor each."""
    experts = config.whole("num_experts", most=LAYERS)
    chosen = config.whole("top_k_experts", most=experts)
    width = config.whole("moe_intermediate_size")
    plan.facts |= {"experts": experts, "experts per token": chosen}
    place, over, active = "model.layers.{}", (layers,), (chosen, experts)
    plan.linear(f"{place}.router.proj", experts, hidden, over=over)
    plan.add(f"{place}.router.scale", hidden, over=over)
    plan.add(f"{place}.router.per_expert_scale", experts, over=over)
    plan.add(f"{place}.experts.gate_up_proj", experts, 2 * width, hidden, over=over, active=active)
    plan.add(f"{place}.experts.down_proj", experts, hidden, width, over=over, active=active)
    for name in ("post_feedforward_layernorm_1", "post_feedforward_layernorm_2", "pre_feedforward_layernorm_2"):
        plan.norm(f"{place}.{name}", hidden, over=over)
