"""ALBERT: one layer, or few, that a token passes again and again, and a narrow table of tokens.

Classes: ``AlbertModel``, ``AlbertForMaskedLM``, ``AlbertForPreTraining``, ``AlbertFor...Classification`` and so on of transformers.

Source: ALBERT (arXiv 1909.11942).
"""

from __future__ import annotations

from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._bert import LABELLED, again, feed, labelled, tables, text_encoder
from openvet.profile.families._block import Names, block
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("albert",))
_NAMES = Names("attention.query", "attention.key", "attention.value", "attention.dense", "attention.LayerNorm", "ffn", "ffn_output",
               "full_layer_layer_norm")  # fmt: skip
_POOLED = frozenset({"Model", "PreTraining", "SequenceClassification", "MultipleChoice"})
_KNOWN = _POOLED | LABELLED | {"MaskedLM"}


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    table = config.whole("embedding_size", default=128)
    plan, shape = text_encoder(config, "albert", table=table)
    prefix = "albert." if task in _KNOWN - {"Model"} else ""
    tables(config, plan, f"{prefix}embeddings", shape, types=config.whole("type_vocab_size", default=2, least=0))
    plan.linear(f"{prefix}encoder.embedding_hidden_mapping_in", shape.hidden, table, bias=True)
    groups = range(config.whole("num_hidden_groups", default=1, most=LAYERS))
    inside = range(config.whole("inner_group_num", default=1, most=LAYERS))
    before = plan.parameters
    place = f"{prefix}encoder.albert_layer_groups.{{}}.albert_layers.{{}}"
    block(plan, place, _NAMES, shape.hidden, shape.inner, (groups, inside))
    # layer n is of group n * groups // layers; each pass beyond the first is counted, the weights are not
    shared = (plan.parameters - before) // len(groups)
    plan.tied = max(0, shape.count - len(groups)) * shared
    plan.facts["layers with weights of their own"] = len(groups) * len(inside)
    if task in _POOLED or task not in _KNOWN:
        plan.linear(f"{prefix}pooler", shape.hidden, shape.hidden, bias=True, role=Role.ENCODER)
    if task in {"MaskedLM", "PreTraining"}:
        feed(plan, "predictions.dense", "predictions.LayerNorm", shape, table)
        matrix = "predictions.decoder"
        again(config, plan, shape.vocabulary, table, bias="predictions.bias", matrix=matrix, twice=True)
        if task == "PreTraining":
            classifier(config, plan, "sop_classifier.classifier", shape.hidden)
    else:
        labelled(config, plan, named, task, shape.hidden)
    return plan
