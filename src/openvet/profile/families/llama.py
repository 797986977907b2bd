"""Llama and the many decoders that are built like it: Mistral, Mixtral, Qwen, OLMo, Gemma, Phi-3, Granite, SmolLM.

Classes: ``LlamaForCausalLM``, ``MistralForCausalLM``, ``MixtralForCausalLM``, ``Qwen2ForCausalLM``, ``Qwen3ForCausalLM``,
``Qwen2MoeForCausalLM``, ``Qwen3MoeForCausalLM``, ``OlmoForCausalLM``, ``Olmo2ForCausalLM``, ``Olmo3ForCausalLM``, ``OlmoeForCausalLM``,
``GemmaForCausalLM``, ``Gemma2ForCausalLM``, ``Gemma3ForCausalLM``, ``Phi3ForCausalLM``, ``GraniteForCausalLM``, ``SmolLM3ForCausalLM``,
``GptOssForCausalLM``, ``Starcoder2ForCausalLM``, ``CohereForCausalLM``, ``Cohere2ForCausalLM``, ``GlmForCausalLM``, ``Glm4ForCausalLM``,
``Exaone4ForCausalLM``, ``Ernie4_5ForCausalLM``, ``HunYuanDenseV1ForCausalLM``, ``SeedOssForCausalLM``, ``HeliumForCausalLM``,
``ArceeForCausalLM``, ``NemotronForCausalLM`` of transformers.
"""

from __future__ import annotations

from dataclasses import replace

from openvet.core.dataclass import dataclass
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import (
    Attention,
    context,
    every_of,
    gated,
    head_of,
    keep_attention,
    layers_of,
    others,
    windows,
    windows_after,
)
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw", "draw_as"]


@dataclass(frozen=True, slots=True)
class _Variant:
    """In what one of them differs from Llama.

    Attributes:
        bias: queries, keys and values have one; the key ``attention_bias`` counts where it is there.
        output_bias: so has the output of attention.
        heads_normed: '' or ``head`` (each head) or ``full`` (all at once): queries and keys are normalised.
        separate: the name of a norm that every head has for itself, where a key asks for it.
        norms: of each layer.
        norm: what a normalisation has: ``weight``, ``both`` (a bias too) or ``none``.
        never: the output of attention has no bias, whatever the keys say.
        fused: '' or ``all`` (queries, keys and values are one matrix, and so are both halves of the gated layer) or ``gate`` (these).
        plain: the names of the two matrices of a layer that is no gated one.
        normed: the names of the norms of queries and keys.
        experts: how experts are stored: '' (none), ``mixtral``, ``qwen``, ``oss``.
        shared: an expert that every token passes.
        every: see :func:`~openvet.profile.families._decoder.windows`.
        width, groups, window: what the class takes where the key is absent.
        tied: the same for ``tie_word_embeddings``.
    """

    bias: bool = False
    output_bias: bool = False
    heads_normed: str = ""
    separate: str = ""
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    norm: str = "weight"
    never: bool = False
    fused: str = ""
    plain: tuple[str, str] | None = None
    normed: tuple[str, str] = ("q_norm", "k_norm")
    experts: str = ""
    shared: bool = False
    every: int | None = 0
    width: int | None = None
    groups: int | None = None
    window: int | None = None
    tied: bool = False


