"""MPNet: BERT without segments, with one table of distances that all layers share.

Classes: ``MPNetModel``, ``MPNetForMaskedLM``, ``MPNetFor...Classification`` and so on of transformers.

Source: MPNet (arXiv 2004.09297).
"""

from __future__ import annotations

from openvet.profile._config import Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._bert import LABELLED, again, feed, labelled, layers, pooler, tables, text_encoder
from openvet.profile.families._block import Names
from openvet.profile.families._family import Family
from openvet.profile.families._heads import task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("mpnet",))
_NAMES = Names("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o", "attention.LayerNorm",
               "intermediate.dense", "output.dense", "output.LayerNorm")  # fmt: skip


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    known = LABELLED | {"MaskedLM"}
    prefix = "mpnet." if task in known else ""
    plan, shape = text_encoder(config, "mpnet", vocabulary=30527)
    tables(config, plan, f"{prefix}embeddings", shape, types=0)
    layers(plan, f"{prefix}encoder.layer", shape, _NAMES)
    distances = config.whole("relative_attention_num_buckets", default=32)
    name = f"{prefix}encoder.relative_attention_bias.weight"
    plan.add(name, distances, shape.heads, role=Role.EMBEDDING)
    if task == "MultipleChoice" or task not in known:
        pooler(plan, f"{prefix}pooler.dense", shape.hidden)
    if task == "MaskedLM":
        feed(plan, "lm_head.dense", "lm_head.layer_norm", shape)
        matrix = "lm_head.decoder"
        again(config, plan, shape.vocabulary, shape.hidden, bias="lm_head.bias", matrix=matrix, twice=True)
    else:
        labelled(config, plan, named, task, shape.hidden, before="classifier.dense")
    return plan
