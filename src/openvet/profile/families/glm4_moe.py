"""GLM-4.5 and its like: a few dense layers, then many small experts beside one that every token passes.

Classes: ``Glm4MoeForCausalLM``, ``Dots1ForCausalLM``, ``ExaoneMoeForCausalLM`` of transformers. The layer that predicts a second token
(``num_nextn_predict_layers``) is in published files and in no class; it is left out and said.
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import (
    Attention,
    attend,
    every_of,
    gated,
    head_of,
    keep_attention,
    kinds_of,
    others,
    outline,
    route,
    windows,
    windows_after,
)
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]


@dataclass(frozen=True, slots=True)
class _Variant:
    """In what one of them differs.

    Attributes:
        experts, shared: the keys for how many there are.
        normed: whether queries and keys of a head are normalised; ``None``: as ``use_qk_norm`` says.
        loose: a head is as wide as the whole number below width / heads, where the configuration does not say it.
        output_bias: whether ``attention_bias`` gives the output one too.
        correction: the name of what corrects the router.
        first: dense layers where the configuration does not say it.
        every, window: see :func:`~openvet.profile.families._decoder.windows`.
    """

    experts: str = "n_routed_experts"
    shared: str = "n_shared_experts"
    normed: bool | None = True
    loose: bool = False
    output_bias: bool = True
    correction: str = "gate.e_score_correction_bias"
    first: int = 0
    every: int = 0
    window: int | None = None


_VARIANTS = {
    "glm4_moe": _Variant(normed=None, loose=True, output_bias=False, first=1),
    "dots1": _Variant(window=4096),
    "exaone_moe": _Variant(
        "num_experts", "num_shared_experts", correction="e_score_correction_bias", first=1, every=4, window=4096
    ),
}
FAMILY = Family(model_types=tuple(_VARIANTS))


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    variant = _VARIANTS[kind]
    found = outline(config, kind)
    plan, hidden, layers = found.plan, found.hidden, found.layers
    heads = config.whole("num_attention_heads", most=LAYERS)
    attention = Attention.of(config, hidden, width=max(hidden // heads, 1) if variant.loose else None)
    attention.say(plan)
    bias = config.flag("attention_bias")
    normed = config.flag("use_qk_norm") if variant.normed is None else variant.normed
    attend(
        plan,
        attention,
        hidden,
        layers,
        bias=bias,
        output_bias=bias and variant.output_bias,
        normed=("q_norm", "k_norm") if normed else (),
    )
    keep_attention(plan, attention, _spans(config, kind, variant, len(layers)))
    sparse = _sparse(config, variant, layers)
    place = "model.layers.{}.mlp"
    gated(plan, place, hidden, config.whole("intermediate_size"), (others(layers, sparse),))
    if sparse:
        experts = config.whole(variant.experts, "num_local_experts", most=LAYERS)
        chosen = config.whole("num_experts_per_tok", most=experts)
        width = config.whole("moe_intermediate_size")
        shared = config.whole(variant.shared, default=1, least=0, most=LAYERS)
        route(plan, place, hidden, width, sparse, experts=experts, chosen=chosen)
        plan.add(f"{place}.{variant.correction}", experts, role=Role.BUFFER, over=(sparse,))
        if shared:
            plan.facts["shared experts"] = shared
            gated(plan, f"{place}.shared_experts", hidden, width * shared, (sparse,))
    for name in ("input_layernorm", "post_attention_layernorm"):
        plan.norm(f"model.layers.{{}}.{name}", hidden, over=(layers,))
    plan.norm("model.norm", hidden)
    head_of(config, plan, found.vocabulary, hidden, tied=False)
    if config.may("num_nextn_predict_layers", "num_mtp_layers", least=0, most=LAYERS):
        plan.notes.append("layers that predict further tokens are declared and not counted")
    return plan


def _spans(config: Config, kind: str, variant: _Variant, count: int) -> dict[int | None, int]:
    if kind == "dots1":
        return windows_after(config, count, most_wide=62, default=variant.window)
    every = every_of(config, variant.every) if variant.every else 0
    return windows(config, count, every=every, default=variant.window)


def _sparse(config: Config, variant: _Variant, layers: range) -> list[int]:
    kinds = kinds_of(config, "mlp_layer_types", len(layers), {"dense": "dense", "sparse": "sparse"})
    if kinds is not None:
        return [number for number, each in enumerate(kinds) if each == "sparse"]
    first = config.whole("first_k_dense_replace", default=variant.first, least=0, most=LAYERS)
    return [each for each in layers if each >= first]
