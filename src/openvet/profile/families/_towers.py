"""Towers that see, as parts of models of text: CLIP, SigLIP, Pixtral, BLIP-2, Llama 4, Qwen-VL.

Each function draws one without a prefix; whoever has such a part takes it with ``Blueprint.take`` as ``Role.ENCODER``.
Classes: ``CLIPVisionModel``, ``SiglipVisionModel``, ``PixtralVisionModel``, ``Blip2VisionModel``, ``Llama4VisionModel``,
``Qwen2VisionTransformerPretrainedModel``, ``Qwen2_5_VisionTransformerPretrainedModel``, ``Qwen3VLVisionModel`` of transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._vision import clip_vision, siglip_vision

__all__ = ["DEFAULTS", "llama4", "patches", "qwen", "tower"]

#: What the classes take for keys that a configuration leaves out.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "pixtral": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "image_size": 1024, "patch_size": 16},
    "blip_2_vision_model": {"hidden_size": 1408, "intermediate_size": 6144, "num_hidden_layers": 39, "image_size": 224, "patch_size": 14},
}  # fmt: skip


def tower(config: Config, kind: str) -> Blueprint:
    """The tower of a configuration whose ``model_type`` is ``kind``."""
    draw = _TOWERS.get(kind)
    if draw is None:
        raise UnsupportedError("the part that sees is of a family that is not known")
    return draw(config.with_absent(DEFAULTS.get(kind, {})))


def patches(config: Config) -> int:
    """Squares that an image is cut into."""
    size, side = config.whole("image_size", most=2**16), config.whole("patch_size", most=2**16)
    if side > size:
        raise MalformedError(f"{config.pointer}/patch_size is {side}, more than the image has: {size}")
    return (size // side) ** 2


def _squares(config: Config) -> tuple[int, int, int]:
    """Channels of an image, and both sides of a patch."""
    side = config.whole("patch_size", most=2**16)
    return config.whole("num_channels", "in_channels", "in_chans", default=3, most=LAYERS), side, side


def _stack(
    plan: Blueprint,
    place: str,
    layers: range,
    hidden: int,
    inner: int,
    *,
    attention: Sequence[str],
    norms: Sequence[str],
) -> None:
    """Layers of an encoder, in which everything has a bias; ``attention`` are its square matrices."""
    over = (layers,)
    for name in attention:
        plan.linear(f"{place}.self_attn.{name}", hidden, hidden, bias=True, over=over)
    plan.linear(f"{place}.mlp.fc1", inner, hidden, bias=True, over=over)
    plan.linear(f"{place}.mlp.fc2", hidden, inner, bias=True, over=over)
    for name in norms:
        plan.norm(f"{place}.{name}", hidden, bias=True, over=over)


def _sizes(config: Config) -> tuple[int, int, range]:
    layers = range(config.whole("num_hidden_layers", "depth", most=LAYERS))
    return config.whole("hidden_size"), config.whole("intermediate_size"), layers


def _pixtral(config: Config) -> Blueprint:
    hidden, inner, layers = _sizes(config)
    plan, place, over = (
        Blueprint("pixtral", "encoder", (("image",), ("embedding",))),
        "transformer.layers.{}",
        (layers,),
    )
    plan.add("patch_conv.weight", hidden, *_squares(config))
    plan.norm("ln_pre", hidden)
    for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
        plan.linear(f"{place}.attention.{name}", hidden, hidden, over=over)
    for name, out, width in (("gate_proj", inner, hidden), ("up_proj", inner, hidden), ("down_proj", hidden, inner)):
        plan.linear(f"{place}.feed_forward.{name}", out, width, over=over)
    plan.norm(f"{place}.attention_norm", hidden, over=over)
    plan.norm(f"{place}.ffn_norm", hidden, over=over)
    return plan


def _blip2(config: Config) -> Blueprint:
    hidden, inner, layers = _sizes(config)
    plan, place = Blueprint("blip_2_vision_model", "encoder", (("image",), ("embedding",))), "encoder.layers.{}"
    plan.add("embeddings.class_embedding", 1, 1, hidden)
    plan.add("embeddings.patch_embedding.weight", hidden, *_squares(config))
    plan.add("embeddings.patch_embedding.bias", hidden)
    plan.add("embeddings.position_embedding", 1, patches(config) + 1, hidden)
    _stack(plan, place, layers, hidden, inner, attention=("projection",), norms=("layer_norm1", "layer_norm2"))
    bias = config.flag("qkv_bias", default=True)
    plan.linear(f"{place}.self_attn.qkv", 3 * hidden, hidden, bias=bias, over=(layers,))
    plan.norm("post_layernorm", hidden, bias=True)
    return plan


_TOWERS: dict[str, Callable[[Config], Blueprint]] = {
    "clip_vision_model": clip_vision,
    "siglip_vision_model": siglip_vision,
    "pixtral": _pixtral,
    "blip_2_vision_model": _blip2,
}


def llama4(config: Config) -> Blueprint:
    """Llama 4's tower, with the adapter that narrows what it saw."""
    config = config.with_absent(
        {"hidden_size": 768, "intermediate_size": 5632, "num_hidden_layers": 34, "image_size": 448, "patch_size": 14}
    )
    hidden, inner, layers = _sizes(config)
    plan = Blueprint("llama4_vision_model", "encoder", (("image",), ("embedding",)))
    channels, side, _ = _squares(config)
    plan.add("class_embedding", hidden)
    plan.add("positional_embedding_vlm", patches(config) + 1, hidden)
    plan.linear("patch_embedding.linear", hidden, channels * side * side)
    norms = ("input_layernorm", "post_attention_layernorm")
    names = ("q_proj", "k_proj", "v_proj", "o_proj")
    _stack(plan, "model.layers.{}", layers, hidden, inner, attention=names, norms=norms)
    plan.norm("layernorm_pre", hidden, bias=True)
    plan.norm("layernorm_post", hidden, bias=True)
    out = config.whole("projector_output_dim", default=4096)
    plan.linear("vision_adapter.mlp.fc1", config.whole("projector_input_dim", default=4096), inner)
    plan.linear("vision_adapter.mlp.fc2", out, out)
    return plan


