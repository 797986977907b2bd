"""ELECTRA: BERT whose token table may be narrower, trained to tell which tokens were replaced.

Classes: ``ElectraModel``, ``ElectraForPreTraining``, ``ElectraForMaskedLM``, ``ElectraFor...Classification`` and so on of
transformers.

Source: ELECTRA (arXiv 2003.10555).
"""

from __future__ import annotations

from openvet.profile._config import Config
from openvet.profile.blueprint import Blueprint
from openvet.profile.families._bert import (
    LABELLED,
    again,
    feed,
    labelled,
    layers,
    pooler,
    relative,
    tables,
    text_encoder,
)
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, not_drawn, task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("electra",))
_KNOWN = frozenset({"PreTraining", "MaskedLM", *LABELLED})


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    prefix = "electra." if task in _KNOWN else ""
    width = config.whole("embedding_size", default=128)
    plan, shape = text_encoder(config, "electra", table=width)
    tables(config, plan, f"{prefix}embeddings", shape, types=config.whole("type_vocab_size", default=2, least=0))
    if width != shape.hidden:
        plan.linear(f"{prefix}embeddings_project", shape.hidden, width, bias=True)
    layers(plan, f"{prefix}encoder.layer", shape)
    relative(config, plan)
    if task == "PreTraining":
        plan.linear("discriminator_predictions.dense", shape.hidden, shape.hidden, bias=True)
        classifier(config, plan, "discriminator_predictions.dense_prediction", shape.hidden, labels=1, each=True)
    elif task == "MaskedLM":
        feed(plan, "generator_predictions.dense", "generator_predictions.LayerNorm", shape, width)
        again(config, plan, shape.vocabulary, width, bias="generator_lm_head.bias", matrix="generator_lm_head")
    elif task in _KNOWN | {"Model"}:
        if task == "MultipleChoice" and config.flag("summary_use_proj", default=True):
            pooler(plan, "sequence_summary.summary", shape.hidden)
        labelled(config, plan, named, task, shape.hidden, before="classifier.dense")
    else:
        not_drawn(plan, named)
    return plan
