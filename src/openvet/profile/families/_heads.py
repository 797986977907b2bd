"""Which class a configuration is for, and what that class puts on top of the model that all classes of a family share."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.errors import MalformedError
from openvet.profile._config import LARGEST, Config
from openvet.profile.blueprint import Blueprint, Role

__all__ = ["class_of", "classifier", "labels_of", "not_drawn", "task_of"]

#: Labels of a classifier; a table of all species or all words of a language is smaller.
_MOST_LABELS = 10_000_000


def class_of(config: Config) -> str:
    """The first class that ``architectures`` names; empty where it names none.

    A class of one's own that derives from a known one often has its name with something before or behind; it is taken as it is
    written, and a family says which of them it knows.
    """
    found = config.may_list("architectures", most=100)
    if not found:
        return ""
    if not isinstance(found[0], str):
        raise MalformedError(f"{config.pointer}/architectures/0 is no text")
    return found[0]


def labels_of(config: Config) -> int:
    """How many labels a classifier tells apart: as many as ``id2label`` names, or ``num_labels``, or two."""
    named = config.values.get("id2label")
    if isinstance(named, Mapping):
        config.read["id2label"] = f"{config.pointer}/id2label"
        if not named or len(named) > _MOST_LABELS:
            raise MalformedError(f"{config.pointer}/id2label names {len(named)} labels")
        return len(named)
    return config.whole("num_labels", "_num_labels", default=2, most=min(_MOST_LABELS, LARGEST))


def task_of(config: Config) -> tuple[str, str]:
    """The first class, and what it is for: ``MaskedLM`` of ``BertForMaskedLM``, ``Model`` of a model without a head."""
    named = class_of(config)
    if "For" in named:
        return named, named.rpartition("For")[2]
    return named, "CausalLM" if named.endswith("LMHeadModel") else "Model"


def classifier(
    config: Config, plan: Blueprint, name: str, hidden: int, *, labels: int | None = None, each: bool = False
) -> None:
    """A matrix from ``hidden`` to the labels.

    Args:
        labels: how many, where the class and not the configuration says it.
        each: whether every token has a label of its own, and not the text as a whole.
    """
    count = labels_of(config) if labels is None else labels
    plan.linear(name, count, hidden, bias=True, role=Role.OTHER if each else Role.ENCODER)
    plan.modalities = (plan.modalities[0], ("labels",))
    plan.facts["labels"] = count


def not_drawn(plan: Blueprint, named: str) -> None:
    """Say that the head of this class is not known, so that only the model below it is drawn."""
    plan.notes.append(f"what the class {named} puts on top of the model is not known and not counted")
