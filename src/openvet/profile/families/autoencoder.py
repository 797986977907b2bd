"""Autoencoders of images: the VAE of Stable Diffusion and Flux, and VQGAN with its table of vectors.

Classes: ``AutoencoderKL`` and ``VQModel`` of diffusers.

Source: Latent Diffusion (arXiv 2112.10752) section 3.1; Taming Transformers (arXiv 2012.09841).
"""

from __future__ import annotations

from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._diffusion import MOST_RESIDUAL, channels_of, conv, pixel_attention, resnet, usual
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("AutoencoderKL", "VQModel"))
_DOWN = {"DownEncoderBlock2D": False, "AttnDownEncoderBlock2D": True}
_UP = {"UpDecoderBlock2D": False, "AttnUpDecoderBlock2D": True}


def draw(config: Config) -> Blueprint:
    kind = config.word("_class_name")
    usual(config, norm_type="group")
    plan = Blueprint(kind, "autoencoder", (("image",), ("image",)))
    widths = channels_of(config)
    latent = config.whole("latent_channels", default=4 if kind == "AutoencoderKL" else 3)
    coded = latent if kind == "VQModel" else 2 * latent
    plan.facts |= {"channels": widths, "latent channels": latent}
    if config.values.get("sample_size") is not None and not isinstance(config.values["sample_size"], list):
        plan.facts["image size"] = config.whole("sample_size")
    _encoder(config, plan, widths, coded)
    _decoder(config, plan, widths, latent)
    if kind == "VQModel":
        count = config.whole("num_vq_embeddings", default=256)
        width = config.whole("vq_embed_dim", default=latent)
        plan.facts |= {"codes": count, "code size": width}
        conv(plan, "quant_conv", width, latent, 1)
        plan.add("quantize.embedding.weight", count, width, role=Role.EMBEDDING)
        conv(plan, "post_quant_conv", latent, width, 1)
        return plan
    if config.flag("use_quant_conv", default=True):
        conv(plan, "quant_conv", coded, coded, 1)
    if config.flag("use_post_quant_conv", default=True):
        conv(plan, "post_quant_conv", latent, latent, 1)
    return plan


def _looks(config: Config, name: str, kinds: dict[str, bool], count: int) -> list[bool]:
    """Of each block, whether it has attention."""
    named = config.may_list(name, most=LAYERS)
    if named is None or len(named) != count:
        raise MalformedError(f"{config.pointer}/{name} is no list of {count} blocks")
    for each in named:
        if not isinstance(each, str) or each not in kinds:
            raise UnsupportedError(f"a block {str(each)[:60]} is not drawn")
    return [kinds[each] for each in named]


def _encoder(config: Config, plan: Blueprint, widths: list[int], coded: int) -> None:
    looks = _looks(config, "down_block_types", _DOWN, len(widths))
    layers = config.whole("layers_per_block", default=1, most=MOST_RESIDUAL)
    conv(plan, "encoder.conv_in", widths[0], config.whole("in_channels", default=3))
    before = widths[0]
    for number, (width, look) in enumerate(zip(widths, looks, strict=True)):
        place = f"encoder.down_blocks.{number}"
        _stage(plan, place, before, width, layers, look=look)
        if number < len(widths) - 1:
            conv(plan, f"{place}.downsamplers.0.conv", width, width)
        before = width
    _middle(config, plan, "encoder.mid_block", before)
    plan.norm("encoder.conv_norm_out", before, bias=True)
    conv(plan, "encoder.conv_out", coded, before)


def _decoder(config: Config, plan: Blueprint, widths: list[int], latent: int) -> None:
    looks = _looks(config, "up_block_types", _UP, len(widths))
    layers = config.whole("layers_per_block", default=1, most=MOST_RESIDUAL)
    before = widths[-1]
    conv(plan, "decoder.conv_in", before, latent)
    _middle(config, plan, "decoder.mid_block", before)
    for number, (width, look) in enumerate(zip(widths[::-1], looks, strict=True)):
        place = f"decoder.up_blocks.{number}"
        _stage(plan, place, before, width, layers + 1, look=look)
        if number < len(widths) - 1:
            conv(plan, f"{place}.upsamplers.0.conv", width, width)
        before = width
    plan.norm("decoder.conv_norm_out", before, bias=True)
    conv(plan, "decoder.conv_out", config.whole("out_channels", default=3), before)


def _stage(plan: Blueprint, place: str, before: int, width: int, count: int, *, look: bool) -> None:
    for each in range(count):
        resnet(plan, f"{place}.resnets.{each}", width if each else before, width)
        if look:
            pixel_attention(plan, f"{place}.attentions.{each}", width)


def _middle(config: Config, plan: Blueprint, place: str, width: int) -> None:
    for each in range(2):
        resnet(plan, f"{place}.resnets.{each}", width, width)
    if config.flag("mid_block_add_attention", default=True):
        pixel_attention(plan, f"{place}.attentions.0", width)
