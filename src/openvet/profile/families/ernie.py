"""ERNIE 4.5 with experts, and Hunyuan with experts: many experts beside one that every token passes.

Classes: ``Ernie4_5_MoeForCausalLM`` and ``HunYuanMoEV1ForCausalLM`` of transformers.
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._decoder import Attention, attend, gated, head_of, keep_attention, others, outline, route
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("ernie4_5_moe", "hunyuan_v1_moe"))


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    ernie = kind == "ernie4_5_moe"
    found = outline(config, kind)
    plan, hidden, layers = found.plan, found.hidden, found.layers
    attention = Attention.of(config, hidden, groups=4 if ernie else None)
    attention.say(plan)
    bias = config.flag("use_bias" if ernie else "attention_bias")
    normed = () if ernie else ("query_layernorm", "key_layernorm")
    attend(plan, attention, hidden, layers, bias=bias, output_bias=bias, normed=normed)
    keep_attention(plan, attention, {None: len(layers)})
    if ernie:
        _ernie(config, plan, hidden, layers)
    else:
        _hunyuan(config, plan, hidden, layers)
    for name in ("input_layernorm", "post_attention_layernorm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.norm("model.norm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=ernie, bias=ernie and bias)
    return plan


_PLACE = "model.layers.{}.mlp"


def _ernie(config: Config, plan: Blueprint, hidden: int, layers: range) -> None:
    bias = config.flag("use_bias")
    experts = config.whole("moe_num_experts", default=64, most=LAYERS)
    chosen = config.whole("moe_k", default=6, most=experts)
    width = config.whole("moe_intermediate_size", default=1536)
    shared = config.whole("moe_num_shared_experts", default=2, least=0, most=LAYERS)
    sparse = _sparse(config, layers)
    inner = config.whole("intermediate_size", default=12288)
    gated(plan, _PLACE, hidden, inner, (others(layers, sparse),), bias=bias)
    if not sparse:
        return
    route(plan, _PLACE, hidden, width, sparse, experts=experts, chosen=chosen)
    plan.add(f"{_PLACE}.moe_statics.e_score_correction_bias", 1, experts, over=(sparse,))
    if shared:
        plan.facts["shared experts"] = shared
        gated(plan, f"{_PLACE}.shared_experts", hidden, width * shared, (sparse,), bias=bias)


def _sparse(config: Config, layers: range) -> list[int]:
    first = config.whole("moe_layer_start_index", default=1, least=0, most=LAYERS)
    last = config.whole("moe_layer_end_index", default=-1, least=-1, most=LAYERS)
    step = config.whole("moe_layer_interval", default=1, most=LAYERS)
    last = len(layers) - 1 if last == -1 else last
    return [each for each in layers if first <= each <= last and (each + 1) % step == 0]


def _hunyuan(config: Config, plan: Blueprint, hidden: int, layers: range) -> None:
    experts = _of_all(config, "num_experts", 1)
    chosen = _of_all(config, "moe_topk", 1)
    if chosen > experts:
        raise MalformedError(f"{config.pointer}/moe_topk is {chosen}, more than the {experts} experts")
    inner = config.whole("intermediate_size", default=11008)
    route(plan, _PLACE, hidden, inner, layers, experts=experts, chosen=chosen, router="gate.wg")
    gated(plan, f"{_PLACE}.shared_mlp", hidden, inner, (layers,))
    plan.facts["shared experts"] = 1


def _of_all(config: Config, name: str, default: int) -> int:
    """One number, which published files may repeat for every layer."""
    if not isinstance(config.values.get(name), list):
        return config.whole(name, default=default, most=LAYERS)
    found = set(config.wholes(name, most=LAYERS, least=1))
    if len(found) != 1:
        raise MalformedError(f"{config.pointer}/{name} is not the same for all layers")
    return found.pop()
