"""Nomic Embed: BERT with turned positions and gated layers, configured with the keys of GPT-2.

Classes: ``NomicBertModel`` and ``NomicBertForPreTraining`` of the published code beside the weights (nomic-ai/nomic-bert-2048);
transformers' own class has other names.

Source: Nomic Embed (arXiv 2402.01613).
"""

from __future__ import annotations

from openvet.errors import UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._bert import again, text_encoder
from openvet.profile.families._family import Family
from openvet.profile.families._heads import not_drawn, task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("nomic_bert",))


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    if config.may("num_experts", least=0, most=LAYERS):
        raise UnsupportedError("the experts of this family are not known")
    known = task in {"PreTraining", "MaskedLM"}
    prefix = "bert." if known else ""
    plan, shape = text_encoder(config, "nomic_bert")
    place, over, hidden = f"{prefix}encoder.layers.{{}}", (range(shape.count),), shape.hidden
    plan.add(f"{prefix}embeddings.word_embeddings.weight", shape.vocabulary, hidden, role=Role.EMBEDDING)
    most = config.may("n_positions", "max_position_embeddings")
    if most is not None:
        plan.facts["context length"] = most
    fraction = config.values.get("rotary_emb_fraction", 0)
    if most is not None and not fraction:
        plan.add(f"{prefix}embeddings.position_embeddings.weight", most, hidden, role=Role.EMBEDDING)
    types = config.whole("type_vocab_size", default=0, least=0, most=LAYERS)
    if types:
        plan.add(f"{prefix}embeddings.token_type_embeddings.weight", types, hidden, role=Role.EMBEDDING)
    plan.norm(f"{prefix}emb_ln", hidden, bias=True)
    bias = config.flag("qkv_proj_bias", default=True)
    plan.linear(f"{place}.attn.Wqkv", 3 * hidden, hidden, bias=bias, over=over)
    plan.linear(f"{place}.attn.out_proj", hidden, hidden, bias=bias, over=over)
    up, down = config.flag("mlp_fc1_bias", default=True), config.flag("mlp_fc2_bias", default=True)
    gated = config.word("activation_function", default="gelu") in {"glu", "swiglu", "geglu"}
    # the gated layer of the published code rounds its width up
    inner = -(-shape.inner // 256) * 256 if gated else shape.inner
    for name in ("fc11", "fc12") if gated else ("fc1",):
        plan.linear(f"{place}.mlp.{name}", inner, hidden, bias=up, over=over)
    plan.linear(f"{place}.mlp.fc2", hidden, inner, bias=down, over=over)
    for name in ("norm1", "norm2"):
        plan.norm(f"{place}.{name}", hidden, bias=True, over=over)
    if known:
        plan.linear("cls.predictions.transform.dense", hidden, hidden, bias=up)
        plan.norm("cls.predictions.transform.layer_norm", hidden, bias=True)
        again(
            config,
            plan,
            shape.vocabulary,
            hidden,
            bias="cls.predictions.decoder.bias",
            matrix="cls.predictions.decoder",
        )
    elif task != "Model":
        not_drawn(plan, named)
    return plan
