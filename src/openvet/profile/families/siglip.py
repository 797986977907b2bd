"""SigLIP: CLIP with a loss for each pair, so that neither tower needs a projection into a common space.

Classes: ``SiglipModel``, ``SiglipTextModel`` and ``SiglipVisionModel`` of transformers.

Source: Sigmoid Loss for Language Image Pre-Training (arXiv 2303.15343).
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._family import Family
from openvet.profile.families._heads import class_of, labels_of
from openvet.profile.families._vision import clip_layers, heads_of, siglip_vision

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("siglip", "siglip_text_model", "siglip_vision_model"))


def draw(config: Config) -> Blueprint:
    kind, named = config.word("model_type"), class_of(config)
    text, vision = (
        config.below(name) or Config({}, f"/{name}", config.read) if kind == "siglip" else config
        for name in ("text_config", "vision_config")
    )
    if kind == "siglip_text_model" or named == "SiglipTextModel":
        return _text(text)
    if kind == "siglip_vision_model" or named == "SiglipVisionModel":
        return siglip_vision(vision)
    return _classifier(config, vision) if named == "SiglipForImageClassification" else _both(text, vision)


def _text(config: Config) -> Blueprint:
    plan = Blueprint("siglip_text_model", "encoder", (("text",), ("vectors",)))
    hidden = config.whole("hidden_size", default=768)
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    heads = heads_of(config, hidden, default=12)
    vocabulary = config.whole("vocab_size", default=32000)
    positions = config.whole("max_position_embeddings", default=64)
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "attention heads": heads}
    plan.facts |= {"context length": positions, "vocabulary": vocabulary}
    plan.add("embeddings.token_embedding.weight", vocabulary, hidden, role=Role.EMBEDDING)
    plan.add("embeddings.position_embedding.weight", positions, hidden, role=Role.EMBEDDING)
    clip_layers(plan, "encoder.layers.{}", hidden, config.whole("intermediate_size", default=3072), layers)
    plan.norm("final_layer_norm", hidden, bias=True)
    plan.linear("head", config.whole("projection_size", default=hidden), hidden, bias=True)
    return plan


def _classifier(config: Config, vision: Config) -> Blueprint:
    """The tower, and a matrix over the mean of the patches; the tower's own head is there and not used."""
    tower = siglip_vision(vision)
    plan = Blueprint("siglip", "encoder", (("image",), ("labels",)), facts=tower.facts)
    plan.take(tower, prefix="vision_model.")
    labels = labels_of(config)
    plan.facts["labels"] = labels
    plan.linear("classifier", labels, tower.facts["hidden size"], bias=True)
    return plan


def _both(text_config: Config, vision_config: Config) -> Blueprint:
    text, vision = _text(text_config), siglip_vision(vision_config)
    plan = Blueprint("siglip", "dual-encoder", (("text", "image"), ("vectors",)))
    plan.facts |= {f"text {name}" if name in vision.facts else name: value for name, value in text.facts.items()}
    plan.facts |= {f"image {name}" if name in text.facts else name: value for name, value in vision.facts.items()}
    plan.take(text, prefix="text_model.")
    plan.take(vision, prefix="vision_model.")
    plan.add("logit_scale", 1)
    plan.add("logit_bias", 1)
    return plan
