"""Towers that read an image: patches, positions and layers, as CLIP, SigLIP and ViT have them.

The names have no first word: a class puts the tower under ``vision_model.``, a wrapper under ``vision_tower.``; see
:meth:`~openvet.profile.blueprint.Blueprint.take`.
"""

from __future__ import annotations

from collections.abc import Sequence

from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._block import CLIP, block

__all__ = ["clip_layers", "clip_vision", "heads_of", "patches_of", "pixels_of", "say_tower", "siglip_vision"]


def heads_of(config: Config, hidden: int, *names: str, default: int | None = None) -> int:
    """How many heads share ``hidden``; it has to be a multiple of them."""
    names = names or ("num_attention_heads",)
    heads = config.whole(*names, default=default, most=LAYERS)
    if hidden % heads:
        raise MalformedError(f"{config.pointer}/{names[0]} {heads} does not divide the {hidden} channels")
    return heads


def pixels_of(config: Config, name: str, default: int | None = None) -> tuple[int, int]:
    """Height and width: one number for both, or a list of two."""
    value = config.values.get(name)
    if isinstance(value, list):
        found = config.wholes(name, least=1)
        if len(found) != 2:
            raise MalformedError(f"{config.pointer}/{name} has {len(found)} items, and must have two")
        return found[0], found[1]
    size = config.whole(name, default=default)
    return size, size


def patches_of(config: Config, *, image: int = 224, patch: int = 16) -> tuple[int, tuple[int, int]]:
    """How many patches an image is cut into, and the height and width of one.

    Args:
        image, patch: pixels that the class takes where the configuration has no ``image_size`` or ``patch_size``.
    """
    height, width = pixels_of(config, "image_size", image)
    across = pixels_of(config, "patch_size", patch)
    count = (height // across[0]) * (width // across[1])
    if not count:
        raise MalformedError(f"{config.pointer}/patch_size {across[0]} is larger than the image of {height} pixels")
    return count, across


def say_tower(plan: Blueprint, config: Config, layers: Sequence[int], hidden: int, heads: int) -> None:
    """The facts about a tower that stands alone."""
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "attention heads": heads}
    plan.facts["image size"] = pixels_of(config, "image_size", 224)[0]
    if config.values.get("patch_size") is not None:
        plan.facts["patch size"] = pixels_of(config, "patch_size")[0]


def clip_layers(plan: Blueprint, place: str, hidden: int, inner: int, layers: Sequence[int]) -> None:
    """Layers that CLIP and SigLIP use for images and for text: attention and two matrices, each after its norm."""
    block(plan, place, CLIP, hidden, inner, (layers,))


def clip_vision(config: Config) -> Blueprint:
    """The tower of ``CLIPVisionModel``. Absent keys are those of ``CLIPVisionConfig``."""
    plan = Blueprint("clip_vision_model", "encoder", (("image",), ("vectors",)))
    hidden = config.whole("hidden_size", default=768)
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    heads = heads_of(config, hidden, default=12)
    inner = config.whole("intermediate_size", default=3072)
    count, across = patches_of(config, patch=32)
    say_tower(plan, config, layers, hidden, heads)
    plan.add("embeddings.class_embedding", hidden, role=Role.EMBEDDING)
    plan.add("embeddings.patch_embedding.weight", hidden, config.whole("num_channels", default=3), *across)
    plan.add("embeddings.position_embedding.weight", count + 1, hidden, role=Role.EMBEDDING)
    # the name is misspelt in the class and in every checkpoint
    plan.norm("pre_layrnorm", hidden, bias=True)
    clip_layers(plan, "encoder.layers.{}", hidden, inner, layers)
    plan.norm("post_layernorm", hidden, bias=True)
    return plan


def siglip_vision(config: Config) -> Blueprint:
    """The tower of ``SiglipVisionModel``; its head is one more attention that a learnt vector looks at all patches with."""
    plan = Blueprint("siglip_vision_model", "encoder", (("image",), ("vectors",)))
    hidden = config.whole("hidden_size", default=768)
    layers = range(config.whole("num_hidden_layers", default=12, most=LAYERS))
    heads = heads_of(config, hidden, default=12)
    inner = config.whole("intermediate_size", default=3072)
    count, across = patches_of(config)
    say_tower(plan, config, layers, hidden, heads)
    channels = config.whole("num_channels", default=3)
    plan.add("embeddings.patch_embedding.weight", hidden, channels, *across)
    plan.add("embeddings.patch_embedding.bias", hidden)
    plan.add("embeddings.position_embedding.weight", count, hidden, role=Role.EMBEDDING)
    clip_layers(plan, "encoder.layers.{}", hidden, inner, layers)
    plan.norm("post_layernorm", hidden, bias=True)
    if config.flag("vision_use_head", default=True):
        plan.add("head.probe", 1, 1, hidden)
        plan.add("head.attention.in_proj_weight", 3 * hidden, hidden)
        plan.add("head.attention.in_proj_bias", 3 * hidden)
        plan.linear("head.attention.out_proj", hidden, hidden, bias=True)
        plan.norm("head.layernorm", hidden, bias=True)
        plan.linear("head.mlp.fc1", inner, hidden, bias=True)
        plan.linear("head.mlp.fc2", hidden, inner, bias=True)
    return plan
