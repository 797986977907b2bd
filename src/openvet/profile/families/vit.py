"""ViT, and DeiT with one token more: an image as a text of patches.

Classes: ``ViTModel``, ``ViTForImageClassification``, ``DeiTModel``, ``DeiTForImageClassification`` and
``DeiTForImageClassificationWithTeacher`` of transformers.

Source: An Image is Worth 16x16 Words (arXiv 2010.11929); DeiT (arXiv 2012.12877).
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._block import Names, block
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, not_drawn, task_of
from openvet.profile.families._vision import heads_of, patches_of, say_tower

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("vit", "deit"))
_NAMES = Names("attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense",
               "layernorm_before", "intermediate.dense", "output.dense", "layernorm_after")  # fmt: skip


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    named, task = task_of(config)
    headed = task in {"ImageClassification", "ImageClassificationWithTeacher"}
    prefix = f"{kind}." if headed else ""
    plan = Blueprint(kind, "encoder", (("image",), ("vectors",)))
    hidden = config.whole("hidden_size", default=768)
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    heads = heads_of(config, hidden, default=12)
    count, across = patches_of(config)
    say_tower(plan, config, layers, hidden, heads)
    place = f"{prefix}embeddings"
    plan.add(f"{place}.cls_token", 1, 1, hidden, role=Role.EMBEDDING)
    if kind == "deit":
        plan.add(f"{place}.distillation_token", 1, 1, hidden, role=Role.EMBEDDING)
    extra = 2 if kind == "deit" else 1
    plan.add(f"{place}.position_embeddings", 1, count + extra, hidden, role=Role.EMBEDDING)
    channels = config.whole("num_channels", default=3)
    plan.add(f"{place}.patch_embeddings.projection.weight", hidden, channels, *across)
    plan.add(f"{place}.patch_embeddings.projection.bias", hidden)
    inner = config.whole("intermediate_size", default=3072)
    bias = config.flag("qkv_bias", default=True)
    block(plan, f"{prefix}encoder.layer.{{}}", _NAMES, hidden, inner, (layers,), bias=bias)
    plan.norm(f"{prefix}layernorm", hidden, bias=True)
    if headed and task.endswith("Teacher"):
        classifier(config, plan, "cls_classifier", hidden)
        classifier(config, plan, "distillation_classifier", hidden)
    elif headed:
        classifier(config, plan, "classifier", hidden)
    else:
        plan.linear("pooler.dense", config.whole("pooler_output_size", default=hidden), hidden, bias=True)
        if task != "Model":
            not_drawn(plan, named)
    return plan
