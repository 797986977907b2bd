"""What networks of diffusion are made of: residual blocks of convolutions, attention over pixels, blocks of a transformer.

Names are those of diffusers (``ResnetBlock2D``, ``Attention``, ``Transformer2DModel``, ``TimestepEmbedding``).
"""

from __future__ import annotations

from openvet.errors import MalformedError, UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint

__all__ = [
    "MOST_RESIDUAL",
    "channels_of",
    "conv",
    "embedder",
    "every_block",
    "feed_forward",
    "pixel_attention",
    "resnet",
    "text_attention",
    "usual",
]

#: Blocks of a network, one for each resolution; an image of more than 2**32 pixels a side has no more.
_MOST_BLOCKS = 32
#: Residual blocks of one resolution; each costs us a dozen entries, and published networks have three.
MOST_RESIDUAL = 100


def channels_of(config: Config) -> list[int]:
    """The channels of each block, which the groups of the normalisation have to divide."""
    found = config.wholes("block_out_channels", least=1)
    if not 1 <= len(found) <= _MOST_BLOCKS:
        raise MalformedError(f"{config.pointer}/block_out_channels has {len(found)} items")
    groups = config.whole("norm_num_groups", default=32)
    for index, each in enumerate(found):
        if each % groups:
            raise MalformedError(f"{config.pointer}/block_out_channels/{index} is no multiple of {groups} groups")
    return found


def every_block(config: Config, name: str, count: int, default: int, most: int = LAYERS) -> list[int]:
    """A number of at most ``most`` for each block: one for all of them, or a list."""
    value = config.values.get(name)
    if not isinstance(value, list):
        return [config.whole(name, default=default, most=most)] * count
    found = config.wholes(name, least=1, most=most)
    if len(found) != count:
        raise MalformedError(f"{config.pointer}/{name} has {len(found)} items for {count} blocks")
    return found


def usual(config: Config, **wanted: object) -> None:
    """Refuse to draw a network where one of these keys is there with another value: few have it."""
    for name, value in wanted.items():
        found = config.values.get(name)
        if found is not None and found != value:
            raise UnsupportedError(f"a network with {name} is not drawn")


def conv(plan: Blueprint, name: str, out: int, inner: int, size: int = 3) -> None:
    """A convolution over a square of ``size`` pixels, with its bias."""
    plan.add(f"{name}.weight", out, inner, size, size)
    plan.add(f"{name}.bias", out)


def resnet(plan: Blueprint, name: str, inner: int, out: int, time: int | None = None, *, scaled: bool = False) -> None:
    """Two convolutions around which the input goes too.

    Args:
        time: width of the step's vector, which is added between them; ``None`` for a network without steps.
        scaled: whether that vector scales as well.
    """
    plan.norm(f"{name}.norm1", inner, bias=True)
    conv(plan, f"{name}.conv1", out, inner)
    if time is not None:
        plan.linear(f"{name}.time_emb_proj", 2 * out if scaled else out, time, bias=True)
    plan.norm(f"{name}.norm2", out, bias=True)
    conv(plan, f"{name}.conv2", out, out)
    if inner != out:
        conv(plan, f"{name}.conv_shortcut", out, inner, 1)


def pixel_attention(plan: Blueprint, name: str, width: int) -> None:
    """Every pixel looks at every other, as in the middle of an autoencoder."""
    plan.norm(f"{name}.group_norm", width, bias=True)
    for each in ("to_q", "to_k", "to_v", "to_out.0"):
        plan.linear(f"{name}.{each}", width, width, bias=True)


def feed_forward(plan: Blueprint, name: str, width: int, layers: range, *, gated: bool = False) -> None:
    """Two matrices with four times the width between them, of layers that are numbered in ``name``."""
    plan.linear(f"{name}.net.0.proj", 8 * width if gated else 4 * width, width, bias=True, over=(layers,))
    plan.linear(f"{name}.net.2", width, 4 * width, bias=True, over=(layers,))


def text_attention(plan: Blueprint, name: str, width: int, text: int, count: int, *, linear: bool) -> None:
    """``count`` layers in which every pixel looks at every other, and then at the text of width ``text``."""
    plan.norm(f"{name}.norm", width, bias=True)
    for each in ("proj_in", "proj_out"):
        if linear:
            plan.linear(f"{name}.{each}", width, width, bias=True)
        else:
            conv(plan, f"{name}.{each}", width, width, 1)
    layers, place = range(count), f"{name}.transformer_blocks.{{}}"
    for part, inner in (("attn1", width), ("attn2", text)):
        plan.linear(f"{place}.{part}.to_q", width, width, over=(layers,))
        plan.linear(f"{place}.{part}.to_k", width, inner, over=(layers,))
        plan.linear(f"{place}.{part}.to_v", width, inner, over=(layers,))
        plan.linear(f"{place}.{part}.to_out.0", width, width, bias=True, over=(layers,))
    for norm in ("norm1", "norm2", "norm3"):
        plan.norm(f"{place}.{norm}", width, bias=True, over=(layers,))
    feed_forward(plan, f"{place}.ff", width, layers, gated=True)


def embedder(plan: Blueprint, name: str, out: int, inner: int) -> None:
    """Two matrices that make a vector of a step, a size or a whole text."""
    plan.linear(f"{name}.linear_1", out, inner, bias=True)
    plan.linear(f"{name}.linear_2", out, out, bias=True)
