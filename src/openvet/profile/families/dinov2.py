"""DINOv2, also with registers: ViT whose layers scale what they add.

Classes: ``Dinov2Model``, ``Dinov2ForImageClassification``, ``Dinov2WithRegistersModel`` and
``Dinov2WithRegistersForImageClassification`` of transformers.

Source: DINOv2 (arXiv 2304.07193); Vision Transformers Need Registers (arXiv 2309.16588).
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, not_drawn, task_of
from openvet.profile.families._vision import heads_of, patches_of, say_tower

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("dinov2", "dinov2_with_registers"))
_MOST_RATIO = 1000


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    named, task = task_of(config)
    headed = task == "ImageClassification"
    prefix = f"{kind}." if headed else ""
    plan = Blueprint(kind, "encoder", (("image",), ("vectors",)))
    hidden = config.whole("hidden_size", default=768)
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    heads = heads_of(config, hidden, default=12)
    count, across = patches_of(config, patch=14 if kind == "dinov2" else 16)
    say_tower(plan, config, layers, hidden, heads)
    place = f"{prefix}embeddings"
    plan.add(f"{place}.cls_token", 1, 1, hidden, role=Role.EMBEDDING)
    if kind == "dinov2_with_registers":
        registers = config.whole("num_register_tokens", default=4, least=0, most=LAYERS)
        plan.add(f"{place}.register_tokens", 1, registers, hidden, role=Role.EMBEDDING)
    if config.flag("use_mask_token", default=True):
        plan.add(f"{place}.mask_token", 1, hidden, role=Role.EMBEDDING)
    plan.add(f"{place}.position_embeddings", 1, count + 1, hidden, role=Role.EMBEDDING)
    channels = config.whole("num_channels", default=3)
    plan.add(f"{place}.patch_embeddings.projection.weight", hidden, channels, *across)
    plan.add(f"{place}.patch_embeddings.projection.bias", hidden)
    _layers(config, plan, f"{prefix}encoder.layer.{{}}", hidden, layers)
    plan.norm(f"{prefix}layernorm", hidden, bias=True)
    if headed:
        # the class's own token beside the mean of the patches
        classifier(config, plan, "classifier", 2 * hidden)
    elif task != "Model":
        not_drawn(plan, named)
    return plan


def _layers(config: Config, plan: Blueprint, place: str, hidden: int, layers: range) -> None:
    over = (layers,)
    bias = config.flag("qkv_bias", default=True)
    ratio = config.values.get("mlp_ratio", 4)
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio <= _MOST_RATIO:
        raise MalformedError(f"{config.pointer}/mlp_ratio is no number from 0 to {_MOST_RATIO}")
    config.read["mlp_ratio"] = f"{config.pointer}/mlp_ratio"
    inner = int(hidden * ratio)
    for name in ("query", "key", "value"):
        plan.linear(f"{place}.attention.attention.{name}", hidden, hidden, bias=bias, over=over)
    plan.linear(f"{place}.attention.output.dense", hidden, hidden, bias=True, over=over)
    for name in ("norm1", "norm2"):
        plan.norm(f"{place}.{name}", hidden, bias=True, over=over)
    for name in ("layer_scale1", "layer_scale2"):
        plan.add(f"{place}.{name}.lambda1", hidden, over=over)
    if config.flag("use_swiglu_ffn"):
        gated = (inner * 2 // 3 + 7) // 8 * 8
        plan.linear(f"{place}.mlp.weights_in", 2 * gated, hidden, bias=True, over=over)
        plan.linear(f"{place}.mlp.weights_out", hidden, gated, bias=True, over=over)
    else:
        plan.linear(f"{place}.mlp.fc1", inner, hidden, bias=True, over=over)
        plan.linear(f"{place}.mlp.fc2", hidden, inner, bias=True, over=over)
