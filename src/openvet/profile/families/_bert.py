"""What the relatives of BERT have in common: tables for tokens, positions and segments, layers, a pooler, heads."""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role
from openvet.profile.families._block import BERT, Names, block
from openvet.profile.families._heads import classifier, not_drawn
from openvet.profile.families._vision import heads_of

__all__ = ["LABELLED", "Shape", "again", "feed", "labelled", "layers", "pooler", "relative", "tables", "text_encoder"]

#: What the classes that give labels are for.
LABELLED = frozenset({"SequenceClassification", "MultipleChoice", "TokenClassification", "QuestionAnswering"})


@dataclass(frozen=True, slots=True)
class Shape:
    """Extents that the tensors of such a model have; ``table`` is the width of the token table, which ALBERT and ELECTRA have smaller."""

    hidden: int
    inner: int
    count: int
    vocabulary: int
    table: int
    heads: int


def text_encoder(
    config: Config, family: str, *, vocabulary: int | None = None, table: int | None = None
) -> tuple[Blueprint, Shape]:
    """An empty plan with the facts, and the extents.

    Args:
        vocabulary: what the class takes where the configuration has none.
        table: width of the token table; ``None`` for that of the layers.
    """
    plan = Blueprint(family, "encoder", (("text",), ("vectors",)))
    hidden = config.whole("hidden_size", "dim", "n_embd")
    shape = Shape(
        hidden,
        config.may("intermediate_size", "hidden_dim", "n_inner") or 4 * hidden,
        config.whole("num_hidden_layers", "n_layers", "n_layer", most=LAYERS),
        config.whole("vocab_size", default=vocabulary),
        table or hidden,
        heads_of(config, hidden, "num_attention_heads", "n_heads", "n_head"),
    )
    plan.facts |= {"layers": shape.count, "hidden size": hidden, "attention heads": shape.heads}
    plan.facts |= {"head size": hidden // shape.heads, "vocabulary": shape.vocabulary}
    return plan, shape


def tables(
    config: Config, plan: Blueprint, place: str, shape: Shape, *, positions: int | None = 512, types: int = 2
) -> None:
    """The tables that tokens, positions and segments are looked up in, and the norm of their sum.

    Args:
        positions: how many the class takes where the configuration has none; ``None`` for a model without such a table.
        types: how many segments.
    """
    plan.add(f"{place}.word_embeddings.weight", shape.vocabulary, shape.table, role=Role.EMBEDDING)
    if positions is not None:
        most = config.whole("max_position_embeddings", default=positions)
        plan.facts["context length"] = most
        plan.add(f"{place}.position_embeddings.weight", most, shape.table, role=Role.EMBEDDING)
    if types:
        plan.add(f"{place}.token_type_embeddings.weight", types, shape.table, role=Role.EMBEDDING)
    plan.norm(f"{place}.LayerNorm", shape.table, bias=True)


def layers(plan: Blueprint, place: str, shape: Shape, names: Names = BERT) -> None:
    """All layers, numbered at the end of ``place``."""
    block(plan, f"{place}.{{}}", names, shape.hidden, shape.inner, (range(shape.count),))


def pooler(plan: Blueprint, name: str, hidden: int) -> None:
    """A matrix that only the first token of a text passes."""
    plan.linear(name, hidden, hidden, bias=True, role=Role.ENCODER)


def feed(plan: Blueprint, name: str, norm: str, shape: Shape, out: int | None = None) -> None:
    """What stands before a head that gives back tokens: a matrix and a norm."""
    plan.linear(name, out or shape.hidden, shape.hidden, bias=True)
    plan.norm(norm, out or shape.hidden, bias=True)


def again(
    config: Config, plan: Blueprint, vocabulary: int, width: int, *, bias: str, matrix: str, twice: bool = False
) -> None:
    """The output: the table of tokens once more, or a ``matrix`` of its own, with a bias.

    Args:
        twice: whether a matrix of its own has a second bias of its own.
    """
    plan.modalities = (("text",), ("text",))
    plan.add(bias, vocabulary)
    if config.flag("tie_word_embeddings", default=True):
        plan.tied += vocabulary * width
        plan.facts["tied embeddings"] = True
    else:
        plan.linear(matrix, vocabulary, width, bias=twice)


def labelled(config: Config, plan: Blueprint, named: str, task: str, hidden: int, *, before: str = "") -> None:
    """The head of a class that gives labels; says so where ``task`` is none of these and not ``Model``.

    Args:
        before: the matrix between the model and the label of a text, where there is one.
    """
    if task == "SequenceClassification" and before:
        pooler(plan, before, hidden)
        inside = before.partition(".")[2] == "dense"
        classifier(config, plan, "classifier.out_proj" if inside else "classifier", hidden)
    elif task == "SequenceClassification":
        classifier(config, plan, "classifier", hidden)
    elif task == "MultipleChoice":
        classifier(config, plan, "classifier", hidden, labels=1)
    elif task == "TokenClassification":
        classifier(config, plan, "classifier", hidden, each=True)
    elif task == "QuestionAnswering":
        classifier(config, plan, "qa_outputs", hidden, each=True)
    elif task != "Model":
        not_drawn(plan, named)


def relative(config: Config, plan: Blueprint) -> None:
    """Say where distances between tokens have tables of their own in every layer, as in few published models."""
    if config.word("position_embedding_type", default="absolute") not in {"absolute", "rotary"}:
        plan.notes.append("tables of the distances between tokens are declared and not counted")
