"""GPT-2 and the decoders that came after it before Llama: GPT-J, GPT-NeoX (Pythia, RedPajama), BLOOM, Falcon, MPT, OPT, Phi.

Classes: ``GPT2LMHeadModel``, ``GPTJForCausalLM``, ``GPTNeoXForCausalLM``, ``BloomForCausalLM``, ``FalconForCausalLM``,
``MptForCausalLM``, ``OPTForCausalLM``, ``PhiForCausalLM`` of transformers.
"""

from __future__ import annotations

from collections.abc import Callable

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import Attention, context, head_of, keep_attention
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all of them have, under whatever keys."""

    hidden: int
    vocabulary: int
    layers: range
    inner: int


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    plan = Blueprint(kind, "decoder")
    _DRAWN[kind](config, plan)
    return plan


def _shape(config: Config, plan: Blueprint) -> _Shape:
    hidden = config.whole("hidden_size", "n_embd", "n_embed", "d_model")
    layers = range(config.whole("num_hidden_layers", "n_layer", "n_layers", most=LAYERS))
    vocabulary = config.whole("vocab_size")
    inner = config.may("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size") or 4 * hidden
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "vocabulary": vocabulary}
    context(config, plan, "max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
    return _Shape(hidden, vocabulary, layers, inner)


def _attention(config: Config, plan: Blueprint, shape: _Shape, groups: int | None = None) -> Attention:
    found = Attention.of(config, shape.hidden, groups=groups)
    found.say(plan)
    keep_attention(plan, found, {None: len(shape.layers)})
    return found


def _norms(plan: Blueprint, shape: _Shape, *names: str, bias: bool = True) -> None:
    for name in names:
        plan.norm(name, shape.hidden, bias=bias, over=(shape.layers,) if "{}" in name else ())


def _gpt2(config: Config, plan: Blueprint) -> None:
    shape = _shape(config, plan)
    _attention(config, plan, shape)
    over, place = (shape.layers,), "transformer.h.{}"
    plan.add("transformer.wte.weight", shape.vocabulary, shape.hidden, role=Role.EMBEDDING)
    plan.add("transformer.wpe.weight", config.whole("n_positions", default=1024), shape.hidden, role=Role.EMBEDDING)
    # these matrices lie the other way round: the input is their first extent
    for name, inner, out in (
        ("attn.c_attn", shape.hidden, 3 * shape.hidden),
        ("attn.c_proj", shape.hidden, shape.hidden),
        ("mlp.c_fc", shape.hidden, shape.inner),
        ("mlp.c_proj", shape.inner, shape.hidden),
    ):
        plan.add(f"{place}.{name}.weight", inner, out, over=over)
        plan.add(f"{place}.{name}.bias", out, over=over)
    _norms(plan, shape, f"{place}.ln_1", f"{place}.ln_2", "transformer.ln_f")
    head_of(config, plan, shape.vocabulary, shape.hidden, tied=True)


def _gptj(config: Config, plan: Blueprint) -> None:
    shape = _shape(config, plan)
    attention = _attention(config, plan, shape)
    over, place = (shape.layers,), "transformer.h.{}"
    plan.add("transformer.wte.weight", shape.vocabulary, shape.hidden, role=Role.EMBEDDING)
    for name in ("q_proj", "k_proj", "v_proj"):
        plan.linear(f"{place}.attn.{name}", attention.queries, shape.hidden, over=over)
    plan.linear(f"{place}.attn.out_proj", shape.hidden, attention.queries, over=over)
    plan.linear(f"{place}.mlp.fc_in", shape.inner, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.mlp.fc_out", shape.hidden, shape.inner, bias=True, over=over)
    _norms(plan, shape, f"{place}.ln_1", "transformer.ln_f")
    head_of(config, plan, shape.vocabulary, shape.hidden, tied=False, bias=True)


def _neox(config: Config, plan: Blueprint) -> None:
    shape = _shape(config, plan)
    _attention(config, plan, shape)
    over, place = (shape.layers,), "gpt_neox.layers.{}"
    bias = config.flag("attention_bias", default=True)
    plan.add("gpt_neox.embed_in.weight", shape.vocabulary, shape.hidden, role=Role.EMBEDDING)
    plan.linear(f"{place}.attention.query_key_value", 3 * shape.hidden, shape.hidden, bias=bias, over=over)
    plan.linear(f"{place}.attention.dense", shape.hidden, shape.hidden, bias=bias, over=over)
    plan.linear(f"{place}.mlp.dense_h_to_4h", shape.inner, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.mlp.dense_4h_to_h", shape.hidden, shape.inner, bias=True, over=over)
    _norms(
        plan,
        shape,
        f"{place}.input_layernorm",
        f"{place}.post_attention_layernorm",
        "gpt_neox.final_layer_norm",
    )
    head_of(config, plan, shape.vocabulary, shape.hidden, tied=False, name="embed_out")


def _bloom(config: Config, plan: Blueprint) -> None:
    shape = _shape(config, plan)
    _attention(config, plan, shape)
    over, place = (shape.layers,), "transformer.h.{}"
    plan.add("transformer.word_embeddings.weight", shape.vocabulary, shape.hidden, role=Role.EMBEDDING)
    plan.linear(f"{place}.self_attention.query_key_value", 3 * shape.hidden, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.self_attention.dense", shape.hidden, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.mlp.dense_h_to_4h", 4 * shape.hidden, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.mlp.dense_4h_to_h", shape.hidden, 4 * shape.hidden, bias=True, over=over)
    _norms(
        plan,
        shape,
        "transformer.word_embeddings_layernorm",
        f"{place}.input_layernorm",
        f"{place}.post_attention_layernorm",
        "transformer.ln_f",
    )
    head_of(config, plan, shape.vocabulary, shape.hidden, tied=True)


def _falcon(config: Config, plan: Blueprint) -> None:
    """Keys and values are counted as the projections make them; the class of transformers repeats them for every head."""
    shape = _shape(config, plan)
    new = config.flag("new_decoder_architecture")
    heads = config.whole("num_attention_heads", "n_head", most=LAYERS)
    groups = config.may("num_kv_heads", "n_head_kv", most=LAYERS)
    if not new:
        groups = 1 if config.flag("multi_query", default=True) else heads
    elif groups is None:
        groups = heads
    width = shape.hidden // heads
    if heads % groups:
        raise MalformedError(f"{config.pointer}/num_kv_heads {groups} does not divide the {heads} heads")
    attention = Attention(heads, groups, width)
    attention.say(plan)
    keep_attention(plan, attention, {None: len(shape.layers)})
    over, place, bias = (shape.layers,), "transformer.h.{}", config.flag("bias")
    plan.add("transformer.word_embeddings.weight", shape.vocabulary, shape.hidden, role=Role.EMBEDDING)
    queries = attention.queries + 2 * attention.keys
    plan.linear(f"{place}.self_attention.query_key_value", queries, shape.hidden, bias=bias, over=over)
    plan.linear(f"{place}.self_attention.dense", shape.hidden, attention.queries, bias=bias, over=over)
    plan.linear(f"{place}.mlp.dense_h_to_4h", shape.inner, shape.hidden, bias=bias, over=over)
    plan.linear(f"{place}.mlp.dense_4h_to_h", shape.hidden, shape.inner, bias=bias, over=over)
    parallel = config.flag("parallel_attn", default=True)
    if new and parallel and config.whole("num_ln_in_parallel_attn", default=2) == 2:
        _norms(plan, shape, f"{place}.ln_attn", f"{place}.ln_mlp")
    else:
        _norms(plan, shape, f"{place}.input_layernorm")
        if not parallel:
            _norms(plan, shape, f"{place}.post_attention_layernorm")
    _norms(plan, shape, "transformer.ln_f")
    head_of(config, plan, shape.vocabulary, shape.hidden, tied=True)


def _mpt(config: Config, plan: Blueprint) -> None:
    shape = _shape(config, plan)
    _attention(config, plan, shape)
    over, place = (shape.layers,), "transformer.blocks.{}"
    inner = config.whole("expansion_ratio", default=4) * shape.hidden
    plan.add("transformer.wte.weight", shape.vocabulary, shape.hidden, role=Role.EMBEDDING)
    plan.linear(f"{place}.attn.Wqkv", 3 * shape.hidden, shape.hidden, over=over)
    plan.linear(f"{place}.attn.out_proj", shape.hidden, shape.hidden, over=over)
    plan.linear(f"{place}.ffn.up_proj", inner, shape.hidden, over=over)
    plan.linear(f"{place}.ffn.down_proj", shape.hidden, inner, over=over)
    _norms(plan, shape, f"{place}.norm_1", f"{place}.norm_2", "transformer.norm_f", bias=False)
    head_of(config, plan, shape.vocabulary, shape.hidden, tied=True)


def _opt(config: Config, plan: Blueprint) -> None:
    shape = _shape(config, plan)
    _attention(config, plan, shape)
    over, place = (shape.layers,), "model.decoder.layers.{}"
    bias = config.flag("enable_bias", default=True)
    width = config.whole("word_embed_proj_dim", default=shape.hidden)
    # the first two positions stand for padding
    positions = config.whole("max_position_embeddings", default=2048) + 2
    plan.add("model.decoder.embed_tokens.weight", shape.vocabulary, width, role=Role.EMBEDDING)
    plan.add("model.decoder.embed_positions.weight", positions, shape.hidden, role=Role.EMBEDDING)
    if width != shape.hidden:
        plan.linear("model.decoder.project_in", shape.hidden, width)
        plan.linear("model.decoder.project_out", width, shape.hidden)
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        plan.linear(f"{place}.self_attn.{name}", shape.hidden, shape.hidden, bias=bias, over=over)
    plan.linear(f"{place}.fc1", shape.inner, shape.hidden, bias=bias, over=over)
    plan.linear(f"{place}.fc2", shape.hidden, shape.inner, bias=bias, over=over)
    _norms(plan, shape, f"{place}.self_attn_layer_norm", f"{place}.final_layer_norm")
    if config.flag("do_layer_norm_before", default=True) and not config.flag("_remove_final_layer_norm"):
        _norms(plan, shape, "model.decoder.final_layer_norm")
    head_of(config, plan, shape.vocabulary, width, tied=True)


def _phi(config: Config, plan: Blueprint) -> None:
    shape = _shape(config, plan)
    attention = _attention(config, plan, shape)
    over, place = (shape.layers,), "model.layers.{}"
    plan.add("model.embed_tokens.weight", shape.vocabulary, shape.hidden, role=Role.EMBEDDING)
    plan.linear(f"{place}.self_attn.q_proj", attention.queries, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.self_attn.k_proj", attention.keys, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.self_attn.v_proj", attention.keys, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.self_attn.dense", shape.hidden, attention.queries, bias=True, over=over)
    if config.flag("qk_layernorm"):
        for name in ("q_layernorm", "k_layernorm"):
            plan.norm(f"{place}.self_attn.{name}", attention.width, bias=True, over=over)
    plan.linear(f"{place}.mlp.fc1", shape.inner, shape.hidden, bias=True, over=over)
    plan.linear(f"{place}.mlp.fc2", shape.hidden, shape.inner, bias=True, over=over)
    _norms(plan, shape, f"{place}.input_layernorm", "model.final_layernorm")
    head_of(config, plan, shape.vocabulary, shape.hidden, tied=False, bias=True)


_DRAWN: dict[str, Callable[[Config, Blueprint], None]] = {
    "gpt2": _gpt2,
    "gptj": _gptj,
    "gpt_neox": _neox,
    "bloom": _bloom,
    "falcon": _falcon,
    "RefinedWebModel": _falcon,
    "RefinedWeb": _falcon,
    "mpt": _mpt,
    "opt": _opt,
    "phi": _phi,
}
FAMILY = Family(model_types=tuple(_DRAWN))