_FOUR = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
_GLM = ("input_layernorm", "post_attention_layernorm", "post_self_attn_layernorm", "post_mlp_layernorm")
_PLAIN = ("up_proj", "down_proj")
_AFTER = ("post_attention_layernorm", "post_feedforward_layernorm")
_LLAMA = _Variant()
_VARIANTS = {
    "llama": _LLAMA,
    "smollm3": replace(_LLAMA, tied=True),
    "granite": _LLAMA,
    "mistral": replace(_LLAMA, every=None, groups=8, window=4096),
    "ministral": replace(_LLAMA, every=None, groups=8, window=4096),
    "mixtral": replace(_LLAMA, every=None, groups=8, experts="mixtral"),
    "qwen2": replace(_LLAMA, bias=True),
    "qwen3": replace(_LLAMA, heads_normed="head", width=128),
    "qwen2_moe": replace(_LLAMA, bias=True, experts="qwen", shared=True),
    "qwen3_moe": replace(_LLAMA, heads_normed="head", experts="qwen"),
    "olmo": replace(_LLAMA, norm="none"),
    "olmo2": replace(_LLAMA, heads_normed="full", norms=_AFTER),
    "olmo3": replace(_LLAMA, heads_normed="full", norms=_AFTER, every=4, window=4096),
    "olmoe": replace(_LLAMA, heads_normed="full", experts="qwen"),
    "gemma": replace(_LLAMA, tied=True, width=256),
    "gemma2": replace(_LLAMA, tied=True, width=256, norms=_FOUR, every=2, window=4096, groups=4),
    "gemma3_text": replace(
        _LLAMA, tied=True, width=256, norms=_FOUR, heads_normed="head", every=6, window=4096, groups=4
    ),
    "phi3": replace(_LLAMA, fused="all", every=None),
    "starcoder2": replace(
        _LLAMA, bias=True, output_bias=True, norm="both", plain=("c_fc", "c_proj"), every=None, groups=2, tied=True
    ),
    "phimoe": replace(_LLAMA, norm="both", experts="mixtral", every=None),
    "stablelm": replace(_LLAMA, norm="both", separate="layernorm.norms.{}"),
    "cohere": replace(_LLAMA, separate="norm", norms=("input_layernorm",), tied=True),
    "cohere2": replace(_LLAMA, norms=("input_layernorm",), tied=True, every=4, window=4096),
    "glm": replace(_LLAMA, bias=True, never=True, fused="gate", groups=2, width=128),
    "glm4": replace(_LLAMA, bias=True, never=True, fused="gate", norms=_GLM, groups=2, width=128),
    "exaone4": replace(_LLAMA, heads_normed="head", norms=_AFTER, every=4, window=4096),
    "ernie4_5": replace(_LLAMA, tied=True, groups=2, width=128),
    "hunyuan_v1_dense": replace(_LLAMA, heads_normed="head", normed=("query_layernorm", "key_layernorm")),
    "seed_oss": replace(_LLAMA, bias=True, never=True, groups=8, width=128),
    "helium": replace(_LLAMA, never=True, groups=20, width=128),
    "arcee": replace(_LLAMA, plain=_PLAIN),
    "nemotron": replace(_LLAMA, norm="both", plain=_PLAIN),
    "gpt_oss": replace(_LLAMA, bias=True, output_bias=True, experts="oss", every=2, window=128, groups=8, width=64),
}
#: Whose ``sliding_window_pattern`` the class reads.
_SPELT = ("gemma3_text", "cohere2", "exaone4")
#: Whose window counts only with ``use_sliding_window``.
_SWITCHED = ("qwen2", "qwen2_moe", "qwen3", "qwen3_moe")

FAMILY = Family(model_types=tuple(_VARIANTS))


def draw(config: Config) -> Blueprint:
    return draw_as(config, config.word("model_type"))


def draw_as(config: Config, kind: str) -> Blueprint:
    """The blueprint of ``config`` read as ``kind``, one of this family's types: for models that have such a part."""
    variant = _VARIANTS[kind]
    hidden = config.whole("hidden_size")
    vocabulary = config.whole("vocab_size")
    layers = layers_of(config)
    attention = Attention.of(config, hidden, groups=variant.groups, width=variant.width)
    plan = Blueprint(kind, "decoder")
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "vocabulary": vocabulary}
    attention.say(plan)
    context(config, plan)
    plan.add("model.embed_tokens.weight", vocabulary, hidden, role=Role.EMBEDDING)
    _attend(config, plan, variant, attention, hidden, (layers,))
    _feed(config, plan, variant, hidden, layers)
    # Cohere's layers, and StableLM's with this key, do both things at once: they have one norm
    for each in variant.norms[:1] if config.flag("use_parallel_residual") else variant.norms:
        _norm(plan, variant, f"model.layers.{{}}.{each}", hidden, (layers,))
    _norm(plan, variant, "model.norm", hidden, ())
    head_of(config, plan, vocabulary, hidden, tied=variant.tied, bias=config.flag("lm_head_bias"))
    keep_attention(plan, attention, _spans(config, kind, variant, len(layers)))
    return plan


def _spans(config: Config, kind: str, variant: _Variant, count: int) -> dict[int | None, int]:
    """Windows: see :func:`~openvet.profile.families._decoder.windows`."""
    if kind in _SWITCHED:
        if not config.flag("use_sliding_window"):
            return {None: count}
        if kind == "qwen3_moe":
            return windows(config, count, every=None, default=4096)
        return windows_after(config, count, most_wide=28, default=4096, alternate=kind == "qwen2_moe")
    every = every_of(config, variant.every or 0) if kind in _SPELT else variant.every
    return windows(config, count, every=every, default=variant.window)


def _norm(plan: Blueprint, variant: _Variant, name: str, width: int, over: tuple[range, ...]) -> None:
    if variant.norm != "none":
        plan.norm(name, width, bias=variant.norm == "both", over=over)


