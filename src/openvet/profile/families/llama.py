"""Llama and the many decoders that are built like it: Mistral, Mixtral, Qwen, OLMo, Gemma, Phi-3, Granite, SmolLM.

Classes: ``LlamaForCausalLM``, ``MistralForCausalLM``, ``MixtralForCausalLM``, ``Qwen2ForCausalLM``, ``Qwen3ForCausalLM``,
``Qwen2MoeForCausalLM``, ``Qwen3MoeForCausalLM``, ``OlmoForCausalLM``, ``Olmo2ForCausalLM``, ``Olmo3ForCausalLM``, ``OlmoeForCausalLM``,
``GemmaForCausalLM``, ``Gemma2ForCausalLM``, ``Gemma3ForCausalLM``, ``Phi3ForCausalLM``, ``GraniteForCausalLM``, ``SmolLM3ForCausalLM``,
``GptOssForCausalLM``, ``Starcoder2ForCausalLM``, ``CohereForCausalLM``, ``Cohere2ForCausalLM`` of transformers.
"""

from __future__ import annotations

from dataclasses import replace

from openvet.core.dataclass import dataclass
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import (
    Attention,
    context,
    gated,
    head_of,
    keep_attention,
    layers_of,
    windows,
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
        norms: of each layer.
        norm: what a normalisation has: ``weight``, ``both`` (a bias too) or ``none``.
        fused: queries, keys and values are one matrix, and so are both halves of the gated layer.
        plain: the layer is no gated one: ``c_fc`` and ``c_proj``.
        experts: how experts are stored: '' (none), ``mixtral``, ``qwen``, ``oss``.
        shared: an expert that every token passes.
        every: see :func:`~openvet.profile.families._decoder.windows`.
        width, groups, window: what the class takes where the key is absent.
        tied: the same for ``tie_word_embeddings``.
    """

    bias: bool = False
    output_bias: bool = False
    heads_normed: str = ""
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    norm: str = "weight"
    fused: bool = False
    plain: bool = False
    experts: str = ""
    shared: bool = False
    every: int | None = 0
    width: int | None = None
    groups: int | None = None
    window: int | None = None
    tied: bool = False


_FOUR = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
_AFTER = ("post_attention_layernorm", "post_feedforward_layernorm")
_LLAMA = _Variant()
_VARIANTS = {
    "llama": _LLAMA,
    "smollm3": replace(_LLAMA, tied=True),
    "granite": _LLAMA,
    "mistral": replace(_LLAMA, every=None, groups=8),
    "ministral": replace(_LLAMA, every=None, groups=8),
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
    "phi3": replace(_LLAMA, fused=True, every=None),
    "starcoder2": replace(
        _LLAMA, bias=True, output_bias=True, norm="both", plain=True, every=None, groups=2, tied=True
    ),
    "phimoe": replace(_LLAMA, norm="both", experts="mixtral", every=None),
    "stablelm": replace(_LLAMA, norm="both"),
    "cohere": replace(_LLAMA, norms=("input_layernorm",), tied=True),
    "cohere2": replace(_LLAMA, norms=("input_layernorm",), tied=True, every=4, window=4096),
    "gpt_oss": replace(_LLAMA, bias=True, output_bias=True, experts="oss", every=2, window=128, groups=8, width=64),
}

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
    for each in variant.norms:
        _norm(plan, variant, f"model.layers.{{}}.{each}", hidden, (layers,))
    _norm(plan, variant, "model.norm", hidden, ())
    head_of(config, plan, vocabulary, hidden, tied=variant.tied, bias=config.flag("lm_head_bias"))
    every = variant.every
    if kind == "qwen2" and config.flag("use_sliding_window"):
        every = None
    if kind.startswith("gemma3"):
        every = config.whole("sliding_window_pattern", default=6, most=LAYERS)
    keep_attention(plan, attention, windows(config, len(layers), every=every, default=variant.window))
    return plan


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
    if variant.fused:
        plan.linear(f"{place}.qkv_proj", queries + 2 * keys, hidden, over=over)
    else:
        plan.linear(f"{place}.q_proj", queries, hidden, bias=bias, over=over)
        plan.linear(f"{place}.k_proj", keys, hidden, bias=bias, over=over)
        plan.linear(f"{place}.v_proj", keys, hidden, bias=bias, over=over)
    plan.linear(f"{place}.o_proj", hidden, queries, bias=output_bias and not variant.fused, over=over)
    if variant.heads_normed:
        whole = variant.heads_normed == "full"
        plan.norm(f"{place}.q_norm", queries if whole else attention.width, over=over)
        plan.norm(f"{place}.k_norm", keys if whole else attention.width, over=over)
    if variant.experts == "oss":
        plan.add(f"{place}.sinks", attention.heads, over=over)


def _feed(config: Config, plan: Blueprint, variant: _Variant, hidden: int, layers: range) -> None:
    """The layers after attention: gated ones, plain ones, or experts."""
    inner = config.whole("intermediate_size", default=None if variant.experts != "qwen" else 1)
    place = "model.layers.{}.mlp"
    if not variant.experts:
        bias = config.flag("mlp_bias", "use_bias", default=variant.plain)
        if variant.fused:
            plan.linear(f"{place}.gate_up_proj", 2 * inner, hidden, over=(layers,))
            plan.linear(f"{place}.down_proj", hidden, inner, over=(layers,))
        elif variant.plain:
            plan.linear(f"{place}.c_fc", inner, hidden, bias=bias, over=(layers,))
            plan.linear(f"{place}.c_proj", hidden, inner, bias=bias, over=(layers,))
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
    gated(plan, place, hidden, inner, ([each for each in layers if each not in set(sparse)],))
    plan.linear(f"{place}.gate", experts, hidden, over=(sparse,))
    gated(plan, f"{place}.experts.{{}}", hidden, width, (sparse, range(experts)), active=(chosen, experts))
    if variant.shared:
        gated(plan, f"{place}.shared_expert", hidden, config.whole("shared_expert_intermediate_size"), (sparse,))
        plan.linear(f"{place}.shared_expert_gate", 1, hidden, over=(sparse,))
