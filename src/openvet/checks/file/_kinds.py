"""What the rules about whole files know of formats: families, and the endings that belong to them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from openvet.core.tables import read_table
from openvet.inventory.identify import formats

__all__ = ["carried_by_pickle", "claims", "ending_of", "family", "name_rules"]


@cache
def name_rules() -> dict[str, Any]:
    """The data file ``extensions.toml``."""
    return read_table("extensions")


@cache
def _refines() -> dict[str, tuple[str, ...]]:
    return {entry.facts.id: entry.facts.refines for entry in formats().entries}


@cache
def claims() -> dict[str, frozenset[str]]:
    """Ending -> ids of the formats that are published under it, as the formats and the data file say."""
    from openvet.formats import known

    found: dict[str, set[str]] = {}
    for each in (*(entry.facts for entry in formats().entries), *known.FORMATS):
        for ending in each.extensions:
            found.setdefault(ending, set()).add(each.id)
    for ending in name_rules()["text"]["endings"]:
        found.setdefault(ending, set()).add("text")
    for ending, ids in name_rules()["also"].items():
        found.setdefault(ending, set()).update(ids)
    return {ending: frozenset(ids) for ending, ids in found.items()}


def family(ids: Iterable[str]) -> set[str]:
    """The formats ``ids`` and all that they are special cases of."""
    out: set[str] = set()
    waiting = list(ids)
    while waiting:
        each = waiting.pop()
        if each not in out:
            out.add(each)
            waiting.extend(_refines().get(each, ()))
    return out


def carried_by_pickle(ids: Iterable[str]) -> bool:
    """Whether loading a file of these formats runs a pickle."""
    return not family(ids).isdisjoint(name_rules()["pickle"]["formats"])


def ending_of(name: str) -> str:
    """The ending of a name in lower case with its dot, or nothing for ``.hidden`` and for names without one."""
    if name.startswith("events.out.tfevents."):  # the rest is the name of the machine that wrote it
        return ""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""
