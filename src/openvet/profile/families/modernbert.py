"""ModernBERT: BERT with turned positions, gated layers and windows, without a bias.

Classes: ``ModernBertModel``, ``ModernBertForMaskedLM``, ``ModernBertForSequenceClassification``,
``ModernBertForTokenClassification`` and ``ModernBertForQuestionAnswering`` of transformers.

Source: ModernBERT (arXiv 2412.13663).
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._bert import again, text_encoder
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, not_drawn, task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("modernbert",))
#: What each token passes, and not only the text as a whole.
_EACH = frozenset({"MaskedLM", "TokenClassification", "QuestionAnswering"})
_HEADS = _EACH | {"SequenceClassification", "MultipleChoice"}


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    prefix = "model." if task in _HEADS else ""
    plan, shape = text_encoder(config, "modernbert", vocabulary=50368)
    plan.facts["context length"] = config.whole("max_position_embeddings", default=8192)
    _windows(config, plan, shape.count)
    bias = {name: config.flag(f"{name}_bias") for name in ("attention", "mlp", "norm")}
    place, over, hidden = f"{prefix}layers.{{}}", (range(shape.count),), shape.hidden
    plan.add(f"{prefix}embeddings.tok_embeddings.weight", shape.vocabulary, hidden, role=Role.EMBEDDING)
    plan.norm(f"{prefix}embeddings.norm", hidden, bias=bias["norm"])
    # the first layer follows the norm of the embeddings
    plan.norm(f"{place}.attn_norm", hidden, bias=bias["norm"], over=(range(1, shape.count),))
    plan.linear(f"{place}.attn.Wqkv", 3 * hidden, hidden, bias=bias["attention"], over=over)
    plan.linear(f"{place}.attn.Wo", hidden, hidden, bias=bias["attention"], over=over)
    plan.norm(f"{place}.mlp_norm", hidden, bias=bias["norm"], over=over)
    plan.linear(f"{place}.mlp.Wi", 2 * shape.inner, hidden, bias=bias["mlp"], over=over)
    plan.linear(f"{place}.mlp.Wo", hidden, shape.inner, bias=bias["mlp"], over=over)
    plan.norm(f"{prefix}final_norm", hidden, bias=bias["norm"])
    if task in _HEADS:
        role = Role.OTHER if task in _EACH else Role.ENCODER
        plan.linear("head.dense", hidden, hidden, bias=config.flag("classifier_bias"), role=role)
        plan.norm("head.norm", hidden, bias=bias["norm"], role=role)
        if task == "MaskedLM":
            again(config, plan, shape.vocabulary, hidden, bias="decoder.bias", matrix="decoder")
        else:
            labels = 1 if task == "MultipleChoice" else None
            classifier(config, plan, "classifier", hidden, labels=labels, each=task in _EACH)
    elif task != "Model":
        not_drawn(plan, named)
    return plan


def _windows(config: Config, plan: Blueprint, count: int) -> None:
    every = config.whole("global_attn_every_n_layers", default=3, most=LAYERS)
    if every < count or every > 1:
        plan.facts["sliding window"] = config.whole("local_attention", default=128)
