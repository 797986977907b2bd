"""Transformers of diffusion in which image and text look at each other: Stable Diffusion 3 and 3.5, and Flux.

Classes: ``SD3Transformer2DModel`` and ``FluxTransformer2DModel`` of diffusers.

Source: Scaling Rectified Flow Transformers (arXiv 2403.03206) section 4.
"""

from __future__ import annotations

from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._diffusion import embedder, feed_forward
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("SD3Transformer2DModel", "FluxTransformer2DModel"))
#: Width of the waves that a step is written as.
_WAVES = 256


def draw(config: Config) -> Blueprint:
    kind = config.word("_class_name")
    plan = Blueprint(kind, "denoiser", (("text", "image"), ("image",)))
    return _sd3(config, plan) if kind == "SD3Transformer2DModel" else _flux(config, plan)


def _width(config: Config, plan: Blueprint, heads: int, size: int) -> tuple[int, int]:
    """The width of the model and of one of its heads."""
    count = config.whole("num_attention_heads", default=heads, most=LAYERS)
    head = config.whole("attention_head_dim", default=size)
    plan.facts |= {"hidden size": count * head, "attention heads": count, "head size": head}
    return count * head, head


def _timed(config: Config, plan: Blueprint, width: int, pooled: int, *, guided: bool = False) -> None:
    embedder(plan, "time_text_embed.timestep_embedder", width, _WAVES)
    if guided:
        embedder(plan, "time_text_embed.guidance_embedder", width, _WAVES)
    embedder(plan, "time_text_embed.text_embedder", width, config.whole("pooled_projection_dim", default=pooled))


def _joint(plan: Blueprint, place: str, width: int, layers: range, last: range) -> None:
    """Attention of image and text together; in ``last`` layers the text is not needed afterwards."""
    for name in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj"):
        plan.linear(f"{place}.attn.{name}", width, width, bias=True, over=(layers,))
    others = layers[: len(layers) - len(last)]
    plan.linear(f"{place}.attn.to_add_out", width, width, bias=True, over=(others,))
    feed_forward(plan, f"{place}.ff", width, layers)
    feed_forward(plan, f"{place}.ff_context", width, others)
    plan.linear(f"{place}.norm1_context.linear", 6 * width, width, bias=True, over=(others,))
    plan.linear(f"{place}.norm1_context.linear", 2 * width, width, bias=True, over=(last,))


def _sd3(config: Config, plan: Blueprint) -> Blueprint:
    width, head = _width(config, plan, 18, 64)
    layers = range(config.whole("num_layers", default=18, most=LAYERS))
    latent = config.whole("in_channels", default=16)
    patch = config.whole("patch_size", default=2)
    most = config.whole("pos_embed_max_size", default=96, most=LAYERS)
    text = config.whole("joint_attention_dim", default=4096)
    if config.whole("caption_projection_dim", default=1152) != width:
        raise MalformedError(f"{config.pointer}/caption_projection_dim is not the {width} of the heads together")
    plan.facts |= {"layers": len(layers), "latent channels": latent, "patch size": patch, "text width": text}
    plan.add("pos_embed.proj.weight", width, latent, patch, patch)
    plan.add("pos_embed.proj.bias", width)
    plan.add("pos_embed.pos_embed", 1, most * most, width, role=Role.BUFFER)
    _timed(config, plan, width, 2048)
    plan.linear("context_embedder", width, text, bias=True)
    dual = set(config.wholes("dual_attention_layers", default=()))
    twice = sorted(dual)
    if twice and twice[-1] >= len(layers):
        raise MalformedError(f"{config.pointer}/dual_attention_layers names {twice[-1]} of {len(layers)} layers")
    place, once = "transformer_blocks.{}", [each for each in layers if each not in dual]
    plan.linear(f"{place}.norm1.linear", 6 * width, width, bias=True, over=(once,))
    plan.linear(f"{place}.norm1.linear", 9 * width, width, bias=True, over=(twice,))
    _joint(plan, place, width, layers, layers[-1:])
    for name in ("to_q", "to_k", "to_v", "to_out.0"):
        plan.linear(f"{place}.attn2.{name}", width, width, bias=True, over=(twice,))
    normed = config.word("qk_norm")
    if normed not in {"", "rms_norm"}:
        raise UnsupportedError(f"a network with qk_norm {normed[:40]} is not drawn")
    if normed:
        for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
            plan.norm(f"{place}.attn.{name}", head, over=(layers,))
        for name in ("norm_q", "norm_k"):
            plan.norm(f"{place}.attn2.{name}", head, over=(twice,))
    plan.linear("norm_out.linear", 2 * width, width, bias=True)
    plan.linear("proj_out", patch * patch * config.whole("out_channels", default=latent), width, bias=True)
    return plan


def _flux(config: Config, plan: Blueprint) -> Blueprint:
    width, head = _width(config, plan, 24, 128)
    layers = range(config.whole("num_layers", default=19, most=LAYERS))
    single = range(config.whole("num_single_layers", default=38, least=0, most=LAYERS))
    latent = config.whole("in_channels", default=64)
    text = config.whole("joint_attention_dim", default=4096)
    patch = config.whole("patch_size", default=1)
    plan.facts |= {"layers": len(layers) + len(single), "layers for both": len(layers), "text width": text}
    plan.facts["latent channels"] = latent
    _timed(config, plan, width, 768, guided=config.flag("guidance_embeds"))
    plan.linear("context_embedder", width, text, bias=True)
    plan.linear("x_embedder", width, latent, bias=True)
    place = "transformer_blocks.{}"
    plan.linear(f"{place}.norm1.linear", 6 * width, width, bias=True, over=(layers,))
    _joint(plan, place, width, layers, range(0))
    for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
        plan.norm(f"{place}.attn.{name}", head, over=(layers,))
    place = "single_transformer_blocks.{}"
    for name in ("to_q", "to_k", "to_v"):
        plan.linear(f"{place}.attn.{name}", width, width, bias=True, over=(single,))
    for name in ("norm_q", "norm_k"):
        plan.norm(f"{place}.attn.{name}", head, over=(single,))
    plan.linear(f"{place}.norm.linear", 3 * width, width, bias=True, over=(single,))
    plan.linear(f"{place}.proj_mlp", 4 * width, width, bias=True, over=(single,))
    plan.linear(f"{place}.proj_out", width, 5 * width, bias=True, over=(single,))
    plan.linear("norm_out.linear", 2 * width, width, bias=True)
    plan.linear("proj_out", patch * patch * config.whole("out_channels", default=latent), width, bias=True)
    return plan
