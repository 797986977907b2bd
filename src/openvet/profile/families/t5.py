"""T5, Flan-T5, mT5 and UMT5: encoder and decoder without a bias, with a table of distances.

Classes: ``T5Model``, ``T5ForConditionalGeneration``, ``T5EncoderModel`` and the same of mT5 and UMT5 in transformers. Whether the
head is a matrix of its own is what ``tie_word_embeddings`` says; transformers 5 ties it in every case.

Source: Exploring the Limits of Transfer Learning (arXiv 1910.10683) section 2.1; mT5 (arXiv 2010.11934); UniMax (arXiv 2304.09151).
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._decoder import head_of
from openvet.profile.families._family import Family
from openvet.profile.families._heads import class_of, not_drawn

__all__ = ["FAMILY", "draw"]

FAMILY = Family(model_types=("t5", "mt5", "umt5"))


@dataclass(frozen=True, slots=True)
class _Shape:
    hidden: int
    inner: int
    heads: int
    #: heads times their width, which need not be the width of the model
    attended: int
    gated: bool
    distances: int
    #: whether every layer has a table of distances, and not the first alone
    everywhere: bool


def draw(config: Config) -> Blueprint:
    kind, named = config.word("model_type"), class_of(config)
    alone = named.endswith("EncoderModel")
    plan = Blueprint(kind, "encoder" if alone else "encoder-decoder", (("text",), ("vectors",) if alone else ("text",)))
    shape = _shape(config, kind)
    vocabulary = config.whole("vocab_size", default=32128 if kind == "t5" else 250112)
    layers = range(config.whole("num_layers", most=LAYERS))
    plan.facts |= {"layers": len(layers), "hidden size": shape.hidden, "attention heads": shape.heads}
    plan.facts |= {"head size": shape.attended // shape.heads, "vocabulary": vocabulary}
    plan.add("shared.weight", vocabulary, shape.hidden, role=Role.EMBEDDING)
    _stack(plan, "encoder", shape, layers, crossed=False, role=Role.OTHER if alone else Role.ENCODER)
    if alone:
        return plan
    after = range(config.may("num_decoder_layers", most=LAYERS) or len(layers))
    plan.facts |= {"layers": len(after), "encoder layers": len(layers)}
    _stack(plan, "decoder", shape, after, crossed=True, role=Role.OTHER)
    plan.keep("kv", len(after), 2 * shape.attended, flop=4 * shape.attended)
    plan.keep("cross", len(after), 2 * shape.attended, flop=4 * shape.attended)
    if named.endswith("ForConditionalGeneration") or not named:
        head_of(config, plan, vocabulary, shape.hidden, tied=kind == "t5")
    elif named.removesuffix("Model") not in {"T5", "MT5", "UMT5"}:
        not_drawn(plan, named)
    return plan


def _shape(config: Config, kind: str) -> _Shape:
    heads = config.whole("num_heads", most=LAYERS)
    forward = config.word("feed_forward_proj", default="relu" if kind == "t5" else "gated-gelu")
    distances = config.whole("relative_attention_num_buckets", default=32)
    return _Shape(config.whole("d_model"), config.whole("d_ff"), heads, heads * config.whole("d_kv"),
                  forward.startswith("gated"), distances, kind == "umt5")  # fmt: skip


def _stack(plan: Blueprint, name: str, shape: _Shape, layers: range, *, crossed: bool, role: str) -> None:
    place, over = f"{name}.block.{{}}.layer", (layers,)
    kinds = ("SelfAttention", "EncDecAttention") if crossed else ("SelfAttention",)
    for number, kind in enumerate(kinds):
        made = Role.ENCODER if kind == "EncDecAttention" else role
        for letter in "qkvo":
            extents = (shape.hidden, shape.attended) if letter == "o" else (shape.attended, shape.hidden)
            part = made if letter in "kv" else role
            plan.linear(f"{place}.{number}.{kind}.{letter}", *extents, role=part, over=over)
    first = layers if shape.everywhere else layers[:1]
    table = f"{place}.0.SelfAttention.relative_attention_bias.weight"
    plan.add(table, shape.distances, shape.heads, role=Role.EMBEDDING, over=(first,))
    last = f"{place}.{len(kinds)}.DenseReluDense"
    for letter in ("wi_0", "wi_1") if shape.gated else ("wi",):
        plan.linear(f"{last}.{letter}", shape.inner, shape.hidden, role=role, over=over)
    plan.linear(f"{last}.wo", shape.hidden, shape.inner, role=role, over=over)
    plan.norm(f"{place}.{{}}.layer_norm", shape.hidden, role=role, over=(layers, range(len(kinds) + 1)))
    plan.norm(f"{name}.final_layer_norm", shape.hidden, role=role)
