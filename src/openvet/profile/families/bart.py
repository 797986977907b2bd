"""BART and what was made after it: mBART, Marian, Pegasus, Blenderbot, and M2M100 (NLLB).

Classes: ``BartModel``, ``BartForConditionalGeneration``, ``BartForSequenceClassification``, ``BartForQuestionAnswering``,
``MarianMTModel`` and the same of the others in transformers. They differ in their positions and in where norms stand.

Source: BART (arXiv 1910.13461); mBART (arXiv 2001.08210); Pegasus (arXiv 1912.08777); M2M-100 (arXiv 2010.11125).
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.errors import UnsupportedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._block import BART, attend_encoder, block
from openvet.profile.families._family import Family
from openvet.profile.families._heads import classifier, not_drawn, task_of
from openvet.profile.families._vision import heads_of

__all__ = ["FAMILY", "draw"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where these models differ.

    Attributes:
        offset: rows before the first position; ``None`` where positions are computed and not stored.
        before: whether the sum of the tables is normalised; ``after``: whether the last layer is.
        biased: whether the class stores a bias of the output, which it never trains.
    """

    offset: int | None = 0
    before: bool = False
    after: bool = False
    biased: bool = True


_KINDS = {
    "bart": _Kind(offset=2, before=True),
    "mbart": _Kind(offset=2, before=True, after=True),
    "marian": _Kind(),
    "pegasus": _Kind(after=True),
    "blenderbot": _Kind(after=True),
    "blenderbot-small": _Kind(before=True),
    "m2m_100": _Kind(offset=None, after=True, biased=False),
}
FAMILY = Family(model_types=tuple(_KINDS))


def draw(config: Config) -> Blueprint:
    kind = config.word("model_type")
    named, task = task_of(config)
    task = "ConditionalGeneration" if named == "MarianMTModel" else task
    if task == "CausalLM":
        raise UnsupportedError(f"the decoder of {kind} without its encoder is not drawn")
    prefix = "" if task == "Model" else "model."
    plan = Blueprint(kind, "encoder-decoder")
    hidden, vocabulary = config.whole("d_model"), config.whole("vocab_size")
    plan.facts |= {"hidden size": hidden, "vocabulary": vocabulary}
    _tables(config, plan, prefix, hidden, vocabulary)
    for name in ("encoder", "decoder"):
        _stack(config, plan, f"{prefix}{name}", name, hidden, _KINDS[kind])
    if task == "ConditionalGeneration":
        _output(config, plan, hidden, biased=_KINDS[kind].biased)
    elif task == "SequenceClassification":
        plan.linear("classification_head.dense", hidden, hidden, bias=True, role=Role.ENCODER)
        labels = config.may("num_labels") or (
            3 if config.word("model_type") == "bart" and "id2label" not in config.values else None
        )
        classifier(config, plan, "classification_head.out_proj", hidden, labels=labels)
    elif task == "QuestionAnswering":
        classifier(config, plan, "qa_outputs", hidden, labels=2, each=True)
    elif task != "Model":
        not_drawn(plan, named)
    return plan


def _tables(config: Config, plan: Blueprint, prefix: str, hidden: int, vocabulary: int) -> None:
    if config.flag("share_encoder_decoder_embeddings", default=True):
        plan.add(f"{prefix}shared.weight", vocabulary, hidden, role=Role.EMBEDDING)
        if config.flag("tie_word_embeddings", default=True):
            return
    after = config.whole("decoder_vocab_size", default=vocabulary)
    plan.add(f"{prefix}encoder.embed_tokens.weight", vocabulary, hidden, role=Role.EMBEDDING)
    plan.add(f"{prefix}decoder.embed_tokens.weight", after, hidden, role=Role.EMBEDDING)


def _stack(config: Config, plan: Blueprint, place: str, name: str, hidden: int, kind: _Kind) -> None:
    layers = range(config.whole(f"{name}_layers", most=LAYERS))
    heads = heads_of(config, hidden, f"{name}_attention_heads")
    inner = config.whole(f"{name}_ffn_dim")
    role = Role.ENCODER if name == "encoder" else Role.OTHER
    over, layer = (layers,), f"{place}.layers.{{}}"
    if kind.offset is not None:
        most = config.whole("max_position_embeddings") + kind.offset
        plan.add(f"{place}.embed_positions.weight", most, hidden, role=Role.EMBEDDING)
        plan.facts["context length"] = most - kind.offset
    if kind.before:
        plan.norm(f"{place}.layernorm_embedding", hidden, bias=True, role=role)
    block(plan, layer, BART, hidden, inner, over, role=role)
    if kind.after:
        plan.norm(f"{place}.layer_norm", hidden, bias=True, role=role)
    if name == "encoder":
        plan.facts["encoder layers"] = len(layers)
        return
    plan.facts |= {"layers": len(layers), "attention heads": heads}
    attend_encoder(plan, layer, hidden, over)


def _output(config: Config, plan: Blueprint, hidden: int, *, biased: bool) -> None:
    """The table of the decoder once more; the bias is a buffer of zeros."""
    vocabulary = config.whole("vocab_size")
    if not config.flag("share_encoder_decoder_embeddings", default=True):
        vocabulary = config.whole("decoder_vocab_size", default=vocabulary)
    if biased:
        plan.add("final_logits_bias", 1, vocabulary, role=Role.BUFFER)
    if config.flag("tie_word_embeddings", default=True):
        plan.tied = vocabulary * hidden
        plan.facts["tied embeddings"] = True
    else:
        plan.linear("lm_head", vocabulary, hidden)
