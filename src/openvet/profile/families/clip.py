"""CLIP: a tower for text and one for images, which meet in one space; either is used alone too.

Classes: ``CLIPModel``, ``CLIPTextModel``, ``CLIPTextModelWithProjection``, ``CLIPVisionModel`` and
``CLIPVisionModelWithProjection`` of transformers. A tower alone has its tensors under ``text_model.`` or ``vision_model.``
in published checkpoints and without that word from transformers 5 on; the comparison takes either.

Source: Learning Transferable Visual Models (arXiv 2103.00020) section 2.4.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._family import Family
from openvet.profile.families._heads import class_of
from openvet.profile.families._vision import clip_layers, clip_vision, heads_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("clip", "clip_text_model", "clip_vision_model"))


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    named = class_of(config)
    if kind == "clip" and named not in {"CLIPTextModel", "CLIPTextModelWithProjection"}:
        vision = config.below("vision_config_dict", "vision_config") or Config({}, "/vision_config", config.read)
        if named in {"CLIPVisionModel", "CLIPVisionModelWithProjection"}:
            return _vision(vision, projected=named.endswith("Projection"))
        return _both(config, vision)
    if kind == "clip_vision_model":
        return _vision(config, projected=named.endswith("Projection"))
    below = config.below("text_config_dict", "text_config") if kind == "clip" else None
    return _text(below or config, projected=named.endswith("Projection"))


def _tower(config: Config) -> Blueprint:
    """The tower for text; its names have no first word."""
    plan = Blueprint("clip_text_model", "encoder", (("text",), ("vectors",)))
    hidden = config.whole("hidden_size", default=512)
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    heads = heads_of(config, hidden, default=8)
    vocabulary = config.whole("vocab_size", default=49408)
    positions = config.whole("max_position_embeddings", default=77)
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "attention heads": heads}
    plan.facts |= {"context length": positions, "vocabulary": vocabulary}
    plan.add("embeddings.token_embedding.weight", vocabulary, hidden, role=Role.EMBEDDING)
    plan.add("embeddings.position_embedding.weight", positions, hidden, role=Role.EMBEDDING)
    clip_layers(plan, "encoder.layers.{}", hidden, config.whole("intermediate_size", default=2048), layers)
    plan.norm("final_layer_norm", hidden, bias=True)
    return plan


def _text(config: Config, *, projected: bool) -> Blueprint:
    tower = _tower(config)
    if not projected:
        return tower
    plan = Blueprint("clip_text_model", "encoder", tower.modalities, facts=tower.facts)
    plan.take(tower, prefix="text_model.")
    width = config.whole("projection_dim", default=512)
    plan.linear("text_projection", width, tower.facts["hidden size"])
    plan.facts["projection size"] = width
    return plan


def _vision(config: Config, *, projected: bool) -> Blueprint:
    tower = clip_vision(config)
    if not projected:
        return tower
    plan = Blueprint("clip_vision_model", "encoder", tower.modalities, facts=tower.facts)
    plan.take(tower, prefix="vision_model.")
    width = config.whole("projection_dim", default=512)
    plan.linear("visual_projection", width, tower.facts["hidden size"])
    plan.facts["projection size"] = width
    return plan


def _both(config: Config, vision_config: Config) -> Blueprint:
    text = _tower(config.below("text_config_dict", "text_config") or Config({}, "/text_config", config.read))
    vision = clip_vision(vision_config)
    plan = Blueprint("clip", "dual-encoder", (("text", "image"), ("vectors",)))
    plan.facts |= {f"text {name}" if name in vision.facts else name: value for name, value in text.facts.items()}
    plan.facts |= {f"image {name}" if name in text.facts else name: value for name, value in vision.facts.items()}
    width = config.whole("projection_dim", default=512)
    plan.facts["projection size"] = width
    plan.take(text, prefix="text_model.")
    plan.take(vision, prefix="vision_model.")
    plan.linear("text_projection", width, text.facts["hidden size"])
    plan.linear("visual_projection", width, vision.facts["hidden size"])
    plan.add("logit_scale")
    return plan
