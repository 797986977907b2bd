"""DeepSeek V2 and V3 (R1), and Kimi K2 after them: attention over one compressed vector of every token (MLA), and many small experts.

Classes: ``DeepseekV2ForCausalLM`` and ``DeepseekV3ForCausalLM`` of transformers. The layer that predicts a second token
(``num_nextn_predict_layers``) is in published files and in no class; it is left out and said.

Source: DeepSeek-V2 (arXiv 2405.04434) section 2.1; DeepSeek-V3 (arXiv 2412.19437) section 2.1.
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import context, gated, head_of, layers_of, others
from openvet.profile.families._family import Family

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("deepseek_v2", "deepseek_v3", "kimi_k2"))


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    hidden = config.whole("hidden_size")
    vocabulary = config.whole("vocab_size")
    layers = layers_of(config)
    plan = Blueprint(kind, "decoder")
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "vocabulary": vocabulary}
    context(config, plan)
    plan.add("model.embed_tokens.weight", vocabulary, hidden, role=Role.EMBEDDING)
    _attend(config, plan, hidden, layers)
    _feed(config, plan, hidden, layers, scored=kind != "deepseek_v2")
    plan.norm("model.layers.{}.input_layernorm", hidden, over=(layers,))
    plan.norm("model.layers.{}.post_attention_layernorm", hidden, over=(layers,))
    plan.norm("model.norm", hidden)
    head_of(config, plan, vocabulary, hidden, tied=False)
    further = config.may("num_nextn_predict_layers", least=0, most=LAYERS)
    if further:
        plan.notes.append(f"{further} layer that predicts further tokens is declared and not counted")
    return plan


def _attend(config: Config, plan: Blueprint, hidden: int, layers: range) -> None:
    heads = config.whole("num_attention_heads", most=LAYERS)
    plain = config.whole("qk_nope_head_dim", default=128)
    turned = config.whole("qk_rope_head_dim", default=64)
    values = config.whole("v_head_dim", default=128)
    rank = config.whole("kv_lora_rank", default=512)
    place, over = "model.layers.{}.self_attn", (layers,)
    bias = config.flag("attention_bias")
    queries = config.may("q_lora_rank")
    if queries is None:
        plan.linear(f"{place}.q_proj", heads * (plain + turned), hidden, over=over)
    else:
        plan.linear(f"{place}.q_a_proj", queries, hidden, bias=bias, over=over)
        plan.norm(f"{place}.q_a_layernorm", queries, over=over)
        plan.linear(f"{place}.q_b_proj", heads * (plain + turned), queries, over=over)
    plan.linear(f"{place}.kv_a_proj_with_mqa", rank + turned, hidden, bias=bias, over=over)
    plan.norm(f"{place}.kv_a_layernorm", rank, over=over)
    plan.linear(f"{place}.kv_b_proj", heads * (plain + values), rank, over=over)
    plan.linear(f"{place}.o_proj", hidden, heads * values, bias=bias, over=over)
    plan.facts |= {"attention heads": heads, "key-value rank": rank}
    # with the compressed vector itself: every head multiplies with it for its score and again for its value
    # a prompt usually spells keys and values out (kv_b_proj, counted with the weights), and multiplies with these
    spelled = 2 * heads * (plain + turned + values)
    plan.keep("latent", len(layers), rank + turned, flop=2 * heads * (2 * rank + turned), prompt_flop=spelled)


def _feed(config: Config, plan: Blueprint, hidden: int, layers: range, *, scored: bool) -> None:
    experts = config.may("n_routed_experts", most=LAYERS)
    inner = config.whole("intermediate_size")
    first = config.whole("first_k_dense_replace", default=0, least=0, most=LAYERS)
    every = config.whole("moe_layer_freq", default=1, most=LAYERS)
    sparse = [each for each in layers if experts and each >= first and each % every == 0]
    place = "model.layers.{}.mlp"
    gated(plan, place, hidden, inner, (others(layers, sparse),))
    if not experts:
        return
    chosen = config.whole("num_experts_per_tok", most=experts)
    shared = config.whole("n_shared_experts", default=0, least=0, most=LAYERS)
    width = config.whole("moe_intermediate_size")
    plan.facts |= {"experts": experts, "experts per token": chosen, "shared experts": shared}
    plan.linear(f"{place}.gate", experts, hidden, over=(sparse,))
    if scored:
        plan.add(f"{place}.gate.e_score_correction_bias", experts, role=Role.BUFFER, over=(sparse,))
    gated(plan, f"{place}.experts.{{}}", hidden, width, (sparse, range(experts)), active=(chosen, experts))
    if shared:
        gated(plan, f"{place}.shared_experts", hidden, width * shared, (sparse,))
