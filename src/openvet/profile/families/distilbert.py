"""DistilBERT: BERT with half of the layers, without segments and without a pooler.

Classes: ``DistilBertModel``, ``DistilBertForMaskedLM``, ``DistilBertFor...Classification`` and so on of transformers.

Source: DistilBERT (arXiv 1910.01108).
"""

from __future__ import annotations

from openvet.profile._config import Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._bert import LABELLED, again, feed, labelled, layers, pooler, tables, text_encoder
from openvet.profile.families._block import Names
from openvet.profile.families._family import Family
from openvet.profile.families._heads import task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("distilbert",))
_NAMES = Names("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2",
               "output_layer_norm")  # fmt: skip


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    plan, shape = text_encoder(config, "distilbert")
    prefix = "distilbert." if task in LABELLED | {"MaskedLM"} else ""
    tables(config, plan, f"{prefix}embeddings", shape, types=0)
    layers(plan, f"{prefix}transformer.layer", shape, _NAMES)
    if task == "MaskedLM":
        feed(plan, "vocab_transform", "vocab_layer_norm", shape)
        again(config, plan, shape.vocabulary, shape.hidden, bias="vocab_projector.bias", matrix="vocab_projector")
        return plan
    if task == "MultipleChoice":
        pooler(plan, "pre_classifier", shape.hidden)
    labelled(config, plan, named, task, shape.hidden, before="pre_classifier")
    return plan
