"""Nemotron-H: each layer is one thing only: Mamba 2, attention, a plain layer, or experts.

Class: ``NemotronHForCausalLM`` of transformers. Source: arXiv 2504.03624.
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import Attention, attend, head_of, keep_attention, outline
from openvet.profile.families._family import Family
from openvet.profile.families._state import Mamba2

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("nemotron_h",))

_PLACE = "backbone.layers.{}.mixer"
_WORDS = {"mamba": "M", "linear_attention": "M", "attention": "*", "full_attention": "*", "mlp": "-", "moe": "E"}


def draw(config: Config) -> Blueprint:
    pattern = _pattern(config)
    at = {letter: [number for number, each in enumerate(pattern) if each == letter] for letter in "M*-E"}
    found = outline(config, "nemotron_h", table="backbone.embeddings", count=len(pattern))
    plan, hidden = found.plan, found.hidden
    attention = Attention.of(config, hidden, groups=8, width=128)
    attention.say(plan)
    attend(plan, attention, hidden, at["*"], place=_PLACE)
    keep_attention(plan, attention, {None: len(at["*"])})
    layer = Mamba2(
        config.whole("mamba_num_heads", default=128),
        config.whole("mamba_head_dim", default=64),
        config.whole("mamba_n_groups", "n_groups", default=8, most=LAYERS),
        config.whole("ssm_state_size", default=128),
        config.whole("mamba_d_conv", "conv_kernel", default=4, most=LAYERS),
        config.flag("use_bias"),
        config.flag("mamba_conv_bias", "use_conv_bias", default=True),
    )
    layer.draw(plan, _PLACE, at["M"], hidden)
    layer.keep(plan, len(at["M"]))
    inner = config.whole("intermediate_size", default=21504)
    _plain(plan, _PLACE, hidden, inner, at["-"], bias=config.flag("mlp_bias"))
    if at["E"]:
        _experts(config, plan, hidden, at["E"])
    plan.norm("backbone.layers.{}.norm", hidden, over=(found.layers,))
    plan.norm("backbone.norm_f", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=False)
    if config.may("num_nextn_predict_layers", least=0, most=LAYERS):
        plan.notes.append("layers that predict further tokens are declared and not counted")
    return plan


def _pattern(config: Config) -> str:
    """A letter for each layer, as published files write it."""
    found = config.texts("layers_block_type", "layer_types")
    if found is not None:
        for number, each in enumerate(found):
            if each not in _WORDS:
                raise MalformedError(f"{config.pointer}/layers_block_type/{number} is no kind of layer of Nemotron-H")
        return "".join(_WORDS[each] for each in found)
    letters = config.word("hybrid_override_pattern", default="ME*-")
    if not letters or len(letters) > LAYERS or set(letters) - set("ME*-"):
        raise MalformedError(f"{config.pointer}/hybrid_override_pattern is no text of the letters M, E, * and -")
    return letters


def _plain(plan: Blueprint, place: str, hidden: int, inner: int, layers: list[int], *, bias: bool) -> None:
    plan.linear(f"{place}.up_proj", inner, hidden, bias=bias, over=(layers,))
    plan.linear(f"{place}.down_proj", hidden, inner, bias=bias, over=(layers,))


def _experts(config: Config, plan: Blueprint, hidden: int, layers: list[int]) -> None:
    experts = config.whole("n_routed_experts", "num_local_experts", default=8, most=LAYERS)
    chosen = config.whole("num_experts_per_tok", default=2, most=experts)
    width = config.whole("moe_intermediate_size", default=7688)
    shared = config.whole("moe_shared_expert_intermediate_size", default=7688)
    narrow = config.may("moe_latent_size")
    bias = config.flag("mlp_bias")
    plan.facts |= {"experts": experts, "experts per token": chosen}
    over, active = (layers, range(experts)), (chosen, experts)
    plan.linear(f"{_PLACE}.experts.{{}}.up_proj", width, narrow or hidden, over=over, active=active)
    plan.linear(f"{_PLACE}.experts.{{}}.down_proj", narrow or hidden, width, over=over, active=active)
    if narrow:
        plan.linear(f"{_PLACE}.fc1_latent_proj", narrow, hidden, bias=bias, over=(layers,))
        plan.linear(f"{_PLACE}.fc2_latent_proj", hidden, narrow, bias=bias, over=(layers,))
    plan.linear(f"{_PLACE}.gate", experts, hidden, over=(layers,))
    plan.add(f"{_PLACE}.gate.e_score_correction_bias", experts, role=Role.BUFFER, over=(layers,))
    _plain(plan, f"{_PLACE}.shared_experts", hidden, shared, layers, bias=bias)
