"""Jamba: layers of Mamba with one of attention among them, and experts in some.

Class: ``JambaForCausalLM`` of transformers. Source: arXiv 2403.19887.
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._decoder import Attention, attend, gated, head_of, keep_attention, others, outline, route
from openvet.profile.families._family import Family
from openvet.profile.families._state import mamba

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("jamba",))


def draw(config: Config) -> Blueprint:
    found = outline(config, "jamba")
    plan, hidden, layers = found.plan, found.hidden, found.layers
    attention = Attention.of(config, hidden, groups=8)
    attention.say(plan)
    inner = config.whole("intermediate_size", default=14336)
    attending = _every(config, layers, "attn", 8, 4)
    attend(plan, attention, hidden, attending)
    keep_attention(plan, attention, {None: len(attending)})
    mamba(
        plan,
        "model.layers.{}.mamba",
        others(layers, attending),
        hidden,
        inner=config.whole("mamba_expand", default=2, most=LAYERS) * hidden,
        state=config.whole("mamba_d_state", default=16),
        kernel=config.whole("mamba_d_conv", default=4, most=LAYERS),
        rank=config.auto("mamba_dt_rank", default=-(-hidden // 16)),
        bias=config.flag("mamba_proj_bias"),
        conv_bias=config.flag("mamba_conv_bias", default=True),
        normed=True,
    )
    experts = config.whole("num_experts", "num_local_experts", default=16, most=LAYERS)
    sparse = _every(config, layers, "expert", 2, 1) if experts > 1 else []
    gated(plan, "model.layers.{}.feed_forward", hidden, inner, (others(layers, sparse),))
    if sparse:
        chosen = config.whole("num_experts_per_tok", default=2, most=experts)
        place = "model.layers.{}.feed_forward"
        route(plan, place, hidden, inner, sparse, experts=experts, chosen=chosen, router="router")
    for name in ("input_layernorm", "pre_ff_layernorm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.norm("model.final_layernorm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=False)
    return plan


def _every(config: Config, layers: range, name: str, period: int, offset: int) -> list[int]:
    """The layers whose number leaves the offset when it is divided by the period."""
    step = config.whole(f"{name}_layer_period", default=period, most=LAYERS)
    first = config.whole(f"{name}_layer_offset", default=offset, least=0, most=LAYERS)
    if first >= step:
        raise MalformedError(
            f"{config.pointer}/{name}_layer_offset is {first}, and must be less than the period {step}"
        )
    return [each for each in layers if each % step == first]