def _attend(
    config: Config, plan: Blueprint, variant: _Variant, attention: Attention, hidden: int, over: tuple[range]
) -> None:
    place = "model.layers.{}.self_attn"
    bias = config.flag("attention_bias", "qkv_bias", "use_qkv_bias", "use_bias", default=variant.bias)
    queries, keys = attention.queries, attention.keys
    # Llama's key gives all four a bias; in the classes whose three have one by themselves, the output has none
    has_key = "attention_bias" in config.read
    output_bias = bias if has_key else config.flag("use_bias", default=variant.output_bias)
    if variant.never:
        output_bias = config.flag("attention_out_bias")
    if variant.fused == "all":
        plan.linear(f"{place}.qkv_proj", queries + 2 * keys, hidden, over=over)
    else:
        plan.linear(f"{place}.q_proj", queries, hidden, bias=bias, over=over)
        plan.linear(f"{place}.k_proj", keys, hidden, bias=bias, over=over)
        plan.linear(f"{place}.v_proj", keys, hidden, bias=bias, over=over)
    plan.linear(f"{place}.o_proj", hidden, queries, bias=output_bias and variant.fused != "all", over=over)
    if variant.heads_normed:
        whole = variant.heads_normed == "full"
        for name, extent in zip(variant.normed, (queries, keys), strict=True):
            plan.norm(f"{place}.{name}", extent if whole else attention.width, over=over)
    if variant.separate and config.flag("qk_layernorm", "use_qk_norm"):
        _separate(plan, place, variant.separate, attention, over)
    if variant.experts == "oss":
        plan.add(f"{place}.sinks", attention.heads, over=over)


def _separate(plan: Blueprint, place: str, name: str, attention: Attention, over: tuple[range]) -> None:
    """A norm of its own for each head: as rows of one tensor (Cohere) or as tensors (StableLM)."""
    for letter, count in (("q", attention.heads), ("k", attention.groups)):
        if "{}" in name:
            plan.norm(f"{place}.{letter}_{name}", attention.width, over=(*over, range(count)))
        else:
            plan.add(f"{place}.{letter}_{name}.weight", count, attention.width, over=over)


def _feed(config: Config, plan: Blueprint, variant: _Variant, hidden: int, layers: range) -> None:
    """The layers after attention: gated ones, plain ones, or experts."""
    inner = config.whole("intermediate_size", default=None if variant.experts != "qwen" else 1)
    place = "model.layers.{}.mlp"
    if not variant.experts:
        bias = config.flag("mlp_bias", "use_bias", default=variant.plain is not None and variant.bias)
        if variant.fused:
            plan.linear(f"{place}.gate_up_proj", 2 * inner, hidden, over=(layers,))
            plan.linear(f"{place}.down_proj", hidden, inner, over=(layers,))
        elif variant.plain:
            wide, narrow = variant.plain
            plan.linear(f"{place}.{wide}", inner, hidden, bias=bias, over=(layers,))
            plan.linear(f"{place}.{narrow}", hidden, inner, bias=bias, over=(layers,))
        else:
            gated(plan, place, hidden, inner, (layers,), bias=bias)
        return
    experts = config.whole("num_local_experts", "num_experts", most=LAYERS)
    chosen = config.whole("num_experts_per_tok", "experts_per_token", most=experts)
    plan.facts |= {"experts": experts, "experts per token": chosen}
    over, active = (layers, range(experts)), (chosen, experts)
    if variant.experts == "mixtral":
        place = "model.layers.{}.block_sparse_moe"
        plan.linear(f"{place}.gate", experts, hidden, over=(layers,))
        for name, shape in (("w1", (inner, hidden)), ("w2", (hidden, inner)), ("w3", (inner, hidden))):
            plan.linear(f"{place}.experts.{{}}.{name}", *shape, over=over, active=active)
    elif variant.experts == "oss":
        plan.linear(f"{place}.router", experts, hidden, bias=True, over=(layers,))
        plan.add(f"{place}.experts.gate_up_proj", experts, hidden, 2 * inner, over=(layers,), active=active)
        plan.add(f"{place}.experts.gate_up_proj_bias", experts, 2 * inner, over=(layers,), active=active)
        plan.add(f"{place}.experts.down_proj", experts, inner, hidden, over=(layers,), active=active)
        plan.add(f"{place}.experts.down_proj_bias", experts, hidden, over=(layers,), active=active)
    else:
        _qwen_experts(config, plan, variant, hidden, layers, inner)


def _qwen_experts(config: Config, plan: Blueprint, variant: _Variant, hidden: int, layers: range, inner: int) -> None:
    """Experts in some of the layers, with or without one that every token passes."""
    experts, chosen = plan.facts["experts"], plan.facts["experts per token"]
    step = config.whole("decoder_sparse_step", default=1, most=LAYERS)
    dense = set(config.wholes("mlp_only_layers", default=()))
    sparse = [each for each in layers if each not in dense and (each + 1) % step == 0]
    place = "model.layers.{}.mlp"
    width = config.whole("moe_intermediate_size", default=inner)
    gated(plan, place, hidden, inner, (others(layers, sparse),))
    plan.linear(f"{place}.gate", experts, hidden, over=(sparse,))
    gated(plan, f"{place}.experts.{{}}", hidden, width, (sparse, range(experts)), active=(chosen, experts))
    if variant.shared:
        gated(plan, f"{place}.shared_expert", hidden, config.whole("shared_expert_intermediate_size"), (sparse,))
        plan.linear(f"{place}.shared_expert_gate", 1, hidden, over=(sparse,))
