"""The network of Stable Diffusion 1, 2 and XL: down to a small image and up again, looking at the text in between.

Class: ``UNet2DConditionModel`` of diffusers, with the blocks that Stable Diffusion has.

Source: Latent Diffusion (arXiv 2112.10752) appendix; SDXL (arXiv 2307.01952) section 2.
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._diffusion import (
    MOST_RESIDUAL,
    channels_of,
    conv,
    embedder,
    every_block,
    resnet,
    text_attention,
    usual,
)
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("UNet2DConditionModel",))
_MIDDLES = frozenset({"UNetMidBlock2DCrossAttn", "UNetMidBlock2D"})
_DOWN = {"DownBlock2D": False, "CrossAttnDownBlock2D": True}
_UP = {"UpBlock2D": False, "CrossAttnUpBlock2D": True}
_USUAL = dict.fromkeys(("dual_cross_attention", "only_cross_attention", "mid_block_only_cross_attention", "resnet_skip_time_act",
                        "class_embeddings_concat", "reverse_transformer_layers_per_block"), False)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Block:
    """One resolution: residual blocks, layers of attention in each of them (0 for none), width of the text."""

    width: int
    residual: int
    attention: int
    text: int


@dataclass(frozen=True, slots=True)
class _Net:
    time: int
    linear: bool
    scaled: bool


def draw(config: Config) -> Blueprint:
    usual(config, **_USUAL, attention_type="default", time_embedding_type="positional", encoder_hid_dim_type="text_proj",
          time_embedding_act_fn=None, cross_attention_norm=None)  # fmt: skip
    plan = Blueprint("UNet2DConditionModel", "denoiser", (("text", "image"), ("image",)))
    widths = channels_of(config)
    time = config.may("time_embedding_dim") or 4 * widths[0]
    shift = config.word("resnet_time_scale_shift", default="default")
    if shift not in {"default", "scale_shift"}:
        raise UnsupportedError(f"a network with resnet_time_scale_shift {shift} is not drawn")
    net = _Net(time, config.flag("use_linear_projection"), shift == "scale_shift")
    down = _blocks(config, widths, "down_block_types", _DOWN)
    # up again in the same sizes: only which blocks look at the text is said anew
    up = _blocks(config, widths, "up_block_types", _UP)
    _entry(config, plan, widths, time)
    _descend(plan, down, widths[0], net)
    _middle(config, plan, down[-1], net)
    _ascend(plan, up, net)
    plan.norm("conv_norm_out", widths[0], bias=True)
    channels = config.whole("out_channels", default=4)
    conv(plan, "conv_out", channels, widths[0], config.whole("conv_out_kernel", default=3, most=LAYERS))
    size = config.values.get("sample_size")
    plan.facts |= {"blocks": 2 * len(widths) + 1, "channels": widths, "text width": down[-1].text}
    if size is not None:
        plan.facts["latent size"] = config.whole("sample_size") if not isinstance(size, list) else size
    return plan


def _blocks(config: Config, widths: list[int], name: str, kinds: dict[str, bool]) -> list[_Block]:
    """The blocks on one way, the first from the top."""
    count = len(widths)
    named = config.may_list(name, most=LAYERS)
    if named is None or len(named) != count:
        raise MalformedError(f"{config.pointer}/{name} is no list of {count} blocks")
    for each in named:
        if not isinstance(each, str) or each not in kinds:
            raise UnsupportedError(f"a block {str(each)[:60]} is not drawn")
    if kinds is _UP:
        named = named[::-1]
    layers = every_block(config, "layers_per_block", count, 2, MOST_RESIDUAL)
    attention = every_block(config, "transformer_layers_per_block", count, 1)
    text = every_block(config, "cross_attention_dim", count, 1280)
    heads = every_block(config, _heads_key(config), count, 8)
    for width, head, kind in zip(widths, heads, named, strict=True):
        if kinds[kind] and width % head:
            raise MalformedError(f"{config.pointer}/block_out_channels {width} is no multiple of the {head} heads")
    rows = zip(widths, layers, attention, text, named, strict=True)
    return [_Block(width, many, deep if kinds[kind] else 0, wide) for width, many, deep, wide, kind in rows]


def _heads_key(config: Config) -> str:
    """The heads were called ``attention_head_dim`` from the first release on."""
    return "num_attention_heads" if config.values.get("num_attention_heads") is not None else "attention_head_dim"


def _entry(config: Config, plan: Blueprint, widths: list[int], time: int) -> None:
    size = config.whole("conv_in_kernel", default=3, most=LAYERS)
    latent = config.whole("in_channels", default=4)
    plan.facts["latent channels"] = latent
    conv(plan, "conv_in", widths[0], latent, size)
    embedder(plan, "time_embedding", time, widths[0])
    guided = config.may("time_cond_proj_dim")
    if guided:
        plan.linear("time_embedding.cond_proj", widths[0], guided)
    kind = config.values.get("class_embed_type")
    labels = config.may("num_class_embeds")
    if kind is None and labels:
        plan.add("class_embedding.weight", labels, time, role=Role.EMBEDDING)
    elif kind == "timestep":
        embedder(plan, "class_embedding", time, widths[0])
    elif kind == "projection":
        embedder(plan, "class_embedding", time, config.whole("projection_class_embeddings_input_dim"))
    elif kind is not None:
        raise UnsupportedError(f"a network with class_embed_type {str(kind)[:40]} is not drawn")
    added = config.values.get("addition_embed_type")
    if added == "text_time":
        embedder(plan, "add_embedding", time, config.whole("projection_class_embeddings_input_dim"))
    elif added is not None:
        raise UnsupportedError(f"a network with addition_embed_type {str(added)[:40]} is not drawn")
    wide = config.may("encoder_hid_dim")
    if wide:
        plan.linear("encoder_hid_proj", config.whole("cross_attention_dim", default=1280), wide, bias=True)


def _descend(plan: Blueprint, blocks: list[_Block], first: int, net: _Net) -> None:
    before = first
    for number, block in enumerate(blocks):
        place = f"down_blocks.{number}"
        for each in range(block.residual):
            name = f"{place}.resnets.{each}"
            resnet(plan, name, block.width if each else before, block.width, net.time, scaled=net.scaled)
            if block.attention:
                name = f"{place}.attentions.{each}"
                text_attention(plan, name, block.width, block.text, block.attention, linear=net.linear)
        if number < len(blocks) - 1:
            conv(plan, f"{place}.downsamplers.0.conv", block.width, block.width)
        before = block.width


def _middle(config: Config, plan: Blueprint, last: _Block, net: _Net) -> None:
    if "mid_block_type" in config.values and config.values["mid_block_type"] is None:
        return
    kind = config.word("mid_block_type", default="UNetMidBlock2DCrossAttn")
    if kind not in _MIDDLES:
        raise UnsupportedError(f"a middle {kind[:60]} is not drawn")
    if kind == "UNetMidBlock2D":
        resnet(plan, "mid_block.resnets.0", last.width, last.width, net.time, scaled=net.scaled)
        return
    for each in range(2):
        resnet(plan, f"mid_block.resnets.{each}", last.width, last.width, net.time, scaled=net.scaled)
    deep = every_block(config, "transformer_layers_per_block", len(config.values["block_out_channels"]), 1)[-1]
    text_attention(plan, "mid_block.attentions.0", last.width, last.text, deep, linear=net.linear)


def _ascend(plan: Blueprint, blocks: list[_Block], net: _Net) -> None:
    """Each residual block also reads what the way down left at its place."""
    before = blocks[-1].width
    for number, block in enumerate(reversed(blocks)):
        place = f"up_blocks.{number}"
        below = len(blocks) - 1 - number
        skipped = blocks[max(below - 1, 0)].width
        for each in range(block.residual + 1):
            inner = (before if each == 0 else block.width) + (skipped if each == block.residual else block.width)
            resnet(plan, f"{place}.resnets.{each}", inner, block.width, net.time, scaled=net.scaled)
            if block.attention:
                name = f"{place}.attentions.{each}"
                text_attention(plan, name, block.width, block.text, block.attention, linear=net.linear)
        if below:
            conv(plan, f"{place}.upsamplers.0.conv", block.width, block.width)
        before = block.width
