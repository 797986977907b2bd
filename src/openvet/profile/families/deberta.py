"""DeBERTa 2 and 3: attention that looks at tokens and at distances apart, with one table of distances for all layers.

Classes: ``DebertaV2Model``, ``DebertaV2ForMaskedLM``, ``DebertaV2For...Classification`` and so on of transformers. ``mDeBERTa`` is
such a model.

Source: DeBERTa (arXiv 2006.03654); DeBERTaV3 (arXiv 2111.09543).
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.profile._config import Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._bert import LABELLED, Shape, again, feed, labelled, layers, pooler, text_encoder
from openvet.profile.families._block import Names
from openvet.profile.families._family import Family
from openvet.profile.families._heads import task_of

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("deberta-v2",))
_NAMES = Names("attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj", "attention.output.dense",
               "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm")  # fmt: skip


def draw(config: Config) -> Blueprint:
    named, task = task_of(config)
    known = LABELLED | {"MaskedLM"}
    prefix = "deberta." if task in known else ""
    plan, shape = text_encoder(config, "deberta-v2", table=config.may("embedding_size"))
    place = f"{prefix}embeddings"
    most = config.whole("max_position_embeddings", default=512)
    plan.facts["context length"] = most
    plan.add(f"{place}.word_embeddings.weight", shape.vocabulary, shape.table, role=Role.EMBEDDING)
    if config.flag("position_biased_input", default=True):
        plan.add(f"{place}.position_embeddings.weight", most, shape.table, role=Role.EMBEDDING)
    types = config.whole("type_vocab_size", default=0, least=0)
    if types:
        plan.add(f"{place}.token_type_embeddings.weight", types, shape.table, role=Role.EMBEDDING)
    if shape.table != shape.hidden:
        plan.linear(f"{place}.embed_proj", shape.hidden, shape.table)
    plan.norm(f"{place}.LayerNorm", shape.hidden, bias=True)
    layers(plan, f"{prefix}encoder.layer", shape, _NAMES)
    if config.flag("relative_attention"):
        _distances(config, plan, f"{prefix}encoder", shape, most)
    size = config.whole("conv_kernel_size", default=0, least=0)
    if size:
        groups = config.whole("conv_groups", default=1)
        if shape.hidden % groups:
            raise MalformedError(f"{config.pointer}/conv_groups {groups} does not divide the {shape.hidden} channels")
        plan.add(f"{prefix}encoder.conv.conv.weight", shape.hidden, shape.hidden // groups, size)
        plan.add(f"{prefix}encoder.conv.conv.bias", shape.hidden)
        plan.norm(f"{prefix}encoder.conv.LayerNorm", shape.hidden, bias=True)
    _head(config, plan, named, task, shape)
    return plan


def _distances(config: Config, plan: Blueprint, place: str, shape: Shape, most: int) -> None:
    farthest = config.whole("max_relative_positions", default=-1, least=-1)
    size = config.whole("position_buckets", default=-1, least=-1)
    if size < 1:
        size = farthest if farthest > 0 else most
    plan.add(f"{place}.rel_embeddings.weight", 2 * size, shape.hidden, role=Role.EMBEDDING)
    if "layer_norm" in config.word("norm_rel_ebd", default="none").lower().split("|"):
        plan.norm(f"{place}.LayerNorm", shape.hidden, bias=True)
    if config.flag("share_att_key"):
        return
    kinds = config.values.get("pos_att_type") or []
    kinds = kinds.lower().split("|") if isinstance(kinds, str) else [str(each).lower() for each in kinds]
    # from tokens to distances, and back
    for kind, name in (("c2p", "pos_key_proj"), ("p2c", "pos_query_proj")):
        if kind in [each.strip() for each in kinds]:
            name = f"{place}.layer.{{}}.attention.self.{name}"
            plan.linear(name, shape.hidden, shape.hidden, bias=True, over=(range(shape.count),))


def _head(config: Config, plan: Blueprint, named: str, task: str, shape: Shape) -> None:
    if task == "MaskedLM" and config.flag("legacy", default=True):
        feed(plan, "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", shape, shape.table)
        name = "cls.predictions.decoder"
        again(config, plan, shape.vocabulary, shape.table, bias="cls.predictions.bias", matrix=name, twice=True)
    elif task == "MaskedLM":
        plan.modalities = (("text",), ("text",))
        feed(plan, "lm_predictions.lm_head.dense", "lm_predictions.lm_head.LayerNorm", shape)
        plan.add("lm_predictions.lm_head.bias", shape.vocabulary)
        plan.tied = shape.vocabulary * shape.hidden
    else:
        if task in {"SequenceClassification", "MultipleChoice"}:
            pooler(plan, "pooler.dense", shape.hidden)
        labelled(config, plan, named, task, shape.hidden)
