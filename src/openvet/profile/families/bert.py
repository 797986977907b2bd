"""BERT, and RoBERTa, XLM-RoBERTa and CamemBERT, which differ from it in names alone.

Classes: ``BertModel``, ``BertForPreTraining``, ``BertForMaskedLM``, ``BertLMHeadModel``, ``BertFor...Classification`` and so on
of transformers, and the same of RoBERTa. MiniLM, E5, BGE and other encoders of sentences are such models.

Source: BERT (arXiv 1810.04805); RoBERTa (arXiv 1907.11692).
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
from openvet.profile.families._heads import classifier, task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("bert", "roberta", "xlm-roberta", "camembert"))
#: Heads of BERT that look at the pooled first token; RoBERTa's look at the token itself.
_POOLED = frozenset({"Model", "PreTraining", "NextSentencePrediction", "SequenceClassification", "MultipleChoice"})
_TOKENS = frozenset({"MaskedLM", "CausalLM"})


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    named, task = task_of(config)
    original = kind == "bert"
    known = LABELLED | _TOKENS | ({"PreTraining", "NextSentencePrediction"} if original else set())
    prefix = ("bert." if original else "roberta.") if task in known else ""
    plan, shape = text_encoder(config, kind)
    tables(config, plan, f"{prefix}embeddings", shape, types=config.whole("type_vocab_size", default=2, least=0))
    layers(plan, f"{prefix}encoder.layer", shape)
    relative(config, plan)
    if task not in known or task in (_POOLED if original else {"MultipleChoice"}):
        pooler(plan, f"{prefix}pooler.dense", shape.hidden)
    if task in _TOKENS | {"PreTraining"} and task in known:
        place, norm = ("cls.predictions.transform", "LayerNorm") if original else ("lm_head", "layer_norm")
        feed(plan, f"{place}.dense", f"{place}.{norm}", shape)
        above = "cls.predictions" if original else "lm_head"
        matrix = f"{above}.decoder"
        again(config, plan, shape.vocabulary, shape.hidden, bias=f"{above}.bias", matrix=matrix, twice=True)
    elif task not in {"NextSentencePrediction"} & known:
        labelled(config, plan, named, task, shape.hidden, before="" if original else "classifier.dense")
    if task in {"PreTraining", "NextSentencePrediction"} & known:
        classifier(config, plan, "cls.seq_relationship", shape.hidden, labels=2)
    if config.flag("add_cross_attention"):
        plan.notes.append("attention to another model's output is declared and not counted")
    return plan
