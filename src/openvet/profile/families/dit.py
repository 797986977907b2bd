"""DiT and PixArt: transformers of diffusion that are told a label, or look at a text after they looked at themselves.

Classes: ``DiTTransformer2DModel`` and ``PixArtTransformer2DModel`` of diffusers, and ``Transformer2DModel`` in whose place they are loaded.

Source: Scalable Diffusion Models with Transformers (arXiv 2212.09748); PixArt-alpha (arXiv 2310.00426).
"""

from __future__ import annotations

from openvet.errors import UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._diffusion import conv, embedder, feed_forward, usual
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("DiTTransformer2DModel", "PixArtTransformer2DModel", "Transformer2DModel"))
#: Width of the waves that a step is written as.
_WAVES = 256
#: The way in which a block is told its step -> the class.
_NORMS = {"ada_norm_zero": "DiTTransformer2DModel", "ada_norm_single": "PixArtTransformer2DModel"}


def draw(config: Config) -> Blueprint:
    kind = config.word("_class_name")
    norm = config.word("norm_type", default="")
    if kind == "Transformer2DModel" or norm:
        kind = _NORMS.get(norm, "")
    if not kind:
        raise UnsupportedError(f"a transformer of diffusion with norm_type {norm[:40] or 'of no name'} is not drawn")
    usual(config, norm_elementwise_affine=False)
    text = kind == "PixArtTransformer2DModel"
    plan = Blueprint(kind, "denoiser", (("text", "image") if text else ("image",), ("image",)))
    heads = config.whole("num_attention_heads", default=16, most=LAYERS)
    width = heads * config.whole("attention_head_dim", default=72)
    layers = range(config.whole("num_layers", default=28, most=LAYERS))
    latent = config.whole("in_channels", default=4)
    patch = config.whole("patch_size", default=2, most=LAYERS)
    plan.facts |= {"layers": len(layers), "hidden size": width, "attention heads": heads}
    plan.facts |= {"latent channels": latent, "patch size": patch}
    if config.values.get("sample_size") is not None:
        plan.facts["latent size"] = config.whole("sample_size")
    conv(plan, "pos_embed.proj", width, latent, patch)
    place, over = "transformer_blocks.{}", (layers,)
    _attend(config, plan, f"{place}.attn1", width, width, layers)
    feed_forward(plan, f"{place}.ff", width, layers)
    out = patch * patch * config.whole("out_channels", default=8 if text else latent)
    if not text:
        embedded = f"{place}.norm1.emb"
        labels = config.whole("num_embeds_ada_norm", default=1000)
        # one more stands for no label at all
        plan.add(f"{embedded}.class_embedder.embedding_table.weight", labels + 1, width, role=Role.EMBEDDING, over=over)
        plan.linear(f"{embedded}.timestep_embedder.linear_1", width, _WAVES, bias=True, over=over)
        plan.linear(f"{embedded}.timestep_embedder.linear_2", width, width, bias=True, over=over)
        plan.linear(f"{place}.norm1.linear", 6 * width, width, bias=True, over=over)
        plan.linear("proj_out_1", 2 * width, width, bias=True)
        plan.linear("proj_out_2", out, width, bias=True)
        return plan
    _text(config, plan, width, layers)
    plan.linear("proj_out", out, width, bias=True)
    return plan


def _attend(config: Config, plan: Blueprint, name: str, width: int, inner: int, layers: range) -> None:
    bias = config.flag("attention_bias", default=True)
    plan.linear(f"{name}.to_q", width, width, bias=bias, over=(layers,))
    for each in ("to_k", "to_v"):
        plan.linear(f"{name}.{each}", width, inner, bias=bias, over=(layers,))
    plan.linear(f"{name}.to_out.0", width, width, bias=True, over=(layers,))


def _text(config: Config, plan: Blueprint, width: int, layers: range) -> None:
    """What PixArt looks at the text with; the step is told to all blocks at once, and each scales and shifts it its own way."""
    place = "transformer_blocks.{}"
    inner = config.whole("cross_attention_dim", default=1152)
    _attend(config, plan, f"{place}.attn2", width, inner, layers)
    plan.add(f"{place}.scale_shift_table", 6, width, over=(layers,))
    plan.add("scale_shift_table", 2, width)
    embedder(plan, "adaln_single.emb.timestep_embedder", width, _WAVES)
    plan.linear("adaln_single.linear", 6 * width, width, bias=True)
    if config.flag("use_additional_conditions", default=config.values.get("sample_size", 128) == 128):
        for each in ("resolution_embedder", "aspect_ratio_embedder"):
            embedder(plan, f"adaln_single.emb.{each}", width // 3, _WAVES)
    captions = config.may("caption_channels")
    if captions:
        plan.facts["text width"] = captions
        embedder(plan, "caption_projection", width, captions)
