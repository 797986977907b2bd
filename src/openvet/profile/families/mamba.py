"""Mamba, Mamba 2 and Falcon Mamba: decoders without attention.

Classes: ``MambaForCausalLM``, ``Mamba2ForCausalLM``, ``FalconMambaForCausalLM`` of transformers.
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._decoder import head_of, outline
from openvet.profile.families._family import Family
from openvet.profile.families._state import Mamba2, mamba

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("mamba", "mamba2", "falcon_mamba"))


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    found = outline(config, kind, table="backbone.embeddings")
    plan, hidden, place = found.plan, found.hidden, "backbone.layers.{}.mixer"
    inner = config.whole("expand", default=2, most=LAYERS) * hidden
    kernel = config.whole("conv_kernel", default=4, most=LAYERS)
    bias, conv_bias = config.flag("use_bias"), config.flag("use_conv_bias", default=True)
    if kind == "mamba2":
        heads, width = config.whole("num_heads", default=128), config.whole("head_dim", default=64)
        if heads * width != inner:
            raise MalformedError(f"{config.pointer}/num_heads is {heads}: with {width} each they are no {inner}")
        groups, state = config.whole("n_groups", default=8, most=LAYERS), config.whole("state_size", default=128)
        layer = Mamba2(heads, width, groups, state, kernel, bias, conv_bias)
        layer.draw(plan, place, found.layers, hidden)
        layer.keep(plan, len(found.layers))
    else:
        mamba(
            plan,
            place,
            found.layers,
            hidden,
            inner=inner,
            state=config.whole("state_size", default=16),
            kernel=kernel,
            rank=config.auto("time_step_rank", default=-(-hidden // 16)),
            bias=bias,
            conv_bias=conv_bias,
        )
    plan.norm("backbone.layers.{}.norm", hidden, over=(found.layers,))
    plan.norm("backbone.norm_f", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=kind != "mamba2")
    return plan
