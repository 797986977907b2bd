"""Layers that keep a state of fixed size instead of every token: Mamba, Mamba 2, and linear attention with a gated delta rule.

Sources: Mamba (arXiv 2312.00752) section 3; Mamba 2 (arXiv 2405.21060) section 7; gated delta networks (arXiv 2412.06464). What is
kept is what transformers keeps: the state, and as many inputs as the convolution before it is long.
"""

from __future__ import annotations

from collections.abc import Sequence

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint

__all__ = ["Delta", "Mamba2", "mamba"]


def mamba(
    plan: Blueprint,
    place: str,
    layers: Sequence[int],
    hidden: int,
    *,
    inner: int,
    state: int,
    kernel: int,
    rank: int,
    bias: bool,
    conv_bias: bool,
    normed: bool = False,
) -> None:
    """A Mamba layer; ``rank`` is that of the step, ``normed`` adds Jamba's three norms."""
    over = (layers,)
    plan.add(f"{place}.A_log", inner, state, over=over)
    plan.add(f"{place}.D", inner, over=over)
    _convolution(plan, place, layers, inner, kernel, bias=conv_bias)
    plan.linear(f"{place}.in_proj", 2 * inner, hidden, bias=bias, over=over)
    plan.linear(f"{place}.x_proj", rank + 2 * state, inner, over=over)
    plan.linear(f"{place}.dt_proj", inner, rank, bias=True, over=over)
    plan.linear(f"{place}.out_proj", hidden, inner, bias=bias, over=over)
    if normed:
        for name, width in (("dt_layernorm", rank), ("b_layernorm", state), ("c_layernorm", state)):
            plan.norm(f"{place}.{name}", width, over=over)
    plan.facts["state size"] = state
    plan.keep("state", len(layers), inner * (kernel + state))


def _convolution(
    plan: Blueprint, place: str, layers: Sequence[int], channels: int, kernel: int, *, bias: bool, name: str = "conv1d"
) -> None:
    """One filter for each channel, over the last ``kernel`` inputs."""
    plan.add(f"{place}.{name}.weight", channels, 1, kernel, over=(layers,))
    if bias:
        plan.add(f"{place}.{name}.bias", channels, over=(layers,))


@dataclass(frozen=True, slots=True)
class Mamba2:
    """Heads of a Mamba 2 layer: each of ``width`` channels, and ``groups`` of them share what goes into the state and comes out."""

    heads: int
    width: int
    groups: int
    state: int
    kernel: int
    bias: bool
    conv_bias: bool

    @classmethod
    def of(cls, config: Config, hidden: int, *, inner: int | None = None, state: int = 256) -> Mamba2:
        """As Bamba, Granite and Falcon-H1 spell it, where ``inner`` is given by the number of heads and their width."""
        expanded = config.whole("mamba_expand", default=2, most=LAYERS) * hidden if inner is None else inner
        heads = config.whole("mamba_n_heads", default=128)
        width = config.auto("mamba_d_head", default=max(expanded // heads, 1))
        if heads * width != expanded:
            raise MalformedError(f"{config.pointer}/mamba_n_heads is {heads}: with {width} each they are no {expanded}")
        return cls(
            heads,
            width,
            config.whole("mamba_n_groups", default=1, most=LAYERS),
            config.whole("mamba_d_state", default=state),
            config.whole("mamba_d_conv", default=4, most=LAYERS),
            config.flag("mamba_proj_bias"),
            config.flag("mamba_conv_bias", default=True),
        )

    @property
    def inner(self) -> int:
        return self.heads * self.width

    def draw(self, plan: Blueprint, place: str, layers: Sequence[int], hidden: int, *, norm: bool = True) -> None:
        """Its tensors, without what it keeps."""
        over = (layers,)
        plan.add(f"{place}.A_log", self.heads, over=over)
        plan.add(f"{place}.D", self.heads, over=over)
        plan.add(f"{place}.dt_bias", self.heads, over=over)
        _convolution(plan, place, layers, self._channels, self.kernel, bias=self.conv_bias)
        plan.linear(f"{place}.in_proj", self.inner + self._channels + self.heads, hidden, bias=self.bias, over=over)
        plan.linear(f"{place}.out_proj", hidden, self.inner, bias=self.bias, over=over)
        if norm:
            plan.norm(f"{place}.norm", self.inner, over=over)

    def keep(self, plan: Blueprint, layers: int) -> None:
        """What ``layers`` of them keep."""
        plan.facts["state size"] = self.state
        plan.keep("state", layers, self._channels * self.kernel + self.inner * self.state)

    @property
    def _channels(self) -> int:
        return self.inner + 2 * self.groups * self.state


@dataclass(frozen=True, slots=True)
class Delta:
    """Heads of linear attention as in Qwen3-Next: of keys and queries, and more of values."""

    keys: int
    values: int
    key_width: int
    value_width: int
    kernel: int

    @classmethod
    def of(cls, config: Config) -> Delta:
        found = cls(
            config.whole("linear_num_key_heads", default=16, most=LAYERS),
            config.whole("linear_num_value_heads", default=32, most=LAYERS),
            config.whole("linear_key_head_dim", default=128),
            config.whole("linear_value_head_dim", default=128),
            config.whole("linear_conv_kernel_dim", default=4, most=LAYERS),
        )
        if found.values % found.keys:
            raise MalformedError(f"{config.pointer}/linear_num_value_heads is no multiple of the {found.keys} of keys")
        return found

    def draw(self, plan: Blueprint, place: str, layers: Sequence[int], hidden: int, *, fused: bool) -> None:
        """Its tensors and what it keeps; ``fused``: what goes in are two matrices and not four."""
        over = (layers,)
        keys, values = self.keys * self.key_width, self.values * self.value_width
        channels = 2 * keys + values
        if fused:
            plan.linear(f"{place}.in_proj_qkvz", channels + values, hidden, over=over)
            plan.linear(f"{place}.in_proj_ba", 2 * self.values, hidden, over=over)
        else:
            plan.linear(f"{place}.in_proj_qkv", channels, hidden, over=over)
            plan.linear(f"{place}.in_proj_z", values, hidden, over=over)
            plan.linear(f"{place}.in_proj_b", self.values, hidden, over=over)
            plan.linear(f"{place}.in_proj_a", self.values, hidden, over=over)
        _convolution(plan, place, layers, channels, self.kernel, bias=False)
        plan.add(f"{place}.A_log", self.values, over=over)
        plan.add(f"{place}.dt_bias", self.values, over=over)
        plan.norm(f"{place}.norm", self.value_width, over=over)
        plan.linear(f"{place}.out_proj", hidden, values, over=over)
        plan.keep("state", len(layers), channels * self.kernel + values * self.key_width)