def qwen(config: Config, kind: str) -> Blueprint:
    """The tower of ``qwen2_vl``, ``qwen2_5_vl`` or ``qwen3_vl``, with what joins its patches."""
    layers = range(config.whole("depth", default=27 if kind == "qwen3_vl" else 32, most=LAYERS))
    hidden = (
        config.whole("embed_dim", default=1280)
        if kind == "qwen2_vl"
        else config.whole("hidden_size", default=1152 if kind == "qwen3_vl" else 3584)
    )
    out = config.whole("hidden_size" if kind == "qwen2_vl" else "out_hidden_size", default=3584)
    channels, side, _ = _squares(config.with_absent({"patch_size": 16 if kind == "qwen3_vl" else 14}))
    time = config.whole("temporal_patch_size", default=2, most=LAYERS)
    merged = hidden * config.whole("spatial_merge_size", default=2, most=LAYERS) ** 2
    plan, over = Blueprint(kind, "encoder", (("image", "video"), ("embedding",))), (layers,)
    plan.add("patch_embed.proj.weight", hidden, channels, time, side, side)
    plan.linear("blocks.{}.attn.qkv", 3 * hidden, hidden, bias=True, over=over)
    plan.linear("blocks.{}.attn.proj", hidden, hidden, bias=True, over=over)
    both = kind != "qwen2_5_vl"
    for name in ("norm1", "norm2"):
        plan.norm(f"blocks.{{}}.{name}", hidden, bias=both, over=over)
    if kind == "qwen2_vl":
        inner = int(hidden * config.number("mlp_ratio", default=4))
        names = [("fc1", inner, hidden), ("fc2", hidden, inner)]
    elif kind == "qwen2_5_vl":
        inner = config.whole("intermediate_size", default=3420)
        names = [("gate_proj", inner, hidden), ("up_proj", inner, hidden), ("down_proj", hidden, inner)]
    else:
        inner = config.whole("intermediate_size", default=4304)
        names = [("linear_fc1", inner, hidden), ("linear_fc2", hidden, inner)]
        plan.add("patch_embed.proj.bias", hidden)
        plan.add("pos_embed.weight", config.whole("num_position_embeddings", default=2304), hidden)
    for name, width, given in names:
        plan.linear(f"blocks.{{}}.mlp.{name}", width, given, bias=True, over=over)
    if kind != "qwen3_vl":
        plan.norm("merger.ln_q", hidden, bias=both)
        plan.linear("merger.mlp.0", merged, merged, bias=True)
        plan.linear("merger.mlp.2", out, merged, bias=True)
        return plan
    at = config.wholes("deepstack_visual_indexes", default=(8, 16, 24), most=LAYERS)
    for place, width, some in (("merger", hidden, ()), ("deepstack_merger_list.{}", merged, (range(len(at)),))):
        plan.norm(f"{place}.norm", width, bias=True, over=some)
        plan.linear(f"{place}.linear_fc1", merged, merged, bias=True, over=some)
        plan.linear(f"{place}.linear_fc2", out, merged, bias=True, over=some)
    return plan
