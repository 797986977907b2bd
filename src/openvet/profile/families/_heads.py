"""Which class a configuration is for, and what that class puts on top of the model that all classes of a family share."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.errors import MalformedError
from openvet.profile._config import LARGEST, Config
from openvet.profile.blueprint import Blueprint

__all__ = ["class_of", "labels_of", "not_drawn"]

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


def not_drawn(plan: Blueprint, named: str) -> None:
    """Say that the head of this class is not known, so that only the model below it is drawn."""
    plan.notes.append(f"what the class {named} puts on top of the model is not known and not counted")
