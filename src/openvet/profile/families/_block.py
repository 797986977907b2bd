"""The layer that nearly all encoders have: attention with four square matrices, two matrices after it, and two norms, by any names."""

from __future__ import annotations

from collections.abc import Sequence

from openvet.core.dataclass import dataclass
from openvet.profile.blueprint import Blueprint, Role

__all__ = ["BART", "BERT", "CLIP", "Names", "attend_encoder", "attention", "block"]


@dataclass(frozen=True, slots=True)
class Names:
    """How a class calls what is in such a layer.

    Attributes:
        query, key, value, out: the matrices of the attention; ``around``: the norm before or after it.
        up, down: the two matrices after it; ``last``: their norm.
    """

    query: str
    key: str
    value: str
    out: str
    around: str
    up: str
    down: str
    last: str


BERT = Names("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
             "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm")  # fmt: skip
CLIP = Names("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "layer_norm1", "mlp.fc1", "mlp.fc2",
             "layer_norm2")  # fmt: skip
BART = Names("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "self_attn_layer_norm", "fc1", "fc2",
             "final_layer_norm")  # fmt: skip
_CROSS = Names(
    "encoder_attn.q_proj", "encoder_attn.k_proj", "encoder_attn.v_proj", "encoder_attn.out_proj", "", "", "", ""
)


def attend_encoder(
    plan: Blueprint, place: str, hidden: int, over: Sequence[Sequence[int]], *, key_bias: bool = True
) -> None:
    """How layers named as BART's look at what the encoder gives, and what a decoder of such layers keeps of its own text and of that."""
    attention(plan, place, _CROSS, hidden, over, key_bias=key_bias, source=Role.ENCODER)
    plan.norm(f"{place}.encoder_attn_layer_norm", hidden, bias=True, over=over)
    count = len(over[0])
    plan.keep("kv", count, 2 * hidden, flop=4 * hidden)
    plan.keep("cross", count, 2 * hidden, flop=4 * hidden)


def attention(
    plan: Blueprint,
    place: str,
    names: Names,
    hidden: int,
    over: Sequence[Sequence[int]],
    *,
    bias: bool = True,
    key_bias: bool | None = None,
    source: str = Role.OTHER,
    role: str = Role.OTHER,
) -> None:
    """Four square matrices.

    Args:
        bias: whether queries and values have one; ``key_bias`` is for keys where it differs. The output has one always.
        source: the role of keys and values: :attr:`Role.ENCODER` where they are made of what an encoder gives.
    """
    plan.linear(f"{place}.{names.query}", hidden, hidden, bias=bias, role=role, over=over)
    key_bias = bias if key_bias is None else key_bias
    made = source if role == Role.OTHER else role
    plan.linear(f"{place}.{names.key}", hidden, hidden, bias=key_bias, role=made, over=over)
    plan.linear(f"{place}.{names.value}", hidden, hidden, bias=bias, role=made, over=over)
    plan.linear(f"{place}.{names.out}", hidden, hidden, bias=True, role=role, over=over)


def block(
    plan: Blueprint,
    place: str,
    names: Names,
    hidden: int,
    inner: int,
    over: Sequence[Sequence[int]],
    *,
    bias: bool = True,
    key_bias: bool | None = None,
    role: str = Role.OTHER,
) -> None:
    """The whole layer; see :func:`attention`."""
    attention(plan, place, names, hidden, over, bias=bias, key_bias=key_bias, role=role)
    plan.norm(f"{place}.{names.around}", hidden, bias=True, role=role, over=over)
    plan.linear(f"{place}.{names.up}", inner, hidden, bias=True, role=role, over=over)
    plan.linear(f"{place}.{names.down}", hidden, inner, bias=True, role=role, over=over)
    plan.norm(f"{place}.{names.last}", hidden, bias=True, role=role, over=over)
